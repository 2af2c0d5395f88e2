"""What the commands on steering and on the figures share: options, a lab, and tools by name.

Knows profiles and tools; nothing of what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.one_line import in_one_line
from lmmscope.doctor_models import coder_check
from lmmscope.laboratory import lab_alone
from lmmscope.settings import Settings
from lmmscope.wiring import model_folder
from lmmscope.work import ready
from sae_core.errors import UserError
from tools.lab import Lab
from tools.question_sets import QuestionSet
from tools.registry import named

DOCUMENTS = Path("runs/paper")
"""Where tables and figures go, if nothing else is said."""


class Bench(NamedTuple):
    """Where something is measured."""

    settings: Settings
    lab: Lab
    seed: int

    async def call(self, tool: str, **arguments: Any) -> Any:
        """One of the agent's tools."""
        chosen = named(tool)
        return await chosen.call(self.lab, chosen.parse(arguments))

    def questions(self) -> QuestionSet:
        """Those that may be looked at; where the profile names none, how to bring some."""
        if self.settings.data.questions is None:
            raise UserError(
                f"Profile {self.settings.name!r} names no questions with known answers "
                "(data.questions). Write some, one JSON object a line, as in "
                '{"image": "a.png", "question": "is there a dog?", "answer": "no"}, '
                "and set LMMSCOPE_DATA__QUESTIONS=questions.jsonl"
            )
        return self.lab.questions("validate")

    def say(self, line: str) -> None:
        """How far it is, on standard error."""
        print(line, file=sys.stderr, flush=True)


def options(does: str, features: int | None = None) -> argparse.ArgumentParser:
    """The options that all of these commands have; `features` only where they can be counted."""
    parser = argparse.ArgumentParser(description=does)
    if features is not None:
        parser.add_argument("--features", type=some, default=features, help="how many to measure")
    parser.add_argument("--profile", help="toybox, if nothing else is said")
    parser.add_argument("--runs", type=Path, help="findings whose labels are used, and caches")
    parser.add_argument("--out", type=Path, default=DOCUMENTS, help="where the files go")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def some(text: str) -> int:
    """How many, at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def profile(given: argparse.Namespace) -> Settings:
    """The profile that was asked for, with its coder here."""
    settings = ready(given.profile, given.runs)
    check_coder(settings, given.profile)
    return settings


def check_coder(settings: Settings, called: str | None = None) -> None:
    """Tell how a coder is got or trained that is not here, before anything is measured."""
    name = settings.models.sae
    if name is None:
        return
    found = coder_check(settings, name, called or settings.name)
    if found.state == "missing":
        why = found.found if model_folder(name).exists() else f"{name} is not here"
        raise UserError(f"Profile {settings.name!r} lacks its coder: {why}. Try {found.fix}")


def measured(given: argparse.Namespace, work: Callable[[Bench], Awaitable[None]]) -> None:
    """Do the work with the profile's lab; what can't be done is told in one line."""

    async def run() -> None:
        settings = profile(given)
        lab = lab_alone(settings)
        lab.seed = given.seed
        try:
            await work(Bench(settings, lab, given.seed))
        finally:
            await lab.close()

    with in_one_line():
        asyncio.run(run())


def command(
    name: str, given: argparse.Namespace, parser: argparse.ArgumentParser, package: str = "paper"
) -> str:
    """What to type to measure the same again; the defaults and where it goes are left out."""
    kept = {
        key: value
        for key, value in vars(given).items()
        if value != parser.get_default(key) and key not in ("out", "runs", "json")
    }
    words = [f"--{key} {value}" for key, value in kept.items()]
    return " ".join((f"python -m benchmarks.{package}.{name}", *words))
