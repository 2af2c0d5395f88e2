"""Tiny random CLIP, CLIPSeg, Grounding DINO and SAM of the real classes; no downloads."""

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    CLIPConfig,
    CLIPModel,
    CLIPProcessor,
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    CLIPSegProcessor,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoProcessor,
    PreTrainedTokenizerFast,
    SamConfig,
    SamModel,
    SamProcessor,
    SwinConfig,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
    GroundingDinoImageProcessorPil,
)
from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

EDGE, PATCH = 32, 8
WORDS = ("red", "blue", "car", "tree", "cat", "picture", "a", "of")
TEXT = {
    "vocab_size": 16, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "max_position_embeddings": 8, "projection_dim": 12,
    "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3,
}  # fmt: skip
SIGHT = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "image_size": EDGE, "patch_size": PATCH, "projection_dim": 12,
}  # fmt: skip


def reader(marks, vocabulary, form) -> PreTrainedTokenizerFast:
    """One token a known word; form says what stands around a text."""
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=marks["unk_token"]))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single=form, special_tokens=[(mark, vocabulary[mark]) for mark in marks.values()]
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, **marks)


def clip_reader() -> PreTrainedTokenizerFast:
    marks = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    return reader(marks, {w: i for i, w in enumerate([*marks.values(), *WORDS])}, "<s> $A </s>")


def clip_pictures() -> CLIPImageProcessorPil:
    return CLIPImageProcessorPil(
        size={"shortest_edge": EDGE}, crop_size={"height": EDGE, "width": EDGE}
    )


def clip() -> tuple[CLIPModel, CLIPProcessor]:
    torch.manual_seed(0)
    model = CLIPModel(CLIPConfig(text_config=TEXT, vision_config=SIGHT, projection_dim=12))
    return model.eval(), CLIPProcessor(image_processor=clip_pictures(), tokenizer=clip_reader())


def clipseg() -> tuple[CLIPSegForImageSegmentation, CLIPSegProcessor]:
    torch.manual_seed(0)
    config = CLIPSegConfig(
        text_config=TEXT, vision_config=SIGHT, projection_dim=12, extract_layers=[0, 1],
        reduce_dim=8, decoder_num_attention_heads=2, decoder_intermediate_size=8,
    )  # fmt: skip
    processor = CLIPSegProcessor(image_processor=clip_pictures(), tokenizer=clip_reader())
    return CLIPSegForImageSegmentation(config).eval(), processor


BERT_MARKS = {
    "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
}  # fmt: skip


def bert_reader() -> PreTrainedTokenizerFast:
    """Its marks and full stop have BERT's own numbers, which the detector knows by heart."""
    fixed = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
    words = {word: i for i, word in enumerate(WORDS, 200)}
    return reader(BERT_MARKS, fixed | words, "[CLS] $A [SEP]")


def bert_config() -> BertConfig:
    return BertConfig(
        vocab_size=1030, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16,
    )  # fmt: skip


def grounding_dino() -> tuple[GroundingDinoForObjectDetection, GroundingDinoProcessor]:
    torch.manual_seed(0)
    config = GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1],
            window_size=4, out_indices=[2, 3, 4],
        ),
        text_config=bert_config(), num_queries=6, encoder_layers=1, encoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_layers=2, decoder_ffn_dim=16,
        decoder_attention_heads=2, d_model=32,
    )  # fmt: skip
    processor = GroundingDinoProcessor(
        GroundingDinoImageProcessorPil(size={"shortest_edge": 128, "longest_edge": 256}),
        bert_reader(),
    )
    return GroundingDinoForObjectDetection(config).eval(), processor


def sam() -> tuple[SamModel, SamProcessor]:
    torch.manual_seed(0)
    config = SamConfig(
        vision_config={
            "hidden_size": 16, "output_channels": 8, "num_hidden_layers": 1,
            "num_attention_heads": 2, "image_size": 64, "patch_size": 16, "window_size": 2,
            "global_attn_indexes": [0], "num_pos_feats": 4, "initializer_range": 0.02,
        },
        prompt_encoder_config={"hidden_size": 8, "image_size": 64, "patch_size": 16},
        mask_decoder_config={
            "hidden_size": 8, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 8,
        },
    )  # fmt: skip
    processor = SamProcessor(
        SamImageProcessorPil(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    )
    return SamModel(config).eval(), processor
