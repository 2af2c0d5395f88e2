"""What tools work with: pictures, a feature observer, models that are asked, and where results go.

Knows protocols only; `lmmscope.wiring` builds a lab from a profile, and tests build small ones.
Everything is made when it is first needed, since most tools need little of it.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from PIL import Image

from sae_core.index.levels import Levels, StrongObserver
from sae_core.index.observer import LmmObserver, Named, Observer, PictureSet
from sae_core.index.query import Index
from sae_core.lmm.adapter import Adapter
from sae_core.training.activations import Conversation
from sae_core.training.trainer import Progress
from tools.artefacts import Artefacts
from tools.backends.chat import ChatModel
from tools.backends.roles import Grounder, PictureEditor, PictureText
from tools.evidence import Split
from tools.failures import WontWork
from tools.labels import KnownLabels, Labels
from tools.question_sets import QuestionSet

T = TypeVar("T")


class Makers(NamedTuple):
    """How to make the parts that cost time or memory."""

    observer: Callable[[], Observer]
    index: Callable[[Split], Index]
    explainer: Callable[[], ChatModel]
    judge: Callable[[], ChatModel]
    grounder: Callable[[], Grounder]
    clip: Callable[[], PictureText]
    describer: Callable[[], ChatModel] | None = None
    editor: Callable[[], PictureEditor] | None = None
    target: Callable[[], Adapter] | None = None
    lessons: Callable[[], Sequence[Conversation]] | None = None
    close: Callable[[], Awaitable[None]] | None = None
    """Closes the connections to servers."""


class Lab:
    """Everything that a tool may use."""

    def __init__(
        self,
        makers: Makers,
        pictures: Mapping[Split, PictureSet],
        runs: Path,
        *,
        opened: frozenset[Split] = frozenset({"explore", "validate"}),
        seed: int = 0,
        saes: Mapping[str, Path] | None = None,
        report: Callable[[Progress], None] = lambda _: None,
        labels: Labels | None = None,
        questions: Mapping[Split, QuestionSet] | None = None,
        looks: Path | None = None,
    ) -> None:
        self._makers, self._pictures, self._opened = makers, dict(pictures), opened
        self.runs, self.seed = runs, seed
        self.saes = dict(saes or {})
        """The folders of the coders that the profile names."""
        self.looks = looks
        """A folder with how known pictures look, to spare looking at them."""
        self.report = report
        """Whom a training tells how far it is, from its own thread."""
        self.labels: Labels = labels or KnownLabels({})
        """What features are called, as far as somebody has found out."""
        self._questions = dict(questions or {})
        self.artefacts = Artefacts(runs / "artefacts")
        self._indexes: dict[Split, Index] = {}
        self._made: dict[str, Any] = {}
        self._making = threading.RLock()
        """Tools work in threads, and none may make what another one is making."""

    @property
    def observer(self) -> Observer:
        """What features do on pictures, as far as it is strong enough to count."""
        return self._part("observer", self._makers.observer)

    @property
    def graded(self) -> Observer:
        """The same with what is too weak to count as firing."""
        return _graded(self.observer)

    @property
    def levels(self) -> Levels | None:
        """From where on features count as firing; None where every activation counts."""
        return self.observer.levels if isinstance(self.observer, StrongObserver) else None

    @property
    def seeing(self) -> LmmObserver:
        """The observer, if it is a coder on a model that can be steered and attributed."""
        if isinstance(self.graded, LmmObserver):
            return self.graded
        raise WontWork(
            f"Features of {self.observer.model} are drawn, not computed: nothing can be written "
            "into them. Use an SAE's"
        )

    @property
    def explainer(self) -> ChatModel:
        """The model that proposes explanations."""
        return self._part("explainer", self._makers.explainer)

    @property
    def judge(self) -> ChatModel:
        """The model that says whether an explanation fits."""
        return self._part("judge", self._makers.judge)

    @property
    def describer(self) -> ChatModel:
        """The model that says what is in a picture."""
        if self._makers.describer is None:
            raise WontWork("The profile names nothing that describes pictures. Set models.target")
        return self._part("describer", self._makers.describer)

    @property
    def grounder(self) -> Grounder:
        """The model that finds what a label names."""
        return self._part("grounder", self._makers.grounder)

    @property
    def clip(self) -> PictureText:
        """The model that compares pictures with texts."""
        return self._part("clip", self._makers.clip)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What is worked out once for this lab and for those opened from it."""
        return self._part(f"once: {name}", make)

    @property
    def edits(self) -> bool:
        """Whether there is anything that changes pictures as words say."""
        return self._makers.editor is not None

    @property
    def editor(self) -> PictureEditor:
        """What changes pictures as words say."""
        if self._makers.editor is None:
            raise WontWork(
                "The profile names nothing that edits pictures by words. Set servers.editor in it"
            )
        return self._part("editor", self._makers.editor)

    @property
    def target(self) -> Adapter:
        """The model that coders are trained on, with a coder or without."""
        if isinstance(made := _graded(self._made.get("observer")), LmmObserver):
            return made.adapter  # a second one could need all the memory there is
        if self._makers.target is None:
            return self.seeing.adapter
        return self._part("target", self._makers.target)

    @property
    def lessons(self) -> Sequence[Conversation]:
        """What coders are trained on."""
        if self._makers.lessons is None:
            raise WontWork("The profile names no data to train on. Set data.train in it")
        return self._part("lessons", self._makers.lessons)

    async def close(self) -> None:
        """Let go of servers, in the event loop in which they were asked."""
        if self._makers.close is not None:
            await self._makers.close()

    def index(self, split: Split) -> Index:
        """What all features do on a split."""
        self.pictures(split)
        with self._making:
            if split not in self._indexes:
                self._indexes[split] = self._makers.index(split)
            return self._indexes[split]

    def pictures(self, split: Split) -> PictureSet:
        """The pictures of a split, if it may be looked at."""
        if split not in self._opened:
            raise WontWork(f"The split {split} is sealed: only the verification opens it")
        if split not in self._pictures:
            raise WontWork(f"The profile names no pictures to {split} on. Add them under [data]")
        return self._pictures[split]

    def shared(self, split: Split) -> frozenset[int]:
        """The pictures of a split that another one has as well, as far as that can be known."""
        own = self.pictures(split)
        others = (self._pictures[one] for one in self._pictures if one != split)
        if not isinstance(own, Named):
            return frozenset()
        known = {one for other in others if isinstance(other, Named) for one in other.contents()}
        return frozenset(n for n, one in enumerate(own.contents()) if one in known)

    def questions(self, split: Split) -> QuestionSet:
        """The questions of a split with their right answers, if they may be looked at."""
        if split not in self._opened:
            raise WontWork(f"The {split} questions are sealed: only the verification opens them")
        if split not in self._questions:
            name = "questions_test" if split == "test" else "questions"
            raise WontWork(f"The profile names no questions to {split} on. Set data.{name} in it")
        return self._questions[split]

    def picture(self, split: Split, number: int) -> Image.Image:
        """One picture of a split."""
        pictures = self.pictures(split)
        if not 0 <= number < len(pictures):
            raise WontWork(f"There is no picture {number} in {split}: it has {len(pictures)}")
        return pictures.picture(number)

    def opening(self, split: Split) -> Lab:
        """The same lab, parts and all, with one more split open, for the verification."""
        opened = copy.copy(self)
        opened._opened = self._opened | {split}
        return opened

    def _part(self, name: str, make: Callable[[], T]) -> T:
        """A part that is made once, for this lab and for those opened from it."""
        with self._making:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]


def _graded(observer: Any) -> Any:
    return observer.graded if isinstance(observer, StrongObserver) else observer
