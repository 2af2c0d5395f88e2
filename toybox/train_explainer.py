"""Trains the explainer and judge: it sees masked pictures, names what is bright, then explains.

    python -m toybox.train_explainer

Knows the order of the stages. Trained on balanced pictures only: the explainer does not share the
target's bias, nor its eye.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from sae_core.masks import highlighted
from sae_core.training.checkpoint import read_checkpoint
from toybox.architectures import coarse_eye, explainer_config
from toybox.assignments import (
    PAIRS,
    Assigner,
    Assignment,
    Masked,
    categorise,
    prompt,
    refine,
    terse,
    varied,
)
from toybox.dataset import FACETS, EvidenceTable, evidence
from toybox.evidence import SPOKEN_GROUPS
from toybox.packing import Packed, Turn, pack, to
from toybox.recipe import command
from toybox.shipping import explainer_processor, ship
from toybox.speaking import alignment, facet_words, packed_loss, turn
from toybox.tokens import (
    BOS,
    IMAGE,
    USER,
    build_tokenizer,
    token_ids,
    vocabulary,
)
from toybox.train_eyes import Album, Seen, coarse_batch, to_model, train_eye
from toybox.training import Losses, Plan, device, fit
from toybox.world_text import listing

EYE_STEPS, LOOK_STEPS, SAY_STEPS, SETTLE_STEPS = 1300, 900, 1500, 520
DRILL_STEPS, LEVEL_STEPS = 2200, 500
PICTURES = 60_000
COUNTS = {1: 0.04, 2: 0.04, 3: 0.12, 4: 0.14, 5: 0.5, 6: 0.12, 8: 0.04}
"""How often so many pictures are shown at once."""
FACET_NAMES = {"finish": "pattern", "text": "word"}
Rng = np.random.Generator


class Page(nn.Module):
    """The parts of the explainer that learn to speak; its eye stays as it is."""

    def __init__(self, model: LlavaForConditionalGeneration) -> None:
        super().__init__()
        self.language = model.model.language_model
        self.projector = model.model.multi_modal_projector
        self.head = model.lm_head


class Batch(NamedTuple):
    """Packed turns, and the masked pictures that they are about, if any, all rows in order."""

    packed: Packed
    seen: Seen | None


class Lessons:
    """Batches of assignments; each step has one kind, fixed by the step's number."""

    def __init__(
        self, table: EvidenceTable, tokenizer: PreTrainedTokenizerFast, sides: int
    ) -> None:
        self.table, self.tokenizer, self.sides = table, tokenizer, sides
        self.assigner, self.album = Assigner(table), Album(table)
        self.start, self.image = token_ids(tokenizer, BOS, USER), token_ids(tokenizer, IMAGE)

    def look(self, step: int, size: int = 48) -> Batch:
        """What is bright in one picture: reading off comes before comparing (docs/log.md)."""
        rng = np.random.default_rng((32, step))
        made = [self.assigner.explain(1, rng, "") for _ in range(size)]
        rows = [self._readings(one, rng, 6) for one in made]
        return self._packed(rows, [one.pictures[0] for one in made], 1)

    def say(self, step: int) -> Batch:
        """Everything that it is asked later, and a little of what it had to learn first."""
        rng = np.random.default_rng((31, step))
        chance = rng.random()
        if chance < 0.55:
            return self._explain(rng)
        if chance < 0.62:
            return self.look(step)
        return self._judge(rng) if chance < 0.77 else self._text(rng)

    def settle(self, step: int) -> Batch:
        """More of what is learned last: judging, and copying a label out of a description."""
        rng = np.random.default_rng((33, step))
        chance = rng.random()
        if chance < 0.42:
            return self._explain(rng)
        return self._judge(rng, 40) if chance < 0.78 else self._text(rng)

    def drill(self, step: int) -> Batch:
        """What was still wrong: many short questions a step, as looking was learned."""
        rng = np.random.default_rng((34, step))
        chance = rng.random()
        if chance < 0.4:
            return self._explain(rng, groups=(*SPOKEN_GROUPS, *PAIRS, *PAIRS))
        if chance < 0.65:
            return self._verdicts(rng)
        if chance < 0.78:
            return self._judge(rng, 24)
        return self._labels(rng) if chance < 0.9 else self._text(rng)

    def level(self, step: int) -> Batch:
        """Single concepts as often as pairs again, and more that have nothing in common."""
        rng = np.random.default_rng((35, step))
        chance = rng.random()
        if chance < 0.66:
            return self._explain(rng, unlike=0.24)
        if chance < 0.78:
            return self._verdicts(rng)
        return self._judge(rng, 24) if chance < 0.88 else self._text(rng)

    def _explain(
        self,
        rng: Rng,
        size: int = 16,
        groups: tuple[str, ...] = SPOKEN_GROUPS,
        unlike: float = 0.12,
    ) -> Batch:
        count = int(rng.choice(list(COUNTS), p=list(COUNTS.values())))
        wording = prompt("explain").body
        made = [
            self.assigner.explain(count, rng, varied(wording, rng), groups, unlike)
            for _ in range(size)
        ]
        rows = [[one, *self._readings(one, rng)] for one in made]
        return self._packed(rows, [masked for one in made for masked in one.pictures], count)

    def _judge(self, rng: Rng, size: int = 20) -> Batch:
        wording = prompt("judge").body
        made = [self.assigner.judge(5, rng, varied(wording, rng)) for _ in range(size)]
        rows = [[*turns, *self._readings(turns[0], rng)] for _, turns in made]
        return self._packed(rows, [shown for shown, _ in made], 1)

    def _verdicts(self, rng: Rng, size: int = 48, count: int = 6) -> Batch:
        """One picture, many explanations, each without the prompt's instructions."""
        wording = terse(prompt("judge").body)
        made = [self.assigner.judge(count, rng, wording) for _ in range(size)]
        rows = [[*turns, *self._readings(turns[0], rng, 1)] for _, turns in made]
        return self._packed(rows, [shown for shown, _ in made], 1)

    def _labels(self, rng: Rng, size: int = 48, count: int = 6) -> Batch:
        wording = terse(prompt("refine").body)
        rows = [[refine(rng, wording=wording) for _ in range(count)] for _ in range(size)]
        return self._packed(rows, [], 0)

    def _readings(self, one: Assignment, rng: Rng, count: int = 3) -> list[Assignment]:
        """Easier questions on the way to an explanation: which objects, colours, ... are bright."""
        labels = [self.album.bright_labels(p, active, self.sides) for p, active in one.pictures]
        bright_XF = np.concatenate(labels)
        made = []
        for facet in rng.choice(len(FACETS), count, replace=False):
            name, words = list(FACETS.items())[facet]
            found = [words[i] for i in np.unique(bright_XF[:, facet]) if i > 0]
            reply = "many" if len(found) > 3 else listing(found)
            asked = f"which {FACET_NAMES.get(name, name)} is bright?"
            made.append(Assignment(one.pictures, asked, reply))
        return made

    def _text(self, rng: Rng, size: int = 32) -> Batch:
        rows = [[refine(rng), refine(rng), categorise(rng), categorise(rng)] for _ in range(size)]
        return self._packed(rows, [], 0)

    def _turn(self, one: Assignment) -> Turn:
        return turn(self.tokenizer, one.asked, one.reply)

    def _packed(self, rows: list[list[Assignment]], shown: list[Masked], count: int) -> Batch:
        prefix = [*self.start, *self.image * (count * self.sides**2)]
        packed = to(pack([[self._turn(one) for one in row] for row in rows], prefix), device())
        if not shown:
            return Batch(packed, None)
        pixels = np.stack([highlighted(self.table.pixels_NHW3[p], active) for p, active in shown])
        labels = [self.album.bright_labels(p, active, self.sides) for p, active in shown]
        bright = torch.from_numpy(np.stack(labels)).to(device())
        return Batch(packed, Seen(to_model(pixels), bright))


def page_loss(page: Page, eye: nn.Module, words: list[Tensor], batch: Batch) -> Losses:
    """Replies, and the alignment of bright patches with words."""
    embedding = page.language.get_input_embeddings()
    embedded = embedding(batch.packed.tokens)
    losses: Losses = {}
    if batch.seen is not None:
        with torch.no_grad():
            hidden = eye(batch.seen.pixels).last_hidden_state[:, 1:]
        patches = page.projector(hidden)
        seen = patches.reshape(len(embedded), -1, patches.shape[-1])
        end = 2 + seen.shape[1]
        embedded = torch.cat([embedded[:, :2], seen, embedded[:, end:]], 1)
        losses["align"] = 0.3 * alignment(patches, embedding, batch.seen.labels_BPF, words)
    losses["say"] = packed_loss(page.language, page.head, embedded, batch.packed)
    return losses


def halfway(page: Page, earlier: dict[str, Tensor]) -> None:
    """The mean of two stages' weights.

    The drilled one is better at pairs, the level one at saying that there is nothing to say;
    between them neither is lost.
    """
    now = page.state_dict()
    page.load_state_dict({name: (now[name] + earlier[name].to(now[name])) / 2 for name in now})


def build(tokenizer: PreTrainedTokenizerFast) -> LlavaForConditionalGeneration:
    """An untrained explainer."""
    torch.manual_seed(2)
    (image,) = token_ids(tokenizer, IMAGE)
    return LlavaForConditionalGeneration(explainer_config(len(tokenizer), image))


def train(
    folder: Path,
    out: Path,
    *,
    eye_steps: int = EYE_STEPS,
    look_steps: int = LOOK_STEPS,
    steps: int = SAY_STEPS,
    settle_steps: int = SETTLE_STEPS,
    drill_steps: int = DRILL_STEPS,
    level_steps: int = LEVEL_STEPS,
) -> None:
    """All stages, each resumed or skipped where its checkpoint says so; then ship."""
    table = evidence("train-balanced", PICTURES, folder)
    state = folder / "train"
    plan = Plan("coarse-eye", eye_steps, lr=2e-3, warmup=150)
    eye = train_eye(coarse_eye(), plan, partial(coarse_batch, Album(table)), state)
    tokenizer = build_tokenizer(vocabulary())
    model = build(tokenizer)
    model.model.vision_tower.load_state_dict(eye.tower.state_dict())
    lessons = Lessons(table, tokenizer, eye.sides)
    page, words = Page(model), facet_words(tokenizer)
    loss = partial(page_loss, page, eye.tower, words)
    fit(page, Plan("explainer-look", look_steps, lr=1.5e-3), lessons.look, loss, state)
    fit(page, Plan("explainer-say", steps, lr=1.5e-3), lessons.say, loss, state)
    fit(page, Plan("explainer-settle", settle_steps, lr=1e-3), lessons.settle, loss, state)
    fit(page, Plan("explainer-drill", drill_steps, lr=1.2e-3), lessons.drill, loss, state)
    fit(page, Plan("explainer-level", level_steps, lr=6e-4), lessons.level, loss, state)
    halfway(page, read_checkpoint(state / "explainer-drill.pt")["modules"])
    ship(model, explainer_processor(tokenizer), out)


if __name__ == "__main__":
    command("explainer", __doc__, train)
