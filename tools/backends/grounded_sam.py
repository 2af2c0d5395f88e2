"""Grounding DINO and SAM as their authors published them: the extra `grounded-sam`.

Knows the packages groundingdino-py and segment-anything, and repairs what later versions of their
own dependencies broke; how the two work together is `tools.backends.boxed`. Both are imported when
a model is made, not before.

Shapes: B pictures, T tokens of a text, N boxes.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from sae_core.errors import UserError
from sae_core.weights import named_by_content
from tools.backends.boxed import THRESHOLD, Boxed, Detection, detection_of, union_of
from tools.backends.kept import Kept
from tools.regions import Box

SIDES = (800, 1333)
"""A picture is enlarged for the detector until its shorter side has so many pixels, or its longer
one so many; its authors' sizes."""
CONFIGS = {"swin_t": "GroundingDINO_SwinT_OGC", "swin_b": "GroundingDINO_SwinB_cfg"}

_operators: list[torch.library.Library] = []
"""Operators vanish with the library that defines them."""


def load(
    detector: Path,
    text_encoder: Path,
    segmenter: Path,
    *,
    kind: Literal["swin_t", "swin_b"] = "swin_t",
    sam_kind: Literal["vit_b", "vit_l", "vit_h"] = "vit_h",
    device: str = "cpu",
    threshold: float = THRESHOLD,
) -> Boxed:
    """Both models: their authors' checkpoints, and a folder with the detector's BERT."""
    repair()
    config = importlib.import_module(f"groundingdino.config.{CONFIGS[kind]}")
    settings = {k: v for k, v in vars(config).items() if not k.startswith("_")}
    model = detector_of(settings | {"text_encoder_type": str(text_encoder), "device": device})
    _fill(model, _state(detector).get("model", {}), detector)
    sam = importlib.import_module("segment_anything").sam_model_registry[sam_kind]()
    _fill(sam, _state(segmenter), segmenter)
    return Boxed(
        PublishedDino(model.to(device), named_by_content(detector), threshold=threshold),
        PublishedSam(sam.to(device), named_by_content(segmenter)),
    )


def detector_of(settings: dict[str, Any]) -> nn.Module:
    """A detector as its config describes it, with random weights but for the BERT."""
    repair()
    models = importlib.import_module("groundingdino.models")
    # It prints which text encoder it takes.
    with redirect_stdout(sys.stderr):
        return models.build_model(_Settings(settings)).eval()


class _Settings:
    """A config with its settings as attributes."""

    def __init__(self, settings: dict[str, Any]) -> None:
        vars(self).update(settings)


def repair() -> None:
    """Import both packages, mended; a UserError names the extra where they are not installed.

    A torchvision whose operators do not load lacks two that it mentions when it is imported. The
    detector's wrapper of BERT calls methods that transformers no longer has.
    """
    try:
        import_torchvision()
        importlib.import_module("segment_anything")
        detector = importlib.import_module("groundingdino.models.GroundingDINO.groundingdino")
    except ImportError as error:
        raise UserError(
            f"The grounder grounded-sam can't be imported ({error}). "
            "Try pip install 'lmmscope[grounded-sam]', or the grounder grounding-dino"
        ) from error
    detector.__dict__["BertModelWarper"] = _Reader


def import_torchvision() -> None:
    """Import it, with operators of its own where it can't load them; before transformers is."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _operators.append(library)
        importlib.import_module("torchvision")


class _Reader(nn.Module):
    """BERT with a mask for each pair of tokens, its weights named as in the checkpoint."""

    def __init__(self, bert_model: nn.Module) -> None:
        super().__init__()
        self.config = bert_model.config
        self.embeddings, self.encoder = bert_model.embeddings, bert_model.encoder
        self.pooler = bert_model.pooler
        # In a tuple, where its weights are not found a second time under another name.
        self._whole = (bert_model,)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        token_type_ids: Tensor | None = None,
    ) -> Any:
        """What BERT makes of the tokens; the mask is [B, T, T]."""
        return self._whole[0](
            input_ids=input_ids,
            attention_mask=attention_mask[:, None].bool(),
            token_type_ids=token_type_ids,
            position_ids=position_ids,
        )


class PublishedDino:
    """A Detector: a model of groundingdino-py."""

    def __init__(
        self,
        model: nn.Module,
        name: str,
        *,
        threshold: float = THRESHOLD,
        sides: tuple[int, int] = SIDES,
    ) -> None:
        self.model, self.name = model.eval(), name
        self.threshold = threshold
        misc = importlib.import_module("groundingdino.util.misc")
        self._padded = misc.nested_tensor_from_tensor_list
        change = importlib.import_module("groundingdino.datasets.transforms")
        self._prepared = change.Compose(
            [
                change.RandomResize([sides[0]], max_size=sides[1]),
                change.ToTensor(),
                change.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        )

    @property
    def identity(self) -> str:
        """The model and its threshold."""
        return f"groundingdino-py {self.name} at {self.threshold:g}"

    @torch.inference_mode()
    def detect(self, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> list[Detection]:
        """Each prompt in the picture of the same place; all pictures have one size."""
        device = next(self.model.parameters()).device
        pixels = [self._prepared(picture.convert("RGB"), None)[0] for picture in pictures]
        padded = self._padded([one.to(device) for one in pixels])
        out = self.model(padded, captions=list(prompts))
        found = zip(out["pred_logits"], out["pred_boxes"], pictures, strict=True)
        return [detection_of(*one, picture.size, self.threshold) for *one, picture in found]


class _Looked(NamedTuple):
    """A picture as SAM sees it."""

    embedding: Tensor
    size: tuple[int, int]
    """Height and width, without the border that makes it square."""


class PublishedSam:
    """A Segmenter: a model of segment-anything."""

    def __init__(self, model: nn.Module, name: str, *, limit: int = 64) -> None:
        self.model: Any = model.eval()
        self.name = name
        transforms = importlib.import_module("segment_anything.utils.transforms")
        self._resize = transforms.ResizeLongestSide(self.model.image_encoder.img_size)
        self._kept = Kept(self._look, batch=1, limit=limit)

    @property
    def identity(self) -> str:
        """The model."""
        return f"segment-anything {self.name}"

    @torch.inference_mode()
    def union(self, picture: Image.Image, boxes: Sequence[Box]) -> np.ndarray:
        """The pixels of all boxes' things [H, W]."""
        looked = self._kept.of([picture])[0]
        return union_of(picture, boxes, partial(self._drawn, picture, looked))

    def _drawn(self, picture: Image.Image, looked: _Looked, boxes: Sequence[Box]) -> np.ndarray:
        size = (picture.height, picture.width)
        box_N4 = self._resize.apply_boxes(np.array(boxes, np.float32), size)
        box_N4 = torch.as_tensor(box_N4, dtype=torch.float32, device=self.model.device)
        sparse, dense = self.model.prompt_encoder(points=None, boxes=box_N4, masks=None)
        drawn, _ = self.model.mask_decoder(
            image_embeddings=looked.embedding[None],
            image_pe=self.model.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )
        logits_N1HW = self.model.postprocess_masks(drawn, looked.size, size)
        return (logits_N1HW > self.model.mask_threshold).any(0)[0].cpu().numpy()

    @torch.inference_mode()
    def _look(self, pictures: list[Image.Image]) -> list[_Looked]:
        looked = []
        for picture in pictures:
            pixels_HW3 = self._resize.apply_image(np.asarray(picture.convert("RGB")))
            pixels = torch.from_numpy(pixels_HW3).permute(2, 0, 1).to(self.model.device)
            embedding = self.model.image_encoder(self.model.preprocess(pixels)[None])[0]
            looked.append(_Looked(embedding, (pixels.shape[1], pixels.shape[2])))
        return looked


def _state(path: Path) -> dict[str, Any]:
    """A checkpoint's tensors; a pickle that holds anything else is not opened."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"No checkpoint at {path}. Check the path in the profile") from None


def _fill(model: nn.Module, state: dict[str, Tensor], path: Path) -> None:
    """Load a checkpoint; it may hold more than the model has, and no less."""
    plain = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    lacking = model.load_state_dict(plain, strict=False).missing_keys
    if lacking:
        raise UserError(
            f"The checkpoint {path} lacks {len(lacking)} tensors of its model, the first is "
            f"{lacking[0]}. Check the kind in the profile"
        )
