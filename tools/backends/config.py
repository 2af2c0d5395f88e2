"""What has to be known of a model server before it can be asked, and what asking costs.

Knows names and values only. An address comes from here and from nowhere else: no reply, picture or
prompt can name another one.
"""

from __future__ import annotations

from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)


def _base_url(url: str) -> str:
    """With or without /v1 at the end, people mean the same server."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an address like http://localhost:30000")
    if parts.username or parts.password:
        raise ValueError("an address with a password in it would be logged: use api_key")
    if parts.query or parts.fragment:
        raise ValueError("an address ends with its path: no ? and no #")
    return url.rstrip("/").removesuffix("/v1").rstrip("/")


Address = Annotated[str, AfterValidator(_base_url)]


def _sendable(key: SecretStr) -> SecretStr:
    value = key.get_secret_value()
    if not (value.isascii() and value.isprintable() and value and " " not in value):
        raise ValueError("a key is printable ASCII without spaces or line ends")
    return key


class Tariff(BaseModel):
    """What a model costs, in any one currency; a model of one's own costs nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    per_million_in: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """A million tokens of messages."""
    per_million_cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """A million of those that the server had in its cache; None: they cost the same."""
    per_million_out: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """A million tokens of replies."""
    per_picture: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """A picture, on top of its tokens."""
    tokens_per_picture: int = Field(default=2880, ge=0)
    """How many tokens to reserve for a picture, at most as many as the model makes of one; the
    default is LLaVA-NeXT's, which makes 576 of the whole and of each of up to four tiles."""

    def money(self, tokens_in: int, tokens_out: int, tokens_cached: int, pictures: int) -> float:
        """The price of a call."""
        cached = min(tokens_cached, tokens_in)
        rate = self.per_million_in if self.per_million_cached is None else self.per_million_cached
        tokens = (tokens_in - cached) * self.per_million_in + cached * rate
        return (tokens + tokens_out * self.per_million_out) / 1e6 + pictures * self.per_picture


class ServerConfig(BaseModel):
    """One OpenAI-compatible server, and how patient we are with it."""

    # Inputs hidden: an invalid key is still a key.
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    base_url: Address
    """Where it is, for example http://localhost:30000; /v1 is added to it. A list, or addresses
    with commas between them, are replicas of one server."""
    replicas: tuple[Address, ...] = ()
    """Where the same model is served too: a request goes to the least busy one."""
    model: str = ""
    """The name it serves the model under; empty is the only one that it lists."""
    api_key: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    """Sent to this scheme, host and port only."""
    longest_side: PositiveInt = 1024
    """Larger pictures are made smaller, to this many pixels."""
    multi_images: bool = False
    """Mark each of several pictures for SGLang, whose LLaVA otherwise sees only the first one."""
    tariff: Tariff = Tariff()
    """What it costs; a limit on money counts this."""
    concurrency: PositiveInt = 8
    """Requests at the same time, at most, for each address; fewer while it is overloaded."""
    attempts: PositiveInt = 4
    """How often one call is tried."""
    seconds: PositiveFloat = Field(default=120.0, allow_inf_nan=False)
    """The time for one call, all its attempts and pauses included, from when its turn has come."""
    first_pause: NonNegativeFloat = Field(default=0.5, allow_inf_nan=False)
    """Seconds before the second attempt; doubled with each further one."""
    longest_reply: PositiveInt = 4_000_000
    """Bytes; a server that sends more is not waited for."""
    failures: PositiveInt = 5
    """After so many failed attempts in a row an address counts as down."""
    rest: PositiveFloat = Field(default=30.0, allow_inf_nan=False)
    """Seconds for which an address that is down is not asked."""

    @model_validator(mode="before")
    @classmethod
    def _several(cls, values: Any) -> Any:
        """Of several addresses the first stands for all: what was asked is known by it."""
        if not isinstance(values, dict):
            return values
        url = values.get("base_url")
        several = url.split(",") if isinstance(url, str) else url
        if not isinstance(several, list | tuple) or not several:
            return values
        first, *others = (one.strip() if isinstance(one, str) else one for one in several)
        return {**values, "base_url": first, "replicas": (*others, *values.get("replicas", ()))}

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len(set(self.addresses)) < len(self.addresses):
            raise ValueError("base_url names the same address twice")
        return self

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where requests may go."""
        return (self.base_url, *self.replicas)

    def each(self) -> tuple[ServerConfig, ...]:
        """One server for each address."""
        return tuple(
            self.model_copy(update={"base_url": one, "replicas": ()}) for one in self.addresses
        )
