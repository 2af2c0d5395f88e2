"""Figures 11 to 15 and 18: stories about a white picture, before and after a feature is written in.

Knows how examples are chosen: the best known feature of each thing and place is clamped as was
published; shown are those whose story names what the feature stands for while the same amount of
another feature's does not, the most fluent first.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from benchmarks.paper.bench import Bench
from benchmarks.paper.figures.blocks import Heading, Strip, Talk, Title
from benchmarks.paper.figures.canvas import Page
from benchmarks.paper.figures.emotions import replies
from benchmarks.paper.figures.figure import Figure, cards_of, one_each
from benchmarks.paper.known import Known, best_of
from benchmarks.paper.marks import names
from benchmarks.paper.writing import Written, written

NAME, OF_PAPER = "steering", "Figures 11 to 15 and 18"
TITLE = "Stories, before and after"
QUESTION = "tell me a story."
STRENGTH = 50.0
TRIED, SHOWN = 34, 4
CATEGORIES = ("object", "scene")


class Told(NamedTuple):
    """A feature, its place among those that were tried, and how fluent its story is."""

    known: Known
    at: int
    perplexity: float


async def figure(bench: Bench) -> Figure:
    """Screen all, show some."""
    some = one_each([one for one in best_of(bench) if one.category in CATEGORIES])[:TRIED]
    if not some:
        text = "No feature is known to stand for a thing or place: label some, give their --runs."
        return Figure(NAME, TITLE, OF_PAPER, None, (text,))
    done = await asyncio.to_thread(
        written,
        bench.lab,
        dict.fromkeys((one.feature for one in some), STRENGTH),
        "paper",
        QUESTION,
        tokens=48,
        controls=("random_feature",),
        fluency=True,
    )
    fit = telling(some, done)
    told = _counted(some, done, fit)
    if not fit:
        return Figure(NAME, TITLE, OF_PAPER, None, (told,))
    blocks: list[Heading | Strip | Talk] = []
    for one in fit[:SHOWN]:
        blocks += [
            Heading(f"{one.known.label}  ·  feature {one.known.feature}"),
            Strip(await cards_of(bench, one.known, 6), 6),
            Talk(QUESTION, replies(done, one.at, one.known.feature)),
        ]
    below = (
        "Where each feature is strongest, and what the model tells about a white picture with the "
        f"feature clamped to {STRENGTH:g} at the prompt's tokens, as was published."
    )
    shown = f"Shown are the {min(SHOWN, len(fit))} most fluent of these: examples, and no sample."
    return Figure(NAME, TITLE, OF_PAPER, Page((Title(TITLE, below), *blocks)), (told, shown))


def _counted(some: list[Known], done: Written, fit: list[Told]) -> str:
    """How many stories change, and how many name what was written."""
    changed = sum(text != done.plain for text in done.texts(None))
    others = sum(text != done.plain for text in done.texts("random_feature"))
    named = sum(
        names(text, one.label) for one, text in zip(some, done.texts("random_feature"), strict=True)
    )
    return (
        f"{len(some)} features of things and places, the best known of each, clamped to "
        f"{STRENGTH:g}: {changed} change the story ({others} of their random stand-ins do), "
        f"{len(fit)} make it name what they stand for while the stand-in's does not. Of the "
        f"stand-ins' stories {named} name it."
    )


def telling(some: list[Known], done: Written) -> list[Told]:
    """Those whose story names their label where the stand-in's does not, most fluent first."""
    own, others = done.steered.entries, done.texts("random_feature")
    fit = [
        Told(one, at, own[at].perplexity or float("inf"))
        for at, one in enumerate(some)
        if names(own[at].text, one.label) and not names(others[at], one.label)
    ]
    return sorted(fit, key=lambda one: one.perplexity)
