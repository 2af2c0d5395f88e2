"""The nodes of the request graph: plan, do one task after the other, answer.

Knows the state of a request; nothing of how a task is done.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent import tasks
from agent.conversation import read
from agent.desk import Desk
from agent.done import Done
from agent.meter import metered
from agent.nodes.steps import step_of
from agent.office import Office
from agent.plan import NotUnderstood, Plan
from sae_core.errors import UserError
from tools.failures import NeedsApproval, ToolFailure


class RequestState(TypedDict, total=False):
    """One request on its way; all of it plain JSON."""

    question: str
    options: dict[str, Any]
    """How the run can be taken up again, as `agent.running.Hands.options`."""
    before: list[dict[str, Any]]
    """The conversation so far, as `Exchange`s."""
    plan: dict[str, Any] | None
    misunderstood: dict[str, Any] | None
    at: int
    """Which task comes next."""
    done: list[dict[str, Any]]
    answer: str


def _step(
    runtime: Runtime[Any], config: RunnableConfig, who: str, unit: str = "run"
) -> AbstractContextManager[Desk]:
    office: Office = runtime.context
    return office.desk.step(unit, step_of(config), who)


async def plan(state: RequestState, runtime: Runtime[Any], config: RunnableConfig) -> RequestState:
    """Ask the planner, with the conversation so far; a plan that came along is taken as it is."""
    office: Office = runtime.context
    with _step(runtime, config, "planner") as desk, metered() as meter:
        kept = {name: state.get(name) for name in ("before", "options")}
        rules = desk.rules.model_dump(mode="json")
        desk.say("asked", state["question"], result={**kept, "rules": rules})
        planned = (
            Plan.model_validate(state["plan"])
            if state.get("plan")
            else await office.planner.plan(state["question"], read(state.get("before", [])))
        )
        if isinstance(planned, NotUnderstood):
            desk.say("note", planned.why, cost=meter.cost)
            return {"plan": None, "misunderstood": planned.model_dump(mode="json")}
        document = planned.model_dump(mode="json")
        desk.say("plan", told(planned), result=document, cost=meter.cost)
        for line in planned.assumed:
            desk.say("note", f"assumed: {line}")
        office.store.planned(desk.run, planned)
    return {"plan": document, "at": 0, "done": []}


def told(planned: Plan) -> str:
    """A plan in one line."""
    return "; then ".join(tasks.told(task) for task in planned.tasks)


def after_plan(state: RequestState) -> Literal["work", "answer"]:
    """Work, if there is anything to do."""
    return "work" if state.get("plan") else "answer"


async def work(state: RequestState, runtime: Runtime[Any], config: RunnableConfig) -> RequestState:
    """Do the next task; what it may cost beyond the usual, a person is asked for first."""
    at = state.get("at", 0)
    task = Plan.model_validate(state["plan"]).tasks[at]
    with _step(runtime, config, task.task, str(at)) as desk:
        desk.say("task", tasks.told(task))
        try:
            done = await tasks.perform(runtime.context, desk, task)
        except NeedsApproval as needed:
            wanted = task.model_dump(mode="json", exclude_none=True)
            desk.say("approval", needed.asked, arguments=wanted, result={"cost": needed.cost})
            agreed = bool(interrupt({"asked": needed.asked, "cost": needed.cost}))
            answer = {"cost": needed.cost, "agreed": agreed}
            desk.say("approval", "approved" if agreed else "refused", result=answer)
            if agreed:
                done = await tasks.perform(runtime.context, desk, task, approved=needed.cost)
            else:
                done = Done(text=f"Not done, since nobody agreed: {needed.asked}.")
        except (ToolFailure, UserError) as failure:
            desk.say("failure", str(failure))
            done = Done(text=f"This could not be done: {failure}", failures=(str(failure),))
    finished = [*state.get("done", []), done.model_dump(mode="json")]
    return {"done": finished, "at": at + 1}


def after_work(state: RequestState) -> Literal["work", "answer"]:
    """The next task, or the answer."""
    planned = state.get("plan") or {"tasks": []}
    return "work" if state.get("at", 0) < len(planned["tasks"]) else "answer"


async def answer(
    state: RequestState, runtime: Runtime[Any], config: RunnableConfig
) -> RequestState:
    """Put together what the tasks say."""
    done = [Done.model_validate(one) for one in state.get("done", [])]
    text = "\n\n".join(one.text for one in done)
    if missed := state.get("misunderstood"):
        other = NotUnderstood.model_validate(missed)
        text = "\n".join(
            [f"{other.why}.", "", "You could ask:", "", *(f"- {one}" for one in other.instead)]
        )
    named = [one._asdict() for each in done for one in each.named]
    with _step(runtime, config, "answer") as desk:
        desk.say("answer", text.partition("\n")[0], result={"text": text, "named": named})
    return {"answer": text}
