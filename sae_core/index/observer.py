"""What makes features fire on pictures: a coder on a model's layer, or anything with its face.

Knows the protocol that the index and the tools use; planted features follow it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

from PIL import Image
from torch import Tensor

from sae_core.coders.coder import SparseCoder
from sae_core.coders.sparse import Code
from sae_core.errors import UserError
from sae_core.index.build import Source
from sae_core.index.harvest import Numbered, observe
from sae_core.index.spec import IndexSpec
from sae_core.index.table import Harvested
from sae_core.lmm.adapter import Adapter
from sae_core.lmm.fit import check_fits
from sae_core.training.evaluation import Monosemanticity


class Observer(Protocol):
    """Says what fires on pictures."""

    @property
    def digest(self) -> str:
        """A hash that names its features."""
        ...

    @property
    def model(self) -> str:
        """The model that is looked into."""
        ...

    @property
    def hook(self) -> str:
        """The layer that is looked into."""
        ...

    @property
    def features(self) -> int:
        """F, how many features there are."""
        ...

    def observe(self, pictures: Sequence[Numbered]) -> Harvested:
        """What fires in each cell of some pictures."""
        ...


class PictureSet(Protocol):
    """Numbered pictures that stay what they are."""

    @property
    def digest(self) -> str:
        """A hash of what they are."""
        ...

    def __len__(self) -> int:
        """How many there are."""
        ...

    def picture(self, number: int) -> Image.Image:
        """One of them."""
        ...


@runtime_checkable
class Named(Protocol):
    """Pictures that can be known again in another set."""

    def contents(self) -> Sequence[str]:
        """A hash of each picture's bytes, in their order."""
        ...


def coder_digest(coder: SparseCoder) -> str:
    """SHA-256 of a coder's config and weights."""
    running = hashlib.sha256(coder.config.model_dump_json().encode())
    for name, tensor in sorted(coder.state_dict().items()):
        running.update(name.encode() + tensor.float().cpu().numpy().tobytes())
    return running.hexdigest()


class LmmObserver:
    """A coder on a layer of a model."""

    def __init__(self, adapter: Adapter, coder: SparseCoder, hook: str, model: str) -> None:
        check_fits(adapter, coder, hook)
        self.adapter, self.coder, self.hook, self.model = adapter, coder.eval(), hook, model

    @property
    def features(self) -> int:
        """F, how many features the coder has."""
        return self.coder.features

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the coder's config and weights."""
        return coder_digest(self.coder)

    def observe(self, pictures: Sequence[Numbered]) -> Harvested:
        """What fires in each cell of some pictures, each shown alone."""
        return observe(self.adapter, self.coder, self.hook, pictures)


Embed = Callable[[Sequence[Image.Image]], Tensor]
"""Embeddings of some pictures [B, E]."""


def monosemanticity(
    observer: Observer, pictures: PictureSet, embed: Embed, at_once: int = 32
) -> Tensor:
    """How alike the pictures are on which each feature fires; NaN for fewer than two [F]."""
    score: Monosemanticity | None = None
    for at in range(0, len(pictures), at_once):
        numbers = range(at, min(at + at_once, len(pictures)))
        images = [pictures.picture(n) for n in numbers]
        seen = observer.observe([Numbered(n, i) for n, i in zip(numbers, images, strict=True)])
        embedded_BE = embed(images).cpu()
        score = score or Monosemanticity(observer.features, embedded_BE.shape[1])
        flat = (part.flatten(1).cpu() for part in seen.code)
        peaks_BF = peaks(Code(*flat), observer.features)
        picture_M, feature_M = peaks_BF.nonzero(as_tuple=True)
        score.add(feature_M, peaks_BF[picture_M, feature_M], embedded_BE[picture_M])
    if score is None:
        raise UserError("No pictures to score features on: the set is empty.")
    return score.scores()


def peaks(code: Code, features: int) -> Tensor:
    """The largest value of each feature in each row [N, F]."""
    empty = code.values_NK.new_zeros(len(code.values_NK), features)
    return empty.scatter_reduce(1, code.indices_NK, code.values_NK, "amax")


def source_of(observer: Observer, pictures: PictureSet, at_once: int = 32) -> Source:
    """Batches for building an index."""

    def batches(span: range) -> Iterable[Harvested]:
        for at in range(span.start, span.stop, at_once):
            numbers = range(at, min(at + at_once, span.stop))
            yield observer.observe([Numbered(n, pictures.picture(n)) for n in numbers])

    return batches


def spec_of(
    observer: Observer, pictures: PictureSet, *, levels: str = "", **sizes: int
) -> IndexSpec:
    """What an index of these pictures is built from; the first picture tells the grid."""
    first = observer.observe([Numbered(0, pictures.picture(0))])
    return IndexSpec(
        coder=observer.digest,
        features=observer.features,
        model=observer.model,
        hook=observer.hook,
        levels=levels,
        pictures=pictures.digest,
        size=len(pictures),
        grid=first.grid,
        **sizes,
    )
