"""The feature that attribution blames for a wrong answer, and how strongly to change it.

Found on development questions alone: wrong answers beside right ones that sound the same say which
features to suspect, and a few strengths of the first of them are tried. Knows questions; nothing of
those that a table is measured on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from agent.behaviour.counting import change, rights
from agent.behaviour.sweep import PRICE, STRONGEST
from benchmarks.paper.bench import Bench
from sae_core.steering.plan import Intervention
from tools.answers import Answered, AnswerSheet, Trial
from tools.question_sets import evenly
from tools.suspects import Suspect

ASKED = 320
"""Development questions, at most."""
CASES = 16
"""Wrong answers that are looked into, and as many right ones."""
GUARDS = 64
"""Right answers with the narrowest lead, on which harm shows first."""
SUSPECTS = 3
GAINS = (1.0, 2.0, 4.0)
"""In multiples of what attribution says is needed."""


class Fault(NamedTuple):
    """The wrong answer that comes most often."""

    said: str
    instead: str
    """What is right."""
    wrong: tuple[int, ...]
    """Questions that get it wrongly."""
    alike: tuple[int, ...]
    """Questions that get it rightly."""
    guards: tuple[int, ...]
    """All questions that are answered rightly, the narrowest lead first."""


class Candidate(NamedTuple):
    """A feature that speaks for the wrong answer, or too weakly for the right one."""

    suspect: Suspect
    setting: tuple[Intervention, ...]
    mended: int
    """On development questions; of so many wrong ones."""
    of: int
    lost: int
    """Right answers to the guards that became wrong."""

    @property
    def worth(self) -> float:
        """As the agent weighs it: a lost answer costs as much as several mended ones."""
        return self.mended - PRICE * self.lost


async def fault(bench: Bench, numbers: Sequence[int]) -> Fault | None:
    """Ask some questions; None where no wrong answer comes more than once, or none sounds alike."""
    questions = bench.lab.questions("validate")
    asked = await bench.call("answers", split="validate", numbers=evenly(numbers, ASKED))
    answers = bench.lab.artefacts.document(asked.trials[0].sheet, AnswerSheet).answers
    right_of = {one.number: questions.asked(one.number).answer for one in answers}
    wrongs = Counter((one.said, right_of[one.number]) for one in answers if not one.right)
    if not wrongs or wrongs.most_common(1)[0][1] < 2:
        return None
    said, instead = wrongs.most_common(1)[0][0]

    def those(right: bool, some: Sequence[Answered]) -> tuple[int, ...]:
        return tuple(one.number for one in some if one.right == right and one.said == said)

    kept = sorted((one for one in answers if one.right), key=lambda one: one.lead)
    wrong = tuple(n for n in those(False, answers) if right_of[n] == instead)
    alike = those(True, answers)
    if not alike:
        return None
    return Fault(said, instead, wrong, alike, tuple(one.number for one in kept))


async def candidate(bench: Bench, found: Fault) -> Candidate | None:
    """The best of the first suspects at a few strengths; None where attribution finds nobody."""
    blamed = await bench.call(
        "suspects",
        wrong=evenly(found.wrong, CASES),
        right=evenly(found.alike, CASES),
        answer=found.said,
        instead=found.instead,
        top=SUSPECTS,
    )
    settings = [
        (one, setting) for one in blamed.suspects for setting in settings_of(one, blamed.difference)
    ]
    if not settings:
        return None
    wrong, guards = evenly(found.wrong, 2 * CASES), found.guards[:GUARDS]
    trials = [Trial(), *(Trial(interventions=setting) for _, setting in settings)]
    asked = await bench.call("answers", numbers=(*wrong, *guards), trials=trials)
    sheets = [bench.lab.artefacts.document(one.sheet, AnswerSheet) for one in asked.trials]
    tried = [
        Candidate(
            suspect,
            setting,
            change(rights(sheets[0], wrong), rights(sheet, wrong)).better,
            len(wrong),
            change(rights(sheets[0], guards), rights(sheet, guards)).worse,
        )
        for (suspect, setting), sheet in zip(settings, sheets[1:], strict=True)
    ]
    return max(tried, key=lambda one: one.worth)


def settings_of(suspect: Suspect, difference: float) -> list[tuple[Intervention, ...]]:
    """The suspect scaled where it speaks most: weakened if it speaks for the wrong answer."""
    gains = {min(STRONGEST, times * difference / abs(suspect.score)) for times in GAINS}
    return [
        (
            Intervention(
                feature=suspect.feature,
                kind="scale",
                value=round(1 - gain if suspect.score > 0 else 1 + gain, 3),
                where="question" if suspect.part == "text" else "image",
            ),
        )
        for gain in sorted(gains)
    ]
