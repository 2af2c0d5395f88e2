"""What all adapters share: the language model's blocks, and prompts into left-padded batches.

Knows processors' text side and chat templates; which part of a picture a position shows is each
adapter's own knowledge.

Shapes: B rows of a batch, T positions.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, ProcessorMixin

from sae_core.errors import UserError
from sae_core.lmm.adapter import Inputs, Prompt
from sae_core.lmm.anyres import Size
from sae_core.lmm.layout import Region, laid_out
from sae_core.lmm.processor import ids_of


class CommonAdapter(ABC):
    """An adapter but for the geometry of its pictures."""

    name = ""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin) -> None:
        self.model, self.processor = model.eval(), processor
        self.mark = str(getattr(processor, "image_token", ""))
        """What stands for a picture in a text."""

    @abstractmethod
    def regions(self, sizes: Sequence[Sequence[Size]], encoded: Mapping[str, Tensor]) -> Regions:
        """The pictures of each prompt, from their sizes and what the processor made of them."""

    def layers(self) -> Sequence[nn.Module]:
        """The language model's blocks."""
        return self.model.get_decoder().layers

    def width(self) -> int:
        """How wide the blocks' outputs are."""
        return self.model.config.get_text_config().hidden_size

    def block(self, hook: str) -> nn.Module:
        """The block of a hook point, for example layers.3."""
        found, layers = re.fullmatch(r"layers\.(0|[1-9][0-9]*)", hook), self.layers()
        if found is None or int(found[1]) >= len(layers):
            raise UserError(
                f"No hook point {hook!r} in this {self.name} model: it has layers.0 to "
                f"layers.{len(layers) - 1}. Choose one of these"
            )
        return layers[int(found[1])]

    def prepare(self, prompts: Sequence[Prompt], *, replies: Sequence[str] | None = None) -> Inputs:
        """A batch of prompts, each up to where the model replies, or with its reply."""
        for prompt in prompts:
            self.check(prompt)
        sizes = [[Size(p.height, p.width) for p in prompt.pictures] for prompt in prompts]
        encoded = self.encoded(prompts)
        said = [self._reply(text) for text in replies] if replies else [[] for _ in prompts]
        tokens = self._padded(encoded, said)
        kept_BT = tokens["attention_mask"].bool()
        shows_BT = tokens["input_ids"] == self.model.config.image_token_id
        regions = self.regions(sizes, encoded)
        layouts = tuple(map(laid_out, kept_BT, shows_BT & kept_BT, regions))
        length = kept_BT.shape[1]
        return Inputs(
            {name: self._moved(tensor) for name, tensor in {**encoded, **tokens}.items()},
            layouts,
            tuple(slice(length - len(ids), length) for ids in said),
        )

    def check(self, prompt: Prompt) -> None:
        """Refuse a prompt that the model can't take."""
        for token in (self.mark, getattr(self.processor, "video_token", None)):
            if token and token in prompt.text:
                raise UserError(
                    f"The prompt's text holds {token!r}, which stands for a picture or video: "
                    "give pictures apart, and take it out of the text"
                )

    def encoded(self, prompts: Sequence[Prompt]) -> dict[str, Tensor]:
        """What the processor makes of the prompts, padded as it likes."""
        texts = [self.text_of(prompt) for prompt in prompts]
        pictures = [[p.convert("RGB") for p in prompt.pictures] for prompt in prompts]
        start = self.processor.tokenizer.bos_token
        return dict(
            self.processor(
                # The rows are kept apart: some models treat several pictures of one prompt
                # otherwise than several prompts.
                images=[row for row in pictures if row] or None,
                text=texts,
                padding=True,
                return_tensors="pt",
                # A template that writes the start of a text itself must not get a second one.
                add_special_tokens=not (start and texts[0].startswith(start)),
            )
        )

    def text_of(self, prompt: Prompt) -> str:
        """The prompt as the model reads it, one mark for each picture."""
        if not self.processor.chat_template:
            return self.plain(prompt)
        content: list[dict[str, str]] = [{"type": "image"} for _ in prompt.pictures]
        if prompt.text:
            content.append({"type": "text", "text": prompt.text})
        message: dict[str, Any] = {"role": "user", "content": content}
        return self.processor.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False
        )

    def plain(self, prompt: Prompt) -> str:
        """The prompt for a processor without a chat template."""
        return f"{self.mark}\n" * len(prompt.pictures) + prompt.text

    def _reply(self, text: str) -> list[int]:
        return ids_of(self.processor, text)

    def _padded(
        self, encoded: Mapping[str, Tensor], said: Sequence[list[int]]
    ) -> dict[str, Tensor]:
        """What has one number a position, with replies, and padding on the left only."""
        fills = {
            "input_ids": self.processor.tokenizer.pad_token_id,
            "attention_mask": 0,
            "mm_token_type_ids": 0,
            "token_type_ids": 0,
        }
        made: dict[str, Tensor] = {}
        for name in fills.keys() & encoded.keys():
            rows = []
            for row, mask, ids in zip(encoded[name], encoded["attention_mask"], said, strict=True):
                tail = {"input_ids": ids, "attention_mask": [1] * len(ids)}
                added = row.new_tensor(tail.get(name, [0] * len(ids)))
                rows.append(torch.cat([row[mask.bool()], added]))
            made[name] = nn.utils.rnn.pad_sequence(
                rows, batch_first=True, padding_value=fills[name], padding_side="left"
            )
        return made

    def _moved(self, tensor: Tensor) -> Tensor:
        dtype = self.model.dtype if tensor.is_floating_point() else None
        return tensor.to(self.model.device, dtype)


Regions = list[list[Region]]
"""For each prompt its pictures."""
