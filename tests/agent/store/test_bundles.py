"""What comes home from elsewhere is kept whole, once, and in place of what was there of it."""

import hashlib

import pytest

from agent.bundle import Bundle, Seal
from agent.transcript import asking
from tests.agent.store.conftest import call_of, event_of, finding_of
from tools.backends.budget import Spending

SEAL = Seal("coder 118", "red umbrella", "pictures", "feature 118 of coder")


def bundle_of(**parts):
    empty = Bundle((), (), (), None, {}, Spending(), None)
    return empty._replace(**parts)


def artefact(content):
    return {hashlib.sha256(content).hexdigest(): content}


def test_all_of_it_is_kept(store):
    (kept,) = pictures = artefact(b"a document")
    finding = finding_of(artefact=kept)
    events = (event_of("a"), event_of("b", place=1, artefacts=(kept,)))
    bundle = bundle_of(
        events=events, calls=(call_of(),), seals=(SEAL,), finding=finding, artefacts=pictures
    )
    assert store.take("r1", "0/118", bundle)
    assert store.events("r1") == events
    assert store.calls("r1") == (call_of(),)
    assert store.findings("r1") == (finding,)
    assert store.artefacts.get(kept) == b"a document"
    assert kept in store.referenced()
    assert store.opened_for(SEAL.subject) == (SEAL,)


def test_one_that_comes_twice_is_kept_once(store):
    bundle = bundle_of(events=(event_of("a"),), calls=(call_of(),), finding=finding_of())
    assert store.take("r1", "0/118", bundle)
    assert not store.take("r1", "0/118", bundle._replace(events=(event_of("another"),)))
    assert [one.text for one in store.events("r1")] == ["a"]
    assert len(store.calls("r1")) == len(store.findings("r1")) == 1


def test_what_was_left_of_an_earlier_try_goes(store):
    store.hear(event_of("an earlier try", step=7))
    store.hear(event_of("another feature", unit="0/3"))
    store.record(call_of("earlier"))
    store.take("r1", "0/118", bundle_of(events=(event_of("a"),), finding=finding_of()))
    assert {one.text for one in store.events("r1")} == {"another feature", "a"}
    assert store.calls("r1") == ()


def test_nothing_is_kept_where_a_part_cant_be(store):
    broken = bundle_of(events=(event_of("a"), event_of("b", run="nobody's")), finding=finding_of())
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.take("r1", "0/118", broken)
    assert store.events("r1") == ()
    assert store.findings("r1") == ()


def test_a_seal_that_was_opened_elsewhere_is_open_here(store):
    store.take("r1", "0/118", bundle_of(seals=(SEAL,)))
    with asking("r1", "0/118", 5):
        assert store.open(*SEAL)
        assert not store.open(SEAL.key, "another claim", SEAL.pictures, SEAL.subject)
    assert store.tries(SEAL.pictures, SEAL.subject) == 1
