"""An HTTP server on loopback that answers each request in turn as it is told to, mostly badly.

It speaks raw bytes, so that it can do what no proper server does. The last behaviour is repeated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Self

Behaviour = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


class Asked(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: dict | bytes
    """Bytes where it is no JSON, but a form."""


class Misbehaving:
    """The server; `asked` holds what it was sent."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.behaviours = behaviours
        self.asked: list[Asked] = []
        self.running = self.most_running = 0
        self._tasks: set[asyncio.Task] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the caller has hung up, or the test is over
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        fields = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in fields}
        body = await reader.readexactly(int(headers["content-length"]))
        spoken = json.loads(body) if headers["content-type"] == "application/json" else body
        asked = Asked(head[0].split()[1], headers, spoken)
        behaviour = self.behaviours[min(len(self.asked), len(self.behaviours) - 1)]
        self.asked.append(asked)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await behaviour(asked, writer)
            await writer.drain()
        finally:
            self.running -= 1


def completion(text: str | None = "a red bus", **rest: object) -> dict:
    """A proper answer's document."""
    return {
        "model": "served-name",
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 700,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 600},
        },
        **rest,
    }


def sending(body: bytes, status: str = "200 OK", *headers: str) -> Behaviour:
    """A well-formed response."""

    async def behave(_asked: Asked, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
        writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode() + body)

    return behave


def saying(text: str | None = "a red bus", **rest: object) -> Behaviour:
    """A proper answer."""
    return sending(json.dumps(completion(text, **rest)).encode())


def refusing(status: str, *headers: str, message: str = "no") -> Behaviour:
    """An error in OpenAI's form."""
    return sending(json.dumps({"error": {"message": message}}).encode(), status, *headers)


def redirecting(url: str) -> Behaviour:
    """A redirect that keeps method and body."""
    return sending(b"", "307 Temporary Redirect", f"Location: {url}/v1/chat/completions")


def waiting_for(event: asyncio.Event, then: Behaviour) -> Behaviour:
    """An answer that comes when the test says so."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await event.wait()
        await then(asked, writer)

    return behave


async def echoing_the_key(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A complaint that quotes the header it complains about."""
    await refusing("401 Unauthorized", message=f"bad {asked.headers['authorization']}")(
        asked, writer
    )


async def saying_the_key(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A proper answer whose text and model are the key, escaped as JSON may be."""
    key = asked.headers["authorization"].split()[1]
    body = json.dumps(completion("TEXT", model=key)).replace(
        "TEXT", "".join(f"\\u{ord(letter):04x}" for letter in key)
    )
    await sending(body.encode())(asked, writer)


async def half_a_body(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Fewer bytes than were promised."""
    body = json.dumps(completion()).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[: len(body) // 2])


async def hanging_up(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    """A connection that is dropped without a word."""


async def silence(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    """Nothing, for as long as somebody listens."""
    await asyncio.Event().wait()


async def an_endless_stream(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Bytes, for as long as somebody listens."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
        await writer.drain()


async def a_trickle(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, so that no single wait is long."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.01)
