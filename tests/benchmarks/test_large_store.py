"""A store that is grown is one that the program could have written, only larger."""

import os
from itertools import pairwise

import numpy as np
import pytest

from agent.findings import Cost
from agent.store import Reader, Store
from agent.store.vectors import Vectors
from benchmarks.large_store import Sizes, grow
from review.queries import events, findings, runs
from sae_core.errors import UserError
from tests.agent.store.conftest import PROVENANCE, call_of, event_of, finding_of

SIZES = Sizes(features=2000, findings=700, events=6000, calls=900, verdicts=30, width=8)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A run about the feature 118, with all kinds of rows."""
    folder = tmp_path_factory.mktemp("small")
    with Store(folder) as store:
        store.begin("r1", "what is feature 118?", PROVENANCE, pid=os.getpid())
        artefact = store.artefacts.put(b"a picture")
        spent = Cost(calls=1, tokens=9)
        told = {"feature": 118, "label": "red umbrella"}
        store.hear(event_of("saw feature 118", kind="tool", tool="explain", cost=spent))
        store.hear(event_of(kind="test", place=1, result=told, artefacts=(artefact,)))
        store.hear(event_of("concluded", kind="finding", step=3))
        store.record(call_of(text="is it a red umbrella?"))
        store.put(finding_of(118, artefact=artefact, category="object"))
        store.ended("r1", "done", "it is an umbrella")
    return folder


@pytest.fixture(scope="module")
def grown(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("grown")
    grow(folder, small, SIZES)
    with Reader(folder) as reader:
        yield reader


def count(reader, table):
    return reader.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]


def test_it_has_what_was_asked_for(grown):
    assert count(grown, "findings") == count(grown, "overview") == SIZES.findings
    assert count(grown, "events") == SIZES.events
    assert count(grown, "verdicts") == SIZES.verdicts
    assert 0 < count(grown, "calls") <= SIZES.calls
    assert count(grown, "runs") == 301


def test_what_lists_read_is_what_everything_adds_up_to(grown):
    for table, view in (("units", "unit_sums"), ("overview", "overview_rows")):
        for one, other in ((table, view), (view, table)):
            assert not grown.rows(f"SELECT * FROM {one} EXCEPT SELECT * FROM {other}")
    assert grown.rows("PRAGMA foreign_key_check") == []


def test_its_documents_are_read_like_any_others_and_are_about_their_own_feature(grown):
    largest = max(runs.page(grown, size=400).rows, key=lambda one: one.findings)
    for finding in grown.findings(largest.id)[:20]:
        happened = events.events(grown, largest.id, f"0/{finding.feature}")
        assert happened[0].text == f"saw feature {finding.feature}"
        assert happened[1].result["feature"] == finding.feature
        assert happened[1].result["label"] == finding.label
        assert happened[-1].kind == "finding"
    assert len({one.label for one in findings.page(grown).rows}) > 40


def test_scores_differ_and_lie_between_their_null_and_1(grown):
    found = findings.page(grown, sort="iou", size=700).rows
    scores = [one.scores["iou"] for one in found]
    assert all(one >= other for one, other in pairwise(scores))
    assert 0.1 - 1e-9 <= scores[-1] < scores[0] - 0.1 <= 0.9


def test_labels_have_vectors(grown):
    vectors = Vectors(grown, "noise")
    assert vectors.missing() == ()
    near = vectors.nearest(np.ones(SIZES.width), 5)
    assert len(findings.meant(grown, near)) >= 5


def test_a_store_that_is_there_is_not_written_over(grown, small):
    with pytest.raises(UserError, match="There is a store in"):
        grow(grown.runs, small, SIZES)


def test_sizes_that_do_not_fit_are_refused(small, tmp_path):
    with pytest.raises(UserError, match="700 findings need as many features"):
        grow(tmp_path, small, SIZES._replace(features=10))
