"""A run as spans: one trace, each span inside the one that holds it, in OpenInference's words."""

import json
import sys
from datetime import UTC, datetime

import pytest

from agent.errors import UserError
from review.exports.otlp import nanoseconds, otlp_lines
from review.exports.spans import spans_of
from review.exports.telemetry import configured_exporter, send
from tests.agent.store.conftest import event_of
from tests.review.exports.conftest import SCRIPT


@pytest.fixture
def spans(store, run):
    return list(spans_of(store, run))


def by_name(spans, name):
    return next(one for one in spans if one.name == name)


def test_every_span_lies_within_the_one_that_holds_it(spans):
    known = {one.id: one for one in spans}
    assert len(known) == len(spans)
    assert len({one.trace for one in spans}) == 1
    (root,) = [one for one in spans if one.parent is None]
    assert root.kind == "AGENT"
    for one in spans:
        if one is not root:
            above = known[one.parent]
            assert above.start <= one.start <= one.end <= above.end, (one.name, above.name)


def test_units_hang_below_the_tasks_that_they_belong_to(spans):
    known = {one.id: one.name for one in spans}
    assert known[by_name(spans, "unit 0/118").parent] == "unit 0"
    assert known[by_name(spans, "unit 0").parent] == "lmmscope"


def test_a_unit_whose_task_left_no_event_hangs_below_the_run(store, run):
    store.hear(event_of(unit="5/7", step=1))
    spans = list(spans_of(store, run))
    assert by_name(spans, "unit 5/7").parent == spans[-1].id


def test_a_call_is_below_the_tool_that_asked_and_else_below_its_step(spans):
    known = {one.id: one for one in spans}
    replied, refused = (one for one in spans if one.kind == "LLM")
    assert known[replied.parent].name == "explain"
    assert known[refused.parent].kind == "CHAIN"
    assert refused.error == "no such model"


def test_a_model_s_span_has_the_words_and_pictures_of_the_request(spans, run):
    told = next(one for one in spans if one.kind == "LLM").attributes
    at = "llm.input_messages.0.message"
    assert told[f"{at}.role"] == "user"
    assert told[f"{at}.contents.0.message_content.type"] == "image"
    assert told[f"{at}.contents.0.message_content.image.image.url"].startswith("urn:sha256:")
    assert told[f"{at}.contents.1.message_content.text"] == f"what? {SCRIPT}"
    assert told["llm.output_messages.0.message.content"] == SCRIPT
    assert told["llm.model_name"] == "m"
    assert told["session.id"] == run.id
    assert "llm.token_count.prompt" not in told


def test_a_tool_s_span_takes_as_long_as_it_took(spans):
    tool = by_name(spans, "explain")
    assert (tool.end - tool.start).total_seconds() == 4
    assert json.loads(tool.attributes["tool.parameters"]) == {"count": 2}
    assert by_name(spans, "ground").error == "broke"


def test_the_same_run_gives_the_same_spans(store, run, spans):
    assert list(spans_of(store, run)) == spans


def test_a_file_of_spans_is_otlp_json(spans):
    lines = [json.loads(line) for line in otlp_lines(spans, "1.0")]
    (scope,) = lines[0]["resourceSpans"][0]["scopeSpans"]
    written = {one["spanId"]: one for one in scope["spans"]}
    assert len(written) == len(spans)
    for span in spans:
        one = written[span.id]
        assert len(one["traceId"]) == 32
        assert int(one["startTimeUnixNano"]) <= int(one["endTimeUnixNano"])
        kinds = [a["value"] for a in one["attributes"] if a["key"] == "openinference.span.kind"]
        assert kinds == [{"stringValue": span.kind}]
        assert one["status"]["code"] == (2 if span.error else 1)
    root = written[spans[-1].id]
    assert "parentSpanId" not in root
    tags = next(a["value"] for a in root["attributes"] if a["key"] == "tag.tags")
    assert tags["arrayValue"]["values"][1] == {"stringValue": "done"}


def test_times_are_exact_to_the_microsecond():
    at = datetime(2026, 11, 21, 21, 3, 32, 123457, UTC)
    assert nanoseconds(at) == 1_795_295_012_123_457_000


def test_without_an_address_or_the_sdk_the_remedy_is_named(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    with pytest.raises(UserError, match="OTEL_EXPORTER_OTLP_ENDPOINT is not set"):
        configured_exporter()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    with pytest.raises(UserError, match=r'pip install "lmmscope\[telemetry\]"'):
        configured_exporter()


def test_spans_arrive_at_an_exporter_as_they_are(spans):
    memory = pytest.importorskip(
        "opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="the extra telemetry"
    )
    exporter = memory.InMemorySpanExporter()
    assert send(spans, exporter, "1.0") == (len(spans), len(spans))
    arrived = {f"{one.context.span_id:016x}": one for one in exporter.get_finished_spans()}
    for span in spans:
        one = arrived[span.id]
        assert one.start_time == nanoseconds(span.start)
        assert one.attributes["openinference.span.kind"] == span.kind
        assert one.status.is_ok == (span.error is None)
        assert (one.parent and f"{one.parent.span_id:016x}") == span.parent


def test_what_does_not_arrive_is_counted_and_nothing_more_is_tried(spans):
    pytest.importorskip("opentelemetry.sdk.trace.export", reason="the extra telemetry")
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Refusing(SpanExporter):
        tries = 0

        def export(self, spans):
            self.tries += len(spans) > 0
            return SpanExportResult.FAILURE

    exporter = Refusing()
    assert send(spans * 100, exporter, "1.0").arrived == 0
    assert exporter.tries == 1
