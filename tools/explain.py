"""The tool explain: what may a feature stand for? The explainer is asked, or the target itself.

- describe: the paper's question about the strongest pictures.
- hypotheses: the same question about several selections of pictures; equal answers are merged.
- apart: the same question about single pictures, so that alternatives come apart.
- listed: one question that asks for several competing answers, from specific to general. It needs
  an explainer that can keep to a list.
- contrast: what do pictures have on which the feature fires, that similar ones lack?
- verbalise: the feature is written into an empty picture, and the target says what it sees.
An explanation is a claim and no finding: whether it holds is tested elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from prompts import Prompt
from tools.artefacts import ArtefactId
from tools.asking import Question, asked, prompt, together
from tools.evidence import FIRING, Evidence
from tools.failures import ToolFailure, WontWork
from tools.hypotheses import Given, Hypothesis, merged
from tools.lab import Lab
from tools.masking import masked, shown
from tools.replies import Described, explanation, hypotheses
from tools.selections import Selection, contrasted, several, singles, strongest
from tools.tool import Arguments, Result, tool
from tools.verbalising import verbalised

MOST = 8
"""Pictures that one question shows as masked, and hypotheses that it asks for."""
Mode = Literal["describe", "hypotheses", "apart", "listed", "contrast", "verbalise"]


class ExplainArguments(Arguments):
    """What to explain, and how."""

    evidence: ArtefactId
    """The feature's evidence, from top_images."""
    mode: Mode = "describe"
    """describe: one question about the strongest pictures. hypotheses: about several selections.
    apart: about `count` single pictures. listed: one question for several answers. contrast:
    against pictures without the feature. verbalise: the target is asked, with the feature written
    into an empty picture."""
    count: int = Field(default=5, ge=1, le=MOST)
    """How many masked pictures a question shows."""


class ShownPicture(BaseModel):
    """A picture as a model saw it."""

    model_config = ConfigDict(frozen=True)

    artefact: ArtefactId
    picture: int | None
    """Its number in the split; None for the empty one."""
    fires: bool
    """The feature fires on it, or was written into it."""


class ExplainResult(Result):
    """What the feature may stand for."""

    feature: int
    mode: Mode
    evidence: ArtefactId
    hypotheses: tuple[Hypothesis, ...]
    """Those with most votes first; none, if no asking found anything to describe."""
    undescribed: int
    """How many askings found nothing to describe."""
    failed: int
    """How many askings got no answer."""
    shown: tuple[ShownPicture, ...]
    """Every picture that was shown to a model."""
    prompt_hash: str
    """Of the prompt that was used."""


class _Views(NamedTuple):
    """The pictures of all selections as they are shown, by number, and what was kept of them."""

    pictures: dict[int, Image.Image]
    kept: tuple[ShownPicture, ...]


class _Asking(NamedTuple):
    """How a mode asks about each of its selections."""

    prompt: Prompt
    selections: tuple[Selection, ...]
    read: Callable[[str], Sequence[str]]
    """The answers in a reply; none where there is nothing to describe."""


@tool("Ask what a feature may stand for.", "asks models")
async def explain(lab: Lab, args: ExplainArguments) -> ExplainResult:
    """Ask in one of six ways."""
    evidence = _evidence(lab, args.evidence)
    if args.mode == "verbalise":
        return await asyncio.to_thread(_verbalise, lab, args, evidence)
    asking = _asking(args, evidence)
    views = await asyncio.to_thread(_views, lab, evidence, asking.selections)
    answers = await together(
        asked(lab.explainer, _question(asking, selection, views)) for selection in asking.selections
    )
    found = [
        (selection, answer)
        for selection, answer in zip(asking.selections, answers, strict=True)
        if not isinstance(answer, ToolFailure)
    ]
    return ExplainResult(
        feature=evidence.feature,
        mode=args.mode,
        evidence=args.evidence,
        hypotheses=merged(Given(text, one.numbers) for one, answer in found for text in answer),
        undescribed=sum(not answer for _, answer in found),
        failed=len(answers) - len(found),
        shown=views.kept,
        prompt_hash=asking.prompt.content_hash,
    )


def _evidence(lab: Lab, name: ArtefactId) -> Evidence:
    """The evidence, if no score will be measured on its pictures."""
    evidence = lab.artefacts.document(name, Evidence)
    if evidence.split != "explore":
        raise WontWork(
            f"The evidence is of {evidence.split}, where explanations are tested: made from it, "
            "they would know the answers. Gather some from explore with top_images"
        )
    return evidence


def _asking(args: ExplainArguments, evidence: Evidence) -> _Asking:
    match args.mode:
        case "hypotheses":
            return _Asking(prompt("explain"), several(evidence, args.count), _one)
        case "apart":
            return _Asking(prompt("explain"), singles(evidence, args.count), _one)
        case "listed":
            read = partial(hypotheses, most=MOST)
            return _Asking(prompt("hypotheses"), (strongest(evidence, args.count),), read)
        case "contrast":
            return _Asking(prompt("contrast"), (contrasted(evidence, args.count),), _one)
    return _Asking(prompt("explain"), (strongest(evidence, args.count),), _one)


def _views(lab: Lab, evidence: Evidence, selections: Sequence[Selection]) -> _Views:
    """What fires is masked; where a feature is silent, a mask would leave nothing to see."""
    pictures: dict[int, Image.Image] = {}
    kept: list[ShownPicture] = []
    for one in (one for selection in selections for one in selection.sightings):
        if one.picture in pictures:
            continue
        fires = one.group in FIRING
        show = partial(masked, style="paper") if fires else shown
        pictures[one.picture] = show(lab, evidence, one)
        artefact = lab.artefacts.put_picture(pictures[one.picture])
        kept.append(ShownPicture(artefact=artefact, picture=one.picture, fires=fires))
    return _Views(pictures, tuple(kept))


def _question(asking: _Asking, selection: Selection, views: _Views) -> Question[Sequence[str]]:
    numbers = {
        "most": str(MOST),
        "firing": str(len(selection.firing)),
        "silent": str(len(selection.silent)),
    }
    needed = {name: numbers[name] for name in asking.prompt.variables}
    pictures = tuple(views.pictures[number] for number in selection.numbers)
    return Question(asking.prompt, asking.read, needed, pictures)


def _one(reply: str) -> tuple[str, ...]:
    said = explanation(reply)
    return (said.text,) if isinstance(said, Described) else ()


def _verbalise(lab: Lab, args: ExplainArguments, evidence: Evidence) -> ExplainResult:
    said = verbalised(lab, evidence)
    artefact = lab.artefacts.put_picture(said.empty)
    return ExplainResult(
        feature=evidence.feature,
        mode=args.mode,
        evidence=args.evidence,
        hypotheses=merged(said.answers),
        undescribed=said.nothing,
        failed=0,
        shown=(ShownPicture(artefact=artefact, picture=None, fires=True),),
        prompt_hash=said.prompt_hash,
    )
