"""Any image-text-to-text model of transformers, from a folder, as a chat model in this process.

In shapes, B is a prompt of a batch, T a token. Knows processors, chat templates and greedy
generation; nothing of what is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    PreTrainedModel,
    ProcessorMixin,
)
from transformers.utils import logging

from sae_core.errors import UserError
from sae_core.lmm.adapter import Prompt
from sae_core.weights import check_model, digest_of
from tools.backends.local import Generated, LocalChat

BATCH = 16
"""Prompts that are answered at once."""


class Llava:
    """A model that replies to prompts: pictures first, then text."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin) -> None:
        if not getattr(processor, "chat_template", None):
            raise UserError(
                f"This {type(processor).__name__} has no chat template: nobody knows how its model "
                "wants to be asked. Put a chat_template.jinja into the model's folder"
            )
        self.model, self.processor = model.eval(), processor
        # What is generated follows the last token of each row, which must not be padding.
        processor.tokenizer.padding_side = "left"
        self._markers = markers_of(processor)
        ends = self.model.generation_config.eos_token_id
        self._ends = torch.tensor([] if ends is None else ends, dtype=torch.long).flatten()
        """The tokens that end a reply."""

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[Prompt], /, *, tokens: int) -> list[Generated]:
        """One reply to each prompt, greedily, of at most so many tokens."""
        inputs = self._inputs(prompts)
        out_BT = self.model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        new_BT = out_BT[:, inputs["input_ids"].shape[1] :]
        texts = self.processor.batch_decode(new_BT, skip_special_tokens=True)
        read_B = inputs["attention_mask"].sum(1)
        ends_BT = torch.isin(new_BT, self._ends.to(new_BT.device))
        return [
            _generated(text.strip(), int(read), ends_T, tokens)
            for text, read, ends_T in zip(texts, read_B, ends_BT, strict=True)
        ]

    def text_of(self, prompt: Prompt) -> str:
        """The prompt as the chat template writes it."""
        content: list[dict[str, str]] = [{"type": "image"} for _ in prompt.pictures]
        content.append({"type": "text", "text": parted(prompt.text, self._markers)})
        message: dict[str, Any] = {"role": "user", "content": content}
        return self.processor.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False
        )

    def _inputs(self, prompts: Sequence[Prompt]) -> dict[str, Any]:
        texts = [self.text_of(prompt) for prompt in prompts]
        pictures = [[picture.convert("RGB") for picture in one.pictures] for one in prompts]
        start = self.processor.tokenizer.bos_token
        made = self.processor(
            # Kept apart by prompts: some models see several pictures of one otherwise.
            images=[row for row in pictures if row] or None,
            text=texts,
            padding=True,
            return_tensors="pt",
            # A template that writes the start of a text itself must not get a second one.
            add_special_tokens=not (start and texts[0].startswith(start)),
        )
        return {name: self._moved(tensor) for name, tensor in made.items()}

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        dtype = self.model.dtype if tensor.is_floating_point() else None
        return tensor.to(self.model.device, dtype)


def _generated(text: str, read: int, ends_T: torch.Tensor, most: int) -> Generated:
    """A reply goes on to the first token that ends it; what follows in its row is padding."""
    ended = bool(ends_T.any())
    written = int(ends_T.int().argmax()) + 1 if ended else len(ends_T)
    return Generated(text, read, written, cut=not ended and written >= most)


def load_llava(
    folder: Path, *, name: str, dtype: torch.dtype = torch.float32, batch: int = BATCH
) -> LocalChat:
    """A folder's model, on the GPU where there is one."""
    logging.disable_progress_bar()
    if not check_model(folder).is_dir():
        raise UserError(f"{name} is no folder. Try hf download {folder}, and name where it lies")
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype)
    if torch.cuda.is_available():
        model = model.to("cuda")
    llava = Llava(model, AutoProcessor.from_pretrained(folder))
    return LocalChat(llava, name=name, identity=f"{name} {digest_of(folder)} {dtype}", batch=batch)


def markers_of(processor: ProcessorMixin) -> tuple[str, ...]:
    """What stands for a picture or a turn in a text, and no word of a user's may be."""
    tokenizer = processor.tokenizer
    special = {str(one) for one in tokenizer.added_tokens_decoder.values() if one.special}
    shown = {getattr(processor, f"{kind}_token", None) for kind in ("image", "video")}
    found = special | set(tokenizer.all_special_tokens) | {str(one) for one in shown if one}
    return tuple(sorted((one for one in found if len(one) > 1), key=len, reverse=True))


def parted(text: str, markers: Sequence[str]) -> str:
    """The text with a space within each marker."""
    for marker in markers:
        text = text.replace(marker, f"{marker[0]} {marker[1:]}")
    return text
