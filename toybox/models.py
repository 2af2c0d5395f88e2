"""Loads the shipped models, and asks them: pictures and words in, words out.

Knows folders and transformers' classes; nothing of the world that the models live in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from transformers import (
    LlavaForConditionalGeneration,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaProcessor,
    PreTrainedModel,
    ProcessorMixin,
)

from sae_core.errors import UserError
from sae_core.weights import check_weights

ROLES = ("target", "explainer", "clip", "grounder")
WEIGHTS = Path(__file__).with_name("weights")


def weights_folder(role: str) -> Path:
    """Where a role's model is shipped."""
    if role not in ROLES:
        raise UserError(f"No toybox model {role!r}: there are {', '.join(ROLES)}.")
    return WEIGHTS / role


def checked_folder(folder: Path) -> Path:
    """The folder, after a look at whether its weights are there and whole."""
    if not (folder / "config.json").exists():
        raise UserError(
            f"No model at {folder}: config.json is missing. "
            "Restore it with git checkout, or retrain it (toybox/README.md)."
        )
    check_weights(folder / "model.safetensors")
    return folder


class Prompt(NamedTuple):
    """What is sent in one user turn: pictures first, then text."""

    pictures: tuple[Image.Image, ...]
    text: str


class Chat:
    """A LLaVA that replies to prompts, greedily, in batches."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin) -> None:
        self.model, self.processor = model.eval(), processor

    @torch.inference_mode()
    def replies(
        self, prompts: Sequence[Prompt], *, tokens: int = 64, batch: int = 32
    ) -> list[str]:
        """One reply to each prompt."""
        said: list[str] = []
        for at in range(0, len(prompts), batch):
            said += self._replies(prompts[at : at + batch], tokens)
        return said

    def _replies(self, prompts: Sequence[Prompt], tokens: int) -> list[str]:
        texts = [self._chat(prompt) for prompt in prompts]
        pictures = [picture for prompt in prompts for picture in prompt.pictures]
        inputs = self.processor(
            images=pictures or None, text=texts, return_tensors="pt", padding=True
        ).to(self.model.device)
        out = self.model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        new = out[:, inputs["input_ids"].shape[1] :]
        return [
            text.strip() for text in self.processor.batch_decode(new, skip_special_tokens=True)
        ]

    def _chat(self, prompt: Prompt) -> str:
        content = [{"type": "image"} for _ in prompt.pictures]
        message = {"role": "user", "content": [*content, {"type": "text", "text": prompt.text}]}
        return self.processor.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False
        )


def load_target(folder: Path | None = None) -> Chat:
    """The target LMM."""
    folder = checked_folder(folder or weights_folder("target"))
    model = LlavaNextForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return Chat(model, LlavaNextProcessor.from_pretrained(folder))


def load_explainer(folder: Path | None = None) -> Chat:
    """The explainer and judge LMM."""
    folder = checked_folder(folder or weights_folder("explainer"))
    model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return Chat(model, LlavaProcessor.from_pretrained(folder))
