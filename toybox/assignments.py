"""What the explainer is asked, with the right replies: explain, refine, categorise, judge.

Knows evidence, the project's own prompts and how people might phrase descriptions; nothing of
tokens or models. What is held out (evidence.held_out) is never part of an assignment.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

import prompts
from toybox.dataset import EvidenceTable
from toybox.evidence import SPOKEN_GROUPS, Meaning, held_out, meanings, nothing, numbers, ragged
from toybox.phrasing import ANSWER, BEYOND, DESCRIPTIONS, EXPLANATION, NO_DESCRIPTIONS, UNABLE
from toybox.vocabulary import COLOURS, MATERIALS, TEXTURES
from toybox.world_text import listing

Rng = np.random.Generator
Masked = tuple[int, np.ndarray]
"""A picture's number in the table, and which of its cells are active."""


class Assignment(NamedTuple):
    """Masked pictures, what is asked about them, and the right reply."""

    pictures: tuple[Masked, ...]
    asked: str
    reply: str


_BY_GROUP = {g: [m for m in meanings() if m.group == g and not held_out(m)] for g in SPOKEN_GROUPS}


PAIRS = tuple(group for group in SPOKEN_GROUPS if group.endswith(" object"))


def any_meaning(rng: Rng, groups: tuple[str, ...] = SPOKEN_GROUPS) -> Meaning:
    """A taught meaning: classes equally often, then its members."""
    group = groups[int(rng.integers(len(groups)))]
    return _BY_GROUP[group][int(rng.integers(len(_BY_GROUP[group])))]


def described(label: str, rng: Rng) -> str:
    """A label as somebody might write it out."""
    return DESCRIPTIONS[int(rng.integers(len(DESCRIPTIONS)))].replace("{}", label)


def either_of(meaning: Meaning, rng: Rng) -> tuple[Meaning, Meaning]:
    """The meaning and another of its class, for features that fire on both."""
    others = [m for m in _BY_GROUP[meaning.group] if m != meaning]
    return meaning, others[int(rng.integers(len(others)))]


@cache
def prompt(name: str) -> prompts.Prompt:
    """The project's prompt of this name."""
    return prompts.load(name)


def varied(text: str, rng: Rng) -> str:
    """The prompt, or one that lost sentences: its wording must not be learned by heart."""
    if rng.random() < 0.4:
        return text
    parts = [part for part in text.replace("\n", " \n ").split(". ") if part.strip()]
    kept = [part for part in parts[:-1] if rng.random() < 0.6]
    return ". ".join([*kept, parts[-1]])


def terse(text: str) -> str:
    """The prompt's last line alone, where its variable stands: most of a turn is prompt."""
    return text.strip().splitlines()[-1]


class Assigner:
    """Makes assignments from an evidence table."""

    def __init__(self, table: EvidenceTable) -> None:
        self.table = table
        order = np.argsort(table.number_R, kind="stable")
        edges = np.searchsorted(table.number_R[order], np.arange(len(meanings()) + 1))
        self.of = [order[edges[i] : edges[i + 1]] for i in range(len(meanings()))]
        self.starts = table.starts()

    def masked(self, row: int, rng: Rng) -> Masked:
        """A row of the table as ragged evidence."""
        return int(self.table.owner_R[row]), ragged(self.table.cells_RC[row], rng)

    def showing(self, meaning: Meaning, count: int, rng: Rng) -> list[Masked]:
        """Evidence for a meaning in so many different pictures."""
        rows = self.of[numbers()[meaning]]
        chosen = rng.choice(rows, count, replace=len(rows) < count)
        return [self.masked(int(row), rng) for row in chosen]

    def random_masks(self, count: int, rng: Rng) -> list[Masked]:
        """Masks that mean nothing on pictures taken at random."""
        pictures = rng.integers(len(self.table.pixels_NHW3), size=count)
        return [(int(picture), nothing(rng)) for picture in pictures]

    def unrelated(self, count: int, rng: Rng) -> list[Masked]:
        """Evidence for as many different meanings as pictures, no two alike in class or word."""
        chosen: list[Meaning] = []
        while len(chosen) < count:
            one = any_meaning(rng)
            words = {w for m in chosen for w in (m.word, m.kind) if w}
            if not words & {one.word, one.kind} and sum(m.group == one.group for m in chosen) < 2:
                chosen.append(one)
        return [self.showing(one, 1, rng)[0] for one in chosen]

    def explain(
        self,
        count: int,
        rng: Rng,
        wording: str,
        groups: tuple[str, ...] = SPOKEN_GROUPS,
        unlike: float = 0.12,
    ) -> Assignment:
        """What do these share: one meaning of some classes, one of two, or nothing."""
        chance = rng.random()
        if chance < 0.12:
            pictures, reply = self.random_masks(count, rng), UNABLE
        elif chance < 0.12 + unlike and count >= 3:
            pictures, reply = self.unrelated(count, rng), UNABLE
        elif chance < 0.22 + unlike and count >= 4:
            pair = either_of(any_meaning(rng, groups), rng)
            first = int(rng.integers(2, count - 1))
            both = self.showing(pair[0], first, rng) + self.showing(pair[1], count - first, rng)
            pictures = [both[i] for i in rng.permutation(count)]
            reply = " or ".join(sorted(m.label for m in pair))
        else:
            meaning = any_meaning(rng, groups)
            pictures, reply = self.showing(meaning, count, rng), meaning.label
        return Assignment(tuple(pictures), wording, f"{EXPLANATION} {reply}")

    def judge(self, count: int, rng: Rng, wording: str) -> tuple[Masked, list[Assignment]]:
        """One masked picture and several explanations of it, right and wrong."""
        if rng.random() < 0.1:
            shown = self.random_masks(1, rng)[0]
            labels = [(any_meaning(rng).label, "0") for _ in range(count)]
        else:
            meaning = any_meaning(rng)
            row = int(rng.choice(self.of[numbers()[meaning]]))
            shown = self.masked(row, rng)
            labels = [
                (self._true(meaning, rng), "1")
                if rng.random() < 0.5
                else (self._false(meaning, shown, rng), "0")
                for _ in range(count)
            ]
        made = [
            Assignment((shown,), wording.replace("{{explanation}}", described(label, rng)), reply)
            for label, reply in labels
        ]
        return shown, made

    def _true(self, meaning: Meaning, rng: Rng) -> str:
        """The meaning's own label or, for an object with an attribute, one of the two alone."""
        if meaning.kind and rng.random() < 0.35:
            alone = Meaning(meaning.group.split()[0], meaning.word)
            return (alone.label, meaning.kind)[int(rng.integers(2))]
        return meaning.label

    def _false(self, meaning: Meaning, shown: Masked, rng: Rng) -> str:
        """The label of something else: a near miss, elsewhere in the picture, or not in it."""
        picture, active = shown
        rows = slice(self.starts[picture], self.starts[picture + 1])
        present = {meanings()[n] for n in self.table.number_R[rows]}
        chance = rng.random()
        if chance < 0.3:
            same = [
                m for m in _BY_GROUP[meaning.group] if m not in present and m.kind == meaning.kind
            ]
            if same:
                return same[int(rng.integers(len(same)))].label
        if chance < 0.6:
            overlap = (self.table.cells_RC[rows].astype(float) * active.reshape(-1)).sum(1)
            own = self.table.cells_RC[rows].astype(float).sum(1)
            away = [
                meanings()[n]
                for n, share in zip(self.table.number_R[rows], overlap / own, strict=True)
                if share < 0.1 and not held_out(meanings()[n])
            ]
            if away:
                return away[int(rng.integers(len(away)))].label
        words = {w for m in present for w in (m.word, m.kind) if w}
        while True:
            other = any_meaning(rng)
            if not words & {other.word, other.kind}:
                return other.label


def refine(rng: Rng, *, whole: bool = False, wording: str = "") -> Assignment:
    """A description, and the label in it; with the whole prompt, or one that varies."""
    text = wording or (prompt("refine").body if whole else varied(prompt("refine").body, rng))
    if rng.random() < 0.15:
        said = NO_DESCRIPTIONS[int(rng.integers(len(NO_DESCRIPTIONS)))]
        return Assignment((), text.replace("{{description}}", said), UNABLE)
    label = _any_label(rng)
    said = described(label, rng)
    if rng.random() < 0.3:
        said = f"{EXPLANATION} {said}"
    return Assignment((), text.replace("{{description}}", said), f"{ANSWER} {label}")


def categorise(rng: Rng, *, whole: bool = False) -> Assignment:
    """A description or label, and its class; with the whole prompt, or one that varies."""
    text = prompt("categorise").body if whole else varied(prompt("categorise").body, rng)
    if rng.random() < 0.15:
        group = list(BEYOND)[int(rng.integers(len(BEYOND)))]
        label = BEYOND[group][int(rng.integers(len(BEYOND[group])))]
    else:
        meaning = any_meaning(rng)
        label, group = meaning.label, meaning.category
        if rng.random() < 0.15:
            label = " or ".join(m.label for m in either_of(meaning, rng))
    return Assignment((), text.replace("{{description}}", described(label, rng)), group)


def _any_label(rng: Rng) -> str:
    chance = rng.random()
    meaning = any_meaning(rng)
    if chance < 0.2:
        return " or ".join(m.label for m in either_of(meaning, rng))
    if chance < 0.3:
        words = (*COLOURS, *MATERIALS, *TEXTURES)
        listed = [words[i] for i in rng.choice(len(words), 2, replace=False)]
        return f"{listing(listed)} {meaning.label}"
    if chance < 0.4:
        return f"{meaning.label} of {any_meaning(rng).label}"
    return meaning.label
