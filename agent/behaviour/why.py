"""Why the model answers a question about one picture as it does: features, places and words.

Scores are linear estimates, checked by switching the strongest features off; labels are one
question's, unverified. Knows one answer; nothing of how often it is wrong.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from agent.behaviour.blame import named
from agent.desk import Desk
from agent.plan import Why
from tools.artefacts import ArtefactId
from tools.attribute import AttributeResult, Cause
from tools.failures import WontWork
from tools.says import SaysResult

TOP = 3
"""So many features are named for and against the answer, at the picture and at the text each."""


class Reason(BaseModel):
    """A feature, and what it says."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    feature: int
    label: str | None
    """One question's, unverified."""
    by_image: float
    by_text: float
    heat: ArtefactId | None
    """Where in the picture."""


class WhyFound(BaseModel):
    """What speaks for an answer and what against it, strongest first; scores are in logits."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    question: str
    said: str
    """All that the model says."""
    answer: str
    """The word that is explained."""
    instead: str
    """The word that it is compared with."""
    difference: float
    """logit(answer) - logit(instead)."""
    by_image: float
    by_text: float
    reasons: tuple[Reason, ...]
    words: tuple[tuple[str, float], ...]
    """The text's tokens with what all features say there."""
    heat: ArtefactId | None
    """Where in the picture all features together speak for or against the answer."""
    checked: float | None
    """Rank correlation of the scores with what switching features off does; None: unchecked."""


async def why(desk: Desk, task: Why) -> WhyFound:
    """Ask, attribute, and name the strongest features."""
    picture = task.picture.model_dump()
    said: SaysResult = await desk.use(
        "says", f"asking {task.question!r}", picture=picture, question=task.question
    )
    answer = task.answer or _other(said, task.instead)
    instead = task.instead or _other(said, answer)
    found: AttributeResult = await desk.use(
        "attribute",
        f"why {answer} and not {instead}",
        picture=picture,
        question=task.question,
        answer=answer,
        baseline=instead,
        skip_common=False,
    )
    return WhyFound(
        question=task.question,
        said=said.text,
        answer=answer,
        instead=instead,
        difference=found.difference,
        by_image=found.by_image,
        by_text=found.by_text,
        reasons=tuple([await _reason(desk, cause) for cause in _strongest(found)]),
        words=tuple((token.token, token.score) for token in found.tokens),
        heat=found.heat,
        checked=found.check.spearman if found.check.kind == "checked" else None,
    )


def _other(said: SaysResult, word: str | None) -> str:
    """The likeliest first word but this one, however that is written: Yes is no rival of yes."""
    same = (word or "").casefold()
    words = [likely.word for likely in said.first if likely.word.casefold() != same]
    if not words:
        raise WontWork(f"The model might say nothing but {word!r}. Say what to compare it with")
    return words[0]


def _strongest(found: AttributeResult) -> list[Cause]:
    """A few of each list; one that is in several comes once, with its map where it has one."""
    lists = (found.for_image, found.for_text, found.against_image, found.against_text)
    causes: dict[int, Cause] = {}
    for cause in (one for some in lists for one in some[:TOP]):
        causes.setdefault(cause.feature, cause)
    return sorted(causes.values(), key=lambda one: -abs(one.image + one.text))


async def _reason(desk: Desk, cause: Cause) -> Reason:
    return Reason(
        feature=cause.feature,
        label=await named(desk, cause.feature),
        by_image=cause.image,
        by_text=cause.text,
        heat=cause.heat,
    )
