"""The numbers that the paper prints, table by table, with what each of them meant.

"Large Multi-modal Models Can Interpret Features in Large Multi-modal Models", sections 3.2 to 3.4
and appendices D, I and J. Shares are from 0 to 1, CLIP-scores from 0 to 100; Table 10 prints its
IoU in percent. Knows numbers only.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict

Concept = Literal["scene", "object", "part", "material", "texture", "colour"]
CONCEPTS: tuple[Concept, ...] = get_args(Concept)
TOTAL = "total"


class Given(BaseModel):
    """A number as it is printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    half: float | None = None
    """Half of its 99 % interval, where one is printed."""


class Scores(NamedTuple):
    """One concept's rows of Table 1."""

    iou: Given
    iou_random: Given
    clip: Given
    clip_random: Given


class Consistency(NamedTuple):
    """One concept's column of Table 2."""

    judge: Given
    """GPT-4o."""
    human: Given


class Model(NamedTuple):
    """One layer, or one architecture."""

    iou: Given | None
    """None where the paper measures none."""
    iou_random: Given | None
    clip: Given
    clip_random: Given


class Steering(NamedTuple):
    """Table 9: marks from 1 to 10."""

    steered: Given
    random: Given


class Hallucination(NamedTuple):
    """Table 11: shares of the questions."""

    better: Given
    same: Given
    worse: Given


def _scores(iou: float, random: Given, clip: float, clip_random: Given) -> Scores:
    return Scores(Given(value=iou), random, Given(value=clip), clip_random)


def _within(value: float, half: float) -> Given:
    return Given(value=value, half=half)


TABLE_1: dict[str, Scores] = {
    "scene": _scores(0.20, _within(0.007, 1e-3), 24.4, _within(18.1, 6e-2)),
    "object": _scores(0.19, _within(0.005, 5e-4), 24.0, _within(18.2, 2e-2)),
    "part": _scores(0.21, _within(0.007, 2e-3), 23.5, _within(18.1, 5e-2)),
    "material": _scores(0.39, _within(0.01, 8e-3), 24.1, _within(18.1, 1e-1)),
    "texture": _scores(0.21, _within(0.007, 2e-3), 20.9, _within(18.4, 6e-2)),
    "colour": _scores(0.10, _within(0.005, 2e-3), 20.3, _within(19.6, 7e-2)),
    TOTAL: _scores(0.20, _within(0.005, 2e-4), 23.6, _within(18.2, 1e-2)),
}


def _agreed(judge: float, human: float) -> Consistency:
    return Consistency(Given(value=judge), Given(value=human))


TABLE_2: dict[str, Consistency] = {
    "scene": _agreed(0.93, 0.70),
    "object": _agreed(0.84, 0.85),
    "part": _agreed(0.90, 0.60),
    "material": _agreed(1.00, 0.95),
    "texture": _agreed(0.85, 0.80),
    "colour": _agreed(0.92, 0.60),
    TOTAL: _agreed(0.89, 0.75),
}


def _model(
    clip: float, clip_random: float, iou: float | None = None, iou_random: float | None = None
) -> Model:
    return Model(
        None if iou is None else Given(value=iou),
        None if iou_random is None else Given(value=iou_random),
        Given(value=clip),
        Given(value=clip_random),
    )


TABLE_3: dict[int, Model] = {
    8: _model(22.82, 18.2, 0.30, 0.005),
    25: _model(24.92, 18.2, 0.31, 0.005),
    32: _model(26.55, 18.2, 0.40, 0.005),
}
"""By layer of 32, counted from 1."""
LAYERS = 32
"""How many the target of Table 3 has."""

TABLE_4: dict[str, Model] = {"InstructBLIP-7B": _model(28.01, 17.71)}
TABLE_9 = Steering(Given(value=6.36), Given(value=2.02))
TABLE_10: dict[str, Model] = {
    "Qwen2.5-VL": _model(27.99, 18.22, 0.2667, 0.0006),
    "InstructBLIP-7B": _model(28.01, 17.71),
}
TABLE_11 = Hallucination(Given(value=0.09), Given(value=0.89), Given(value=0.02))

MEANT: dict[int, str] = {
    1: "LLaVA-NeXT-8B, layer 25, 5,000 features, the 5 strongest of 46,684 pictures each, on which "
    "the explanation was made as well; random is the mean of 10 trials (IoU) or 30 (CLIP-score) of "
    "5 pictures, ± half of a 99 % interval. No interval is printed for the features' own numbers.",
    2: "The share of yes: GPT-4o on 600 test cases, 100 a concept; people on 60 samples, each by "
    "two of them.",
    3: "100 features of each of three coders with k = 4096, on layers 8, 25 and 32 of 32; random "
    "is Table 1's.",
    4: "InstructBLIP-7B at a middle layer, the coder as in Table 3; its 32 picture tokens have no "
    "place in the picture, so there is no IoU.",
    9: "GPT-4o's marks from 1 to 10 for how far the steered answer to a white picture goes with "
    "the feature; of 100 object features, the 11 on which steering changed the answer at all.",
    10: "Qwen2.5-VL and InstructBLIP-7B in the pipeline of Table 1; layer, k and the number of "
    "features are not given for Qwen2.5-VL.",
    11: "100 questions of HallusionBench, a single feature clamped to a high value.",
}
"""How each table's numbers were measured."""
