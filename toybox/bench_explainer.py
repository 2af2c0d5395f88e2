"""Measures the explainer and judge: does it name what bright regions share, and say when it can't.

Knows evidence on fresh pictures, masked as raggedly as in training, and the project's own prompts.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from sae_core.masks import highlighted
from toybox.assignments import Assigner, Assignment, Masked, categorise, prompt, refine
from toybox.bench_rows import Row, row
from toybox.dataset import EvidenceTable, evidence_table
from toybox.evidence import Meaning, held_out, meanings, numbers
from toybox.measures import Estimate, share
from toybox.models import Chat, Prompt, load_explainer
from toybox.phrasing import ANSWER, EXPLANATION, UNABLE
from toybox.world_draw import draw_scene
from toybox.world_splits import fresh_scene

SHOWN = 5
POOL = 2_400
Rng = np.random.Generator


def reply_of(said: str) -> str:
    """What was said after the last marker, in lower case, without a full stop."""
    for marker in (EXPLANATION, ANSWER):
        said = said.rpartition(marker)[2]
    return said.strip().rstrip(".").lower()


class Examiner:
    """Asks the explainer about fresh pictures."""

    def __init__(self, chat: Chat, table: EvidenceTable, rng: Rng) -> None:
        self.chat, self.table, self.rng = chat, table, rng
        self.assigner = Assigner(table)

    def _pictures(self, shown: list[Masked]) -> tuple[Image.Image, ...]:
        pixels = self.table.pixels_NHW3
        return tuple(Image.fromarray(highlighted(pixels[i], active)) for i, active in shown)

    def _explained(self, sets: list[list[Masked]]) -> list[str]:
        wording = prompt("explain").body
        prompts = [Prompt(self._pictures(shown), wording) for shown in sets]
        return [reply_of(said) for said in self.chat.replies(prompts, tokens=20, batch=16)]

    def names(self, chosen: list[Meaning]) -> Estimate:
        """The share of meanings that are named word for word."""
        sets = [self.assigner.showing(meaning, SHOWN, self.rng) for meaning in chosen]
        said = self._explained(sets)
        return share([text == m.label for text, m in zip(said, chosen, strict=True)])

    def declines(self, sets: list[list[Masked]]) -> Estimate:
        """The share of meaningless sets for which it says that it is unable."""
        return share([text == UNABLE.lower() for text in self._explained(sets)])

    def drawn(self, options: list[Meaning], count: int) -> list[Meaning]:
        """So many meanings, going round the options in random order; each shown often enough."""
        enough = [m for m in options if len(self.assigner.of[numbers()[m]]) >= SHOWN]
        rounds = [self.rng.permutation(len(enough)) for _ in range(-(-count // len(enough)))]
        return [enough[i] for i in np.concatenate(rounds)[:count]]

    def answers(self, made: list[Assignment]) -> Estimate:
        """The share of assignments with the right reply."""
        prompts = [Prompt(self._pictures(list(one.pictures)), one.asked) for one in made]
        said = self.chat.replies(prompts, tokens=20, batch=32)
        right = [reply_of(t) == reply_of(one.reply) for t, one in zip(said, made, strict=True)]
        return share(right)


def measure(seed: int, n: int) -> list[Row]:
    """The explainer's lines of the table."""
    table = evidence_table([draw_scene(fresh_scene(seed, 50_000 + i)) for i in range(POOL)])
    rng = np.random.default_rng((78, seed))
    exam = Examiner(load_explainer(), table, rng)
    singles = [m for m in meanings() if not m.kind]
    unseen = [m for m in meanings() if held_out(m)]
    named = {m: [x for x in unseen if x.group == m] for m in ("color object", "material object")}
    both = [m for group in named.values() for m in group]
    judged = [one for _ in range(n) for one in exam.assigner.judge(1, rng, prompt("judge").body)[1]]
    random = [exam.assigner.random_masks(SHOWN, rng) for _ in range(n)]
    unrelated = [exam.assigner.unrelated(SHOWN, rng) for _ in range(n)]
    texts = [refine(rng, whole=True) for _ in range(n)]
    sorts = [categorise(rng, whole=True) for _ in range(n)]
    return [
        row("explainer", "names the concept", exam.names(exam.drawn(singles, n)), 0.85),
        row("explainer", "unseen combinations", exam.names(exam.drawn(both, n)), 0.70),
        row("explainer", "random masks: unable", exam.declines(random), 0.90),
        row("explainer", "different concepts: unable", exam.declines(unrelated), 0.90),
        row("explainer", "judges 0 or 1", exam.answers(judged), 0.90),
        row("explainer", "refines", exam.answers(texts), 0.90),
        row("explainer", "categorises", exam.answers(sorts), 0.90),
    ]
