"""What is to be done to features, and at which positions of a sequence.

Knows interventions and layouts; nothing of models, hooks or coders' weights. Every intervention is
a line z' - z = gain * z + shift, so that a batch of different ones is a few tensors.

Shapes: T positions of a prompt, I interventions, D width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, ConfigDict, model_validator
from torch import Tensor

from sae_core.errors import UserError
from sae_core.lmm.layout import BASE, BREAK, PAD, TEXT, TILE, Layout

Kind = Literal["clamp", "add", "scale", "ablate"]
Scope = Literal["all", "image", "text", "question", "generated"] | tuple[int, ...]
"""The question is the text that follows the last picture, up to the reply. What stands before is
text too, and all pictures attend to it."""
Mode = Literal["strict", "paper"]
IMAGE = (BASE, TILE, BREAK)
"""The kinds of position that a picture makes; BREAK shows nothing, but is none of the text."""


class Line(NamedTuple):
    """How much a feature's value changes: gain * value + shift."""

    gain: float
    shift: float


class Intervention(BaseModel):
    """One feature set to a value, raised by it, multiplied with it, or switched off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: int
    kind: Kind
    value: float | None = None
    """The strength; ablate has none."""
    where: Scope = "all"
    """Kinds of position, or numbers counted from the prompt's first token, padding left out."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.value is None) != (self.kind == "ablate"):
            raise UserError(
                f"{self.kind} with value {self.value} for feature {self.feature}: clamp, add and "
                "scale need a value, ablate takes none. Put it right in the intervention"
            )
        if self.value is not None and not math.isfinite(self.value):
            raise UserError(
                f"The strength {self.value} for feature {self.feature} is no finite number: "
                f"{self.kind} needs one. Try 10"
            )
        return self

    @property
    def line(self) -> Line:
        """What it does to the feature's value."""
        value = self.value or 0.0
        lines = {"clamp": Line(-1, value), "add": Line(0, value), "scale": Line(value - 1, 0)}
        return lines.get(self.kind, Line(-1, 0))


class Row(NamedTuple):
    """What is done to one row of a batch; nothing, if there is no intervention."""

    interventions: tuple[Intervention, ...] = ()
    written_ID: Tensor | None = None
    """What is written in place of the features' own directions."""
    reconstructed: bool = False
    """The coder's reconstruction is written where the interventions would act, and they don't."""


class Reach(NamedTuple):
    """Where an intervention acts."""

    prompt_T: Tensor
    generated: bool


def sweep(
    features: Sequence[int], kind: Kind, values: Sequence[float], where: Scope = "all"
) -> list[tuple[Intervention, ...]]:
    """The same intervention on the same features, once for each strength."""
    return [
        tuple(Intervention(feature=f, kind=kind, value=value, where=where) for f in features)
        for value in values
    ]


def reach(intervention: Intervention, layout: Layout) -> Reach:
    """Where an intervention acts in a sequence; padding is left alone."""
    where, kind_T = intervention.where, layout.kind_T
    prompt_T = torch.zeros(len(kind_T), dtype=torch.bool)
    if isinstance(where, tuple):
        prompt_T[_counted(where, kind_T)] = True
    elif where == "all":
        prompt_T = kind_T != PAD
    elif where == "question":
        prompt_T[_after_pictures(layout)] = True
    elif where != "generated":
        prompt_T[layout.where(*(IMAGE if where == "image" else (TEXT,)))] = True
    generated = where in ("all", "generated")
    if not generated and not bool(prompt_T.any()):
        raise UserError(
            f"Feature {intervention.feature} is to be changed at {where or 'no'} positions, and "
            f"this prompt of {int((kind_T != PAD).sum())} tokens has none of them. Try where=all"
        )
    return Reach(prompt_T, generated)


def _after_pictures(layout: Layout) -> Tensor:
    text, shown = layout.where(TEXT), layout.where(*IMAGE)
    return text[text > shown.max()] if len(shown) else text


def _counted(positions: tuple[int, ...], kind_T: Tensor) -> Tensor:
    tokens = (kind_T != PAD).nonzero()[:, 0]
    for position in positions:
        if not 0 <= position < len(tokens):
            raise UserError(
                f"No position {position} in this prompt: it has {len(tokens)} tokens "
                f"(0 to {len(tokens) - 1}). Choose one of these"
            )
    return tokens[list(positions)]


def reaches(row: Row, layout: Layout) -> list[Reach]:
    """Where a row's interventions act; none may touch a feature where another does."""
    found = [reach(intervention, layout) for intervention in row.interventions]
    for i, one in enumerate(found):
        for j, other in enumerate(found[:i]):
            same = row.interventions[i].feature == row.interventions[j].feature
            both = bool((one.prompt_T & other.prompt_T).any()) or (one.generated & other.generated)
            if same and both:
                raise UserError(
                    f"Feature {row.interventions[i].feature} is changed twice at one position: by "
                    f"{row.interventions[j].kind} and {row.interventions[i].kind}. Keep one"
                )
    return found
