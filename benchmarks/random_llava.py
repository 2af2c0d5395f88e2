"""LLaVA-NeXT with the blocks of Llama 3 in any size, with random weights; nothing is downloaded.

What it sees is divided as the published model divides it: 24 x 24 cells a tile, up to five tiles.
Its tokenizer is the toybox's with few words, its vocabulary as long as the real one. Knows shapes
only.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.llava_next.image_processing_pil_llava_next import (
    LlavaNextImageProcessorPil,
)

from sae_core.lmm.adapter import Adapter, adapter_for
from toybox.tokens import BOS, CHAT_TEMPLATE, EOS, IMAGE, PAD, build_tokenizer, token_ids

EDGE, PATCH = 336, 14
POINTS = [[EDGE * r, EDGE * c] for r, c in ((1, 2), (2, 1), (2, 2), (3, 1), (1, 3))]
"""What a picture is enlarged to, so that it fills whole tiles."""
VOCABULARY, POSITIONS = 128_320, 8192
WORDS = ["what", "is", "in", "this", "picture", "yes", "no"]


class Size(NamedTuple):
    """What differs between models of this kind; heads have 128 channels, those of the eye 64."""

    width: int
    inner: int
    layers: int
    eye: int = 1024
    eye_layers: int = 24

    def smaller(self, scale: int) -> Size:
        """With all widths divided; as deep as before."""
        return self._replace(
            width=self.width // scale, inner=self.inner // scale, eye=self.eye // scale
        )


def random_llava(size: Size, device: str, dtype: torch.dtype) -> Adapter:
    """The model on a device, ready to be looked into."""
    words = build_tokenizer(WORDS)
    words.model_max_length = POSITIONS
    pad, first, last, image = token_ids(words, PAD, BOS, EOS, IMAGE)
    config = LlavaNextConfig(
        vision_config=CLIPVisionConfig(
            image_size=EDGE,
            patch_size=PATCH,
            hidden_size=size.eye,
            intermediate_size=4 * size.eye,
            num_hidden_layers=size.eye_layers,
            num_attention_heads=size.eye // 64,
        ),
        text_config=LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=size.width,
            intermediate_size=size.inner,
            num_hidden_layers=size.layers,
            num_attention_heads=size.width // 128,
            num_key_value_heads=max(1, size.width // 512),
            max_position_embeddings=POSITIONS,
            pad_token_id=pad,
            bos_token_id=first,
            eos_token_id=last,
        ),
        image_token_index=image,
        image_grid_pinpoints=POINTS,
        vision_feature_layer=-2,
    )
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # else all of it is made in 32 bits first
    try:
        with torch.device(device):
            model = LlavaNextForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(before)
    return adapter_for(model.eval(), _processor(words))


def _processor(words: PreTrainedTokenizerFast) -> LlavaNextProcessor:
    pictures = LlavaNextImageProcessorPil(
        size={"shortest_edge": EDGE},
        crop_size={"height": EDGE, "width": EDGE},
        image_grid_pinpoints=POINTS,
    )
    return LlavaNextProcessor(
        pictures,
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
