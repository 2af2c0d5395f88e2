"""A run as spans in OpenInference's words: an agent, chains for units and steps, tools, models.

Names of spans follow from the records, so the same run gives the same trace each time. Knows events
and calls; nothing of how spans travel (`review.exports.telemetry`, `review.exports.otlp`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from agent.events import Event
from agent.store import Reader, RunRecord
from agent.transcript import Call, Said
from review.exports.source import Part, Step, each_part, steps_of

Kind = Literal["AGENT", "CHAIN", "TOOL", "LLM"]
Value = str | int | float | bool | list[str]
JSON = "application/json"


class Moment(NamedTuple):
    """Something that happened at one time within a span."""

    name: str
    at: datetime
    attributes: dict[str, Value]


class Span(NamedTuple):
    """A stretch of a run."""

    trace: str
    """32 hexadecimal digits."""
    id: str
    """16 hexadecimal digits."""
    parent: str | None
    name: str
    kind: Kind
    start: datetime
    end: datetime
    attributes: dict[str, Value]
    moments: tuple[Moment, ...] = ()
    error: str | None = None
    """Why it failed, if it did."""


def spans_of(store: Reader, run: RunRecord) -> Iterator[Span]:
    """The spans of a run, a unit at a time; those that hold others come after them."""
    root, units = _Root(run), dict[str, Span]()
    for part in each_part(store, run.id):
        inside = _of_part(root, part)
        yield from inside
        units[part.unit] = _unit(root, part, inside)
    # From the deepest up, since a unit lasts until all of those below it are over.
    whole = _whole(root, run)
    if (own := units.pop("run", None)) is not None:
        whole = _around(whole, own)
    for name in sorted(units, key=lambda one: -one.count("/")):
        above = name
        while above == name or (above not in units and above != "run"):
            above = above.rpartition("/")[0] or "run"
        if above in units:
            units[above] = _around(units[above], units[name])
        whole = _around(whole, units[name])
        yield units[name]._replace(parent=root.unit(above))
    yield whole


def _whole(root: _Root, run: RunRecord) -> Span:
    failed = run.status in ("failed", "aborted")
    return Span(
        root.trace, root.id, None, "lmmscope", "AGENT", run.began, run.ended or run.began,
        _said(run.question, run.answer)
        | {
            "agent.name": "lmmscope",
            "session.id": run.id,
            "metadata": json.dumps(_about(run)),
            "tag.tags": [f"profile {run.profile}", run.standing],
        },
        error=run.answer or run.status if failed else None,
    )  # fmt: skip


def _around(outer: Span, inner: Span) -> Span:
    return outer._replace(start=min(outer.start, inner.start), end=max(outer.end, inner.end))


class _Root:
    """What all spans of a run share."""

    def __init__(self, run: RunRecord) -> None:
        self.run = run.id
        self.trace = _hex(32, "run", run.id)
        self.id = _hex(16, "run", run.id)

    def unit(self, unit: str) -> str:
        """The span of a unit; the unit `run` is the run itself."""
        return self.id if unit == "run" else _hex(16, "unit", self.run, unit)


def _of_part(root: _Root, part: Part) -> list[Span]:
    return [span for step in steps_of(part) for span in _of_step(root, part.unit, step)]


def _unit(root: _Root, part: Part, inside: Sequence[Span]) -> Span:
    start, end = min(one.start for one in inside), max(one.end for one in inside)
    return Span(
        root.trace, root.unit(part.unit), root.id, f"unit {part.unit}", "CHAIN", start, end,
        _said(part.events[0].text if part.events else part.unit, _came_to(part.events))
        | {"session.id": root.run, "graph.node.id": part.unit},
    )  # fmt: skip


def _of_step(root: _Root, unit: str, step: Step) -> Iterator[Span]:
    number, who, events, calls = step
    own = _hex(16, "step", root.run, unit, str(number))
    tools = [_tool(root, own, one) for one in events if one.tool is not None]
    models = [_model(root, _asked_by(call, tools) or own, n, call) for n, call in enumerate(calls)]
    inside = [*tools, *models]
    times = [one.at for one in events]
    yield from inside
    failures = [one.text for one in events if one.kind == "failure"]
    yield Span(
        root.trace, own, root.unit(unit), who, "CHAIN",
        min([*times, *(one.start for one in inside)]),
        max([*times, *(one.end for one in inside)]),
        _said(events[0].text if events else "", _came_to(events))
        | {"session.id": root.run, "graph.node.id": f"{unit}.{number}", "graph.node.name": who},
        tuple(
            Moment(one.kind, one.at, {"text": one.text, "record": one.name})
            for one in events
            if one.tool is None
        ),
        failures[0] if failures else None,
    )  # fmt: skip


def _tool(root: _Root, parent: str, event: Event) -> Span:
    assert event.tool is not None
    arguments, result = json.dumps(event.arguments or {}), json.dumps(event.result or {})
    return Span(
        root.trace, _hex(16, "event", event.name), parent, event.tool, "TOOL",
        event.at - timedelta(seconds=event.cost.seconds), event.at,
        _said(arguments, result, JSON)
        | {
            "tool.name": event.tool,
            "tool.description": event.text,
            "tool.parameters": arguments,
            "tool.id": event.name,
            "session.id": root.run,
            "metadata": json.dumps({"artefacts": event.artefacts, "cost": dict(event.cost)}),
        },
        error=event.text if event.kind == "failure" else None,
    )  # fmt: skip


def _model(root: _Root, parent: str, place: int, call: Call) -> Span:
    reply = call.reply
    counts: dict[str, Value | None] = {"llm.token_count.total": call.cost.tokens or None}
    if reply is not None:
        counts |= {
            "llm.token_count.prompt": reply.tokens_in,
            "llm.token_count.completion": reply.tokens_out,
            "llm.token_count.prompt_details.cache_read": reply.tokens_cached,
            "llm.finish_reason": "length" if reply.cut else "stop",
        }
    told: dict[str, Value] = {name: one for name, one in counts.items() if one is not None}
    for number, said in enumerate(call.messages):
        told |= _message(f"llm.input_messages.{number}", said)
    if reply is not None:
        told["llm.output_messages.0.message.role"] = "assistant"
        told["llm.output_messages.0.message.content"] = reply.text
    identity = (call.unit, str(call.step), str(place), call.digest)
    return Span(
        root.trace, _hex(16, "call", root.run, *identity), parent, call.role, "LLM",
        call.at, call.at + timedelta(seconds=call.cost.seconds),
        _said(_last(call.messages), reply.text if reply else None)
        | told
        | {
            "llm.model_name": call.model,
            "llm.invocation_parameters": json.dumps(call.settings),
            "llm.prompt_template.version": call.prompt,
            "session.id": root.run,
            "metadata": json.dumps({"role": call.role, "identity": call.identity,
                                    "request": call.digest, "cost": dict(call.cost)}),
        },
        error=call.failure.reason if call.failure else None,
    )  # fmt: skip


def _message(place: str, said: Said) -> dict[str, Value]:
    """Texts word for word; pictures by their SHA-256, as a trace is no place for megabytes."""
    told: dict[str, Value] = {f"{place}.message.role": said.speaker}
    for number, part in enumerate(said.parts):
        content = f"{place}.message.contents.{number}.message_content"
        if part.picture is None:
            told |= {f"{content}.type": "text", f"{content}.text": part.text or ""}
        else:
            url = f"urn:sha256:{part.picture}"
            told |= {f"{content}.type": "image", f"{content}.image.image.url": url}
    return told


def _asked_by(call: Call, tools: Sequence[Span]) -> str | None:
    """The tool that asked, where only one was at work then."""
    at_work = [one.id for one in tools if one.start <= call.at <= one.end]
    return at_work[0] if len(at_work) == 1 else None


def _said(given: str, answer: str | None, mime: str = "text/plain") -> dict[str, Value]:
    told: dict[str, Value] = {"input.value": given, "input.mime_type": mime}
    return told if answer is None else {**told, "output.value": answer, "output.mime_type": mime}


def _came_to(events: Sequence[Event]) -> str | None:
    return events[-1].text if events else None


def _last(messages: Sequence[Said]) -> str:
    return "\n".join(part.text for part in messages[-1].parts if part.text)


def _about(run: RunRecord) -> Mapping[str, Any]:
    return {
        "status": run.standing,
        "findings": run.findings,
        "cost": dict(run.cost),
        "provenance": run.provenance.model_dump(),
    }


def _hex(digits: int, *parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:digits]
