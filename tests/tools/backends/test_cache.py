"""The cache gives back what was put in, or nothing: never part of it, never another reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.backends.cache import ReplyCache
from tools.backends.chat import ChatReply

DIGEST, OTHER = "ab" * 32, "cd" * 32
REPLY = ChatReply(text="a red bus", model="lmm", tokens_in=7, tokens_out=3, seconds=0.5)


@pytest.fixture
def cache(tmp_path):
    return ReplyCache(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For property tests, which share one folder among their examples."""
    return tmp_path_factory.mktemp("cache")


def file_in(folder):
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_reply_comes_back_as_it_was_and_says_where_from(shared, text):
    cache = ReplyCache(shared)
    reply = REPLY.model_copy(update={"text": text})
    cache.put(DIGEST, reply)
    assert cache.get(DIGEST) == reply.model_copy(update={"from_cache": True})


def test_what_was_never_put_is_not_there(cache):
    cache.put(DIGEST, REPLY)
    assert cache.get(OTHER) is None


@given(data=st.data())
def test_a_damaged_file_is_ignored(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    cache = ReplyCache(folder)
    cache.put(DIGEST, REPLY)
    whole = file_in(folder).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans(), label="cut rather than changed"):
        file_in(folder).write_bytes(whole[:at])
    else:
        file_in(folder).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert cache.get(DIGEST) is None


def test_a_damaged_file_is_replaced(cache, tmp_path):
    cache.put(DIGEST, REPLY)
    file_in(tmp_path).write_bytes(b"{")
    cache.put(DIGEST, REPLY)
    assert cache.get(DIGEST).text == "a red bus"


def test_a_file_under_another_name_is_no_reply_to_that_request(cache, tmp_path):
    cache.put(DIGEST, REPLY)
    path = tmp_path / OTHER[:2] / f"{OTHER}.json"
    path.parent.mkdir()
    file_in(tmp_path).rename(path)
    assert cache.get(OTHER) is None


def test_a_reply_that_can_not_be_put_in_place_leaves_nothing_behind(cache, tmp_path):
    (tmp_path / DIGEST[:2] / f"{DIGEST}.json").mkdir(parents=True)
    with pytest.raises(OSError, match=DIGEST):
        cache.put(DIGEST, REPLY)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
