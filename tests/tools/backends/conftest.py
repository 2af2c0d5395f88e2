"""What the tests of backends share: asyncio, and a request."""

import pytest
from PIL import Image

from tools.backends.chat import ChatRequest, Message

RED = Image.new("RGB", (8, 6), "red")


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def request_of():
    """A request of one turn: pictures, then a question."""

    def make(text="What is bright?", pictures=(RED,), **rest):
        rest.setdefault("role", "explainer")
        return ChatRequest(messages=(Message("user", (*pictures, text)),), **rest)

    return make
