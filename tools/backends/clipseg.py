"""Finds what a text names by any CLIPSeg of transformers: a mask at once, boxes around its pieces.

Knows the model; nothing of features. A picture is looked at once, whatever number of labels is
asked of it; only the small decoder runs for each.

Shapes: L layers that the decoder reads, T tokens of a picture, D width, H x W the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from sae_core.weights import check_model, named_by_content
from tools.backends.kept import Kept
from tools.backends.roles import Located
from tools.pieces import pieces
from tools.regions import box_of

SPECK = 1 / 800
"""A piece smaller than this part of the picture is taken for noise: 12 pixels of 96 x 96."""


class ClipSeg:
    """A Grounder."""

    def __init__(
        self,
        model: CLIPSegForImageSegmentation,
        processor: CLIPSegProcessor,
        name: str,
        *,
        threshold: float = 0.5,
        batch: int = 8,
        limit: int = 256,
    ) -> None:
        self.model, self.processor, self.name = model.eval(), processor, name
        self.threshold, self._batch = threshold, batch
        self._kept = Kept(self._look, batch=batch, limit=limit)

    @staticmethod
    def load(folder: Path, device: torch.device | str = "cpu", threshold: float = 0.5) -> ClipSeg:
        """The model in a folder, or of a hub's name."""
        check_model(folder)
        model = CLIPSegForImageSegmentation.from_pretrained(folder, dtype=torch.float32).to(device)
        processor = CLIPSegProcessor.from_pretrained(folder)
        return ClipSeg(model, processor, named_by_content(folder), threshold=threshold)

    @property
    def identity(self) -> str:
        """The model and its threshold."""
        return f"{self.name} at {self.threshold:g}"

    def locate(self, pictures: Sequence[Image.Image], labels: Sequence[str]) -> list[Located]:
        """Each label in the picture of the same place."""
        located: list[Located] = []
        asked = {label: self._read(label) for label in dict.fromkeys(labels)}
        for at in range(0, len(pictures), self._batch):
            some = pictures[at : at + self._batch]
            read = [asked[label] for label in labels[at : at + self._batch]]
            drawn = self._decode(self._kept.of(some), read)
            located += [
                self._located(logit_HW, picture)
                for logit_HW, picture in zip(drawn, some, strict=True)
            ]
        return located

    @torch.inference_mode()
    def _look(self, pictures: list[Image.Image]) -> list[Tensor]:
        """What the decoder reads of each picture [L, T, D]."""
        images = [_square(picture.convert("RGB")) for picture in pictures]
        pixels = self.processor.image_processor(images=images, return_tensors="pt")["pixel_values"]
        seen = self.model.clip.get_image_features(
            pixels.to(self.model.device), output_hidden_states=True
        ).hidden_states
        layers = torch.stack([seen[layer + 1] for layer in self.model.extract_layers], 1)
        return [layers_LTD.clone() for layers_LTD in layers]

    @torch.inference_mode()
    def _decode(self, seen: Sequence[Tensor], asked: Sequence[Tensor]) -> Tensor:
        """How likely the label is at each place, as logits; the model's own size.

        Like looks, always for as many, so that the last digits do not depend on what else is asked.
        """
        more = self._batch - len(seen)
        seen_L = list(torch.stack([*seen, *[seen[-1]] * more], 1))
        asked_ND = torch.stack([*asked, *[asked[-1]] * more])
        return self.model.decoder(seen_L, asked_ND).logits.float().cpu()[: len(seen)]

    @torch.inference_mode()
    def _read(self, label: str) -> Tensor:
        """What a label says [D]."""
        inputs = self.processor.tokenizer(
            label,
            truncation=True,
            max_length=self.model.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self.model.device)
        return self.model.clip.get_text_features(**inputs).pooler_output[0]

    def _located(self, logit_HW: Tensor, picture: Image.Image) -> Located:
        size = (picture.height, picture.width)
        drawn = F.interpolate(logit_HW[None, None], size, mode="bilinear")[0, 0]
        sure_HW = drawn.sigmoid().numpy()
        whole = pieces(sure_HW > self.threshold)
        found = [piece for piece in whole if piece.sum() >= SPECK * piece.size]
        found.sort(key=lambda piece: -sure_HW[piece].max())
        return Located(
            np.any(found, axis=0) if found else np.zeros(size, bool),
            tuple(box_of(piece) for piece in found),
            tuple(float(sure_HW[piece].max()) for piece in found),
        )


def _square(picture: Image.Image) -> Image.Image:
    """As high as wide, since a processor may crop what is not, and the mask has to fit."""
    side = max(picture.size)
    return picture if picture.width == picture.height else picture.resize((side, side))
