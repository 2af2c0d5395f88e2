"""A run as a log of Inspect: the structure that its reader asks for.

The same logs were read by inspect_ai and held against its schema once; here is what that checks.
"""

import json
import re
from datetime import datetime

import pytest

from review.exports.inspect_log import log_name, log_pieces
from review.exports.pictures import Pictures
from tests.agent.store.conftest import event_of

NEEDED = {
    "model": {"model", "input", "tools", "tool_choice", "config", "output"},
    "tool": {"id", "function", "arguments", "result", "events", "type"},
    "info": {"data"},
    "span_begin": {"id", "name"},
    "span_end": {"id"},
}


@pytest.fixture
def log(store, run):
    return json.loads("".join(log_pieces(store, run, Pictures(store))))


def sample(log, unit):
    return next(one for one in log["samples"] if one["id"] == unit)


def test_a_log_begins_with_what_it_is_and_ends_with_its_samples(log):
    assert list(log)[:3] == ["version", "status", "eval"]
    assert list(log)[-1] == "samples"
    assert (log["version"], log["status"]) == (2, "success")
    assert log["metadata"] == log["eval"]["metadata"]
    assert log["tags"] == log["eval"]["tags"]
    assert [one["id"] for one in log["samples"]] == ["run", "0", "0/9", "0/118"]


def test_every_event_has_what_its_kind_needs_and_lies_in_an_open_span(log):
    for one in log["samples"]:
        open_ = []
        for event in one["events"]:
            assert NEEDED[event["event"]] <= set(event)
            assert datetime.fromisoformat(event["timestamp"]).tzinfo
            assert event["working_start"] >= 0
            if event["event"] == "span_begin":
                open_.append(event["id"])
            assert event["span_id"] == open_[-1]
            if event["event"] == "span_end":
                assert open_.pop() == event["id"]
        assert open_ == []


def test_events_of_a_step_are_in_the_order_of_time(log):
    step = [one for one in sample(log, "0/118")["events"] if one["span_id"] == "0/118.2"]
    times = [datetime.fromisoformat(one["timestamp"]) for one in step]
    assert times == sorted(times)
    assert {one["event"] for one in step} >= {"model", "tool", "span_begin", "span_end"}


def test_pictures_are_attachments_of_their_sample(log):
    feature = sample(log, "0/118")
    named = set(re.findall(r'"attachment://([0-9a-f]{64})"', json.dumps(feature["events"])))
    assert named
    assert named == set(feature["attachments"])
    assert all(one.startswith("data:image/png;base64,") for one in feature["attachments"].values())


def test_scores_stand_beside_their_nulls(log):
    scores = sample(log, "0/118")["scores"]
    assert scores["supported"]["value"] == 1.0
    assert scores["auroc"]["metadata"]["nulls"][0]["name"] == "moved_masks"
    found = {one["name"]: one["metrics"] for one in log["results"]["scores"]}
    assert found["supported"]["mean"]["value"] == 0.5
    assert found["auroc"]["null moved_masks"]["value"] == 0.5


def test_a_call_without_a_reply_says_why(log):
    calls = [one for one in sample(log, "0/118")["events"] if one["event"] == "model"]
    assert [one["error"] for one in calls] == ["no such model", None]


@pytest.mark.parametrize(
    ("status", "told"), [("failed", "error"), ("aborted", "cancelled"), ("paused", "cancelled")]
)
def test_a_run_that_did_not_end_well_says_so(store, run, status, told):
    ended = run.model_copy(update={"status": status})
    log = json.loads("".join(log_pieces(store, ended, Pictures(store))))
    assert log["status"] == told
    assert ("error" in log) == (status == "failed")


def test_a_picture_that_is_gone_is_an_empty_attachment(store, run):
    for path in store.artefacts.folder.glob("*/*"):
        path.unlink()
    log = json.loads("".join(log_pieces(store, run, Pictures(store))))
    assert set(sample(log, "0/118")["attachments"].values()) == {""}


def test_the_name_begins_as_inspect_s_own_do(run):
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\+00-00_lmmscope_r1\.json$", log_name(run))


def test_a_run_without_findings_has_no_scores(store):
    store.begin("r2", "?", store.run("r1").provenance, pid=1)
    store.hear(event_of(run="r2", unit="run"))
    log = json.loads("".join(log_pieces(store, store.run("r2"), Pictures(store))))
    assert log["results"]["scores"] == []
    assert log["samples"][0]["scores"] is None
