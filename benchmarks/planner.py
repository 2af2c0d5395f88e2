"""How well requests are understood: planners held against 200 requests with their right plans.

    python -m benchmarks.planner [--half held_out|tuning] [--server URL --model NAME] [--json]

Rules and examples are tuned on one half, requests/tuning.jsonl; the other is only ever measured.
The right plan holds what a request says and nothing that it leaves open: what features are asked
for keeps the asker's words, ranges include both ends, a picture without a split is one to explore,
up to 16 features are investigated unless somebody says label. A plan of null is right where there
is nothing to do, where it is none of the agent's tasks, or where it can't be told which feature,
picture or concept is meant.

Free text is held together without case, quotes, articles, endings of plurals and signs. Of a
behaviour only thing and place count; how many are wanted, and which answer is explained, count
where the right plan has them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, SecretStr
from rich.console import Console
from rich.table import Table

from agent.plan import Compare, ExplainFinding, NotUnderstood, Plan, Planned, Task
from benchmarks.one_line import in_one_line
from toybox.measures import Estimate, share
from toybox.vocabulary import OBJECTS, plural

Half = Literal["tuning", "held_out"]
FOLDER = Path(__file__).parent / "requests"
FREE = {"words", "question", "answer", "instead", "thing", "place"}
"""Arguments in the asker's words."""
NEVER, IF_NAMED = {"behaviour"}, {"count", "answer"}
BARS = {"intents": ">= 0.9", "arguments": ">= 0.9"}
_FILLERS = {"a", "an", "the"}
_WRITTEN = {"word", "written"}
_SINGULAR = {plural(one): one for one in OBJECTS}
_PICTURE = re.compile(r" (in|on|of|for|about) ((the|this|that) )?(picture|image|photo)( \d+)?$")


class Before(BaseModel):
    """What was said before a request, and what came of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    plan: Plan
    answer: str
    features: tuple[int, ...]
    findings: tuple[str, ...]


class Case(BaseModel):
    """A request and its right plan; None: it should not be understood."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    before: tuple[Before, ...] = ()
    plan: Plan | None


class Outcome(NamedTuple):
    """What a planner made of a request."""

    case: Case
    planned: Planned

    @property
    def abstained(self) -> bool:
        """It was not understood."""
        return isinstance(self.planned, NotUnderstood)

    @property
    def intents(self) -> bool:
        """The right tasks in the right order, whatever their arguments."""
        return self._names(self.planned) == self._names(self.case.plan)

    @property
    def arguments(self) -> bool:
        """The right tasks with the right arguments; or rightly none."""
        if not isinstance(self.planned, Plan) or self.case.plan is None:
            return self.intents
        pairs = zip(self.case.plan.tasks, self.planned.tasks, strict=False)
        return self.intents and all(agree(*pair, self.case.before) for pair in pairs)

    @staticmethod
    def _names(planned: Planned | None) -> list[str]:
        return [task.task for task in planned.tasks] if isinstance(planned, Plan) else []


def cases(half: Half) -> list[Case]:
    """One half of the requests."""
    lines = (FOLDER / f"{half}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Case.model_validate_json(line) for line in lines]


def agree(wanted: Task, got: Task, before: Sequence[Before] = ()) -> bool:
    """Whether two tasks of the same kind have the same arguments."""
    if isinstance(wanted, Compare) and isinstance(got, Compare):
        return {wanted.one, wanted.other} == {got.one, got.other}
    if isinstance(wanted, ExplainFinding) and isinstance(got, ExplainFinding):
        return _meant(wanted, before) == _meant(got, before)
    open_ = NEVER | (IF_NAMED - wanted.model_fields_set)
    return all(
        _comparable(name, getattr(wanted, name)) == _comparable(name, getattr(got, name))
        for name in type(wanted).model_fields
        if name not in open_
    )


def _comparable(name: str, value: Any) -> Any:
    return normal(value) if name in FREE and value is not None else value


def normal(text: str) -> str:
    """The words that matter, one blank between them."""
    signless = re.sub(r"[^\w\s-]", "", text.casefold()).replace("-", " ").strip()
    words = _PICTURE.sub("", signless.replace("colour", "color")).split()
    kept = [_singular(word) for word in words if word not in _FILLERS]
    return " ".join([word for word in kept if word not in _WRITTEN] or kept)


def _singular(word: str) -> str:
    word = _SINGULAR.get(word, word)
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _meant(task: ExplainFinding, before: Sequence[Before]) -> str:
    """The finding: by its id, as that of a feature, or as the latest, these may be the same one."""
    found = [finding for one in before for finding in one.findings]
    if task.finding is not None:
        return next((one for one in found if one.startswith(task.finding)), task.finding)
    if task.feature is None:
        return found[-1] if found else "the latest"
    known = {
        feature: finding
        for one in before
        if len(one.features) == len(one.findings)
        for feature, finding in zip(one.features, one.findings, strict=True)
    }
    return known.get(task.feature, f"of feature {task.feature}")


async def measured(
    ask: Callable[[Case], Awaitable[Planned]], asked: Sequence[Case]
) -> list[Outcome]:
    """Every request in turn."""
    return [Outcome(case, await ask(case)) for case in asked]


def summary(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """How many are right: of those that can be understood, and of those that can't."""
    clear = [one for one in outcomes if one.case.plan is not None]
    unclear = [one for one in outcomes if one.case.plan is None]
    return {
        "intents": share([one.intents for one in clear]),
        "arguments": share([one.arguments for one in clear]),
        "rightly not understood": share([one.abstained for one in unclear]),
        "wrongly not understood": share([one.abstained for one in clear]),
    }


def missed(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """What was expected of each request that was not planned right, and what came."""
    return [
        {
            "request": one.case.request,
            "before": [past.request for past in one.case.before],
            "expected": _told(one.case.plan),
            "planned": _told(one.planned),
        }
        for one in outcomes
        if not one.arguments
    ]


def _told(planned: Planned | None) -> list[dict[str, Any]] | None:
    if not isinstance(planned, Plan):
        return None
    return [
        {"task": task.task, **task.model_dump(mode="json", exclude_defaults=True)}
        for task in planned.tasks
    ]


def asker(server: str | None, model: str | None) -> Callable[[Case], Awaitable[Planned]]:
    """The offline planner, or the chat model of a server."""
    from agent.planner import ChatPlanner, Exchange, Named, OfflinePlanner

    planner = ChatPlanner(OfflinePlanner() if server is None else _served(server, model or ""))

    async def ask(case: Case) -> Planned:
        before = [
            Exchange(
                one.request,
                one.plan,
                one.answer,
                tuple(Named(*pair) for pair in zip_longest(one.features, one.findings)),
            )
            for one in case.before
        ]
        return await planner.plan(case.request, before)

    return ask


def _served(server: str, model: str) -> Any:
    from langchain_openai import ChatOpenAI

    key = SecretStr(os.environ.get("OPENAI_API_KEY", "none"))
    return ChatOpenAI(base_url=server, model=model, api_key=key, temperature=0)


@in_one_line()
def main() -> None:
    """Measure, and print a table with every miss, or JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--half", default="held_out", choices=("held_out", "tuning"))
    parser.add_argument("--server", help="an OpenAI-compatible server, such as http://HOST:PORT/v1")
    parser.add_argument("--model", help="the name that the server knows the model by")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if (given.server is None) != (given.model is None):
        parser.error("give both --server and --model, or neither")
    outcomes = asyncio.run(measured(asker(given.server, given.model), cases(given.half)))
    found, misses = summary(outcomes), missed(outcomes)
    if given.json:
        rows = {name: value._asdict() for name, value in found.items()}
        print(json.dumps({"half": given.half, "summary": rows, "missed": misses}, indent=1))
        return
    table = Table("measure", "value", "95 % interval", "bar", "n", title=given.half)
    for name, value in found.items():
        between = f"{value.low:.3f} to {value.high:.3f}"
        table.add_row(name, f"{value.value:.3f}", between, BARS.get(name, ""), str(value.n))
    Console().print(table)
    for miss in misses:
        said = " / ".join([*miss["before"], miss["request"]])
        print(f"\n{said}\n  expected {json.dumps(miss['expected'])}")
        print(f"  planned  {json.dumps(miss['planned'])}")


if __name__ == "__main__":
    main()
