"""What is asked of models from the pages, and what comes back: trials of steering, and questions.

Documents, kept as artefacts once they are done, so that an address leads to them for good; and who
works them out, one after another. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Kind = Literal["clamp", "add", "scale", "ablate"]
Where = Literal["all", "image", "text", "question", "generated"]
Mode = Literal["strict", "paper"]
Control = Literal[
    "random_feature", "wrong_sign", "random_direction", "reconstruction", "prompt_only"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
PLACES: tuple[Where, ...] = get_args(Where)
MODES: tuple[Mode, ...] = get_args(Mode)
CONTROLS: tuple[Control, ...] = get_args(Control)
State = Literal["waiting", "loading", "working", "done", "stopped", "failed"]
LONGEST = 256
"""Tokens of a reply, at most: somebody sits there and waits."""
MOST = 8
"""Features that are written at once."""
PictureName = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Write(_Document):
    """A feature to be written."""

    feature: int = Field(ge=0, lt=2**31)
    strength: float = Field(ge=-100, le=100, allow_inf_nan=False)
    """Of the feature's largest activation; the factor for `scale`; without meaning for `ablate`."""


class Trial(_Document):
    """What to write into the model, and what to ask it."""

    picture: PictureName | None = None
    prompt: str = Field(default="", max_length=2000)
    writes: tuple[Write, ...] = Field(min_length=1, max_length=MOST)
    kind: Kind = "clamp"
    where: Where = "all"
    mode: Mode = "strict"
    controls: tuple[Control, ...] = ()
    hint: str = Field(default="", max_length=400)
    """What is said before the prompt, with nothing written, where `prompt_only` is a control."""
    tokens: int = Field(default=48, ge=1, le=LONGEST)


class Said(_Document):
    """What one of the models said."""

    name: str
    """unsteered, steered, or a control's name."""
    text: str
    kl: float | None = None
    """From the unsteered model in nats, the mean over the unsteered reply's tokens."""
    perplexity: float | None = None
    """Of the text under the unsteered model."""


class Told(_Document):
    """A trial that is done."""

    about: Literal["steering trial"] = "steering trial"
    asked: Trial
    coder: str
    model: str
    hook: str
    replies: tuple[Said, ...]
    """The unsteered first, then the steered, then the controls."""
    recipe: PictureName
    """The artefact that does the same again."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Question(_Document):
    """Why the model answers one word and not another."""

    picture: PictureName | None = None
    question: str = Field(default="", max_length=2000)
    answer: str = Field(min_length=1, max_length=100)
    baseline: str = Field(min_length=1, max_length=100)
    top: int = Field(default=12, ge=1, le=50)
    """Features of each list."""


class Cause(_Document):
    """A feature that speaks for the answer, or, below zero, against it; in logits."""

    feature: int
    image: float
    text: float
    heat: PictureName | None
    """Where in the picture."""
    tokens: tuple[float, ...]
    """At each token of the text."""


class Why(_Document):
    """A question that was answered."""

    about: Literal["attribution"] = "attribution"
    asked: Question
    coder: str
    model: str
    hook: str
    difference: float
    """logit(answer) - logit(baseline)."""
    by_image: float
    by_text: float
    heat: PictureName | None
    words: tuple[str, ...]
    """The text, token by token."""
    totals: tuple[float, ...]
    """What all features together say at each of them."""
    causes: tuple[Cause, ...]
    """The strongest first."""
    checked: float | None
    """Spearman's correlation of these scores with what switching features off really does."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Job(NamedTuple):
    """Something that was asked for, as far as it is."""

    name: str
    asked: Trial | Question
    state: State
    note: str
    """What it waits for, or why it ended early; one line."""
    news: int
    """Grows whenever something changes."""
    replies: tuple[Said, ...] = ()
    kept: str | None = None
    """The artefact in which it is told, once it is done."""

    @property
    def over(self) -> bool:
        """Nothing will change any more."""
        return self.state in ("done", "stopped", "failed")


class Model(NamedTuple):
    """How far the model is from being of use."""

    state: Literal["not loaded", "loading", "ready", "failed"]
    note: str
    """Its name, or what the matter is; one line."""
    coder: str | None
    """The digest of the coder whose features are written, once it is known."""


class Peak(NamedTuple):
    """What strengths of a feature are counted in."""

    feature: int
    peak: float
    """Its largest activation on the pictures of the index."""
    fires_on: int


class Bench(Protocol):
    """Whoever has the model, and does one thing at a time with it."""

    def model(self, *, load: bool = False) -> Model:
        """How the model is; loading may begin, and goes on in the background."""
        ...

    def peaks(self, features: Sequence[int]) -> tuple[Peak, ...]:
        """Of the features that the index knows; none before it is open. Takes no time."""
        ...

    def begin(self, asked: Trial | Question) -> str:
        """Line something up, and give its name; Refused if too much waits already."""
        ...

    def job(self, name: str) -> Job | None:
        """What was asked for, as far as it is; None if nobody has, or too long ago."""
        ...

    def stop(self, name: str) -> None:
        """End it after the token at work; what has ended stays as it is."""
        ...
