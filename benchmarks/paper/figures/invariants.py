"""Figures 6, 8 and 10: features that fire on a picture of something and on its name.

Two kinds are looked for. The name in the question: a feature that fires where the thing is seen
must fire at its name in a question about a white picture, and at few other names. The name in the
picture: where the renderer knows both, a feature must fire where the word is written on a sign and
the thing is not there, where the thing is and the word is not, and hardly elsewhere.

Shapes: W words, F features, T positions of a prompt, N pictures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agent.steering import sayable
from benchmarks.paper.bench import Bench
from benchmarks.paper.figures.blocks import Card, Heading, Note, Strip, Title, Words
from benchmarks.paper.figures.canvas import Page
from benchmarks.paper.figures.figure import Figure, cards_of, enlarged, listed
from benchmarks.paper.known import Known, best_of
from benchmarks.paper.writing import white
from sae_core.index.lit import read_lit
from sae_core.index.spec import SHORT
from sae_core.lmm.adapter import Prompt
from sae_core.lmm.hooks import harvest
from sae_core.lmm.layout import TEXT
from tools.lab import Lab

NAME, OF_PAPER = "invariants", "Figures 6, 8 and 10"
TITLE = "A thing and its name"
ASKED = "do you see the {} ?"
MOST = 400
"""Features that are looked at."""
ELSEWHERE = 0.1
"""At so large a share of other names a feature of a thing may fire."""
SHOWN = 3
BOTH, NEITHER = 0.5, 0.1
"""On what share of the pictures with the word, and with the thing, a feature has to fire; on how
many of those with neither it may."""


class Spoken(NamedTuple):
    """What a feature does at names in questions, relative to where it counts as firing."""

    known: Known
    word: str
    value_W: tuple[float, ...]
    """At each word, in the order of all of them."""
    own: int
    """The place of its own."""

    @property
    def at_own(self) -> float:
        """1 is where it counts as firing."""
        return self.value_W[self.own]

    @property
    def elsewhere(self) -> float:
        """At what share of the other names it fires."""
        others = [value for at, value in enumerate(self.value_W) if at != self.own]
        return float(np.mean([value >= 1 for value in others])) if others else 0.0


class Written(NamedTuple):
    """How often a feature fires on pictures with a word, with the thing, and with neither."""

    feature: int
    word: str
    read: float
    seen: float
    neither: float


class Sighted(NamedTuple):
    """On which pictures a word is written, and on which the thing of this name is seen."""

    read_N: np.ndarray
    seen_N: np.ndarray


async def figure(bench: Bench) -> Figure:
    """Both kinds, with what was looked for where there is none."""
    known = [one for one in best_of(bench) if one.category not in ("text", "abstract")]
    words, spoken = await asyncio.to_thread(at_names, bench.lab, known[:MOST])
    fit = [one for one in spoken if one.at_own >= 1 and one.elsewhere <= ELSEWHERE]
    blocks: list[Heading | Strip | Words | Note] = []
    for one in fit[:SHOWN]:
        blocks += await _spoken_blocks(bench, words, one)
    both, looked = await asyncio.to_thread(in_pictures, bench)
    for one in both[:SHOWN]:
        blocks += await _written_blocks(bench, one)
    text = [
        f"The name in the question: {len(spoken)} features that stand for something seen were read "
        f"at {len(words)} names. Of them {len(fit)} reach what counts as firing at their own name "
        f"and at no more than {ELSEWHERE:.0%} of the others{_these(fit, spoken)}"
    ]
    if looked:
        text.append(_about(looked, both))
    if not blocks:
        return Figure(NAME, TITLE, OF_PAPER, None, tuple(text))
    below = (
        "Where each feature is strongest among pictures, and what it does at the words of a "
        "question about a white picture, in multiples of what counts as firing."
    )
    return Figure(NAME, TITLE, OF_PAPER, Page((Title(TITLE, below), *blocks)), tuple(text))


def _these(fit: Sequence[Spoken], spoken: Sequence[Spoken]) -> str:
    """Which ones; where there is none, the one that comes nearest."""
    if fit:
        return f": {listed([one.known for one in fit[:8]])}."
    if not spoken:
        return "."
    near = spoken[0].known
    return (
        f". The nearest, {near.feature} ({near.label}), reaches {spoken[0].at_own:.2f} of what "
        f"counts as firing at its name, and fires at {spoken[0].elsewhere:.0%} of the others."
    )


def _about(looked: Sequence[str], both: Sequence[Written]) -> str:
    return (
        f"The name in the picture ({', '.join(looked)}): {len(both)} features fire on at least "
        f"{BOTH:.0%} of the pictures that show the word alone, on as many of those that show the "
        f"thing alone, and on at most {NEITHER:.0%} of the rest."
    )


@torch.no_grad()
def at_names(lab: Lab, known: Sequence[Known]) -> tuple[list[str], list[Spoken]]:
    """What features do at their names in questions and at the others', the best first."""
    named = {one: said[0] for one in known if (said := sayable(lab, one.label))}
    words = sorted(set(named.values()))
    if not words:
        return [], []
    value_WF = torch.stack([_at(lab, word) for word in words])
    levels = lab.levels
    spoken = []
    for one, word in named.items():
        index = lab.index("explore").feature(one.feature)
        level = float(levels.level_F[one.feature]) if levels else index.level(0.5)
        value_W = (value_WF[:, one.feature] / max(level, 1e-9)).tolist()
        spoken.append(Spoken(one, word, tuple(value_W), words.index(word)))
    return words, sorted(spoken, key=lambda one: (one.elsewhere > ELSEWHERE, -one.at_own))


def _at(lab: Lab, word: str) -> Tensor:
    """Every feature's largest value at the tokens of a word [F]."""
    seeing = lab.seeing
    inputs = seeing.adapter.prepare([Prompt((white(lab),), ASKED.format(word))])
    ids_T = inputs.tensors["input_ids"][0].cpu()
    own = seeing.adapter.processor.tokenizer(word, add_special_tokens=False).input_ids
    (x_TD,) = harvest(seeing.adapter, inputs, seeing.hook)
    text = inputs.layouts[0].where(TEXT)
    at = text[torch.isin(ids_T[text], torch.tensor(own))]
    code = seeing.coder.encode(x_TD[at.to(x_TD.device)])
    return code.dense(seeing.features).amax(0).cpu()


async def _spoken_blocks(
    bench: Bench, words: Sequence[str], one: Spoken
) -> list[Heading | Strip | Words | Note]:
    ranked = sorted(
        ((value, word) for word, value in zip(words, one.value_W, strict=True)), reverse=True
    )
    shown = [(value, word) for value, word in ranked if word != one.word][:6]
    return [
        Heading(
            f"{one.known.label}  ·  feature {one.known.feature}",
            f"{one.at_own:.1f} at its name; at {one.elsewhere:.0%} of {len(words) - 1} others",
        ),
        Strip(await cards_of(bench, one.known, 6), 6),
        Words(
            "at its name, and at others",
            (f"{one.word} {one.at_own:.1f}", *(f"{word} {value:.1f}" for value, word in shown)),
            (one.at_own, *(value for value, _ in shown)),
            max(ranked[0][0], 1.0),
        ),
    ]


def in_pictures(bench: Bench) -> tuple[list[Written], list[str]]:
    """Features of things whose name is written too, and which things were looked for."""
    index = bench.lab.index("explore")
    lit = None if index.folder is None else read_lit(index.folder)
    seen = _scenes(bench)
    if lit is None or seen is None:
        return [], []
    fires_NF = np.zeros((index.spec.size, index.features), bool)
    for number in range(index.spec.size):
        fires_NF[number, lit.on(number)] = True
    return answering_to_both(fires_NF, seen)


def answering_to_both(
    fires_NF: np.ndarray, seen: Mapping[str, Sighted]
) -> tuple[list[Written], list[str]]:
    """The features that fire on word and thing alike, the surest first; and what was looked for."""
    found, looked = [], []
    for word, (read_N, seen_N) in seen.items():
        parts = (read_N & ~seen_N, seen_N & ~read_N, ~read_N & ~seen_N)
        if any(part.sum() < SHORT for part in parts):
            continue
        looked.append(word)
        share_3F = np.stack([fires_NF[part].mean(0) for part in parts])
        fit_F = (share_3F[:2] >= BOTH).all(0) & (share_3F[2] <= NEITHER)
        found += [
            Written(f, word, *share_3F[:, f].tolist()) for f in np.flatnonzero(fit_F).tolist()
        ]
    return sorted(found, key=lambda one: -min(one.read, one.seen)), looked


def _scenes(bench: Bench) -> dict[str, Sighted] | None:
    """For each word that is also a thing, where the two are; None where no renderer knows."""
    from toybox.numbered import ToyboxPictures
    from toybox.vocabulary import OBJECTS, WORDS

    pictures = bench.lab.pictures("explore")
    if not isinstance(pictures, ToyboxPictures):
        return None
    scenes = [pictures.split.scene(number) for number in range(len(pictures))]
    signs = [{one.word for one in scene.shown if one.kind == "sign"} for scene in scenes]
    kinds = [{one.kind for one in scene.shown} for scene in scenes]
    return {
        word: Sighted(
            np.array([word in some for some in signs]),
            np.array([word in some for some in kinds]),
        )
        for word in WORDS
        if word in OBJECTS
    }


async def _written_blocks(bench: Bench, one: Written) -> list[Heading | Strip | Words | Note]:
    known = Known(one.feature, one.word, "", "the renderer", 0.0)
    seen = _scenes(bench)
    cards = list(await cards_of(bench, known, 3))
    if seen is not None:
        read_N, thing_N = seen[one.word]
        for told, part in (("written", read_N & ~thing_N), ("seen", thing_N & ~read_N)):
            numbers = np.flatnonzero(part)[:1].tolist()
            cards += [
                Card(enlarged(bench.lab.picture("explore", n)), f"{n}", told) for n in numbers
            ]
    return [
        Heading(
            f"“{one.word}”, written or seen  ·  feature {one.feature}",
            f"fires on {one.read:.0%} written, {one.seen:.0%} seen, {one.neither:.0%} neither",
        ),
        Strip(tuple(cards)),
    ]
