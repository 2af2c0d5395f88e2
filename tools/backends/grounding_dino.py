"""Grounding DINO and SAM, as transformers has them.

Knows the two models; how they work together is `tools.backends.boxed`. The detector reads text and
picture together, so each pair is a run of its own; the segmenter, which is the costly one, looks
at a picture once.

Shapes: H x W the picture, h x w SAM's own masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import (
    GroundingDinoForObjectDetection,
    GroundingDinoProcessor,
    SamModel,
    SamProcessor,
)

from sae_core.weights import check_model, named_by_content
from tools.backends.boxed import THRESHOLD, Boxed, Detection, detection_of, union_of
from tools.backends.kept import Kept
from tools.regions import Box


def load(
    detector: Path,
    segmenter: Path,
    device: torch.device | str = "cpu",
    threshold: float = THRESHOLD,
) -> Boxed:
    """Both models from folders, or by a hub's names."""
    check_model(detector)
    check_model(segmenter)
    finds = GroundingDinoForObjectDetection.from_pretrained(detector, dtype=torch.float32)
    cuts = SamModel.from_pretrained(segmenter, dtype=torch.float32)
    return Boxed(
        GroundingDino(
            finds.to(device),
            GroundingDinoProcessor.from_pretrained(detector),
            named_by_content(detector),
            threshold=threshold,
        ),
        Sam(cuts.to(device), SamProcessor.from_pretrained(segmenter), named_by_content(segmenter)),
    )


class GroundingDino:
    """A Detector."""

    def __init__(
        self,
        model: GroundingDinoForObjectDetection,
        processor: GroundingDinoProcessor,
        name: str,
        *,
        threshold: float = THRESHOLD,
    ) -> None:
        self.model, self.processor, self.name = model.eval(), processor, name
        self.threshold = threshold

    @property
    def identity(self) -> str:
        """The model and its threshold."""
        return f"{self.name} at {self.threshold:g}"

    @torch.inference_mode()
    def detect(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> list[Detection]:
        """Each prompt in the picture of the same place; all pictures have one size."""
        inputs = self.processor(
            images=[picture.convert("RGB") for picture in pictures],
            text=list(prompts),
            padding=True,
            truncation=True,
            max_length=self.model.config.max_text_len,
            return_tensors="pt",
        )
        out = self.model(**inputs.to(self.model.device))
        found = zip(out.logits, out.pred_boxes, pictures, strict=True)
        return [detection_of(*one, picture.size, self.threshold) for *one, picture in found]


class _Looked(NamedTuple):
    """A picture as SAM sees it."""

    embedding: Tensor
    height: int
    """Without the border that makes it square."""
    width: int


class Sam:
    """A Segmenter. Of the masks that it could draw for a box it draws the one it deems best."""

    def __init__(
        self, model: SamModel, processor: SamProcessor, name: str, *, limit: int = 64
    ) -> None:
        self.model, self.processor, self.identity = model.eval(), processor, name
        self._kept = Kept(self._look, batch=1, limit=limit)

    @torch.inference_mode()
    def union(self, picture: Image.Image, boxes: Sequence[Box]) -> np.ndarray:
        """The pixels of all boxes' things [H, W]."""
        looked = self._kept.of([picture])[0]
        return union_of(picture, boxes, partial(self._drawn, picture, looked))

    def _drawn(self, picture: Image.Image, looked: _Looked, boxes: Sequence[Box]) -> np.ndarray:
        across, down = looked.width / picture.width, looked.height / picture.height
        scale = torch.tensor([across, down, across, down])
        box_1N4 = (torch.tensor(boxes, dtype=torch.float32) * scale)[None]
        masks_1N1hw = self.model(
            image_embeddings=looked.embedding[None],
            input_boxes=box_1N4.to(self.model.device),
            multimask_output=False,
        ).pred_masks
        enlarged = self.processor.post_process_masks(
            masks_1N1hw.float().cpu(),
            [(picture.height, picture.width)],
            [(looked.height, looked.width)],
        )
        return enlarged[0].flatten(0, 1).any(0).numpy()

    @torch.inference_mode()
    def _look(self, pictures: list[Image.Image]) -> list[_Looked]:
        images = [picture.convert("RGB") for picture in pictures]
        inputs = self.processor.image_processor(images=images, return_tensors="pt")
        pixels = inputs["pixel_values"].to(self.model.device)
        embeddings = self.model.get_image_embeddings(pixels)
        sizes = inputs["reshaped_input_sizes"].tolist()
        return [_Looked(e.clone(), *size) for e, size in zip(embeddings, sizes, strict=True)]
