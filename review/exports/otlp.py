"""Spans as OTLP in JSON, a batch a line: what OpenTelemetry's collector reads from a file.

Knows spans and the wire format's JSON; needs no SDK.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from review.exports.spans import Moment, Span, Value

SPANS = 200
"""On a line, at most."""
KIND_ATTRIBUTE = "openinference.span.kind"
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def otlp_lines(spans: Iterable[Span], version: str) -> Iterator[str]:
    """Lines of JSON, with line ends."""
    resource = {"attributes": _attributes({"service.name": "lmmscope", "service.version": version})}
    coming = iter(spans)
    while batch := list(islice(coming, SPANS)):
        scope = {"scope": {"name": "lmmscope"}, "spans": [_span(one) for one in batch]}
        lines = {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}
        yield f"{json.dumps(lines, ensure_ascii=False)}\n"


def nanoseconds(at: datetime) -> int:
    """Since 1970; exactly, which seconds as a float are not."""
    passed = at - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 10**9 + passed.microseconds * 1000


def _span(span: Span) -> dict[str, Any]:
    status = {"code": 1} if span.error is None else {"code": 2, "message": span.error}
    parent = {} if span.parent is None else {"parentSpanId": span.parent}
    return {
        "traceId": span.trace,
        "spanId": span.id,
        **parent,
        "name": span.name,
        "kind": 1,
        "startTimeUnixNano": str(nanoseconds(span.start)),
        "endTimeUnixNano": str(nanoseconds(span.end)),
        "attributes": _attributes({KIND_ATTRIBUTE: span.kind, **span.attributes}),
        "events": [_moment(one) for one in span.moments],
        "status": status,
    }


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "timeUnixNano": str(nanoseconds(moment.at)),
        "name": moment.name,
        "attributes": _attributes(moment.attributes),
    }


def _attributes(values: dict[str, Value]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
    return {"arrayValue": {"values": [_value(one) for one in value]}}
