"""Puts together what the review pages have others do: see pictures, work on runs, ask the model.

Knows constructors; nothing of pages, nor of how anything is done.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lmmscope.model_process import ModelProcess
from lmmscope.review_hands import PicturesAndIndexes
from lmmscope.review_meaning import LabelMeanings
from lmmscope.review_runs import RunProcesses
from lmmscope.review_steering import ModelBench
from lmmscope.settings import Settings

if TYPE_CHECKING:
    from PIL import Image

    from agent.store import Reader
    from lmmscope.bench_model import BenchModel
    from tools.lab import Lab


class ReviewHands(PicturesAndIndexes, LabelMeanings, RunProcesses, ModelBench):
    """`review.hands.Hands` on a profile, and on the folder of a store."""

    def __init__(self, settings: Settings, store: Reader, profile: str | None = None) -> None:
        models = ModelProcess({"profile": profile, "runs": os.fspath(store.runs)})
        PicturesAndIndexes.__init__(self, settings.model_copy(update={"runs": store.runs}), store)
        LabelMeanings.__init__(self, store, models.meant)
        RunProcesses.__init__(self, store, profile)
        ModelBench.__init__(self, models)

    def close(self) -> None:
        """End what goes on; runs can be gone on with."""
        RunProcesses.close(self)
        ModelBench.close(self)
        LabelMeanings.close(self)


def bench_model(settings: Settings) -> BenchModel:
    """What has the profile's model at hand."""
    from lmmscope.bench_model import BenchModel

    return BenchModel(lambda: _lab(settings), lambda picture: _fitted(settings, picture))


def _lab(settings: Settings) -> Lab:
    from lmmscope.laboratory import lab
    from lmmscope.wiring import mend_imports, use_threads
    from tools.backends.budget import Budget
    from tools.backends.ledger import MemoryLedger

    mend_imports(settings)
    use_threads(settings)
    return lab(settings, MemoryLedger(), Budget())


def _fitted(settings: Settings, picture: Image.Image) -> Image.Image:
    """As the target takes it: the toybox's knows one size, others any."""
    from lmmscope.wiring import SHIPPED

    if not settings.models.target.startswith(SHIPPED):
        return picture
    from toybox.pictures import checked_picture

    return checked_picture(picture, "that was chosen", fit=True)
