"""Spans sent to wherever OpenTelemetry is configured to send them.

The environment decides, as OpenTelemetry has it: OTEL_EXPORTER_OTLP_ENDPOINT, ..._HEADERS and so
on. Needs the SDK, which is an extra. Knows spans; nothing of runs.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

from agent.errors import UserError
from review.exports.otlp import KIND_ATTRIBUTE, SPANS, nanoseconds
from review.exports.spans import Span

ADDRESSES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Sent(NamedTuple):
    """How many spans were sent, and how many of them arrived: all, or there were no more tries."""

    spans: int
    arrived: int


def configured_exporter() -> Any:
    """The SDK's exporter over HTTP, as the environment configures it."""
    if not any(os.environ.get(name) for name in ADDRESSES):
        raise UserError(
            f"{ADDRESSES[1]} is not set, so there is nowhere to send spans to. Set it, for example "
            "to http://127.0.0.1:4318, or leave out --send to write a file"
        )
    return _sdk("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()


def send(spans: Iterable[Span], exporter: Any, version: str) -> Sent:
    """Send spans as they come; each keeps its own time and name, so sending twice adds nothing."""
    resources = _sdk("opentelemetry.sdk.resources")
    about = {"service.name": "lmmscope", "service.version": version}
    resource = resources.Resource.create(about)
    coming, tried, arrived = iter(spans), 0, 0
    # The SDK only logs what does not arrive, so its answer is asked for; and each further try
    # would wait as long as the first.
    while arrived == tried and (batch := list(islice(coming, SPANS))):
        result = exporter.export([_readable(one, resource) for one in batch])
        tried += len(batch)
        arrived += len(batch) if result.name == "SUCCESS" else 0
    exporter.shutdown()
    return Sent(tried, arrived)


def _readable(span: Span, resource: Any) -> Any:
    """As the SDK has spans that are over."""
    api, trace = _sdk("opentelemetry.trace"), _sdk("opentelemetry.sdk.trace")
    scope = _sdk("opentelemetry.sdk.util.instrumentation").InstrumentationScope("lmmscope")
    failed = span.error is not None
    return trace.ReadableSpan(
        span.name,
        context=_context(api, span.trace, span.id),
        parent=None if span.parent is None else _context(api, span.trace, span.parent),
        resource=resource,
        attributes={KIND_ATTRIBUTE: span.kind, **span.attributes},
        events=[trace.Event(one.name, one.attributes, nanoseconds(one.at)) for one in span.moments],
        status=api.Status(api.StatusCode.ERROR if failed else api.StatusCode.OK, span.error),
        start_time=nanoseconds(span.start),
        end_time=nanoseconds(span.end),
        instrumentation_scope=scope,
    )


def _context(api: Any, trace: str, span: str) -> Any:
    sampled = api.TraceFlags(api.TraceFlags.SAMPLED)
    return api.SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=sampled)


def _sdk(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UserError(
            "Sending spans needs OpenTelemetry's SDK, which is not installed. "
            'Try pip install "lmmscope[telemetry]", or leave out --send to write a file'
        ) from None
