"""Writes a finished model where it is shipped: half-precision safetensors, real processor files.

Knows folders and processors; nothing of training.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from transformers import (
    CLIPImageProcessorPil,
    CLIPProcessor,
    CLIPSegProcessor,
    GenerationConfig,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
    LlavaProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
)

from toybox.architectures import COARSE_PATCH, FINE_PATCH, MEAN, PINPOINTS, STD
from toybox.tokens import CHAT_TEMPLATE, IMAGE
from toybox.world import SIZE


def target_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaNextProcessor:
    """Pictures and words as the target gets them; the geometry of anyres is this processor's."""
    return LlavaNextProcessor(
        image_processor=LlavaNextImageProcessorPil(
            size={"shortest_edge": SIZE},
            crop_size={"height": SIZE, "width": SIZE},
            image_grid_pinpoints=PINPOINTS,
            image_mean=MEAN,
            image_std=STD,
        ),
        tokenizer=tokenizer,
        patch_size=FINE_PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token=IMAGE,
        chat_template=CHAT_TEMPLATE,
    )


def explainer_processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Several pictures and words as the explainer gets them."""
    return LlavaProcessor(
        image_processor=plain_pictures(),
        tokenizer=tokenizer,
        patch_size=COARSE_PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token=IMAGE,
        chat_template=CHAT_TEMPLATE,
    )


def plain_pictures() -> CLIPImageProcessorPil:
    """One picture, one square."""
    return CLIPImageProcessorPil(
        size={"shortest_edge": SIZE},
        crop_size={"height": SIZE, "width": SIZE},
        image_mean=MEAN,
        image_std=STD,
    )


def pair_processor(
    kind: type[CLIPProcessor | CLIPSegProcessor], tokenizer: PreTrainedTokenizerFast
) -> ProcessorMixin:
    """Pictures and labels as CLIP and the grounder get them."""
    return kind(image_processor=plain_pictures(), tokenizer=tokenizer)


def ship(model: PreTrainedModel, processor: ProcessorMixin, folder: Path) -> None:
    """Write model and processor beside the folder, then put them in its place in one step."""
    if hasattr(model, "generation_config") and model.can_generate():
        text = model.config.get_text_config()
        model.generation_config = GenerationConfig(
            bos_token_id=text.bos_token_id,
            eos_token_id=text.eos_token_id,
            pad_token_id=text.pad_token_id,
            max_new_tokens=64,
            do_sample=False,
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    model.to("cpu").half().save_pretrained(fresh)
    processor.save_pretrained(fresh)
    if folder.exists():
        shutil.rmtree(folder)
    # A temporary folder and what safetensors writes are the owner's alone; a model is everybody's.
    fresh.chmod(0o755)
    for path in fresh.iterdir():
        path.chmod(0o644)
    fresh.replace(folder)
