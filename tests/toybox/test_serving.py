"""The shipped chat models behind transformers' own OpenAI-compatible server, over loopback."""

import base64
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from toybox.models import Prompt, load_target, weights_folder
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

START_LIMIT_S = 120


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("hub")
    port = _free_port()
    command = [
        sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve",
        str(weights_folder("target")), "--device", "cpu", "--dtype", "float32",
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    log = home / "server.log"
    environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_LIMIT_S
    try:
        while not _healthy(url):
            alive = process.poll() is None and time.monotonic() < deadline
            assert alive, f"the server did not start: {log.read_text()[-2000:]}"
            time.sleep(0.2)  # a poll, bounded by the deadline
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _data_uri(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _ask(url: str, picture: Image.Image, question: str) -> str:
    content = [
        {"type": "image_url", "image_url": {"url": _data_uri(picture)}},
        {"type": "text", "text": question},
    ]
    body = {
        "model": str(weights_folder("target")),
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 16,
        "temperature": 0,
    }
    request = urllib.request.Request(
        f"{url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["choices"][0]["message"]["content"].strip()


def test_the_target_says_the_same_over_http_as_in_process(server):
    picture = draw_scene(fresh_scene(5)).image()
    questions = ["what place is this?", "what do you see?", "how many things are there?"]
    here = load_target().replies([Prompt((picture,), question) for question in questions])
    assert [_ask(server, picture, question) for question in questions] == here
