"""Trains the grounder: a label and a picture in, the label's pixels out.

    python -m toybox.train_grounder

Knows labels and exact masks. Its eye is the target's, before it has seen any language, and frozen.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor, PreTrainedTokenizerFast

from toybox.architectures import grounder_config
from toybox.assignments import any_meaning
from toybox.evidence import Meaning, held_out, mask_of, meanings_in
from toybox.recipe import command
from toybox.shipping import pair_processor, ship
from toybox.tokens import build_tokenizer, vocabulary
from toybox.train_clip import FRAMES
from toybox.train_eyes import to_model
from toybox.train_target import trained_eye
from toybox.training import Losses, Plan, device, fit
from toybox.world_draw import Picture, draw_scene
from toybox.world_splits import split

STEPS = 1200
SIZE = 24
LABELS = 6
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


class Lessons:
    """Batches of pictures, drawn anew, with labels; fixed by the step's number."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer

    def batch(self, step: int) -> Grounds:
        """The batch of one step."""
        rng = np.random.default_rng((51, step))
        train = split("train-balanced")
        rows = rng.integers(train.size, size=SIZE)
        pictures = [draw_scene(train.scene(int(row))) for row in rows]
        asked = [(p, m) for p in pictures for m in asked_of(p, rng)]
        frames = [FRAMES[int(i)] for i in rng.integers(len(FRAMES), size=len(asked))]
        texts = [f.replace("{}", m.label) for f, (_, m) in zip(frames, asked, strict=True)]
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


def train(folder: Path, out: Path, *, steps: int = STEPS) -> None:
    """Train, or go on; then ship."""
    tokenizer = build_tokenizer(vocabulary(), wrapped=True)
    torch.manual_seed(4)
    model = CLIPSegForImageSegmentation(grounder_config(len(tokenizer)))
    model.clip.vision_model.load_state_dict(trained_eye(folder).tower.state_dict())
    model.to(device()).eval()
    pointer = Pointer(model)
    lessons = Lessons(tokenizer)
    plan = Plan("grounder", steps, lr=1e-3)
    fit(pointer, plan, lessons.batch, partial(mask_loss, pointer, model), folder / "train")
    ship(model, pair_processor(CLIPSegProcessor, tokenizer), out)


if __name__ == "__main__":
    command("grounder", __doc__, train)
