"""What can be asked of the agent: a plan of typed tasks.

Each task's docstring is what planners are told of it, and its fields' are its arguments. Knows
tasks; nothing of language, and nothing of how a task is done.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.picture_id import PictureId

FeatureNumber = Annotated[int, Field(ge=0)]
MOST = 1_000_000
"""Features of one batch."""
MOST_TASKS = 8
"""Fewer than ten, so that their numbers sort as they stand."""


class _Task(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Investigate(_Task):
    """Find out what a few features respond to: explain, experiment, verify and steer each."""

    task: Literal["investigate"] = "investigate"
    features: tuple[FeatureNumber, ...] = Field(min_length=1, max_length=16)


class Label(_Task):
    """Label many features, unattended: a range, a list, or the most active ones."""

    task: Literal["label"] = "label"
    features: tuple[FeatureNumber, ...] = Field(default=(), max_length=MOST)
    """Which ones, in order; empty with `active`."""
    active: int | None = Field(default=None, ge=1, le=MOST)
    """So many features that fire on the most pictures, instead of a list."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.features) == (self.active is not None):
            raise ValueError("give either features or active")
        return self


class Compare(_Task):
    """Say how two features differ: pictures, labels, overlap, neighbours."""

    task: Literal["compare"] = "compare"
    one: FeatureNumber
    other: FeatureNumber


class Find(_Task):
    """Find features for a concept or a word, or for what a picture shows."""

    task: Literal["find"] = "find"
    words: str | None = Field(default=None, min_length=1, max_length=200)
    """The concept or the written word."""
    picture: PictureId | None = None
    count: int = Field(default=10, ge=1, le=100)

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.words is None) == (self.picture is None):
            raise ValueError("give either words or a picture")
        return self


class Why(_Task):
    """Say why the model answers a question about a picture as it does: features, places, words."""

    task: Literal["why"] = "why"
    picture: PictureId
    question: str = Field(min_length=1, max_length=400)
    """What the model is asked, such as `is there an umbrella?`."""
    answer: str | None = Field(default=None, max_length=100)
    """The answer to explain; the model's own where none is given."""
    instead: str | None = Field(default=None, max_length=100)
    """What it might have answered."""


class Fix(_Task):
    """Find out why the model behaves so, such as seeing what is not there, and how to mend it."""

    task: Literal["fix"] = "fix"
    behaviour: str = Field(min_length=1, max_length=400)
    """The behaviour in the asker's words."""
    thing: str | None = Field(default=None, max_length=100)
    """What is seen wrongly, such as `umbrella`."""
    place: str | None = Field(default=None, max_length=100)
    """Where, such as `beach`; everywhere if it is not said."""


class SearchFindings(_Task):
    """Search what is known already: labels, summaries, verdicts."""

    task: Literal["search"] = "search"
    words: str | None = Field(default=None, min_length=1, max_length=200)
    """What they are about; all of a status without."""
    status: Literal["supported", "refuted", "no explanation", "too rare"] | None = None
    count: int = Field(default=10, ge=1, le=100)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.words is None and self.status is None:
            raise ValueError("give words or a status")
        return self


class ExplainFinding(_Task):
    """Explain an earlier finding: what it claims, how it was tested, what speaks against it."""

    task: Literal["explain finding"] = "explain finding"
    finding: str | None = Field(default=None, max_length=64)
    """Its id, or the beginning of it."""
    feature: FeatureNumber | None = None
    """The feature whose latest finding is meant; with neither, the latest finding of all."""


class TrainSae(_Task):
    """Train a sparse autoencoder on a layer of the target model."""

    task: Literal["train sae"] = "train sae"
    hook: str | None = Field(default=None, max_length=100)
    """The layer, such as `layers.3`; the profile's where none is given."""
    features: int | None = Field(default=None, ge=16)
    """How many features."""
    k: int | None = Field(default=None, ge=1)
    """How many fire at a time."""
    tokens: int | None = Field(default=None, ge=1)
    """For how many tokens."""


class LoadSae(_Task):
    """Look into a sparse autoencoder that exists: the profile's, or one in the runs folder."""

    task: Literal["load sae"] = "load sae"
    name: str | None = Field(default=None, max_length=200)


class Report(_Task):
    """Say how things stand: runs, findings by status, what was spent."""

    task: Literal["status"] = "status"


Task = Annotated[
    Investigate | Label | Compare | Find | Why | Fix | SearchFindings | ExplainFinding
    | TrainSae | LoadSae | Report,
    Field(discriminator="task"),
]  # fmt: skip
TASKS: tuple[type[_Task], ...] = (
    Investigate, Label, Compare, Find, Why, Fix, SearchFindings, ExplainFinding,
    TrainSae, LoadSae, Report,
)  # fmt: skip


class Plan(BaseModel):
    """Tasks in the order in which they are done."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tasks: tuple[Task, ...] = Field(min_length=1, max_length=MOST_TASKS)
    assumed: tuple[str, ...] = ()
    """What the planner took for granted, in words."""


class NotUnderstood(BaseModel):
    """No plan, and what could be asked instead."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    why: str
    instead: tuple[str, str, str]
    """Three requests, worded as one would ask them."""


Planned = Plan | NotUnderstood
