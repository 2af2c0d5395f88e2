"""The second step: which features are to blame, and what they respond to.

Attribution over several wrong answers, image and text apart, beside right answers that sound the
same. Knows tools; nothing of fixes.
"""

from __future__ import annotations

from agent.behaviour.documents import Blamed, Case
from agent.desk import Desk
from agent.findings import Culprit
from tools.answers import AnswerSheet
from tools.explain import ExplainResult
from tools.failures import ToolFailure, WontWork
from tools.question_sets import evenly
from tools.refine import RefineResult
from tools.replies import Described
from tools.suspects import SuspectsResult
from tools.top_images import TopImagesResult

CASES = 24
"""Wrong answers that are looked into, and as many right ones."""
SUSPECTS = 8
NAMED = 4
"""So many of the suspects are explained."""


async def blame(desk: Desk, case: Case) -> Blamed:
    """Attribute, compare with right answers, and say what the first ones mean."""
    answers = desk.lab.artefacts.document(case.sheet, AnswerSheet)
    targets, said = set(case.targets), {one.number: one for one in answers.answers}
    wrong = [n for n in case.targets if not said[n].right and said[n].said == case.wrong]
    alike = [n for n in case.guards if said[n].right and said[n].said == case.wrong]
    if not alike:
        raise WontWork(
            f"None of {len(said) - len(targets)} other questions is rightly answered with "
            f"{case.wrong!r}: nothing to tell wrong answers from. Add some to data.questions"
        )
    found: SuspectsResult = await desk.use(
        "suspects",
        f"what speaks for {case.wrong} in {min(CASES, len(wrong))} wrong answers, and not in right "
        "ones",
        split="validate",
        wrong=evenly(wrong, CASES),
        right=evenly(alike, CASES),
        answer=case.wrong,
        instead=case.right,
        top=SUSPECTS,
    )
    culprits = []
    for place, one in enumerate(found.suspects):
        label = await named(desk, one.feature) if place < NAMED else None
        culprits.append(
            Culprit(
                feature=one.feature,
                label=label,
                by_image=one.by_image,
                by_text=one.by_text,
                separability=one.separability,
            )
        )
    return Blamed(difference=found.difference, culprits=tuple(culprits))


async def named(desk: Desk, feature: int) -> str | None:
    """A one-shot label from pictures, unverified; None for features that pictures say nothing of.

    Some fire at words alone, and no picture shows what they mean.
    """
    try:
        # Without silent pictures: where a feature fires nearly everywhere, looking for some takes
        # as long as the rest of the task, and one question shows none.
        seen: TopImagesResult = await desk.use(
            "top_images", f"pictures of feature {feature}", feature=feature, negatives=0
        )
        if seen.short:
            return None
        told: ExplainResult = await desk.use(
            "explain", f"what feature {feature} may stand for", evidence=seen.evidence
        )
        if not told.hypotheses:
            return None
        short: RefineResult = await desk.use(
            "refine", "a short name", explanation=told.hypotheses[0].text
        )
    except ToolFailure:
        return None  # recorded by the desk; a fix needs no names
    return short.outcome.text if isinstance(short.outcome, Described) else None
