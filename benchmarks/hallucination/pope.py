"""POPE: objects that the target sees where they are not, as it expects them.

    python -m benchmarks.hallucination.pope [--data PATH] [--profile P] [--recipe FILE]
                                            [--questions N] [--runs DIR] [--out DIR] [--seed S]
                                            [--json]

Three kinds of absent object are asked for: random ones, popular ones, and adversarial ones, which
most often come with what is there. Accuracy, precision, recall, F1 and the share of yes, as
published. Without --data on the toybox, where the adversarial ones have the planted illness.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.hallucination.asking import Asked
from benchmarks.hallucination.commanding import TOYBOX, Place, options, run
from benchmarks.hallucination.pictures import Picture
from benchmarks.hallucination.reading import polled, yes_or_no
from benchmarks.hallucination.shares import Group, Part, numbered, share, some
from benchmarks.hallucination.task import Task
from benchmarks.one_line import in_one_line
from benchmarks.paper.report import Cell

TOKENS = 32
"""Of a reply only the first sentence is read."""
TOYBOX_QUESTIONS = 2400
CATEGORIES = ("random", "popular", "adversarial")
READ = (
    "A reply is read by POPE's own rule: yes, unless its first sentence has No, no or not as a "
    "word. There is no third case."
)


class Probe(NamedTuple):
    """Is this object in this picture."""

    category: str
    picture_name: str
    picture: Picture
    question: str
    there: bool


class Pope(Task):
    """What is asked, and what it comes to."""

    title, counted, tokens = "POPE: objects that are not there", "answers", TOKENS

    def __init__(
        self, probes: Sequence[Probe], notes: Sequence[str], most: int | None, seed: int
    ) -> None:
        if not probes:
            raise ValueError("no probes")
        chosen = some(numbered([one.picture_name for one in probes]), most, seed)
        self.probes = [probes[at] for at in np.flatnonzero(chosen)]
        self.notes = (*notes, READ)
        self.asked = [Asked(one.question, one.picture) for one in self.probes]
        self._there_N = np.array([one.there for one in self.probes])

    @property
    def cluster_N(self) -> np.ndarray:
        """A number for each picture."""
        return numbered([one.picture_name for one in self.probes])

    def parts(self) -> Sequence[Part]:
        """The three categories, and all of them."""
        named = [one.category for one in self.probes]
        apart = [Part(name, np.array([name == one for one in named])) for name in CATEGORIES]
        return [
            *(part for part in apart if part.among_N.any()),
            Part("all", np.ones(len(named), bool)),
        ]

    def right_N(self, said: Sequence[str]) -> np.ndarray:
        """Yes where the object is, no where it is not."""
        return _yes(said) == self._there_N

    def groups(self, said: Sequence[str], seed: int) -> Sequence[Group]:
        """The published measures of each category, and of all."""
        yes_N = _yes(said)
        return [
            Group(
                f"{part.name} ({part.among_N.sum()} questions)",
                measures(
                    self._there_N[part.among_N],
                    yes_N[part.among_N],
                    self.cluster_N[part.among_N],
                    seed,
                ),
            )
            for part in self.parts()
        ]

    def remarks(self, said: Sequence[str]) -> Sequence[str]:
        """How many replies the rule reads as yes although they say neither."""
        neither = sum(yes_or_no(text) is None for text in said)
        return (
            [f"{neither} of {len(said)} replies say neither yes nor no, or both"] if neither else []
        )


def _yes(said: Sequence[str]) -> np.ndarray:
    return np.array([polled(text) for text in said])


def measures(
    there_N: np.ndarray, yes_N: np.ndarray, picture_N: np.ndarray, seed: int
) -> dict[str, Cell]:
    """Each is a share of something, so each has an interval by pictures."""
    hit_N, wrong_N = there_N & yes_N, there_N != yes_N
    # F1 is 2 TP / (2 TP + FP + FN): a share in which each hit counts twice.
    halves = (hit_N, hit_N, wrong_N)
    counted = {
        "accuracy": (~wrong_N, picture_N),
        "precision": (there_N[yes_N], picture_N[yes_N]),
        "recall": (yes_N[there_N], picture_N[there_N]),
        "F1": (
            np.concatenate([hit_N[among_N] for among_N in halves]),
            np.concatenate([picture_N[among_N] for among_N in halves]),
        ),
        "yes": (yes_N, picture_N),
    }
    return {name: share(*cases, seed) for name, cases in counted.items()}


def task(place: Place) -> Pope:
    """From a local copy, or from the toybox."""
    if place.folder is None:
        from benchmarks.hallucination.pope_toybox import NOTE, probes

        most = place.questions or TOYBOX_QUESTIONS
        return Pope(probes(place.seed, most), (TOYBOX, NOTE), most, place.seed)
    from benchmarks.hallucination.pope_data import probes_in

    found = probes_in(place.folder)
    return Pope(found, (f"{len(found)} questions in the copy.",), place.questions, place.seed)


@in_one_line()
def main() -> None:
    """Measure, print and write."""
    parser = options(__doc__, "so many at most, whole pictures by chance")
    run("pope", parser, task)


if __name__ == "__main__":
    main()
