"""A run from its question to its answer: begun, interrupted, gone on with.

Everything that a run needs later is on disk: its question, settings and plan in the store, its
position in the checkpoints. Knows graphs and the store; nothing of profiles or screens.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiosqlite
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import Command

from agent.conversation import written
from agent.desk import Desk, Rules
from agent.done import Done
from agent.events import Listener
from agent.findings import Provenance
from agent.fork import Earlier, Fork
from agent.graph import behaviour_graph, feature_graph, request_graph
from agent.naming import run_name as run_name  # whoever begins runs has it from here
from agent.office import Elsewhere, Office
from agent.plan import Plan
from agent.planner import Exchange, Named, Planner
from agent.store import Reader, Store
from agent.store.garbage import POSITIONS
from agent.tasks import told
from tools.backends.budget import OverBudget
from tools.lab import Lab

Approve = Callable[[str, float], Awaitable[bool | None]]
"""Whether somebody agrees to what something costs; None: nobody can say now, so the run waits."""
STEPS = 100
"""Of a request's graph: a limit for bugs."""


class Ended(NamedTuple):
    """How a run ended, for now."""

    run: str
    status: str
    """`done`, or `paused`: then it can be gone on with."""
    answer: str
    plan: dict[str, Any] | None
    named: tuple[Named, ...]
    """The features and findings that it speaks of."""
    why: str = ""
    """Why it paused."""
    asks: bool = False
    """It paused since somebody has to agree first, and nobody was there."""


class Hands(NamedTuple):
    """What a run is given to work with."""

    lab: Lab
    planner: Planner
    store: Store
    provenance: Provenance
    rules: Rules
    workers: int
    listeners: Sequence[Listener] = ()
    explorer: BaseChatModel | None = None
    """Investigates features freely, where it is wanted."""
    options: Mapping[str, Any] = {}
    """How whoever resumes or replays the run can build these hands again."""
    left: Fork | None = None
    """Where the run leaves an earlier one."""
    earlier: Earlier | None = None
    """What stood answered before it."""
    elsewhere: Elsewhere | None = None
    """Where features are investigated, if not here."""


@asynccontextmanager
async def office(hands: Hands, run: str, control: RunControl) -> AsyncGenerator[Office]:
    """Open what a run needs; one saver for the process, as two would lock each other out."""
    desk = Desk(
        hands.lab,
        run,
        provenance=hands.provenance,
        keeper=hands.store,
        listeners=hands.listeners,
        rules=hands.rules,
        explorer=hands.explorer,
    )
    path = checkpoints(hands.lab.runs)
    path.parent.mkdir(parents=True, exist_ok=True)
    async with aiosqlite.connect(path) as connection:
        await connection.execute("PRAGMA busy_timeout = 10000")
        # Plain JSON is all that a state holds, so nothing else may be read back.
        saver = AsyncSqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        yield Office(
            desk=desk,
            planner=hands.planner,
            store=hands.store,
            features=feature_graph().compile(checkpointer=saver),
            behaviours=behaviour_graph().compile(checkpointer=saver),
            control=control,
            workers=hands.workers,
            earlier=hands.earlier,
            elsewhere=hands.elsewhere,
        )


def checkpoints(runs: Path) -> Path:
    """Where the position of unfinished runs is kept, apart from what they found."""
    return runs / POSITIONS


async def ask(
    hands: Hands,
    run: str,
    question: str,
    before: Sequence[Exchange] = (),
    *,
    approve: Approve,
    control: RunControl | None = None,
) -> Ended:
    """Answer a question in a new run."""
    hands.store.begin(run, question, hands.provenance, pid=os.getpid())
    state = {"question": question, "before": written(before), "options": dict(hands.options)}
    return await _run(hands, run, state, approve, control or RunControl())


async def do(
    hands: Hands,
    run: str,
    plan: Plan,
    *,
    approve: Approve,
    control: RunControl | None = None,
) -> Ended:
    """Do what a plan says, in a new run: a batch is one that nobody had to be asked about."""
    question = "; then ".join(told(task) for task in plan.tasks)
    hands.store.begin(run, question, hands.provenance, pid=os.getpid())
    hands.store.planned(run, plan)  # nobody can be asked for it again
    first = _first(hands, question, plan)
    return await _run(hands, run, first, approve, control or RunControl())


async def fork(
    hands: Hands, run: str, *, approve: Approve, control: RunControl | None = None
) -> Ended:
    """Go on from where the hands leave an earlier run, in a new one."""
    if hands.left is None:
        raise ValueError("these hands leave no run")
    hands.store.begin(run, hands.left.question, hands.provenance, pid=os.getpid())
    first = _first(hands, hands.left.question)
    return await _run(hands, run, first, approve, control or RunControl())


async def resume(
    hands: Hands, run: str, *, approve: Approve, control: RunControl | None = None
) -> Ended:
    """Go on with a run where it stopped; from its question, if it stopped before its first step."""
    record = hands.store.run(run)
    hands.store.resumed(record.id, pid=os.getpid())
    first = _first(hands, record.question, record.plan)
    return await _run(hands, record.id, first, approve, control or RunControl(), again=True)


def _first(hands: Hands, question: str, plan: Plan | None = None) -> dict[str, Any]:
    """Where a run begins; one that leaves another has its conversation and plan."""
    state = {"question": question, "before": [], "options": dict(hands.options)}
    if hands.left is not None:
        state["before"], plan = hands.left.before, hands.left.plan
    if plan is not None:
        state["plan"] = plan.model_dump(mode="json")
    return state


def options_of(store: Reader, run: str) -> dict[str, Any]:
    """What a run's hands were built from."""
    asked = next((one for one in store.events(run) if one.kind == "asked"), None)
    return dict((asked.result or {}).get("options", {})) if asked else {}


async def _run(
    hands: Hands,
    run: str,
    given: Any,
    approve: Approve,
    control: RunControl,
    *,
    again: bool = False,
) -> Ended:
    async with office(hands, run, control) as here:
        graph = request_graph().compile(checkpointer=here.features.checkpointer)
        config: Any = {"configurable": {"thread_id": run}, "recursion_limit": STEPS}
        if again and (await graph.aget_state(config)).values:
            given = None
        try:
            while True:
                state = await graph.ainvoke(
                    given, config, context=here, durability="sync", control=control
                )
                asked = state.get("__interrupt__")
                if not asked:
                    break
                wanted = asked[0].value
                agreed = await approve(wanted["asked"], wanted["cost"])
                if agreed is None:
                    why = f"waits until somebody approves: {wanted['asked']}"
                    return _paused(hands.store, run, why, asks=True)
                given = Command(resume=agreed)
        except (GraphDrained, OverBudget) as stopped:
            return _paused(hands.store, run, str(stopped))
        except BaseException as error:
            hands.store.ended(run, "failed", f"{type(error).__name__}: {error}")
            raise
        ended = _ended(run, state)
        hands.store.ended(run, "done", ended.answer)
        await _forget(here)
        return ended


def _paused(store: Store, run: str, why: str, *, asks: bool = False) -> Ended:
    store.ended(run, "paused", why)
    return Ended(run, "paused", "", None, (), why=why, asks=asks)


def _ended(run: str, state: dict[str, Any]) -> Ended:
    done = state.get("done") or []
    return Ended(
        run,
        "done",
        state.get("answer", ""),
        state.get("plan"),
        tuple(named for one in done for named in Done.model_validate(one).named),
    )


async def _forget(here: Office) -> None:
    """Checkpoints are for going on; a run that ended has nothing to go on with."""
    saver: Any = here.features.checkpointer
    run = here.desk.run
    async with saver.lock:
        for name in ("checkpoints", "writes"):
            await saver.conn.execute(
                f"DELETE FROM {name} WHERE thread_id = ? OR substr(thread_id, 1, ?) = ?",
                (run, len(run) + 1, f"{run}:"),
            )
        await saver.conn.commit()
