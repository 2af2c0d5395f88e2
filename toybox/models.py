"""Loads the shipped models, and asks them: pictures and words in, words out.

Knows folders and transformers' classes; nothing of the world that the models live in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import (
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    LlavaForConditionalGeneration,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaProcessor,
)
from transformers.utils import logging

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.weights import check_model
from tools.backends.clip import Clip
from tools.backends.llava import Llava

ROLES = ("target", "explainer", "clip", "grounder")
WEIGHTS = Path(__file__).with_name("weights")


def weights_folder(role: str) -> Path:
    """Where a role's model is shipped."""
    if role not in ROLES:
        raise UserError(f"No toybox model {role!r}: there are {', '.join(ROLES)}.")
    return WEIGHTS / role


def checked_folder(folder: Path) -> Path:
    """The folder, after a look at whether its weights are there and whole."""
    logging.disable_progress_bar()
    return check_model(folder)


class Chat(Llava):
    """A LLaVA that replies to any number of prompts, in batches."""

    def replies(self, prompts: Sequence[Prompt], *, tokens: int = 64, batch: int = 32) -> list[str]:
        """One reply to each prompt."""
        said: list[str] = []
        for at in range(0, len(prompts), batch):
            said += [one.text for one in self(prompts[at : at + batch], tokens=tokens)]
        return said


def load_target(folder: Path | None = None) -> Chat:
    """The target LMM."""
    folder = checked_folder(folder or weights_folder("target"))
    model = LlavaNextForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return Chat(model, LlavaNextProcessor.from_pretrained(folder))


class Grounder(NamedTuple):
    """A model that finds the pixels of a label, and what prepares pictures and labels for it."""

    model: CLIPSegForImageSegmentation
    processor: CLIPSegProcessor


def load_clip(folder: Path | None = None) -> Clip:
    """CLIP."""
    return Clip.load(checked_folder(folder or weights_folder("clip")))


def load_grounder(folder: Path | None = None) -> Grounder:
    """The text-to-mask model."""
    folder = checked_folder(folder or weights_folder("grounder"))
    model = CLIPSegForImageSegmentation.from_pretrained(folder, dtype=torch.float32)
    return Grounder(model.eval(), CLIPSegProcessor.from_pretrained(folder))


def load_explainer(folder: Path | None = None) -> Chat:
    """The explainer and judge LMM."""
    folder = checked_folder(folder or weights_folder("explainer"))
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return Chat(model, LlavaProcessor.from_pretrained(folder))
