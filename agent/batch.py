"""Many features, a few at a time: what is done is skipped, what fails never stops the rest.

Each feature is a thread of the feature graph, so an interrupted batch goes on where each of them
was. Knows pools and keys; nothing of how a feature is investigated.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from langchain_core.runnables.config import var_child_runnable_config
from langgraph.errors import GraphDrained

from agent.desk import Desk
from agent.errors import Broke
from agent.findings import FeatureFinding
from agent.office import Office
from agent.provenance import feature_key
from agent.threads import goes_on
from sae_core.errors import UserError
from tools.backends.budget import OverBudget
from tools.failures import ToolFailure, TryAgain

STEPS = 60
"""Of one feature's graph: a limit for bugs, far above what an investigation takes."""
IN_A_ROW = 5
"""So many features that fail one after the other for what may pass, a server that is down for
example, and at least as many as are worked at: then the rest would only fail as well."""


class Failed(NamedTuple):
    """A feature that there is no finding about, and why."""

    feature: int
    reason: str
    passes: bool = False
    """Whether the same may go well later."""


T = TypeVar("T")


class Labelled(NamedTuple, Generic[T]):
    """What became of some features."""

    found: tuple[T, ...]
    """Of each finding what was to be kept, in the order asked for; earlier runs' among them."""
    failed: tuple[Failed, ...]
    skipped: int
    """How many of them were there before."""


async def label(
    office: Office, unit: str, features: Sequence[int], keep: Callable[[FeatureFinding], T]
) -> Labelled[T]:
    """Investigate each feature once; stops early where the budget ends or a drain is asked for.

    So it does where one after the other fails for what may pass: then it can be gone on with.

    A million findings would not fit into memory, so only what `keep` makes of them stays there.
    """
    wanted = list(dict.fromkeys(features))
    pending, came = deque(wanted), dict[int, _Kept[T] | Failed]()
    row = 0

    async def work() -> None:
        nonlocal row
        while pending:
            feature = pending.popleft()
            one = await _one(office, unit, feature)
            if isinstance(one, _Found):
                came[feature] = _Kept(keep(one.finding), one.before)
                row = row if one.before else 0
                continue
            came[feature], row = one, row + one.passes
            if row >= max(IN_A_ROW, office.workers):
                raise GraphDrained(f"{row} features in a row failed. The last one: {one.reason}")

    tasks = [asyncio.create_task(work()) for _ in range(min(office.workers, len(wanted)))]
    try:
        await asyncio.gather(*tasks)
    except BaseException as stopped:
        pending.clear()
        # Elsewhere nothing can be gone on with later, so what is begun comes to its end.
        begun = office.elsewhere is not None and isinstance(stopped, (GraphDrained, OverBudget))
        for task in tasks:
            if not begun:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    told = [came[feature] for feature in wanted]
    return Labelled(
        found=tuple(one.kept for one in told if isinstance(one, _Kept)),
        failed=tuple(one for one in told if isinstance(one, Failed)),
        skipped=sum(isinstance(one, _Kept) and one.before for one in told),
    )


class _Kept(NamedTuple, Generic[T]):
    kept: T
    before: bool


class _Found(NamedTuple):
    finding: FeatureFinding
    before: bool


async def _one(office: Office, unit: str, feature: int) -> _Found | Failed:
    desk = office.desk
    key = feature_key(desk.provenance, feature, desk.rules)
    known = office.store.done(key)
    if known is None and office.earlier is not None:
        known = office.earlier(f"{unit}/{feature}", feature)
    if isinstance(known, FeatureFinding):
        return _Found(known, before=True)
    if office.control.drain_requested:
        raise GraphDrained(office.control.drain_reason or "stopped")
    try:
        await _investigated(office, f"{unit}/{feature}", feature, key)
    except (OverBudget, GraphDrained):
        raise
    except (ToolFailure, UserError) as failure:
        failed = _failed(desk.at(f"{unit}/{feature}", STEPS, "batch"), feature, str(failure))
        return failed._replace(passes=isinstance(failure, TryAgain))
    except (OSError, sqlite3.Error):
        raise  # the disk, or the store itself: nothing else would go better
    except Exception as error:  # noqa: BLE001 (one feature must not stop the rest)
        bug = error if isinstance(error, Broke) else Broke.by(error)
        return _failed(desk.at(f"{unit}/{feature}", STEPS, "batch"), feature, str(bug), bug.trace)
    found = office.store.done(key)
    assert isinstance(found, FeatureFinding), f"feature {feature} ended without a finding"
    return _Found(found, before=False)


def _failed(desk: Desk, feature: int, reason: str, trace: str | None = None) -> Failed:
    """What went wrong, for the list at the end; a bug keeps its traceback in the record."""
    desk.say("failure", reason, result={"traceback": trace} if trace else None)
    return Failed(feature, reason)


async def _investigated(office: Office, unit: str, feature: int, key: str) -> None:
    """Run the feature's graph from where it is: its beginning, or its last step before a crash."""
    if office.elsewhere is not None:
        await office.elsewhere(office.desk, office.store, unit, feature, key)
        return
    # Not a part of the graph that asks for it: its checkpoints are its own.
    var_child_runnable_config.set(None)
    config: Any = {
        "configurable": {"thread_id": f"{office.desk.run}:{unit}"},
        "recursion_limit": STEPS,
    }
    begun = await goes_on(office, office.features, config, key, unit)
    given = None if begun else {"feature": feature, "key": key, "unit": unit}
    await office.features.ainvoke(
        given, config, context=office.desk, durability="sync", control=office.control
    )
