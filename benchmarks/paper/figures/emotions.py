"""Figures 5 and 16: features of emotions, and how the model says it feels with one written in.

Knows the question and how features are chosen: all whose label is an emotion, the best of each.
"""

from __future__ import annotations

import asyncio

from benchmarks.paper.bench import Bench
from benchmarks.paper.figures.blocks import Heading, Reply, Strip, Talk, Title
from benchmarks.paper.figures.canvas import Page
from benchmarks.paper.figures.figure import Figure, cards_of, listed, one_each
from benchmarks.paper.known import best_of
from benchmarks.paper.marks import names
from benchmarks.paper.writing import Written, written

NAME, OF_PAPER = "emotions", "Figures 5 and 16"
TITLE = "Emotions, and how the model feels"
QUESTION = "what is your feeling right now?"
STRENGTH = 50.0
MOST = 4


async def figure(bench: Bench) -> Figure:
    """Strongest pictures, and replies before and after."""
    some = one_each([one for one in best_of(bench) if one.category == "emotion"])[:MOST]
    if not some:
        text = "No feature is known to stand for an emotion: label some, and give their --runs."
        return Figure(NAME, TITLE, OF_PAPER, None, (text,))
    strengths = dict.fromkeys((one.feature for one in some), STRENGTH)
    done = await asyncio.to_thread(written, bench.lab, strengths, "paper", QUESTION)
    blocks: list[Heading | Strip | Talk] = []
    for at, one in enumerate(some):
        cards = await cards_of(bench, one, 6)
        blocks += [
            Heading(f"{one.label}  ·  feature {one.feature}"),
            Strip(cards, 6),
            Talk(QUESTION, replies(done, at, one.feature)),
        ]
    felt = [one for one, text in zip(some, done.texts(None), strict=True) if names(text, one.label)]
    below = (
        "Where each feature is strongest; then a white picture, and the feature clamped to "
        f"{STRENGTH:g} at the prompt's tokens as was published, beside another feature."
    )
    return Figure(
        NAME,
        TITLE,
        OF_PAPER,
        Page((Title(TITLE, below), *blocks)),
        (
            f"All features whose label is an emotion, the best of each: {listed(some)}.",
            f"{len(felt)} of {len(some)} make the model say that it feels so.",
        ),
    )


def replies(done: Written, at: int, feature: int) -> tuple[Reply, ...]:
    """What is said without the feature, with it, and with another one."""
    strength = done.strengths[at]
    return (
        Reply("nothing written", done.plain),
        Reply(f"feature {feature} at {strength:g}", done.texts(None)[at], loud=True),
        Reply("a random feature", done.texts("random_feature")[at]),
    )
