"""What a score is: a value with its interval, never without the null that it must beat.

Knows nothing of where numbers come from. No NaN gets in: what can't be measured is an error.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

CONFIDENCE = 0.95

NullName = Literal["moved_masks", "shuffled_labels", "random_pictures", "generic_caption"]
Probability = Annotated[float, Field(gt=0, le=1)]


class Estimate(BaseModel):
    """A value, its 95 % interval, and how many pictures it rests on."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, extra="forbid")

    value: float
    low: float
    high: float
    n: int = Field(ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"the value {self.value} is outside {self.low} to {self.high}")
        return self


class Null(Estimate):
    """What the same measurement gives when the label says nothing about the feature."""

    name: NullName
    draws: int = Field(ge=1)
    """How many placements, trials, labels or shuffles it was measured on."""
    p: Probability
    """How often chance does as well as the score, which itself counts once: so never 0."""


class Score(Estimate):
    """A measured value beside its nulls."""

    nulls: tuple[Null, ...] = Field(min_length=1)


class Difference(Estimate):
    """How much more one label scores than another on the same pictures."""

    p: Probability
    """How often a difference as large, either way, comes about when the two are as good."""


class Interval(NamedTuple):
    """Where the middle 95 % of draws lie."""

    low: float
    high: float


def interval(value: float, low_D: np.ndarray, high_D: np.ndarray) -> Interval:
    """From the low tail of some draws to the high tail of others, and never without the value."""
    tail = (1 - CONFIDENCE) / 2
    low, high = float(np.quantile(low_D, tail)), float(np.quantile(high_D, 1 - tail))
    return Interval(min(low, value), max(high, value))
