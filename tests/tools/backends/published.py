"""Tiny random models of the packages groundingdino-py and segment-anything; no downloads."""

import importlib

import torch
from transformers import BertModel

from tests.tools.backends.small_grounders import bert_config, bert_reader
from tools.backends.grounded_sam import PublishedDino, PublishedSam, detector_of, repair

SMALL = {
    "enc_layers": 1, "dec_layers": 1, "hidden_dim": 256, "nheads": 2, "num_queries": 6,
    "dim_feedforward": 16, "use_checkpoint": False, "use_transformer_ckpt": False,
}  # fmt: skip


def dino(folder) -> PublishedDino:
    """Its text encoder is written to the folder first, since it is loaded by name."""
    repair()
    torch.manual_seed(0)
    BertModel(bert_config()).save_pretrained(folder)
    bert_reader().save_pretrained(folder)
    config = vars(importlib.import_module("groundingdino.config.GroundingDINO_SwinT_OGC"))
    usual = {name: value for name, value in config.items() if not name.startswith("_")}
    model = detector_of(usual | SMALL | {"text_encoder_type": str(folder), "device": "cpu"})
    return PublishedDino(model, "tiny", threshold=0.0, sides=(128, 256))


def sam() -> PublishedSam:
    repair()
    torch.manual_seed(1)
    parts = importlib.import_module("segment_anything.modeling")
    model = parts.Sam(
        image_encoder=parts.ImageEncoderViT(
            img_size=64, patch_size=16, embed_dim=16, depth=1, num_heads=2, out_chans=8,
            window_size=2, global_attn_indexes=(0,),
        ),
        prompt_encoder=parts.PromptEncoder(
            embed_dim=8, image_embedding_size=(4, 4), input_image_size=(64, 64), mask_in_chans=4
        ),
        mask_decoder=parts.MaskDecoder(
            transformer_dim=8,
            transformer=parts.TwoWayTransformer(
                depth=1, embedding_dim=8, num_heads=2, mlp_dim=16
            ),
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )  # fmt: skip
    return PublishedSam(model.eval(), "tiny")
