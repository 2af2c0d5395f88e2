"""Requests: what makes two of them the same, and how their pictures travel."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from pydantic import ValidationError

from tools.backends.chat import ChatRequest, Message
from tools.backends.config import ServerConfig
from tools.backends.pictures import png_of
from tools.backends.wire import reply_in
from tools.failures import ToolFailure

RED, BLUE = Image.new("RGB", (8, 6), "red"), Image.new("RGB", (8, 6), "blue")


def request(*parts, role="explainer", **rest):
    return ChatRequest(role=role, messages=(Message("user", parts or (RED, "What?")),), **rest)


DIFFERENT = {
    "as it is": request(),
    "text": request(RED, "What else?"),
    "picture": request(BLUE, "What?"),
    "shape of equal pixels": request(Image.new("RGB", (6, 8), "red"), "What?"),
    "order": request("What?", RED),
    "pictures": request(RED, RED, "What?"),
    "parts": request(RED, "Wh", "at?"),
    "max_tokens": request(max_tokens=5),
    "temperature": request(temperature=0.5),
    "seed": request(seed=1),
    "schema": request(reply_schema={"type": "object"}),
    "prompt": request(prompt_hash="other"),
    "speaker": ChatRequest(role="explainer", messages=(Message("system", (RED, "What?")),)),
}


def test_requests_that_differ_in_anything_that_matters_have_different_digests():
    assert len({made.digest("model") for made in DIFFERENT.values()}) == len(DIFFERENT)


def test_another_model_makes_another_digest():
    assert request().digest("one") != request().digest("other")


def test_an_equal_request_has_the_same_digest_whoever_asks():
    again = request(Image.new("RGB", (8, 6), "red"), "What?", role="judge")
    assert again.digest("model") == request().digest("model")


def test_pictures_with_a_palette_are_told_apart_by_their_colours():
    assert len({request(picture.quantize(2)).digest("") for picture in (RED, BLUE)}) == 2


@pytest.mark.parametrize(
    ("temperature", "seed", "so"), [(0, None, True), (1, None, False), (1, 3, True)]
)
def test_a_reply_is_repeatable_when_cold_or_seeded(temperature, seed, so):
    assert request(temperature=temperature, seed=seed).repeatable is so


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": -1}, {"temperature": float("nan")}, {"max_tokens": 0}, {"messages": ()}],
)
def test_a_request_that_no_model_can_answer_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        ChatRequest(**({"role": "judge", "messages": request().messages} | wrong))


@given(
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    longest=st.integers(1, 200),
    mode=st.sampled_from(["RGB", "L", "RGBA", "P", "1"]),
)
def test_a_picture_is_sent_no_larger_than_told_and_never_enlarged(size, longest, mode):
    sent = Image.open(io.BytesIO(png_of(Image.new(mode, size), longest)))
    assert max(sent.size) == min(longest, max(size))
    assert min(sent.size) == max(1, round(min(size) * min(1, longest / max(size))))


def test_what_a_picture_carries_beside_its_pixels_is_not_sent():
    notes = PngImagePlugin.PngInfo()
    notes.add_text("truth", "umbrella")
    file = io.BytesIO()
    RED.save(file, "PNG", pnginfo=notes, icc_profile=b"umbrella", exif=b"Exif\0\0umbrella")
    noted = Image.open(file)
    noted.info["answer"] = "umbrella"
    sent = png_of(noted, 100)
    assert b"umbrella" in file.getvalue()
    assert Image.open(io.BytesIO(sent)).info == {}
    assert b"umbrella" not in sent


def test_sending_a_picture_leaves_it_as_it_is():
    picture = RED.copy()
    picture.info["truth"] = "red"
    png_of(picture, 4)
    assert (picture.size, picture.info) == ((8, 6), {"truth": "red"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "finish_reason"]), inner
        )
    ),
    max_leaves=12,
)
SERVER = ServerConfig(base_url="http://host", model="lmm")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_completion_are_a_typed_failure(body):
    with pytest.raises(ToolFailure):
        reply_in(body, SERVER)


@given(json_values)
def test_json_becomes_a_text_only_where_a_completion_has_it(value):
    try:
        reply = reply_in(json.dumps(value).encode(), SERVER)
    except ToolFailure:
        return
    assert reply.text == value["choices"][0]["message"]["content"]
