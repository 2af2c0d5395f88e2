"""One HTTP exchange: a body is posted, and a whole one comes back, within limits of bytes and time.

Knows HTTP; nothing of chats, and nothing of trying again. Redirects are answers like any other, and
settings of the environment (proxies, .netrc) are not looked at: where we talk to is configured.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import httpx2

from tools.backends.config import ServerConfig
from tools.backends.key import HostKey
from tools.failures import TryAgain, WontWork

# Uncompressed, so that the limit on bytes can't be met by a small body that grows.
HEADERS = {"Accept-Encoding": "identity"}
JSON = "application/json"


class Answer(NamedTuple):
    """What came back, complete."""

    server: ServerConfig
    """Who sent it."""
    status: int
    headers: httpx2.Headers
    body: bytes


class Exchange:
    """The connections to one server."""

    def __init__(self, config: ServerConfig) -> None:
        self.key = HostKey(config.base_url, config.api_key)
        self._config = config
        # Time is limited from outside, over the whole exchange; silence is only one way to lose it.
        self._client = httpx2.AsyncClient(
            auth=self.key,
            headers=HEADERS,
            timeout=None,
            limits=httpx2.Limits(max_connections=config.concurrency),
            follow_redirects=False,
            trust_env=False,
        )

    async def post(self, path: str, body: bytes, until: float, kind: str = JSON) -> Answer:
        """Post a body of some media type until the loop's time `until`."""
        base = self._config.base_url
        try:
            async with asyncio.timeout_at(until):
                return await self._post(f"{base}{path}", body, kind)
        except TimeoutError:
            fault = f"sends no whole answer within {self._config.seconds:g} s"
        except httpx2.TransportError as error:
            told = self.key.hidden(str(error)).rstrip(".") or type(error).__name__
            fault = f"can't be talked to: {told}"
        # Raised here and not above, so that no request with its headers hangs on the failure.
        raise TryAgain(f"{base} {fault}. Try lmmscope doctor")

    async def _post(self, url: str, body: bytes, kind: str) -> Answer:
        headers = {"Content-Type": kind}
        async with self._client.stream("POST", url, content=body, headers=headers) as response:
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > self._config.longest_reply:
                    raise WontWork(
                        f"{self._config.base_url} sends more than "
                        f"{self._config.longest_reply} bytes for one reply. Try lmmscope doctor"
                    )
            hidden = self.key.hidden_bytes(bytes(received))
            return Answer(self._config, response.status_code, response.headers, hidden)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()
