"""Cleaning up takes what nothing speaks of, and nothing else."""

import os

from pydantic import BaseModel

from agent.store.garbage import collect
from agent.transcript import Said, SaidPart
from tests.agent.store.conftest import call_of, event_of, finding_of

LONG_AGO = 1_000_000_000


class Sheet(BaseModel):
    evidence: str
    coder: str = "f" * 64


def age(store, at=LONG_AGO):
    for path in store.artefacts.folder.rglob("*"):
        os.utime(path, (at, at))


def test_what_is_spoken_of_stays_and_the_rest_goes(store):
    put = store.artefacts.put
    event, result, found, shown = (put(word) for word in (b"e", b"r", b"f", b"s"))
    orphan = put(b"nobody's")
    store.hear(event_of(artefacts=(event,), result={"mask": {"id": result}}))
    store.put(finding_of(artefact=found))
    store.record(call_of(messages=(Said(speaker="user", parts=(SaidPart(picture=shown),)),)))
    age(store)
    assert collect(store, dry=True)[:2] == (1, len(b"nobody's"))
    assert orphan in store.artefacts
    assert collect(store) == (1, len(b"nobody's"), 4)
    assert orphan not in store.artefacts
    assert [one in store.artefacts for one in (event, result, found, shown)] == [True] * 4


def test_what_a_document_names_stays_too_however_deep(store):
    deep = store.artefacts.put(b"deep")
    for _ in range(3):
        deep = store.artefacts.put_document(Sheet(evidence=deep))
    store.hear(event_of(artefacts=(deep,)))
    age(store)
    assert collect(store) == (0, 0, 4)


def test_a_step_that_is_taken_back_leaves_nothing_behind(store):
    artefact = store.artefacts.put(b"tried")
    store.hear(event_of(artefacts=(artefact,)))
    age(store)
    store.begin_step("r1", "0/118", 2)
    assert collect(store).files == 1


def test_what_a_run_at_work_has_just_made_stays_until_it_ends(store):
    began = store.run("r1").began.timestamp()
    store.artefacts.put(b"made before its event is written")
    age(store, began)
    assert collect(store).files == 0
    store.ended("r1", "done", "")
    age(store, began - 5)
    assert collect(store).files == 1


def test_an_old_artefact_that_is_made_again_counts_as_new(store):
    store.artefacts.put(b"made again")
    age(store)
    store.artefacts.put(b"made again")
    assert collect(store).files == 0


def test_half_written_files_of_killed_processes_go(store):
    store.artefacts.put(b"whole")
    (folder,) = store.artefacts.folder.iterdir()
    (folder / ".half").write_bytes(b"12")
    age(store)
    assert collect(store).files == 2


def test_without_artefacts_there_is_nothing_to_do(store):
    assert collect(store) == (0, 0, 0)
