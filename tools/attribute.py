"""The tool attribute: why the model answers one word and not another, by features and tokens.

Knows what is asked for and what is told; scores are sae_core's knowledge. What a picture's tokens
say and what the text's say are kept apart: a model may answer without having looked.

Shapes: T positions of the prompt, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from sae_core.attribution.exact import agreement
from sae_core.attribution.linear import Attribution, Part, Question, ask
from sae_core.attribution.linear import attribute as attributed
from sae_core.attribution.map import painted
from sae_core.errors import UserError
from sae_core.lmm.adapter import Inputs, Prompt
from sae_core.lmm.layout import BASE, PAD, TEXT, TILE
from tools.artefacts import ArtefactId
from tools.heat import overlaid
from tools.lab import Lab
from tools.picture_id import PictureId
from tools.tool import Arguments, Result, tool


class AttributeArguments(Arguments):
    """A question, what the model answers, and what it might have answered instead."""

    picture: PictureId | None = None
    """What the model is shown."""
    question: str = Field(default="", max_length=4000)
    """What the model is asked."""
    answer: str = Field(min_length=1, max_length=100)
    """The answer to be explained, by its first token."""
    baseline: str = Field(min_length=1, max_length=100)
    """The answer that it is compared with."""
    top: int = Field(default=10, ge=1, le=100)
    """How many features of each list are told."""
    steps: int = Field(default=0, ge=0, le=64)
    """Integrated gradients with so many steps; 0 takes the gradient where the model is."""
    skip_common: bool = True
    """Leave out features that fire at very many places: they mean brightness and the like."""
    checked: int = Field(default=16, ge=2, le=256)
    """How many of the strongest are switched off for real, to check the scores."""


class Cause(BaseModel):
    """A feature that speaks for the answer, or, below zero, against it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    feature: int
    image: float
    """Its score over the picture's tokens."""
    text: float
    """Its score over the text's tokens."""
    heat: ArtefactId | None
    """Where in the picture; for those of the picture's lists alone."""


class Token(BaseModel):
    """A token of the text, and what all features together say there."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    position: int
    """Counted from the prompt's first token; as in steer's `where`."""
    token: str
    score: float
    feature: int
    """The feature with the largest score there, for or against."""


class Along(BaseModel):
    """A feature of the lists, and what it says at each token of the text."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    feature: int
    scores: tuple[float, ...]


class AttributionSheet(BaseModel):
    """The text in the order in which it is read: what all features say there, and single ones."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    tokens: tuple[str, ...]
    totals: tuple[float, ...]
    features: tuple[Along, ...]
    """Each feature that a list has."""


class Checked(BaseModel):
    """The strongest features, switched off one by one."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    kind: Literal["checked"] = "checked"
    features: tuple[int, ...]
    scores: tuple[float, ...]
    """What attribution says that the difference falls by."""
    falls: tuple[float, ...]
    """What it does fall by."""
    spearman: float
    """How alike the two orders are; 1 is the same."""


class NotChecked(BaseModel):
    """Nothing could be checked, and why."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["not checked"] = "not checked"
    why: str


class AttributeResult(Result):
    """What speaks for the answer and what against it; scores are in logits."""

    difference: float
    """logit(answer) - logit(baseline): what the scores explain."""
    by_image: float
    """What all features at the picture's tokens say together."""
    by_text: float
    """What all features at the text's tokens say together."""
    for_image: tuple[Cause, ...]
    """The features that speak most for the answer at the picture's tokens."""
    against_image: tuple[Cause, ...]
    for_text: tuple[Cause, ...]
    against_text: tuple[Cause, ...]
    tokens: tuple[Token, ...]
    """Those of the text, the strongest first."""
    heat: ArtefactId | None
    """Where in the picture all features together speak for or against the answer."""
    check: Annotated[Checked | NotChecked, Field(discriminator="kind")]
    sheet: ArtefactId
    """What each feature of the lists says at every token of the text."""


class _Asked(NamedTuple):
    """What the lists are made of."""

    lab: Lab
    args: AttributeArguments
    picture: Image.Image | None
    question: Question
    found: Attribution


@tool("Find out which features, tokens and places make the model give one answer and not another")
def attribute(lab: Lab, args: AttributeArguments) -> AttributeResult:
    """One forward and one backward pass, and a real check of the strongest."""
    seeing = lab.seeing
    picture = None if args.picture is None else args.picture.picture(lab)
    prompt = Prompt(() if picture is None else (picture,), args.question)
    inputs = seeing.adapter.prepare([prompt])
    question = ask(seeing.adapter, seeing.coder, seeing.hook, inputs, args.answer, args.baseline)
    asked = _Asked(lab, args, picture, question, attributed(question, steps=args.steps))
    for_image = _causes(asked, "image", against=False)
    against_image = _causes(asked, "image", against=True)
    for_text = _causes(asked, "text", against=False)
    against_text = _causes(asked, "text", against=True)
    listed = (*for_image, *against_image, *for_text, *against_text)
    return AttributeResult(
        difference=asked.found.difference,
        by_image=float(asked.found.totals("image").sum()),
        by_text=float(asked.found.totals("text").sum()),
        for_image=for_image,
        against_image=against_image,
        for_text=for_text,
        against_text=against_text,
        tokens=_tokens(asked, inputs),
        heat=_heat(asked, asked.found.scores_TK.sum(1)),
        check=_check(asked),
        sheet=lab.artefacts.put_document(_sheet(asked, inputs, [one.feature for one in listed])),
    )


def _causes(asked: _Asked, part: Part, *, against: bool) -> tuple[Cause, ...]:
    rates_F = asked.lab.index("explore").token_rates() if asked.args.skip_common else None
    best = asked.found.top(asked.args.top, part, against=against, rates_F=rates_F)
    return tuple(
        Cause(
            feature=one.feature,
            image=one.image,
            text=one.text,
            heat=_heat(asked, asked.found.along(one.feature)) if part == "image" else None,
        )
        for one in best
    )


def _heat(asked: _Asked, score_T: torch.Tensor) -> ArtefactId | None:
    """Scores at the picture's tokens, painted onto what each of them shows."""
    layout = asked.found.layout
    at = layout.where(BASE, TILE)
    score_T = score_T.cpu()
    if asked.picture is None or not bool(score_T[at].any()):
        return None
    heat_HW = painted(score_T[at], layout.box_T4[at], asked.picture.size)
    return asked.lab.artefacts.put_picture(overlaid(asked.picture, heat_HW.numpy()))


def _tokens(asked: _Asked, inputs: Inputs) -> tuple[Token, ...]:
    found, layout = asked.found, asked.found.layout
    padding = int((layout.kind_T == PAD).sum())  # all of it on the left
    scores_TK, indices_TK = found.scores_TK.cpu(), found.code.indices_NK.cpu()
    total_T, strongest_T = scores_TK.sum(1), scores_TK.abs().argmax(1)
    at = layout.where(TEXT)
    best = at[total_T[at].abs().argsort(descending=True, stable=True)[: asked.args.top]].tolist()
    ids = inputs.tensors["input_ids"][0].tolist()
    tokenizer = asked.question.adapter.processor.tokenizer
    return tuple(
        Token(
            position=t - padding,
            token=tokenizer.decode([ids[t]]),
            score=float(total_T[t]),
            feature=int(indices_TK[t, strongest_T[t]]),
        )
        for t in best
    )


def _sheet(asked: _Asked, inputs: Inputs, features: Sequence[int]) -> AttributionSheet:
    found, at = asked.found, asked.found.layout.where(TEXT)
    ids = inputs.tensors["input_ids"][0].tolist()
    tokenizer = asked.question.adapter.processor.tokenizer
    return AttributionSheet(
        tokens=tuple(tokenizer.decode([ids[t]]) for t in at.tolist()),
        totals=tuple(found.scores_TK.sum(1).cpu()[at].tolist()),
        features=tuple(
            Along(feature=one, scores=tuple(found.along(one).cpu()[at].tolist()))
            for one in sorted(set(features))
        ),
    )


def _check(asked: _Asked) -> Checked | NotChecked:
    try:
        found = agreement(asked.question, asked.found, count=asked.args.checked)
    except UserError as error:
        return NotChecked(why=str(error))
    return Checked(
        features=found.features, scores=found.linear, falls=found.exact, spearman=found.spearman
    )
