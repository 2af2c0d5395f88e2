"""The place where the review application's model is: in this process, or in one of its own.

Knows what is asked for and what comes back; nothing of how.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from review.bench import Question, Said, Trial

if TYPE_CHECKING:
    from agent.store.vectors import Matrix

Still = Callable[[], None]
"""Raises where nobody wants any more what is waited for."""


class Loaded(NamedTuple):
    """The model that is there."""

    model: str
    coder: str
    """The digest of the coder whose features are written."""


class Meant(NamedTuple):
    """What texts mean to an encoder."""

    encoder: str
    """Which one: vectors of different ones can't be compared."""
    vectors_ND: Matrix


class Telling(Protocol):
    """Whoever wants to know how far something is; raises where nobody does any more."""

    def tell(self, **changes: Any) -> None:
        """Something changed."""
        ...

    def hear(self, replies: tuple[Said, ...]) -> None:
        """What was said so far."""
        ...

    def still(self) -> None:
        """Nothing changed yet."""
        ...


class Place(Protocol):
    """Where the model is."""

    @property
    def awake(self) -> bool:
        """Whether what was loaded is still there."""
        ...

    def load(self, still: Still) -> Loaded:
        """Load the model, if it is not there."""
        ...

    def index(self, still: Still) -> Path:
        """The folder of its index of features, built if there is none."""
        ...

    def work(self, asked: Trial | Question, telling: Telling) -> str:
        """Work something out, and give the artefact that tells it."""
        ...

    def meant(self, texts: Sequence[str]) -> Meant:
        """What texts mean; may be asked while something else is worked out."""
        ...

    def close(self) -> None:
        """End everything."""
        ...
