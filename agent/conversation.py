"""The conversation that a run belongs to: what was asked and answered before it.

Each run's first event keeps what came before it, so a conversation is read from its latest run.
Knows exchanges and events; nothing of how a request is understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from agent.planner import Exchange, Named
from agent.store import Reader
from sae_core.errors import UserError

_EXCHANGES: TypeAdapter[tuple[Exchange, ...]] = TypeAdapter(tuple[Exchange, ...])
_NAMED: TypeAdapter[tuple[Named, ...]] = TypeAdapter(tuple[Named, ...])


def written(exchanges: Sequence[Exchange]) -> list[dict[str, Any]]:
    """As plain JSON."""
    return [dict(zip(Exchange._fields, one, strict=True)) for one in _dumped(exchanges)]


def read(document: Any) -> tuple[Exchange, ...]:
    """What `written` wrote."""
    return _EXCHANGES.validate_python([tuple(one.values()) for one in document])


def conversation(store: Reader) -> tuple[Exchange, ...]:
    """Everything up to the latest run that was answered, and that run too."""
    answered = next((one for one in store.runs_begun() if one.status == "done"), None)
    if answered is None:
        raise UserError(f"There is no conversation to continue in {store.runs} yet. Ask something")
    before: tuple[Exchange, ...] = ()
    last: dict[str, Any] = {}
    for event in store.events(answered.id):
        if event.kind == "asked":
            before = read((event.result or {}).get("before") or [])
        elif event.kind == "answer":
            last = event.result or {}
    if answered.plan is None:
        return before
    named = _NAMED.validate_python(last.get("named", []))
    return (*before, Exchange(answered.question, answered.plan, last.get("text", ""), named))


def _dumped(exchanges: Sequence[Exchange]) -> Any:
    return _EXCHANGES.dump_python(tuple(exchanges), mode="json")
