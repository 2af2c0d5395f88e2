"""Trains the target: sees first, then answers short questions, then speaks through anyres.

    python -m toybox.train_target

Knows the order of the stages. Trained on natural pictures, so it catches the planted bias.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from transformers import LlavaNextForConditionalGeneration, PreTrainedTokenizerFast

from toybox.architectures import fine_eye, target_config
from toybox.dataset import Labelled, labelled
from toybox.grid import GRID
from toybox.packing import Packed, pack, to
from toybox.recipe import command
from toybox.shipping import ship, target_processor
from toybox.speaking import alignment, facet_words, keep_features, packed_loss, turn
from toybox.tokens import (
    BOS,
    IMAGE,
    USER,
    build_tokenizer,
    token_ids,
    vocabulary,
)
from toybox.train_eyes import Eye, epoch_rows, fine_batch, train_eye, with_scene
from toybox.training import Losses, Plan, device, fit
from toybox.world import SIZE, Scene
from toybox.world_splits import split
from toybox.world_text import ATTRIBUTES, BINDING, LONG_FORMS, LOOKING_UP, ask

EYE_STEPS = 1700
PICTURES = 100_000
SPOKEN = 36_000
"""Pictures that are spoken about; the eye sees them all."""
EMPTY = Scene(None, (), 0)


class Stage(NamedTuple):
    """One part of learning to speak: a plan, the forms asked more, and with tiles or not."""

    plan: Plan
    more: Mapping[str, float]
    tiles: bool = False
    short: int = 14
    """How many short questions are asked about a picture."""
    long: tuple[str, ...] = ()
    """Which long ones; `any` stands for one of them by chance."""


STAGES = (
    Stage(Plan("target-look", 1100, lr=2e-3, floor=0.3), LOOKING_UP),
    Stage(Plan("target-bind", 270, lr=2e-3, floor=0.3), BINDING),
    Stage(Plan("target-attributes", 350, lr=2e-3, floor=0.3), ATTRIBUTES),
    Stage(Plan("target-full", 550, lr=1e-3), {}, True, 10, ("any", "described")),
    Stage(
        Plan("target-speak", 600, lr=1.5e-3),
        {"where": 3.0, "what_at": 3.0, "how_many": 2.0},
        True,
        6,
        ("described", "described", "listed", "listed", "told"),
    ),
)
"""Base pictures alone while looking things up is learned; then all forms, through anyres; last
mostly captions, which are learned slowest."""


class Speaker(nn.Module):
    """The parts of the target that learn to speak; its eye is trained before and stays as it is."""

    def __init__(self, model: LlavaNextForConditionalGeneration) -> None:
        super().__init__()
        inner = model.model
        self.language = inner.language_model
        self.projector = inner.multi_modal_projector
        self.newline = inner.image_newline
        self.head = model.lm_head

    def see(self, features_BPD: Tensor, tiles: bool) -> tuple[Tensor, Tensor]:
        """Projected patches, and the picture's tokens: base, then the tile's rows, as anyres."""
        base = self.projector(features_BPD)
        if not tiles:
            return base, base
        size, _, width = base.shape
        newline = self.newline.expand(size, GRID, 1, width)
        rows = torch.cat([base.reshape(size, GRID, GRID, width), newline], 2)
        return base, torch.cat([base, rows.flatten(1, 2)], 1)


def blank_pictures() -> np.ndarray:
    """Pictures of nothing, from black to white: a target that is steered needs an empty stage."""
    greys = np.linspace(0, 255, 32).astype(np.uint8)
    return np.broadcast_to(greys[:, None, None, None], (32, SIZE, SIZE, 3))


def picture_tokens(tiles: bool) -> int:
    """How many positions a picture takes."""
    return GRID * GRID + (GRID * (GRID + 1) if tiles else 0)


class Lessons:
    """Batches for the speaker: kept features, patch labels, packed turns."""

    def __init__(
        self,
        data: Labelled,
        features: np.ndarray,
        blank: np.ndarray,
        tokenizer: PreTrainedTokenizerFast,
        stage: Stage,
    ) -> None:
        self.data, self.features, self.blank, self.stage = data, features, blank, stage
        self.key = zlib.crc32(stage.plan.name.encode())
        image = token_ids(tokenizer, IMAGE)
        self.prefix = [*token_ids(tokenizer, BOS, USER), *image * picture_tokens(stage.tiles)]
        self.size = 32 if stage.tiles else 48
        self.turn = cache(lambda asked, answer: turn(tokenizer, asked, answer))

    def batch(self, step: int) -> tuple[Packed, Tensor, Tensor]:
        """The batch of one step, fixed by its number."""
        rng = np.random.default_rng((self.key, step))
        rows = epoch_rows(len(self.features), self.size, step, self.key)
        scenes = [split("train").scene(int(row)) for row in rows]
        features = self.features[rows]
        labels = with_scene(self.data.patches_NPF[rows], self.data.scenes_N[rows])
        if step % 2:
            scenes[0], labels[0] = EMPTY, 0
            features[0] = self.blank[int(rng.integers(len(self.blank)))]
        turns = []
        for scene in scenes:
            questions = ask(scene, rng, self.stage.short, more=self.stage.more)
            some = LONG_FORMS[int(rng.integers(len(LONG_FORMS)))]
            forms = tuple(some if form == "any" else form for form in self.stage.long)
            questions += ask(scene, rng, 0, forms) if forms else []
            turns.append([self.turn(q.text, q.answer) for q in dict.fromkeys(questions)])
        where = device()
        packed = to(pack(turns, self.prefix), where)
        seen = torch.from_numpy(features).to(where).float()
        return packed, seen, torch.from_numpy(labels).to(where)


def speaker_loss(
    speaker: Speaker, words: list[Tensor], tiles: bool, batch: tuple[Packed, Tensor, Tensor]
) -> Losses:
    """Answers, and the alignment of patches with words."""
    packed, features, labels = batch
    embedding = speaker.language.get_input_embeddings()
    base, seen = speaker.see(features, tiles)
    embedded = embedding(packed.tokens)
    start = 2  # after <s> and <user>
    embedded = torch.cat([embedded[:, :start], seen, embedded[:, start + seen.shape[1] :]], 1)
    said = packed_loss(speaker.language, speaker.head, embedded, packed)
    return {"say": said, "align": 0.3 * alignment(base, embedding, labels, words)}


def trained_eye(folder: Path) -> Eye:
    """The fine eye, trained where it isn't yet."""
    data = cache(lambda: labelled("train", PICTURES, folder))  # a finished eye needs no pictures
    plan = Plan("fine-eye", EYE_STEPS, lr=2e-3, warmup=150)
    return train_eye(fine_eye(), plan, lambda step: fine_batch(data(), step), folder / "train")


def build(tokenizer: PreTrainedTokenizerFast) -> LlavaNextForConditionalGeneration:
    """An untrained target."""
    torch.manual_seed(1)
    (image,) = token_ids(tokenizer, IMAGE)
    return LlavaNextForConditionalGeneration(target_config(len(tokenizer), image))


def train(folder: Path, out: Path) -> None:
    """All stages, each resumed or skipped where its checkpoint says so; then ship."""
    state = folder / "train"
    data = labelled("train", SPOKEN, folder)
    eye = trained_eye(folder)
    features = keep_features(eye.tower, data.pixels_NHW3, folder)
    blank = keep_features(eye.tower, blank_pictures(), folder)
    tokenizer = build_tokenizer(vocabulary())
    model = build(tokenizer)
    model.model.vision_tower.load_state_dict(eye.tower.state_dict())
    speaker, words = Speaker(model), facet_words(tokenizer)
    for stage in STAGES:
        lessons = Lessons(data, features, blank, tokenizer, stage)
        loss = partial(speaker_loss, speaker, words, stage.tiles)
        fit(speaker, stage.plan, lessons.batch, loss, state)
    ship(model, target_processor(tokenizer), out)


if __name__ == "__main__":
    command("target", __doc__, train)
