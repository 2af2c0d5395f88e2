"""One unit of a run as a sample of an Inspect log: events, calls, pictures, scores.

Knows records and the log format; nothing of files.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from agent.events import Event
from agent.findings import FeatureFinding, Finding
from agent.store import RunRecord
from agent.transcript import Call, Said
from review.exports.pictures import Pictures
from review.exports.source import Part, steps_of

Json = dict[str, Any]


class Sample:
    """One unit of a run."""

    def __init__(
        self, run: RunRecord, part: Part, findings: dict[str, Finding], pictures: Pictures
    ) -> None:
        self._run, self._part, self._pictures = run, part, pictures
        named = [(one.result or {}).get("finding") for one in part.events if one.kind == "finding"]
        self._findings = [findings[name] for name in named if name in findings]
        times = [*(one.at for one in part.events), *(one.at for one in part.calls)]
        self._began, self._ended = min(times), max(times)
        self._attachments: dict[str, str] = {}

    def document(self) -> Json:
        """The sample; its attachments are known once everything else is."""
        events = self._events()
        scores = {
            name: score for one in self._findings for name, score in _scores(one).items()
        }  # a unit has one finding
        unit, first = self._part.unit, self._part.events[:1]
        said = self._findings[0].summary if self._findings else (self._run.answer or "")
        return {
            "id": unit,
            "epoch": 1,
            "input": self._run.question if unit == "run" or not first else first[0].text,
            "target": "",
            "messages": [],
            "output": _output(self._run.provenance.model, said if self._findings else ""),
            "scores": scores or None,
            "metadata": {"findings": [_plain(one) for one in self._findings]},
            "store": {},
            "events": events,
            "model_usage": {},
            "role_usage": {},
            "started_at": time_of(self._began),
            "completed_at": time_of(self._ended),
            "total_time": (self._ended - self._began).total_seconds(),
            "attachments": self._attachments,
        }

    def _events(self) -> list[Json]:
        """Steps as spans; what happened in them, and what was asked, in order of time."""
        made: list[Json] = []
        for step in steps_of(self._part):
            span = f"{self._part.unit}.{step.number}"
            inside = [self._event(one, span) for one in step.events]
            inside += [self._call(one, span) for one in step.calls]
            inside.sort(key=lambda one: datetime.fromisoformat(one["timestamp"]))
            first, last = inside[0]["timestamp"], inside[-1]["timestamp"]
            opened = {"id": span, "parent_id": None, "type": "step", "name": step.who}
            made += [self._made("span_begin", first, span, **opened), *inside]
            made.append(self._made("span_end", last, span, id=span))
        return made

    def _event(self, event: Event, span: str) -> Json:
        if event.tool is None:
            data = {"text": event.text, "kind": event.kind, "result": event.result}
            return self._made("info", time_of(event.at), span, source=event.who, data=data)
        return self._made(
            "tool",
            time_of(event.at),
            span,
            type="function",
            id=event.name,
            function=event.tool,
            arguments=event.arguments or {},
            result=json.dumps(event.result or {}),
            events=[],
            working_time=event.cost.seconds,
            failed=event.kind == "failure" or None,
            error={"type": "unknown", "message": event.text} if event.kind == "failure" else None,
            metadata={"text": event.text},
        )

    def _call(self, call: Call, span: str) -> Json:
        reply, settings = call.reply, call.settings
        config = {name: settings.get(name) for name in ("max_tokens", "temperature", "seed")}
        output = _output(call.model, reply.text if reply else "", cut=bool(reply and reply.cut))
        if reply is not None:
            total = call.cost.tokens
            output["usage"] = {
                "input_tokens": reply.tokens_in or 0,
                "output_tokens": reply.tokens_out or 0,
                "total_tokens": total,
            }
        return self._made(
            "model",
            time_of(call.at),
            span,
            model=call.model,
            role=call.role,
            input=[self._message(one) for one in call.messages],
            tools=[],
            tool_choice="none",
            config={name: value for name, value in config.items() if value is not None},
            output=output,
            error=call.failure.reason if call.failure else None,
            cache="read" if reply and reply.from_cache else None,
            working_time=call.cost.seconds,
            metadata={"prompt": call.prompt, "request": call.digest, "identity": call.identity},
        )

    def _message(self, said: Said) -> Json:
        contents = [
            {"type": "text", "text": part.text or ""}
            if part.picture is None
            else {"type": "image", "image": self._attached(part.picture), "detail": "auto"}
            for part in said.parts
        ]
        return {"role": said.speaker, "content": contents}

    def _attached(self, picture: str) -> str:
        """A reference; a picture that is gone from the store is an empty attachment."""
        if picture not in self._attachments:
            self._attachments[picture] = self._pictures.whole(picture) or ""
        return f"attachment://{picture}"

    def _made(self, kind: str, at: str, span: str, **fields: Any) -> Json:
        passed = (datetime.fromisoformat(at) - self._began).total_seconds()
        return {
            "event": kind, "span_id": span, "timestamp": at, "working_start": max(0.0, passed),
            **fields,
        }  # fmt: skip


def _scores(finding: Finding) -> dict[str, Json]:
    """A score with its interval and nulls; whether the claim passed comes first."""
    if not isinstance(finding, FeatureFinding):
        told = {"value": finding.status, "explanation": finding.summary, "history": []}
        return {"status": told}
    scores: dict[str, Json] = {
        "supported": {
            "value": float(finding.status == "supported"),
            "answer": finding.label,
            "explanation": finding.summary,
            "metadata": {"finding": finding.id, "status": finding.status},
            "history": [],
        }
    }
    for name, score in (finding.verification.scores if finding.verification else {}).items():
        beside = score.model_dump(mode="json", exclude={"value"})
        scores[name] = {"value": score.value, "metadata": beside, "history": []}
    return scores


def _output(model: str, text: str, *, cut: bool = False) -> Json:
    said = {"role": "assistant", "content": text, "source": "generate", "model": model}
    choice = {"message": said, "stop_reason": "max_tokens" if cut else "stop"}
    return {"model": model, "choices": [choice], "completion": text}


def _plain(finding: Finding) -> Json:
    return {"id": finding.id, **finding.model_dump(mode="json", exclude={"provenance"})}


def time_of(at: datetime) -> str:
    """With its zone."""
    return at.isoformat()
