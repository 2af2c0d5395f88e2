"""The first step: whether the model does it at all, and how often.

The questions about the thing and place are asked; the wrong answer that comes most often where
another one is right is the behaviour. Knows answers; nothing of features.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import numpy as np

from agent.behaviour.counting import share
from agent.behaviour.documents import Case
from agent.behaviour.questions import Chosen, chosen
from agent.desk import Desk
from agent.plan import Fix
from tools.answers import AnswerSheet, AnswersResult
from tools.question_sets import QuestionSet

FEWEST = 8
"""From so few wrong answers nothing is learned."""


async def reproduce(desk: Desk, task: Fix) -> Case:
    """Ask the development questions, unsteered."""
    questions = desk.lab.questions("validate")
    picked = await asyncio.to_thread(chosen, questions, task)
    asked: AnswersResult = await desk.use(
        "answers",
        f"asking {len(picked.about)} questions about it and {len(picked.others)} others",
        split="validate",
        numbers=(*picked.about, *picked.others),
    )
    sheet = asked.trials[0].sheet
    answers = desk.lab.artefacts.document(sheet, AnswerSheet)
    case = _case(desk, questions, picked, answers, sheet)
    desk.say(
        "test",
        f"{case.question} {case.wrong} instead of {case.right}: "
        f"{case.rate.value:.0%} of {case.rate.n} questions"
        if case.reproduced
        else f"not reproduced: {case.rate.value:.0%} of {case.rate.n} questions went wrong alike",
        result={"rate": case.rate.model_dump()},
        artefacts=(sheet,),
    )
    return case


def _case(
    desk: Desk, questions: QuestionSet, picked: Chosen, answers: AnswerSheet, sheet: str
) -> Case:
    said = {one.number: one for one in answers.answers}
    right = {number: questions.asked(number).answer for number in picked.about}
    wrongs = Counter(
        (right[number], said[number].said) for number in picked.about if not said[number].right
    )
    (good, bad), count = wrongs.most_common(1)[0] if wrongs else ((right[picked.about[0]], ""), 0)
    targets = tuple(number for number in picked.about if right[number] == good)
    hits = np.array([not said[n].right and said[n].said == bad for n in targets])
    shown = targets[int(hits.argmax())]
    return Case(
        question=questions.asked(shown).question,
        wrong=bad,
        right=good,
        targets=targets,
        guards=tuple(n for n in said if n not in set(targets)),
        sheet=sheet,
        rate=share(hits, desk.lab.seed),
        reproduced=count >= FEWEST,
    )
