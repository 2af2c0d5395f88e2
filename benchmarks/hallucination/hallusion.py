"""HallusionBench: the same question about a figure and about what it was edited into.

    python -m benchmarks.hallucination.hallusion [--data PATH] [--profile P] [--recipe FILE]
                                                 [--questions N] [--runs DIR] [--out DIR]
                                                 [--seed S] [--json]

Accuracy by answer (aAcc), by question with all its figures (qAcc) and by figure with all its
questions (fAcc), and of easy questions (the original figure, or none) and hard ones (edited). As
published but for one thing: yes and no are read by rule, where the original asks GPT-4 whether an
answer is right. Without --data on toybox pictures with one attribute edited.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.hallucination.asking import Asked
from benchmarks.hallucination.commanding import TOYBOX, Place, options, run
from benchmarks.hallucination.pictures import Picture
from benchmarks.hallucination.reading import yes_or_no
from benchmarks.hallucination.shares import Group, Part, numbered, share, some
from benchmarks.hallucination.task import Task
from benchmarks.one_line import in_one_line
from benchmarks.paper.report import Cell

TOKENS = 64
TOYBOX_QUESTIONS = 1200
INSTRUCTION = " Please answer yes or no."
"""After each question of the published set, since the answers are read by rule."""
READ = (
    "A reply is yes or no by its first word, or by the only one of both words in it; any other is "
    "unreadable and wrong. The original has GPT-4 compare whole replies with a reference answer, "
    "so its numbers are not quite these."
)


class Posed(NamedTuple):
    """A question about a figure of a set, or about none."""

    category: str
    subcategory: str
    set_id: str
    figure_id: str
    question_id: str
    picture: Picture | None
    question: str
    yes: bool

    @property
    def family(self) -> Hashable:
        """All figures that were made of one, and all questions about them."""
        return self.category, self.subcategory, self.set_id

    @property
    def original(self) -> bool:
        """Of the set's first figure, or without one: an easy question."""
        return self.figure_id == "0"

    @property
    def bare(self) -> bool:
        """About no figure, where one would only help."""
        return self.category == "VS" and self.original


class Hallusion(Task):
    """What is asked, and what it comes to."""

    title, counted, tokens = (
        "HallusionBench: figures and what they were edited into",
        "answers",
        TOKENS,
    )

    def __init__(
        self,
        posed: Sequence[Posed],
        notes: Sequence[str],
        most: int | None,
        seed: int,
        instruction: str = "",
    ) -> None:
        chosen = some(numbered([one.family for one in posed]), most, seed)
        self.posed = [posed[at] for at in np.flatnonzero(chosen)]
        self.notes = (*notes, READ)
        self.asked = [Asked(one.question + instruction, one.picture) for one in self.posed]
        self._yes_N = [one.yes for one in self.posed]

    @property
    def cluster_N(self) -> np.ndarray:
        """A number for each set of figures."""
        return numbered([one.family for one in self.posed])

    def parts(self) -> Sequence[Part]:
        """Easy, hard and all; and the kinds of figure."""
        easy_N = np.array([one.original for one in self.posed])
        both = [Part("easy", easy_N), Part("hard", ~easy_N), Part("all", np.ones_like(easy_N))]
        return [part for part in (*both, *self._kinds()) if part.among_N.any()]

    def _kinds(self) -> list[Part]:
        named = [(one.category, one.subcategory) for one in self.posed]
        return [
            Part(" ".join(kind), np.array([kind == one for one in named]))
            for kind in dict.fromkeys(named)
        ]

    def right_N(self, said: Sequence[str]) -> np.ndarray:
        """What can't be read is not right."""
        read = (yes_or_no(text) for text in said)
        return np.array([one is yes for one, yes in zip(read, self._yes_N, strict=True)])

    def groups(self, said: Sequence[str], seed: int) -> Sequence[Group]:
        """All measures of everything and of the categories, and accuracy by kind of figure."""
        right_N = self.right_N(said)
        clear_N = np.array([yes_or_no(text) is not None for text in said])
        categories = sorted({one.category for one in self.posed})
        wanted = ["all", *(categories if len(categories) > 1 else ())]
        groups = []
        for name in wanted:
            among = [at for at, one in enumerate(self.posed) if name in ("all", one.category)]
            posed = [self.posed[at] for at in among]
            cells = measures(posed, right_N[among], clear_N[among], self.cluster_N[among], seed)
            groups.append(Group(f"{name} ({len(among)} questions)", cells))
        cells = {
            f"{part.name} ({part.among_N.sum()})": share(
                right_N[part.among_N], self.cluster_N[part.among_N], seed
            )
            for part in self._kinds()
        }
        return [*groups, Group("aAcc by kind", cells)]

    def remarks(self, said: Sequence[str]) -> Sequence[str]:
        """What the original would have counted otherwise."""
        unclear = sum(
            one.bare and yes_or_no(text) is None for one, text in zip(self.posed, said, strict=True)
        )
        if not unclear:
            return ()
        return (
            f"{unclear} unreadable replies to questions without a figure are wrong here; the "
            "original counts those right that do not know",
        )


def measures(
    posed: Sequence[Posed], right_N: np.ndarray, clear_N: np.ndarray, set_N: np.ndarray, seed: int
) -> dict[str, Cell]:
    """The published ones, and what could not be read."""

    def all_right(keys: Sequence[Hashable | None]) -> Cell:
        """Of groups of answers, those that are right throughout; None is in no group."""
        within = [at for at, key in enumerate(keys) if key is not None]
        wrong = {keys[at] for at in within if not right_N[at]}
        sets = {keys[at]: set_N[at] for at in within}
        return share([key not in wrong for key in sets], np.array([*sets.values()]), seed)

    questions = [(*_key(one), "question", one.question_id) for one in posed]
    figures = [None if one.bare else (*_key(one), "figure", one.figure_id) for one in posed]
    return {
        "aAcc": share(right_N, set_N, seed),
        "qAcc": all_right(questions),
        "fAcc": all_right(figures),
        "easy": all_right(
            [key if one.original else None for one, key in zip(posed, questions, strict=True)]
        ),
        "hard": all_right(
            [None if one.original else key for one, key in zip(posed, questions, strict=True)]
        ),
        "unreadable": share(~clear_N, set_N, seed),
    }


def _key(one: Posed) -> tuple[str, str, str]:
    return one.category, one.subcategory, one.set_id


def task(place: Place) -> Hallusion:
    """From a local copy, or from the toybox."""
    if place.folder is None:
        from benchmarks.hallucination.hallusion_toybox import NOTE, posed

        most = place.questions or TOYBOX_QUESTIONS
        return Hallusion(posed(place.seed, most), (TOYBOX, NOTE), most, place.seed)
    from benchmarks.hallucination.hallusion_data import posed_in

    found = posed_in(place.folder)
    notes = (f"{len(found)} questions in the copy; each is followed by {INSTRUCTION.strip()!r}",)
    return Hallusion(found, notes, place.questions, place.seed, INSTRUCTION)


@in_one_line()
def main() -> None:
    """Measure, print and write."""
    parser = options(__doc__, "so many at most, whole sets of figures by chance")
    run("hallusion", parser, task)


if __name__ == "__main__":
    main()
