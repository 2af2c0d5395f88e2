"""Compares pictures with texts by any CLIP of transformers.

Knows the model; nothing of features or labels. Pictures are embedded once, texts each time: a text
costs little, and what the model's context can't hold of it is cut off.

Shapes: N pictures or texts, E width of embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPModel, CLIPProcessor

from sae_core.weights import check_model, named_by_content
from tools.backends.kept import Kept


class Clip:
    """A PictureText."""

    def __init__(
        self,
        model: CLIPModel,
        processor: CLIPProcessor,
        identity: str,
        *,
        batch: int = 8,
        limit: int = 20_000,
    ) -> None:
        self.model, self.processor, self.identity = model.eval(), processor, identity
        self._batch = batch
        self._kept = Kept(self._embed, batch=batch, limit=limit)

    @staticmethod
    def load(folder: Path, device: torch.device | str = "cpu") -> Clip:
        """The model in a folder, or of a hub's name."""
        check_model(folder)
        model = CLIPModel.from_pretrained(folder, dtype=torch.float32).to(device)
        return Clip(model, CLIPProcessor.from_pretrained(folder), named_by_content(folder))

    def of_pictures(self, pictures: Sequence[Image.Image]) -> Tensor:
        """float32 embeddings of length 1 [N, E]."""
        if not pictures:
            return torch.zeros(0, self.model.config.projection_dim)
        return torch.stack(self._kept.of(pictures))

    @torch.inference_mode()
    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """float32 embeddings of length 1 [N, E]."""
        embedded = [torch.zeros(0, self.model.config.projection_dim)]
        longest = self.model.config.text_config.max_position_embeddings
        for at in range(0, len(texts), self._batch):
            inputs = self.processor.tokenizer(
                list(texts[at : at + self._batch]),
                padding=True,
                truncation=True,
                max_length=longest,
                return_tensors="pt",
            ).to(self.model.device)
            embedded.append(_unit(self.model.get_text_features(**inputs).pooler_output))
        return torch.cat(embedded)

    @torch.inference_mode()
    def _embed(self, pictures: list[Image.Image]) -> list[Tensor]:
        colours = [picture.convert("RGB") for picture in pictures]
        inputs = self.processor.image_processor(images=colours, return_tensors="pt")
        seen = self.model.get_image_features(inputs["pixel_values"].to(self.model.device))
        # Each a tensor of its own: a row of the batch would keep the whole batch alive.
        return [row_E.clone() for row_E in _unit(seen.pooler_output)]


def _unit(embedding_NE: Tensor) -> Tensor:
    return F.normalize(embedding_NE.float().cpu(), dim=-1)
