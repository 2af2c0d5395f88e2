"""An API key that one host gets to see, and nobody else.

Knows keys and origins; nothing of what is asked. A server may send a key back, in a complaint for
example, so the bytes that it sends go through `hidden_bytes`, and texts made of them, where JSON
may have spelled it otherwise, through `hidden`.
"""

from __future__ import annotations

from collections.abc import Generator

import httpx2
from pydantic import SecretStr

SHORTEST = 8
"""Shorter keys are placeholders, like EMPTY: no secrets, and words that replies may contain."""


class HostKey(httpx2.Auth):
    """Adds the key to requests for its own scheme, host and port, to no others."""

    def __init__(self, base_url: str, key: SecretStr | None) -> None:
        self._origin = httpx2.URL(base_url).origin
        self._key = key

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send the request once, with the key where it belongs."""
        if self._key is not None and request.url.origin == self._origin:
            request.headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        yield request

    def hidden(self, text: str) -> str:
        """The text without the key."""
        secret = self._key.get_secret_value() if self._key else ""
        return text.replace(secret, "[key]") if len(secret) >= SHORTEST else text

    def hidden_bytes(self, body: bytes) -> bytes:
        """The same for what came over the wire."""
        secret = self._key.get_secret_value().encode() if self._key else b""
        return body.replace(secret, b"[key]") if len(secret) >= SHORTEST else body
