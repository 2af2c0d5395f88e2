"""The third step: interventions on suspects, alone and in pairs, on development questions.

A suspect that speaks for the wrong answer is weakened, one that speaks for the right one is
strengthened, by as much as attribution says is needed and by multiples of that: multiplying leaves
alone what does not fire. Harm is looked for where it comes first, among right answers with the
narrowest lead; the best settings are then measured on all questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

from agent.behaviour.counting import change, rights
from agent.behaviour.documents import Blamed, Case, Swept
from agent.desk import Desk
from agent.findings import Culprit
from sae_core.steering.plan import Intervention
from tools.answers import AnswerSheet, AnswersResult, Trial
from tools.question_sets import evenly

STRENGTHS = (1.0, 1.5, 2.0, 3.0, 4.0)
"""In multiples of what attribution says is needed: models saturate, so it is mostly too little."""
STRONGEST = 8.0
"""No feature is changed by more than so many times its value."""
PAIRED = 3
"""The best so many suspects are tried in pairs, each at a part of its best strength."""
PARTS = (0.5, 0.75)
FINALISTS = 5
WRONGS, NARROWEST = 48, 160
"""So many wrong answers, and right ones with the narrowest lead, are asked while screening."""
HARM = 0.01
"""The share of right answers that may get lost here: half of what the sealed test allows, since
what is chosen for its little harm does more elsewhere."""
PRICE = 10.0
"""A lost right answer weighs as much as so many mended ones."""

Setting = tuple[Intervention, ...]


class _Tried(NamedTuple):
    """What a setting did."""

    setting: Setting
    removed: float
    """The share of wrong answers that became right."""
    harm: float
    """The share of right answers to other questions that became wrong."""
    questions: int

    @property
    def worth(self) -> float:
        """Mended answers, less the price of the lost ones."""
        return self.removed - PRICE * self.harm

    def told(self) -> dict[str, Any]:
        """As a finding keeps it."""
        return {
            "interventions": [one.model_dump(mode="json") for one in self.setting],
            "removed": self.removed,
            "harm": self.harm,
            "questions": self.questions,
        }


class _Questions(NamedTuple):
    """What settings are tried on."""

    wrong: tuple[int, ...]
    """Targets that are answered wrongly."""
    right: tuple[int, ...]
    """Other questions that are answered rightly."""
    of: int
    """How many right ones these stand for: harm is a share of so many."""


async def sweep(desk: Desk, case: Case, blamed: Blamed) -> Swept:
    """Screen suspects and pairs of them, then measure the best on all questions."""
    some, every = _questions(desk, case)
    alone = [setting for one in blamed.culprits for setting in _settings(one, blamed.difference)]
    tried = await _tries(desk, "each suspect alone", alone, some)
    pairs = _pairs(tried)
    if pairs:
        tried += await _tries(desk, "pairs of the best", pairs, some)
    best = [one.setting for one in _ranked(tried) if one.removed > 0][:FINALISTS]
    finals = await _tries(desk, "the best on all questions", best, every) if best else []
    fit = [one for one in _ranked(finals) if one.harm <= HARM and one.removed > 0]
    chosen = fit[0] if fit else None
    desk.say(
        "test",
        f"chosen: {told(chosen.setting)}; {chosen.removed:.0%} of wrong answers mended, "
        f"{chosen.harm:.1%} of right ones lost"
        if chosen
        else f"none of {len(tried)} settings mends without harm",
        result={"tried": len(tried), "chosen": chosen.told() if chosen else None},
    )
    return Swept(
        tried=tuple(one.told() for one in (*finals, *tried)),
        chosen=chosen.setting if chosen else (),
    )


def told(setting: Setting) -> str:
    """A setting of this sweep in a few words."""
    return ", ".join(
        f"{one.kind} feature {one.feature} by {one.value:.3g} at the {one.where}"
        for one in setting
        if one.value is not None
    )


def _questions(desk: Desk, case: Case) -> tuple[_Questions, _Questions]:
    """A few to screen on, and all."""
    answers = desk.lab.artefacts.document(case.sheet, AnswerSheet)
    said = {one.number: one for one in answers.answers}
    wrong = tuple(n for n in case.targets if not said[n].right)
    right = tuple(sorted((n for n in case.guards if said[n].right), key=lambda n: said[n].lead))
    some = _Questions(evenly(wrong, WRONGS), right[:NARROWEST], len(right))
    return some, _Questions(wrong, right, len(right))


def _settings(culprit: Culprit, difference: float) -> list[Setting]:
    """One feature scaled, at the part of the prompt where it speaks most."""
    part = "text" if abs(culprit.by_text) >= abs(culprit.by_image) else "image"
    score = culprit.by_text if part == "text" else culprit.by_image
    gains = {min(STRONGEST, times * difference / abs(score)) for times in STRENGTHS}
    return [
        (_scaled(culprit.feature, 1 - gain if score > 0 else 1 + gain, part),)
        for gain in sorted(gains)
    ]


def _scaled(feature: int, value: float, part: str) -> Intervention:
    return Intervention(
        feature=feature,
        kind="scale",
        value=round(value, 3),
        # Words before the picture are attended to by all of it: changing them changes everything.
        where="question" if part == "text" else "image",
    )


def _pairs(tried: Sequence[_Tried]) -> list[Setting]:
    """The best features two by two, each changed by a part of what was best for it alone."""
    best: dict[int, Intervention] = {}
    for one in _ranked(tried):
        if one.removed > 0:
            best.setdefault(one.setting[0].feature, one.setting[0])
    return [
        tuple(
            one.model_copy(update={"value": round(1 + part * ((one.value or 0) - 1), 3)})
            for one in pair
        )
        for pair in combinations(list(best.values())[:PAIRED], 2)
        for part in PARTS
    ]


def _ranked(tried: Sequence[_Tried]) -> list[_Tried]:
    """The best first; among equals the one with fewer features."""
    return sorted(tried, key=lambda one: (-one.worth, len(one.setting)))


async def _tries(
    desk: Desk, what: str, settings: Sequence[Setting], asked: _Questions
) -> list[_Tried]:
    numbers = (*asked.wrong, *asked.right)
    trials = [Trial(), *(Trial(name=told(one), interventions=one) for one in settings)]
    result: AnswersResult = await desk.use(
        "answers",
        f"{what}: {len(settings)} settings on {len(numbers)} questions",
        split="validate",
        numbers=numbers,
        trials=trials,
    )
    sheets = [desk.lab.artefacts.document(one.sheet, AnswerSheet) for one in result.trials]
    before = [rights(sheets[0], part) for part in (asked.wrong, asked.right)]
    found = []
    for setting, sheet in zip(settings, sheets[1:], strict=True):
        mended = change(before[0], rights(sheet, asked.wrong)).better
        lost = change(before[1], rights(sheet, asked.right)).worse
        found.append(
            _Tried(
                setting, mended / max(1, len(asked.wrong)), lost / max(1, asked.of), len(numbers)
            )
        )
    return found
