"""Trains the grounder: which patches fit a label, then which pixels, then what is not there.

    python -m toybox.train_grounder

Knows labels and exact masks. From masks alone the decoder learns where things are long before it
reads which one is meant (docs/log.md), so the first stage compares all patches with many labels.
Its eye is the target's, before it has seen any language, and frozen; its reader begins as CLIP's,
which has to be there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor, PreTrainedTokenizerFast

from toybox.architectures import grounder_config
from toybox.assignments import any_meaning
from toybox.dataset import EvidenceTable, evidence
from toybox.evidence import Meaning, held_out, mask_of, meanings, meanings_in
from toybox.grid import GRID
from toybox.models import load_clip
from toybox.recipe import command
from toybox.shipping import pair_processor, ship
from toybox.tokens import build_tokenizer, vocabulary
from toybox.train_clip import FRAMES
from toybox.train_eyes import to_model
from toybox.train_target import trained_eye
from toybox.training import Losses, Plan, device, fit
from toybox.world_draw import Picture, draw_scene
from toybox.world_splits import split

MATCH_STEPS, STEPS, MISS_STEPS = 800, 800, 300
PICTURES = 60_000
MATCH_SIZE, SIZE = 48, 24
PAIRS, LABELS = 64, 6
"""Labels that are asked about: all single concepts and so many pairs of each batch, then so many of
each picture."""
MATCH_SCALE = 1 / 16
"""Makes a fresh decoder's products about as wide as logits should be."""
Rng = np.random.Generator


class Grounds(NamedTuple):
    """Pictures, LABELS labels for each, and the masks [B * LABELS, H, W]."""

    pixels: Tensor
    labels: dict[str, Tensor]
    masks: Tensor


def asked_of(picture: Picture, rng: Rng) -> list[Meaning]:
    """Labels for a picture: two in three are in it, the rest are as they come."""
    present = [m for m in meanings_in(picture) if not held_out(m)]
    singles = [m for m in present if not m.kind]
    chosen = []
    for _ in range(LABELS):
        chance = rng.random()
        if chance < 0.33:
            chosen.append(any_meaning(rng))
        else:
            options = singles if chance < 0.85 else present
            chosen.append(options[int(rng.integers(len(options)))])
    return chosen


def near_misses_of(picture: Picture, rng: Rng) -> list[Meaning]:
    """Labels for a picture: half are in it, half are like something in it, but are not."""
    present = meanings_in(picture)
    shown = {m for m in present if not held_out(m)}
    chosen = [*rng.permutation(len(present))]
    here = [present[i] for i in chosen if present[i] in shown][: LABELS // 2]
    missed: list[Meaning] = []
    while len(here) + len(missed) < LABELS:
        like = present[int(rng.integers(len(present)))]
        others = [m for m in taught_of(like.group) if m.kind == like.kind and m not in present]
        if others:
            missed.append(others[int(rng.integers(len(others)))])
    return here + missed


@cache
def taught_of(group: str) -> tuple[Meaning, ...]:
    """The taught meanings of a class."""
    return tuple(m for m in meanings() if m.group == group and not held_out(m))


class Matches(NamedTuple):
    """Pictures, labels, and how much of each patch a label's mask fills [B, P, L]."""

    pixels: Tensor
    labels: dict[str, Tensor]
    share_BPL: Tensor


def framed(meaning: Meaning, rng: Rng) -> str:
    """A label as people write it, with or without words around it."""
    return FRAMES[int(rng.integers(len(FRAMES)))].replace("{}", meaning.label)


class MatchLessons:
    """Batches of kept pictures with the same labels for all; fixed by the step's number."""

    def __init__(self, table: EvidenceTable, tokenizer: PreTrainedTokenizerFast) -> None:
        self.table, self.starts, self.tokenizer = table, table.starts(), tokenizer
        self.singles = [n for n, meaning in enumerate(meanings()) if not meaning.kind]

    def batch(self, step: int) -> Matches:
        """The batch of one step."""
        rng = np.random.default_rng((52, step))
        pictures = rng.choice(len(self.table.pixels_NHW3), MATCH_SIZE, replace=False)
        rows = [np.arange(self.starts[p], self.starts[p + 1]) for p in pictures]
        row_R = np.concatenate(rows)
        owner_R = np.repeat(np.arange(MATCH_SIZE), [len(r) for r in rows])
        number_R = self.table.number_R[row_R]
        shown = [n for n in np.unique(number_R) if self._taught_pair(n)]
        asked = [*self.singles, *rng.choice(shown, min(PAIRS, len(shown)), replace=False)]
        place = np.full(len(meanings()), -1)
        place[asked] = np.arange(len(asked))
        here = place[number_R] >= 0
        share = np.zeros((MATCH_SIZE, len(asked), GRID * GRID), np.float32)
        share[owner_R[here], place[number_R[here]]] = self.table.cells_RC[row_R[here]] / 255
        texts = [framed(meanings()[n], rng) for n in asked]
        labels = self.tokenizer(texts, padding=True, return_tensors="pt").to(device())
        share_BPL = torch.from_numpy(share).swapaxes(1, 2).to(device())
        return Matches(to_model(self.table.pixels_NHW3[pictures]), dict(labels), share_BPL)

    @staticmethod
    def _taught_pair(number: int) -> bool:
        meaning = meanings()[number]
        return bool(meaning.kind) and not held_out(meaning)


class Lessons:
    """Batches of pictures, drawn anew, with labels; fixed by the step's number."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        asked_of: Callable[[Picture, Rng], list[Meaning]],
        key: int,
    ) -> None:
        self.tokenizer, self.asked_of, self.key = tokenizer, asked_of, key

    def batch(self, step: int) -> Grounds:
        """The batch of one step."""
        rng = np.random.default_rng((self.key, step))
        train = split("train-balanced")
        rows = rng.integers(train.size, size=SIZE)
        pictures = [draw_scene(train.scene(int(row))) for row in rows]
        asked = [(p, m) for p in pictures for m in self.asked_of(p, rng)]
        texts = [framed(m, rng) for _, m in asked]
        masks = torch.from_numpy(np.stack([mask_of(p, m) for p, m in asked]))
        labels = self.tokenizer(texts, padding=True, return_tensors="pt").to(device())
        pixels = to_model(np.stack([p.pixels_HW3 for p in pictures]))
        return Grounds(pixels, dict(labels), masks.to(device()).float())


class Pointer(nn.Module):
    """The parts of the grounder that learn: its reader and its decoder."""

    def __init__(self, model: CLIPSegForImageSegmentation) -> None:
        super().__init__()
        self.reader = model.clip.text_model
        self.projection = model.clip.text_projection
        self.decoder = model.decoder


def match_loss(pointer: Pointer, model: CLIPSegForImageSegmentation, matches: Matches) -> Losses:
    """Cross-entropy of each label at each patch, from where the decoder lets labels in."""
    with torch.no_grad():
        patches = model.clip.vision_model(matches.pixels).last_hidden_state[:, 1:]
    read = pointer.projection(pointer.reader(**matches.labels).pooler_output)
    decoder = pointer.decoder
    reduced = decoder.reduces[0](patches)
    logits = reduced @ decoder.film_mul(read).T + decoder.film_add(read).sum(-1)
    logits = MATCH_SCALE * logits.float()
    wrong = F.binary_cross_entropy_with_logits(logits, matches.share_BPL, reduction="none")
    return {"match": wrong.sum(-1).mean()}


def mask_loss(pointer: Pointer, model: CLIPSegForImageSegmentation, grounds: Grounds) -> Losses:
    """Cross-entropy at each pixel, and one minus the soft overlap where there is something."""
    with torch.no_grad():
        seen = model.clip.vision_model(grounds.pixels, output_hidden_states=True).hidden_states
        layers = [seen[i + 1].repeat_interleave(LABELS, 0) for i in model.extract_layers]
    read = pointer.projection(pointer.reader(**grounds.labels).pooler_output)
    logits = pointer.decoder(layers, read).logits.float()
    truth = grounds.masks
    some = truth.amax((1, 2)) > 0
    share = logits.sigmoid()
    both = (share * truth).sum((1, 2))
    either = (share + truth - share * truth).sum((1, 2))
    overlap = (1 - both / either.clamp(min=1))[some].mean()
    return {"pixels": 3 * F.binary_cross_entropy_with_logits(logits, truth), "overlap": overlap}


def _begin_small(decoder: nn.Module) -> None:
    """Draw the decoder's weights anew.

    The class draws many of them with a deviation of 1, and logits twelve wide learn nothing.
    """
    for part in decoder.modules():
        if isinstance(part, nn.Linear | nn.ConvTranspose2d):
            part.reset_parameters()


def train(
    folder: Path,
    out: Path,
    *,
    match_steps: int = MATCH_STEPS,
    steps: int = STEPS,
    miss_steps: int = MISS_STEPS,
) -> None:
    """Train, or go on; then ship."""
    table = evidence("train-balanced", PICTURES, folder)
    tokenizer = build_tokenizer(vocabulary(), wrapped=True)
    torch.manual_seed(4)
    model = CLIPSegForImageSegmentation(grounder_config(len(tokenizer)))
    model.clip.vision_model.load_state_dict(trained_eye(folder).tower.state_dict())
    clip = load_clip().model
    model.clip.text_model.load_state_dict(clip.text_model.state_dict())
    model.clip.text_projection.load_state_dict(clip.text_projection.state_dict())
    _begin_small(model.decoder)
    model.to(device()).eval()
    pointer = Pointer(model)
    state = folder / "train"
    match = partial(match_loss, pointer, model)
    first = Plan("grounder-match", match_steps, lr=1e-3)
    fit(pointer, first, MatchLessons(table, tokenizer).batch, match, state)
    mask = partial(mask_loss, pointer, model)
    lessons = Lessons(tokenizer, asked_of, 51)
    fit(pointer, Plan("grounder", steps, lr=1e-3), lessons.batch, mask, state)
    lessons = Lessons(tokenizer, near_misses_of, 53)
    fit(pointer, Plan("grounder-miss", miss_steps, lr=5e-4), lessons.batch, mask, state)
    ship(model, pair_processor(CLIPSegProcessor, tokenizer), out)


if __name__ == "__main__":
    command("grounder", __doc__, train)
