"""The shapes of the toybox models: real classes of transformers, small enough for two CPU cores.

Knows sizes only; nothing of training or files.
"""

from __future__ import annotations

from transformers import (
    CLIPConfig,
    CLIPSegConfig,
    CLIPTextConfig,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaNextConfig,
)

from toybox.world import SIZE

MEAN = STD = (0.5, 0.5, 0.5)
"""Pixels reach every model as (x / 255 - MEAN) / STD."""

FINE_PATCH = 8
PINPOINTS = [[SIZE, SIZE], [SIZE, 2 * SIZE], [2 * SIZE, SIZE], [2 * SIZE, 2 * SIZE]]
"""What anyres may enlarge a picture to; a toybox picture becomes one tile beside its base."""
COARSE_PATCH = 16
ROPE_THETA = 1e7
"""Slow rotations: a noun finds its patches 300 positions back by content, and at the usual 1e4 only
12 of a head's 32 dimensions are still unrotated there (docs/log.md)."""


def fine_eye() -> CLIPVisionConfig:
    """The vision tower of target, CLIP and grounder: 12 x 12 patches."""
    return CLIPVisionConfig(
        image_size=SIZE,
        patch_size=FINE_PATCH,
        hidden_size=160,
        intermediate_size=480,
        num_hidden_layers=5,
        num_attention_heads=5,
        projection_dim=128,
        attention_dropout=0.0,
    )


def coarse_eye() -> CLIPVisionConfig:
    """The explainer's vision tower: 6 x 6 patches, so that several pictures fit in one prompt."""
    return CLIPVisionConfig(
        image_size=SIZE,
        patch_size=COARSE_PATCH,
        hidden_size=224,
        intermediate_size=672,
        num_hidden_layers=6,
        num_attention_heads=7,
        projection_dim=128,
        attention_dropout=0.0,
    )


def target_config(vocabulary: int, image_token: int) -> LlavaNextConfig:
    """The target: the class of the paper's model, anyres on."""
    return LlavaNextConfig(
        vision_config=fine_eye(),
        text_config=_llama(vocabulary, width=128, depth=6, heads=4),
        image_token_index=image_token,
        image_grid_pinpoints=PINPOINTS,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=(SIZE // FINE_PATCH) ** 2,
        tie_word_embeddings=True,
    )


def explainer_config(vocabulary: int, image_token: int) -> LlavaConfig:
    """The explainer and judge: larger, one grid of coarse patches a picture."""
    return LlavaConfig(
        vision_config=coarse_eye(),
        text_config=_llama(vocabulary, width=192, depth=6, heads=6),
        image_token_index=image_token,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        image_seq_length=(SIZE // COARSE_PATCH) ** 2,
        tie_word_embeddings=True,
    )


def _llama(vocabulary: int, width: int, depth: int, heads: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=width * 11 // 4,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=2048,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
    )


def clip_config(vocabulary: int) -> CLIPConfig:
    """CLIP: the fine eye and a small reader, compared in 128 dimensions."""
    return CLIPConfig(
        text_config=_reader(vocabulary), vision_config=fine_eye().to_dict(), projection_dim=128
    )


def grounder_config(vocabulary: int) -> CLIPSegConfig:
    """The text-to-mask model: features of three depths of the fine eye, chosen among by a label."""
    return CLIPSegConfig(
        text_config=_reader(vocabulary),
        vision_config=fine_eye().to_dict() | {"model_type": "clipseg_vision_model"},
        projection_dim=128,
        extract_layers=[0, 2, 4],
        reduce_dim=128,
        decoder_num_attention_heads=4,
        decoder_intermediate_size=256,
    )


def _reader(vocabulary: int) -> dict[str, int]:
    reader = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        projection_dim=128,
        max_position_embeddings=77,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    ).to_dict()
    del reader["model_type"]
    return reader
