"""The bench of the review application: who steers the profile's model, and asks it why, in a row.

The model is somewhere else, and loaded when it is first wanted. Knows jobs, and what an index says
of features; nothing of models or pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lmmscope.bench_place import Place, Still
from lmmscope.lane import Lane, Stopped, Work
from review.bench import Job, Model, Peak, Question, Trial
from sae_core.errors import UserError
from tools.failures import Failure

if TYPE_CHECKING:
    from sae_core.index.arrays import Stored


class ModelBench:
    """Everything that the pages ask of the model."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._index: Stored | None = None
        self._model = Model("not loaded", "", None)
        self._lane = Lane(self._worked_out)

    def model(self, *, load: bool = False) -> Model:
        """How the model is; loading begins at most once."""
        if self._model.state == "ready" and not self._place.awake:
            self._model = self._model._replace(state="not loaded")
        if load and self._model.state == "not loaded":
            self._model = self._model._replace(state="loading")
            self._lane.also(self._warmed)
        return self._model

    def peaks(self, features: Sequence[int]) -> tuple[Peak, ...]:
        """Of the features that there are, once the index is open."""
        if self._index is None:
            return ()
        spec, arrays = self._index
        return tuple(
            Peak(one, float(arrays.peak_F[one]), int(arrays.pictures_F[one]))
            for one in features
            if one < spec.features
        )

    def begin(self, asked: Trial | Question) -> str:
        """Line it up."""
        return self._lane.begin(asked)

    def job(self, name: str) -> Job | None:
        """As far as it is."""
        return self._lane.job(name)

    def stop(self, name: str) -> None:
        """End it."""
        self._lane.stop(name)

    def close(self) -> None:
        """End everything."""
        self._lane.close()
        self._place.close()

    def _warmed(self) -> None:
        with suppress(UserError, Failure):  # the page tells it
            self._load(lambda: None)

    def _load(self, still: Still) -> None:
        """What could not be loaded, or has gone since, is loaded again."""
        if self._model.state != "ready" or not self._place.awake:
            self._model = self._model._replace(state="loading")
        try:
            loaded = self._place.load(still)
        except Stopped:
            self._model = self._model._replace(state="not loaded")
            raise
        except BaseException as error:
            known = isinstance(error, UserError | Failure)
            told = str(error) if known else f"{type(error).__name__}: {error}"
            self._model = self._model._replace(state="failed", note=told)
            raise
        self._model = Model("ready", loaded.model, loaded.coder)

    def _open(self, folder: Path) -> None:
        from sae_core.index.arrays import read_index

        if self._index is None:
            self._index = read_index(folder)

    def _worked_out(self, work: Work) -> str:
        work.tell(note="loading the model")
        self._load(work.still)
        work.tell(note="opening the index of features")
        self._open(self._place.index(work.still))
        work.begin()
        return self._place.work(work.job.asked, work)
