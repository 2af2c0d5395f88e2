"""Trains CLIP: pictures beside their captions, and beside the labels of what is in them.

    python -m toybox.train_clip

Knows pairs of pictures and texts. Starts from the target's eye, before it has seen any language.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPModel, CLIPProcessor, PreTrainedTokenizerFast

from toybox.architectures import clip_config
from toybox.dataset import EvidenceTable, evidence
from toybox.evidence import meanings
from toybox.recipe import command
from toybox.shipping import pair_processor, ship
from toybox.tokens import build_tokenizer, vocabulary
from toybox.train_eyes import Album, to_model
from toybox.train_target import trained_eye
from toybox.training import Losses, Plan, device, fit
from toybox.vocabulary import article
from toybox.world import Scene
from toybox.world_splits import split
from toybox.world_text import caption, listing, phrase, place_of

STEPS, LABEL_STEPS = 800, 350
PICTURES = 60_000
SIZE = 64
LABELS, MORE_LABELS = 4, 12
"""Labels of each picture: few beside captions, then more, since telling near misses apart in a word
or two is learned more slowly than finding a caption."""
FRAMES = ("{}", "{}", "a picture of {}", "the {}", "a photo of {}", "{} in a picture")
Rng = np.random.Generator


class Pairs(NamedTuple):
    """Pictures, a caption of each, labels of each, and which of all labels are true of which."""

    pixels: Tensor
    captions: dict[str, Tensor]
    labels: dict[str, Tensor]
    true_BL: Tensor


def some_caption(scene: Scene, rng: Rng) -> str:
    """A caption: mostly whole, sometimes without the place or with fewer attributes."""
    chance = rng.random()
    if chance < 0.6 or not scene.shown:
        return caption(scene)
    order = rng.permutation(len(scene.shown))
    things = [scene.shown[i] for i in order]
    if chance < 0.8:
        return f"{listing([article(phrase(t)) for t in things])}."
    return f"{listing([article(t.kind) for t in things])}, {place_of(scene)}."


class Lessons:
    """Batches of pairs, fixed by the step's number."""

    def __init__(
        self, table: EvidenceTable, tokenizer: PreTrainedTokenizerFast, labels: int
    ) -> None:
        self.table, self.album, self.tokenizer = table, Album(table), tokenizer
        self.labels = labels

    def batch(self, step: int) -> Pairs:
        """The batch of one step."""
        rng = np.random.default_rng((41, step, self.labels))
        rows = rng.choice(len(self.table.pixels_NHW3), SIZE, replace=False)
        captions = [some_caption(split("train-balanced").scene(int(row)), rng) for row in rows]
        present = [set(self.table.number_R[self.album.rows(int(row))].tolist()) for row in rows]
        asked = [int(n) for found in present for n in rng.choice(sorted(found), self.labels)]
        frames = [FRAMES[int(i)] for i in rng.integers(len(FRAMES), size=len(asked))]
        texts = [f.replace("{}", meanings()[n].label) for f, n in zip(frames, asked, strict=True)]
        true = torch.tensor([[n in found for n in asked] for found in present], device=device())
        return Pairs(
            to_model(self.table.pixels_NHW3[rows]), self._read(captions), self._read(texts), true
        )

    def _read(self, texts: list[str]) -> dict[str, Tensor]:
        return dict(self.tokenizer(texts, padding=True, return_tensors="pt").to(device()))


def pair_loss(model: CLIPModel, pairs: Pairs) -> Losses:
    """Which caption of all is this picture's and back; which labels of all are true of it."""
    seen = F.normalize(model.get_image_features(pairs.pixels).pooler_output, dim=-1)
    told = F.normalize(model.get_text_features(**pairs.captions).pooler_output, dim=-1)
    named = F.normalize(model.get_text_features(**pairs.labels).pooler_output, dim=-1)
    scale = model.logit_scale.exp().clamp(max=100)
    own = torch.arange(len(seen), device=seen.device)
    table = scale * seen @ told.T
    labels = scale * seen @ named.T
    others = labels.masked_fill(pairs.true_BL, -torch.inf).logsumexp(1, keepdim=True)
    wrong = F.softplus(others - labels)[pairs.true_BL].mean()
    return {
        "caption": (F.cross_entropy(table, own) + F.cross_entropy(table.T, own)) / 2,
        "label": wrong,
    }


def train(folder: Path, out: Path, *, steps: int = STEPS, label_steps: int = LABEL_STEPS) -> None:
    """Train, or go on; then ship."""
    table = evidence("train-balanced", PICTURES, folder)
    tokenizer = build_tokenizer(vocabulary(), wrapped=True)
    torch.manual_seed(3)
    model = CLIPModel(clip_config(len(tokenizer)))
    tower = trained_eye(folder).tower.state_dict()
    model.vision_model.load_state_dict(tower)
    plans = (
        (Plan("clip", steps, lr=6e-4), LABELS),
        (
            Plan("clip-labels", label_steps, lr=5e-4),
            MORE_LABELS,
        ),
    )
    for plan, labels in plans:
        lessons = Lessons(table, tokenizer, labels)
        fit(model, plan, lessons.batch, partial(pair_loss, model), folder / "train")
    ship(model, pair_processor(CLIPProcessor, tokenizer), out)


if __name__ == "__main__":
    command("clip", __doc__, train)
