"""CHAIR: the objects in the target's captions that are not in the pictures.

    python -m benchmarks.hallucination.chair [--data PATH] [--profile P] [--recipe FILE]
                                             [--questions N] [--runs DIR] [--out DIR] [--seed S]
                                             [--json]

CHAIRi: of all objects named, the share that is not there. CHAIRs: the share of captions that name
such an object. Recall: of all objects that are there, the share that is named. Without --data on
the toybox, where the renderer knows what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.hallucination.asking import Asked
from benchmarks.hallucination.commanding import TOYBOX, Place, options, run
from benchmarks.hallucination.mentions import Lexicon
from benchmarks.hallucination.pictures import Picture
from benchmarks.hallucination.shares import Group, Part, share
from benchmarks.hallucination.task import Task
from benchmarks.one_line import in_one_line
from benchmarks.paper.report import Cell

COCO_PICTURES, COCO_TOKENS = 500, 512
COCO_INSTRUCTION = "Please describe this image in detail."
TOYBOX_PICTURES, TOYBOX_TOKENS = 300, 64
TOYBOX_INSTRUCTION = "describe the picture."


class Depicted(NamedTuple):
    """A picture, and which objects are in it."""

    picture: Picture
    there: frozenset[str]


class Named(NamedTuple):
    """The objects that a caption names, in order and as often as it does, and those there are."""

    mentions: tuple[str, ...]
    there: frozenset[str]

    @property
    def untrue(self) -> list[bool]:
        """Of each mention, whether it is of something that is not there."""
        return [one not in self.there for one in self.mentions]

    @property
    def found(self) -> list[bool]:
        """Of each object that is there, whether it is named."""
        return [one in self.mentions for one in sorted(self.there)]


class Chair(Task):
    """What is asked, and what it comes to."""

    title = "CHAIR: objects in captions that are not in the pictures"
    counted = "captions without any hallucination"

    def __init__(
        self,
        depicted: Sequence[Depicted],
        lexicon: Lexicon,
        notes: Sequence[str],
        *,
        instruction: str,
        tokens: int,
        bare: Callable[[str], str] = str,
    ) -> None:
        self.depicted, self._lexicon, self._bare = depicted, lexicon, bare
        self.tokens, self.notes = tokens, notes
        self.asked = [Asked(instruction, one.picture) for one in depicted]

    @property
    def cluster_N(self) -> np.ndarray:
        """Each caption is about another picture."""
        return np.arange(len(self.depicted))

    def named(self, said: Sequence[str]) -> list[Named]:
        """What each caption names."""
        return [
            Named(self._lexicon.mentions(self._bare(text)), one.there)
            for text, one in zip(said, self.depicted, strict=True)
        ]

    def parts(self) -> Sequence[Part]:
        """All of them."""
        return [Part("all", np.ones(len(self.depicted), bool))]

    def right_N(self, said: Sequence[str]) -> np.ndarray:
        """Captions that name nothing that is not there."""
        return np.array([not any(one.untrue) for one in self.named(said)])

    def groups(self, said: Sequence[str], seed: int) -> Sequence[Group]:
        """The published measures."""
        return [Group(f"{len(said)} captions", measures(self.named(said), seed))]

    def remarks(self, said: Sequence[str]) -> Sequence[str]:
        """How much is said: who says little says little that is wrong."""
        named = sum(len(one.mentions) for one in self.named(said)) / len(said)
        words = sum(len(text.split()) for text in said) / len(said)
        return (f"{words:.1f} words and {named:.2f} objects a caption",)


def measures(named: Sequence[Named], seed: int) -> dict[str, Cell]:
    """Shares of mentions, of captions and of objects."""

    def of(cases: Sequence[list[bool]]) -> Cell:
        picture_N = np.repeat(np.arange(len(cases)), [len(one) for one in cases])
        return share([value for one in cases for value in one], picture_N, seed)

    return {
        "CHAIRi": of([one.untrue for one in named]),
        "CHAIRs": of([[any(one.untrue)] for one in named]),
        "recall": of([one.found for one in named]),
    }


def task(place: Place) -> Chair:
    """From a local copy, or from the toybox."""
    if place.folder is None:
        from benchmarks.hallucination import chair_toybox

        depicted = chair_toybox.depicted(place.seed, place.questions or TOYBOX_PICTURES)
        return Chair(
            depicted,
            chair_toybox.LEXICON,
            (TOYBOX, chair_toybox.NOTE),
            instruction=TOYBOX_INSTRUCTION,
            tokens=TOYBOX_TOKENS,
            bare=chair_toybox.without_writing,
        )
    from benchmarks.hallucination.chair_data import copy_in

    copy = copy_in(place.folder, place.questions or COCO_PICTURES, place.seed)
    return Chair(
        copy.depicted, copy.lexicon, copy.notes, instruction=COCO_INSTRUCTION, tokens=COCO_TOKENS
    )


@in_one_line()
def main() -> None:
    """Measure, print and write."""
    parser = options(__doc__, "so many pictures at most, by chance")
    run("chair", parser, task)


if __name__ == "__main__":
    main()
