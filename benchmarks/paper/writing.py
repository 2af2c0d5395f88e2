"""Writes many features into the target, one at a time and in batches, beside all controls.

As the paper does, with one strength for all; or in mode strict, with a strength for each feature,
chosen by another question than the one that replies are measured on. Knows features and strengths;
nothing of marks.

Shapes: F features of the coder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from agent.steering import sayable
from sae_core.lmm.adapter import Prompt
from sae_core.steering.controls import CONTROLS, Control
from sae_core.steering.experiment import Outcome, Steered, steer
from sae_core.steering.plan import Intervention, Mode
from tools.lab import Lab

CALIBRATED_ON = "what is in the picture?"
TIMES = (0.5, 1.0, 2.0, 4.0)
"""The strengths that are tried, in a feature's largest activations."""


class Written(NamedTuple):
    """What was said without and with each feature, and with its controls."""

    mode: Mode
    strengths: tuple[float, ...]
    steered: Steered

    @property
    def plain(self) -> str:
        """The model's own reply."""
        return self.steered.unsteered.text

    def texts(self, control: Control | None) -> list[str]:
        """Of each feature, or of one of its controls."""
        outcomes = self.steered.entries if control is None else self.steered.of(control)
        return [one.text for one in outcomes]


def white(lab: Lab) -> Image.Image:
    """A picture of the set's size with nothing on it."""
    return Image.new("RGB", lab.picture("explore", 0).size, "white")


def written(
    lab: Lab,
    strengths: Mapping[int, float],
    mode: Mode,
    question: str,
    *,
    picture: Image.Image | None = None,
    tokens: int = 64,
    controls: Sequence[Control] = CONTROLS,
    fluency: bool = False,
) -> Written:
    """Each feature clamped to its strength, into a white picture where no other is given."""
    done = _steered(
        lab,
        [(feature, strength) for feature, strength in strengths.items()],
        mode,
        Prompt((picture or white(lab),), question),
        tokens=tokens,
        controls=controls,
        fluency=fluency,
    )
    return Written(mode, tuple(strengths.values()), done)


def calibrated(lab: Lab, labels: Mapping[int, str]) -> dict[int, float]:
    """For each feature the strength that brings its label's words most beyond a random direction.

    Where the model can say none of the words, the one that moves it most beyond that.
    """
    words = {feature: sayable(lab, label) for feature, label in labels.items()}
    index = lab.index("explore")
    tried = [
        (feature, times * index.feature(feature).peak) for feature in labels for times in TIMES
    ]
    done = _steered(
        lab,
        tried,
        "strict",
        Prompt((white(lab),), CALIBRATED_ON),
        tokens=1,
        controls=("random_direction",),
        words=sorted({word for some in words.values() for word in some}),
    )
    beyond = [
        _effect(own, words[feature]) - _effect(control, words[feature])
        for (feature, _), own, control in zip(
            tried, done.entries, done.of("random_direction"), strict=True
        )
    ]
    best: dict[int, tuple[float, float]] = {}
    for (feature, strength), gain in zip(tried, beyond, strict=True):
        best[feature] = max(best.get(feature, (-np.inf, 0.0)), (gain, strength))
    return {feature: strength for feature, (_, strength) in best.items()}


def _effect(outcome: Outcome, words: Sequence[str]) -> float:
    if not words:
        return float(np.mean(outcome.kl))
    return float(np.mean([outcome.changes[word] for word in words]))


def _steered(
    lab: Lab,
    entries: Sequence[tuple[int, float]],
    mode: Mode,
    prompt: Prompt,
    *,
    tokens: int,
    controls: Sequence[Control],
    words: Sequence[str] = (),
    fluency: bool = False,
) -> Steered:
    seeing = lab.seeing
    return steer(
        seeing.adapter,
        seeing.coder,
        seeing.hook,
        prompt,
        [(Intervention(feature=f, kind="clamp", value=value),) for f, value in entries],
        tokens=tokens,
        mode=mode,
        words=words,
        controls=controls,
        rates_F=lab.index("explore").token_rates() if "random_feature" in controls else None,
        seed=lab.seed,
        fluency=fluency,
    )
