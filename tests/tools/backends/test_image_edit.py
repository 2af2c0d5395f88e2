"""A misbehaving server never hangs the caller, and what it sends is a picture or a failure."""

import asyncio
import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.tools.backends import misbehaving as bad
from tests.tools.backends.misbehaving import Misbehaving
from tools.backends.breaker import CircuitOpen
from tools.backends.config import ServerConfig
from tools.backends.image_edit import ServerEditor
from tools.failures import TryAgain, WontWork

pytestmark = pytest.mark.anyio

KEY = "sk-canary-0123456789"
PICTURE = Image.new("RGB", (8, 6), "red")


def png(colour="blue", size=(16, 12)):
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "PNG")
    return written.getvalue()


def making(content):
    text = base64.b64encode(content).decode()
    return bad.sending(json.dumps({"created": 1, "data": [{"b64_json": text}]}).encode())


async def edit(server, words="paint it blue", **rest):
    usual = {"first_pause": 0.0, "seconds": 20.0, "attempts": 2}
    config = ServerConfig(base_url=server.url, model="editor", **(usual | rest))
    async with ServerEditor(config) as editor:
        return await editor.edited(PICTURE, words)


async def test_an_edited_picture_has_the_size_that_it_had():
    async with Misbehaving(making(png())) as server:
        edited = await edit(server)
    assert edited.size == PICTURE.size
    assert np.asarray(edited)[0, 0].tolist() == [0, 0, 255]


async def test_what_is_sent_is_a_form_with_the_picture_and_the_words():
    async with Misbehaving(making(png())) as server:
        await edit(server, "paint it blue", api_key=KEY)
    (asked,) = server.asked
    assert asked.path == "/v1/images/edits"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    for part in (b'name="prompt"\r\n\r\npaint it blue', b'name="model"\r\n\r\neditor'):
        assert part in asked.body
    start = asked.body.index(b"\x89PNG")
    sent = Image.open(io.BytesIO(asked.body[start:]))
    assert (sent.size, sent.getpixel((0, 0))) == ((8, 6), (255, 0, 0))


PASSING = {
    "too many requests": bad.refusing("429 Too Many Requests"),
    "server error": bad.refusing("500 Internal Server Error"),
    "half a body": bad.half_a_body,
    "invalid JSON": bad.sending(b'{"data": ['),
    "dropped connection": bad.hanging_up,
}
LASTING = {
    "a link and no picture": bad.sending(b'{"data": [{"url": "http://elsewhere/x.png"}]}'),
    "no data": bad.sending(b'{"data": []}'),
    "no base64": bad.sending(b'{"data": [{"b64_json": "!!!"}]}'),
    "no picture": making(b"hello"),
    "half a picture": making(png()[:44]),
    "bad request": bad.refusing("400 Bad Request"),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
async def test_a_fault_that_passes_is_tried_again(fault):
    async with Misbehaving(fault, making(png())) as server:
        assert (await edit(server)).size == PICTURE.size


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())
async def test_a_wrong_answer_is_not_asked_for_again(fault):
    async with Misbehaving(fault) as server:
        with pytest.raises(WontWork, match=r"127\.0\.0\.1"):
            await edit(server)
    assert len(server.asked) == 1


@pytest.mark.parametrize("fault", [bad.silence, bad.an_endless_stream])
async def test_a_call_ends_in_time_whatever_comes(fault):
    async with Misbehaving(fault) as server:
        with pytest.raises(TryAgain, match="no whole answer"):
            await asyncio.wait_for(edit(server, seconds=0.1, longest_reply=10**12), timeout=20)


async def test_a_server_takes_any_words():
    async with ServerEditor(ServerConfig(base_url="http://127.0.0.1:9", model="x")) as editor:
        assert editor.edits(PICTURE) is None


async def test_a_redirect_is_not_followed():
    async with (
        Misbehaving(making(png())) as other,
        Misbehaving(bad.redirecting(other.url)) as server,
    ):
        with pytest.raises(WontWork, match="redirect"):
            await edit(server, api_key=KEY)
    assert other.asked == []


async def test_a_key_that_is_sent_back_is_hidden():
    async with Misbehaving(bad.echoing_the_key) as server:
        with pytest.raises(WontWork, match="401") as failed:
            await edit(server, api_key=KEY)
    assert KEY not in str(failed.value)


async def test_a_server_that_keeps_failing_is_left_alone():
    async with Misbehaving(bad.refusing("500 Oops")) as server:
        config = ServerConfig(base_url=server.url, model="editor", failures=1, attempts=1)
        async with ServerEditor(config) as editor:
            with pytest.raises(TryAgain, match="500"):
                await editor.edited(PICTURE, "x")
            with pytest.raises(CircuitOpen):
                await editor.edited(PICTURE, "x")
    assert len(server.asked) == 1
