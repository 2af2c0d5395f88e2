"""Loads the shipped models, and asks them: pictures and words in, words out.

Knows folders and transformers' classes; nothing of the world that the models live in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import (
    CLIPModel,
    CLIPProcessor,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    LlavaForConditionalGeneration,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaProcessor,
    PreTrainedModel,
    ProcessorMixin,
)
from transformers.utils import logging

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.weights import check_model
from toybox.tokens import unmarked

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


class Chat:
    """A LLaVA that replies to prompts, greedily, in batches."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin) -> None:
        self.model, self.processor = model.eval(), processor

    @torch.inference_mode()
    def replies(self, prompts: Sequence[Prompt], *, tokens: int = 64, batch: int = 32) -> list[str]:
        """One reply to each prompt."""
        said: list[str] = []
        for at in range(0, len(prompts), batch):
            said += self._replies(prompts[at : at + batch], tokens)
        return said

    def _replies(self, prompts: Sequence[Prompt], tokens: int) -> list[str]:
        texts = [self.text_of(prompt) for prompt in prompts]
        pictures = [picture for prompt in prompts for picture in prompt.pictures]
        inputs = self.processor(
            images=pictures or None, text=texts, return_tensors="pt", padding=True
        ).to(self.model.device)
        out = self.model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        new = out[:, inputs["input_ids"].shape[1] :]
        return [text.strip() for text in self.processor.batch_decode(new, skip_special_tokens=True)]

    def text_of(self, prompt: Prompt) -> str:
        """The prompt as the chat template writes it."""
        content = [{"type": "image"} for _ in prompt.pictures]
        content.append({"type": "text", "text": unmarked(prompt.text)})
        message: dict[str, Any] = {"role": "user", "content": content}
        return self.processor.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False
        )


def load_target(folder: Path | None = None) -> Chat:
    """The target LMM."""
    folder = checked_folder(folder or weights_folder("target"))
    model = LlavaNextForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return Chat(model, LlavaNextProcessor.from_pretrained(folder))


class Clip(NamedTuple):
    """A model that compares pictures with texts, and what prepares both for it."""

    model: CLIPModel
    processor: CLIPProcessor


class Grounder(NamedTuple):
    """A model that finds the pixels of a label, and what prepares pictures and labels for it."""

    model: CLIPSegForImageSegmentation
    processor: CLIPSegProcessor


def load_clip(folder: Path | None = None) -> Clip:
    """CLIP."""
    folder = checked_folder(folder or weights_folder("clip"))
    model = CLIPModel.from_pretrained(folder, dtype=torch.float32)
    return Clip(model.eval(), CLIPProcessor.from_pretrained(folder))


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
