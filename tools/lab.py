"""What tools work with: pictures, a feature observer, models that are asked, and where results go.

Knows protocols only; `lmmscope.wiring` builds a lab from a profile, and tests build small ones.
Everything is made when it is first needed, since most tools need little of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from sae_core.index.observer import LmmObserver, Observer, PictureSet
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


class Makers(NamedTuple):
    """How to make the parts that cost time or memory."""

    observer: Callable[[], Observer]
    index: Callable[[Split], Index]
    explainer: Callable[[], ChatModel]
    judge: Callable[[], ChatModel]
    grounder: Callable[[], Grounder]
    clip: Callable[[], PictureText]
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
    ) -> None:
        self._makers, self._pictures, self._opened = makers, dict(pictures), opened
        self.runs, self.seed = runs, seed
        self.saes = dict(saes or {})
        """The folders of the coders that the profile names."""
        self.report = report
        """Whom a training tells how far it is, from its own thread."""
        self.labels: Labels = labels or KnownLabels({})
        """What features are called, as far as somebody has found out."""
        self.artefacts = Artefacts(runs / "artefacts")
        self._indexes: dict[Split, Index] = {}

    @cached_property
    def observer(self) -> Observer:
        """What features do on pictures."""
        return self._makers.observer()

    @property
    def seeing(self) -> LmmObserver:
        """The observer, if it is a coder on a model that can be steered and attributed."""
        if isinstance(self.observer, LmmObserver):
            return self.observer
        raise WontWork(
            f"Features of {self.observer.model} are drawn, not computed: nothing can be written "
            "into them. Use an SAE's"
        )

    @cached_property
    def explainer(self) -> ChatModel:
        """The model that proposes explanations."""
        return self._makers.explainer()

    @cached_property
    def judge(self) -> ChatModel:
        """The model that says whether an explanation fits."""
        return self._makers.judge()

    @cached_property
    def grounder(self) -> Grounder:
        """The model that finds what a label names."""
        return self._makers.grounder()

    @cached_property
    def clip(self) -> PictureText:
        """The model that compares pictures with texts."""
        return self._makers.clip()

    @cached_property
    def editor(self) -> PictureEditor:
        """What changes pictures as words say."""
        if self._makers.editor is None:
            raise WontWork(
                "The profile names nothing that edits pictures by words. Set servers.editor in it"
            )
        return self._makers.editor()

    @cached_property
    def target(self) -> Adapter:
        """The model that coders are trained on, with a coder or without."""
        made = self.__dict__.get("observer")
        if isinstance(made, LmmObserver):
            return made.adapter  # a second one could need all the memory there is
        return self.seeing.adapter if self._makers.target is None else self._makers.target()

    @cached_property
    def lessons(self) -> Sequence[Conversation]:
        """What coders are trained on."""
        if self._makers.lessons is None:
            raise WontWork("The profile names no data to train on. Set data.train in it")
        return self._makers.lessons()

    async def close(self) -> None:
        """Let go of servers, in the event loop in which they were asked."""
        if self._makers.close is not None:
            await self._makers.close()

    def index(self, split: Split) -> Index:
        """What all features do on a split."""
        self.pictures(split)
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

    def picture(self, split: Split, number: int) -> Image.Image:
        """One picture of a split."""
        pictures = self.pictures(split)
        if not 0 <= number < len(pictures):
            raise WontWork(f"There is no picture {number} in {split}: it has {len(pictures)}")
        return pictures.picture(number)

    def opening(self, split: Split) -> Lab:
        """The same lab with one more split open, for the verification."""
        return Lab(
            Makers(
                lambda: self.observer,
                self._makers.index,
                lambda: self.explainer,
                lambda: self.judge,
                lambda: self.grounder,
                lambda: self.clip,
                lambda: self.editor,
                lambda: self.target,
                lambda: self.lessons,
                self.close,
            ),
            self._pictures,
            self.runs,
            opened=self._opened | {split},
            seed=self.seed,
            saes=self.saes,
            report=self.report,
            labels=self.labels,
        )
