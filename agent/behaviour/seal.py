"""The last step: one shot at the sealed questions, for the recipe beside all of its controls.

Code, and nobody's choice: the sealed questions are opened once for a finding and a recipe, and
what is asked follows from the task alone. Knows recipes and answers; nothing of how a recipe was
found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from agent.behaviour.counting import change, counts, rights, share
from agent.behaviour.documents import Case, Sealed, Swept
from agent.behaviour.questions import Chosen, chosen
from agent.desk import Desk
from agent.findings import Counts, digest
from agent.plan import Fix
from sae_core.steering.controls import Control
from tools.answers import AnswerSheet, AnswersResult, Trial
from tools.artefacts import ArtefactId
from tools.failures import WontWork
from tools.lab import Lab
from tools.question_sets import Asked
from tools.recipe import recipe_of

HINT = "look carefully."
CONTROLS: tuple[tuple[str, Control, int], ...] = (
    ("wrong sign", "wrong_sign", 0),
    ("random feature 1", "random_feature", 1),
    ("random feature 2", "random_feature", 2),
    ("random feature 3", "random_feature", 3),
    ("random direction 1", "random_direction", 1),
    ("random direction 2", "random_direction", 2),
)
PROMPT = "prompt only"
SAME = "the same thing, answered otherwise"
"""Other questions about the task's thing: what only ever says the opposite harms these."""


def behaviour_key(desk: Desk, task: Fix) -> str:
    """What is asked of what, by content: with the same key the answer is the same."""
    known = desk.provenance
    return digest(
        "behaviour", task.model_dump(), known.model, known.hook, known.coder,
        desk.lab.questions("validate").digest, known.seed,
    )  # fmt: skip


def sealed_key(desk: Desk, about: Sequence[int]) -> str:
    """What the sealed questions are opened for: those of a coder about one behaviour.

    No price is paid here for a second try. So they stay closed to another wording of the task, to
    a fork, to other development questions and to another seed: each may give another recipe.
    """
    known = desk.provenance
    return digest("sealed behaviour", known.model, known.hook, known.coder, about)


async def seal(desk: Desk, task: Fix, case: Case, swept: Swept) -> Sealed:
    """Open the sealed questions, ask them in all ways, and count."""
    recipe = desk.lab.artefacts.put_document(recipe_of(desk.lab.seeing, swept.chosen))
    # Whether they may be asked depends on which ones they are.
    lab = desk.lab.opening("test")
    questions = lab.questions("test")
    picked = await asyncio.to_thread(chosen, questions, task, case.right)
    _open(desk, sealed_key(desk, picked.about), recipe, questions.digest)
    sheets = await _asked(desk, lab, picked, swept, recipe)
    kinds = {number: questions.asked(number).kind for number in picked.others}
    same = np.array([_is_same(questions.asked(number), task, case) for number in picked.others])
    found = _counted(desk, case, picked, kinds, same, sheets, recipe)
    first = found.counts[0]
    desk.say(
        "verdict",
        f"sealed: {first.better} of {first.n - first.right_before} wrong answers mended, "
        f"{found.harm.value:.1%} of right ones lost"
        + (f"; not better than {', '.join(found.unbeaten)}" if found.unbeaten else ""),
        result=found.model_dump(mode="json", include={"removed", "harm", "counts", "unbeaten"}),
        artefacts=(recipe,),
    )
    return found


def _open(desk: Desk, key: str, recipe: ArtefactId, questions: str) -> None:
    """Take the seal off the questions, once for this behaviour, and for this recipe alone."""
    if not desk.keeper.open(key, recipe, questions):
        raise WontWork(
            "The sealed questions were opened for this behaviour before, and for another recipe: a "
            "second try would be tuned to them. Set data.questions_test to others"
        )


async def _asked(
    desk: Desk, lab: Lab, picked: Chosen, swept: Swept, recipe: ArtefactId
) -> dict[str, AnswerSheet]:
    """All answers, by who gave them."""
    steered = [
        Trial(name=name, interventions=swept.chosen, control=control, seed=seed)
        for name, control, seed in (("recipe", None, 0), *CONTROLS)
    ]
    numbers = (*picked.about, *picked.others)
    results: list[AnswersResult] = [
        await desk.use(
            "answers",
            f"sealed: recipe {recipe[:12]} and its controls on {len(numbers)} questions",
            lab=lab,
            split="test",
            numbers=numbers,
            trials=[Trial(), *steered],
        ),
        await desk.use(
            "answers",
            f"sealed: {HINT!r} before each question, and no intervention",
            lab=lab,
            split="test",
            numbers=numbers,
            trials=[Trial(name=PROMPT)],
            hint=HINT,
        ),
    ]
    return {
        trial.name: lab.artefacts.document(trial.sheet, AnswerSheet)
        for result in results
        for trial in result.trials
    }


def _is_same(asked: Asked, task: Fix, case: Case) -> bool:
    return task.thing is not None and asked.about(task.thing, None) and asked.answer != case.right


class _Rights(NamedTuple):
    """Which answers are right, to questions about the behaviour and to others."""

    about: np.ndarray
    others: np.ndarray

    @property
    def all(self) -> np.ndarray:
        """Both."""
        return np.concatenate(self)


def _counted(
    desk: Desk,
    case: Case,
    picked: Chosen,
    kinds: Mapping[int, str],
    same: np.ndarray,
    sheets: Mapping[str, AnswerSheet],
    recipe: ArtefactId,
) -> Sealed:
    found = {
        name: _Rights(rights(sheet, picked.about), rights(sheet, picked.others))
        for name, sheet in sheets.items()
    }
    before, after = found["unsteered"], found["recipe"]
    if before.about.all() or not before.others.any():
        raise WontWork(
            f"On the sealed questions the model never fails, or always: {case.question!r} can't be "
            "tested there. Set data.questions_test to others"
        )
    rivals = {name: one for name, one in found.items() if name not in ("unsteered", "recipe")}
    return Sealed(
        recipe=recipe,
        removed=share(after.about[~before.about], desk.lab.seed),
        harm=share(~after.others[before.others], desk.lab.seed),
        counts=tuple(
            counts(name, before.about, one.about)
            for name, one in {"recipe": after, **rivals}.items()
        ),
        side_effects=(
            *_by_kind(picked.others, kinds, before.others, after.others),
            *([counts(SAME, before.others[same], after.others[same])] if same.any() else []),
            *(
                counts(f"all others, {name}", before.others, one.others)
                for name, one in rivals.items()
            ),
        ),
        # On all questions: a control that mends everything by breaking everything must not win.
        unbeaten=tuple(
            name for name, one in rivals.items() if not change(one.all, after.all).surely_better
        ),
    )


def _by_kind(
    numbers: Sequence[int], kinds: Mapping[int, str], before: np.ndarray, after: np.ndarray
) -> list[Counts]:
    """All other questions together, then each kind of them."""
    found = [counts("all others", before, after)]
    for kind in sorted(set(kinds.values())):
        of_kind = np.array([kinds[number] == kind for number in numbers])
        found.append(counts(kind, before[of_kind], after[of_kind]))
    return found
