"""What has to be known of a model server before it can be asked.

Knows names and values only. An address comes from here and from nowhere else: no reply, picture or
prompt can name another one.
"""

from __future__ import annotations

from typing import Annotated
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


def _sendable(key: SecretStr) -> SecretStr:
    value = key.get_secret_value()
    if not (value.isascii() and value.isprintable() and value and " " not in value):
        raise ValueError("a key is printable ASCII without spaces or line ends")
    return key


class ServerConfig(BaseModel):
    """One OpenAI-compatible server, and how patient we are with it."""

    # Inputs hidden: an invalid key is still a key.
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    base_url: Annotated[str, AfterValidator(_base_url)]
    """Where it is, for example http://localhost:30000; /v1 is added to it."""
    model: str = ""
    """The name it serves the model under; empty is the only one that it lists."""
    api_key: Annotated[SecretStr, AfterValidator(_sendable)] | None = None
    """Sent to this scheme, host and port only."""
    longest_side: PositiveInt = 1024
    """Larger pictures are made smaller, to this many pixels."""
    multi_images: bool = False
    """Mark each of several pictures for SGLang, whose LLaVA otherwise sees only the first one."""
    concurrency: PositiveInt = 8
    """Requests at the same time, at most; fewer while the server is overloaded."""
    attempts: PositiveInt = 4
    """How often one call is tried."""
    seconds: PositiveFloat = Field(default=120.0, allow_inf_nan=False)
    """The time for one call, all its attempts and pauses included, from when its turn has come."""
    first_pause: NonNegativeFloat = Field(default=0.5, allow_inf_nan=False)
    """Seconds before the second attempt; doubled with each further one."""
    longest_reply: PositiveInt = 4_000_000
    """Bytes; a server that sends more is not waited for."""
    failures: PositiveInt = 5
    """After so many failed attempts in a row the server counts as down."""
    rest: PositiveFloat = Field(default=30.0, allow_inf_nan=False)
    """Seconds for which a server that is down is not asked."""
