"""Figures 7 to 10: a wrong answer, what speaks for it in picture and text, and what mends it.

Knows how the question is chosen: of the wrong answer that comes most often on development
questions, one by chance. What is written is the candidate of Table 11, and, as the paper's authors
did, a feature of written words that the question does not ask about.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from benchmarks.paper.bench import Bench
from benchmarks.paper.candidates import Candidate, Fault, candidate, fault
from benchmarks.paper.figures.blocks import Card, Heading, Note, Reply, Strip, Talk, Title, Words
from benchmarks.paper.figures.canvas import Page
from benchmarks.paper.figures.figure import Figure, enlarged
from benchmarks.paper.known import Known
from benchmarks.paper.table11 import irrelevant
from sae_core.errors import UserError
from tools.attribute import AttributeResult, AttributionSheet
from tools.failures import WontWork
from tools.recipe import recipe_of

NAME, OF_PAPER = "hallucination", "Figures 7 to 10"
TITLE = "A hallucination, and what speaks for it"
TOP = 4
STRENGTH = 50.0
_Blocks = list[Heading | Strip | Words | Talk | Note]


async def figure(bench: Bench) -> Figure:
    """The question, the two attributions, and the replies with features written in."""
    questions = bench.questions()
    found = await fault(bench, range(len(questions)))
    if found is None:
        text = "None of the development questions shows a wrong answer more than once."
        return Figure(NAME, TITLE, OF_PAPER, None, (text,))
    number = int(np.random.default_rng((bench.seed, 7)).choice(found.wrong))
    asked, picture = questions.asked(number), questions.picture(number)
    kept = {"artefact": bench.lab.artefacts.put_picture(picture)}
    why: AttributeResult = await bench.call(
        "attribute",
        picture=kept,
        question=asked.question,
        answer=found.said,
        baseline=found.instead,
        top=TOP,
    )
    best, words = await candidate(bench, found), await _words(bench, asked.question)
    blocks: _Blocks = [
        *_attributed(bench, picture, asked.question, why),
    ]
    if replies := await _replies(bench, kept, asked.question, best, words):
        blocks += [Heading("With a feature written in"), Talk(asked.question, replies)]
    return Figure(
        NAME,
        TITLE,
        OF_PAPER,
        Page((Title(TITLE, _below(asked.question, found, why)), *blocks)),
        (
            f"Question {number}, by chance one of {len(found.wrong)} development questions that "
            f"are answered {found.said!r} where {found.instead!r} is right.",
            f"The features are the {TOP} that speak most for the answer at the picture's tokens, "
            "and at the text's, and the two that speak most against it there; very common ones are "
            "skipped.",
            _told(best, words),
        ),
    )


def _below(question: str, found: Fault, why: AttributeResult) -> str:
    return (
        f"Asked {question!r}, the model says {found.said!r}; {found.instead!r} is right. "
        f"{found.said!r} leads by {why.difference:+.2f} logits, of which features say "
        f"{why.by_image:+.2f} at the picture's tokens and {why.by_text:+.2f} at the text's. "
        "Orange speaks for the answer, blue against it."
    )


def _told(best: Candidate | None, words: Sequence[Known]) -> str:
    """What is written in, and what is not."""
    blamed, other = (
        "the candidate of Table 11, in mode strict",
        "a feature of a written word that nobody asks about, as the paper's authors did, in mode "
        "paper",
    )
    lacking = [what for what, there in ((blamed, best), (other, words)) if not there]
    written = [what for what in (blamed, other) if what not in lacking]
    parts = [f"Written in: {'; '.join(written)}."] if written else []
    return " ".join([*parts, *([f"Not found: {'; '.join(lacking)}."] if lacking else [])])


def _attributed(bench: Bench, picture: Image.Image, question: str, why: AttributeResult) -> _Blocks:
    artefacts = bench.lab.artefacts
    heats = [Card(enlarged(picture), "the picture")]
    if why.heat is not None:
        heats.append(Card(enlarged(artefacts.picture(why.heat)), "all", f"{why.by_image:+.2f}"))
    heats += [
        Card(enlarged(artefacts.picture(one.heat)), f"{one.feature}", f"{one.image:+.3f}")
        for one in why.for_image
        if one.heat is not None
    ]
    sheet = artefacts.document(why.sheet, AttributionSheet)
    along = {one.feature: one.scores for one in sheet.features}
    ranked = [one.feature for one in why.for_text] + [one.feature for one in why.against_text[:2]]
    rows = [("all features", sheet.totals), *((f"feature {one}", along[one]) for one in ranked)]
    shown = _asked(sheet.tokens)
    lines = [
        Words(
            f"{name}  {sum(scores):+.2f}",
            tuple(sheet.tokens[at].strip() for at in shown),
            tuple(scores[at] for at in shown),
            max(abs(scores[at]) for at in shown),
        )
        for name, scores in rows
    ]
    return [
        Heading("At the picture's tokens", "each map in its own scale"),
        Strip(tuple(heats[:6]), 6),
        Heading("At the text's tokens", "each line in its own scale"),
        *lines,
        Note(f"{question!r}: the scores of a line add up to what stands on its left."),
    ]


def _asked(tokens: tuple[str, ...]) -> list[int]:
    """The places of the tokens that are words, the last ones where there are many."""
    return [at for at, token in enumerate(tokens) if token.strip()][-14:]


async def _replies(
    bench: Bench,
    picture: dict[str, str],
    question: str,
    best: Candidate | None,
    words: Sequence[Known],
) -> tuple[Reply, ...]:
    told: list[Reply] = []
    if best is not None:
        (one,) = best.setting
        recipe = bench.lab.artefacts.put_document(recipe_of(bench.lab.seeing, best.setting))
        said = await bench.call(
            "steer", recipe=recipe, picture=picture, prompt=question, fluency=False, tokens=24,
            controls=("wrong_sign", "random_direction"),
        )  # fmt: skip
        told += [
            Reply("nothing written", said.unsteered.text),
            Reply(f"feature {one.feature} times {one.value:.2g}", said.steered[0].text, loud=True),
            Reply("its wrong sign", said.controls[0].text),
            Reply("a random direction", said.controls[1].text),
        ]
    for known in words:
        said = await bench.call(
            "steer", features=(known.feature,), strengths=(STRENGTH,), mode="paper", fluency=False,
            picture=picture, prompt=question, tokens=24, controls=("reconstruction",),
        )  # fmt: skip
        told += [] if told else [Reply("nothing written", said.unsteered.text)]
        told += [
            Reply(f"{known.label} at {STRENGTH:g}, paper", said.steered[0].text, loud=True),
            Reply("the reconstruction alone", said.controls[0].text),
        ]
    return tuple(told)


async def _words(bench: Bench, question: str) -> list[Known]:
    """A feature of a written word that is not asked about, if there is any."""
    try:
        return await irrelevant(bench, 1, [question])
    except (UserError, WontWork):
        return []
