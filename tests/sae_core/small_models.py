"""Tiny random models and processors of the real classes, as adapters; no network, no downloads.

Frames are 24 pixels wide and patches 4, so that a frame has 6 x 6 cells; the language models have 3
blocks of width 16. PLAIN processors have no chat template.
"""

from typing import Any, NamedTuple

import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    CLIPVisionConfig,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    InstructBlipProcessor,
    LlamaConfig,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionProcessor,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    SiglipVisionConfig,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import (
    LlavaNextImageProcessorPil,
)
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import (
    LlavaOnevisionImageProcessorPil,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

EDGE, PATCH, WIDTH, DEPTH = 24, 4, 16, 3
GRAY = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
PINPOINTS = [[r * EDGE, c * EDGE] for r in range(1, 4) for c in range(1, 4) if r * c <= 4]
MANY_PINPOINTS = [[r * EDGE, c * EDGE] for r in range(1, 5) for c in range(1, 5)]
TEMPLATE = (
    "<s>{% for message in messages %}<user>{% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% else %}MARK{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)


class Small(NamedTuple):
    """A model and what prepares inputs for it."""

    model: PreTrainedModel
    processor: ProcessorMixin


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture of random pixels."""
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8)
    return Image.fromarray(pixels.numpy())


def tokenizer(*, around: str = "$A", **special: str) -> PreTrainedTokenizerFast:
    """One token a known word; `around` says what is put around a text."""
    words = ["what", "is", "this", "the", "red", "cat", "yes", "no"]
    marks = ["<pad>", "<unk>", "<s>", "</s>", "<user>", "<assistant>", "<image>", "<video>"]
    marks += ["<|vision_start|>", "<|vision_end|>", "[CLS]", "[SEP]"]
    core = Tokenizer(
        models.WordLevel({word: i for i, word in enumerate([*marks, *words])}, unk_token="<unk>")
    )
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.add_special_tokens(marks)
    core.post_processor = processors.TemplateProcessing(
        single=around, special_tokens=[(mark, i) for i, mark in enumerate(marks)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        padding_side="left",
        extra_special_tokens=special,
    )


def _language(words: PreTrainedTokenizerFast, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(words),
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 3,
        **more,
    }


def _eye(**more: Any) -> dict[str, Any]:
    return {
        "image_size": EDGE,
        "patch_size": PATCH,
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        **more,
    }


def llava_next(
    *, template: str = TEMPLATE, crop: int = EDGE, resize: int = EDGE, depth: int = DEPTH
) -> Small:
    """CLIP and Llama; tiles of `crop` pixels, as the vision tower wants them."""
    torch.manual_seed(0)
    words = tokenizer(around="<s> $A", image_token="<image>")
    points = [[r * crop // EDGE, c * crop // EDGE] for r, c in PINPOINTS]
    model = LlavaNextForConditionalGeneration(
        LlavaNextConfig(
            vision_config=CLIPVisionConfig(**_eye(image_size=crop)),
            text_config=LlamaConfig(**_language(words, num_hidden_layers=depth)),
            image_token_index=words.convert_tokens_to_ids("<image>"),
            image_grid_pinpoints=points,
            vision_feature_layer=-2,
        )
    )
    pictures = LlavaNextImageProcessorPil(
        size={"shortest_edge": resize},
        crop_size={"height": crop, "width": crop},
        image_grid_pinpoints=points,
        **GRAY,
    )
    processor = LlavaNextProcessor(
        pictures,
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template.replace("MARK", "<image>") or None,
    )
    return Small(model.eval(), processor)


class _NoVideo:
    """Of a processor: takes none for videos, which needs torchvision."""

    def check_argument_for_proper_class(self, argument_name, argument):
        if argument_name == "video_processor" and argument is None:
            return None
        return super().check_argument_for_proper_class(argument_name, argument)


class _Onevision(_NoVideo, LlavaOnevisionProcessor):
    pass


class _Qwen(_NoVideo, Qwen2_5_VLProcessor):
    pass


def llava_onevision(*, template: str = TEMPLATE, edge: int = EDGE, bound: int = 4) -> Small:
    """SigLIP and Qwen2; more than `bound` tiles are interpolated."""
    torch.manual_seed(0)
    words = tokenizer(around="<s> $A", image_token="<image>", video_token="<video>")
    points = [[r * edge // EDGE, c * edge // EDGE] for r, c in MANY_PINPOINTS]
    model = LlavaOnevisionForConditionalGeneration(
        LlavaOnevisionConfig(
            vision_config=SiglipVisionConfig(**_eye(image_size=edge, vision_use_head=False)),
            text_config=_language(words, model_type="qwen2"),
            image_token_index=words.convert_tokens_to_ids("<image>"),
            video_token_index=words.convert_tokens_to_ids("<video>"),
            image_grid_pinpoints=points,
            vision_aspect_ratio=f"anyres_max_{bound}",
        )
    )
    pictures = LlavaOnevisionImageProcessorPil(
        size={"height": edge, "width": edge}, image_grid_pinpoints=points, **GRAY
    )
    processor = _Onevision(
        pictures,
        words,
        num_image_tokens=(edge // PATCH) ** 2,
        vision_feature_select_strategy="full",
        vision_aspect_ratio=f"anyres_max_{bound}",
        chat_template=template.replace("MARK", "<image>") or None,
    )
    return Small(model.eval(), processor)


def qwen(*, template: str = TEMPLATE, depth: int = DEPTH) -> Small:
    """Qwen2.5-VL; from 1 to 64 cells of 8 x 8 pixels a picture."""
    torch.manual_seed(0)
    words = tokenizer(around="<s> $A", image_token="<image>", video_token="<video>")
    eye = _eye(depth=2, num_heads=2, out_hidden_size=WIDTH, spatial_merge_size=2, window_size=16)
    del eye["image_size"], eye["num_hidden_layers"], eye["num_attention_heads"]
    ids = {
        f"{name}_token_id": words.convert_tokens_to_ids(token)
        for name, token in {
            "image": "<image>",
            "video": "<video>",
            "vision_start": "<|vision_start|>",
            "vision_end": "<|vision_end|>",
        }.items()
    }
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}
    model = Qwen2_5_VLForConditionalGeneration(
        Qwen2_5_VLConfig(
            vision_config=eye | {"fullatt_block_indexes": [1]},
            text_config=_language(words, rope_parameters=rope, num_hidden_layers=depth),
            **ids,
        )
    )
    pictures = Qwen2VLImageProcessorPil(
        patch_size=PATCH,
        merge_size=2,
        temporal_patch_size=2,
        size={"shortest_edge": 64, "longest_edge": 4096},
        **GRAY,
    )
    mark = "<|vision_start|><image><|vision_end|>"
    return Small(
        model.eval(),
        _Qwen(pictures, words, chat_template=template.replace("MARK", mark) or None),
    )


def instructblip(*, language: str = "llama", depth: int = DEPTH) -> Small:
    """A Q-Former with 5 queries, and llama or t5."""
    torch.manual_seed(0)
    words, asked = tokenizer(around="<s> $A"), tokenizer(around="[CLS] $A [SEP]")
    words.add_tokens(["<image>"], special_tokens=True)
    small = {
        "vocab_size": len(words),
        "d_model": WIDTH,
        "d_kv": 8,
        "d_ff": 32,
        "num_layers": depth,
        "num_heads": 2,
        "pad_token_id": 0,
        "eos_token_id": 3,
        "decoder_start_token_id": 0,
    }
    llama = _language(words, model_type="llama", num_hidden_layers=depth)
    model = InstructBlipForConditionalGeneration(
        InstructBlipConfig(
            vision_config=_eye(),
            qformer_config={
                "vocab_size": len(asked),
                "hidden_size": WIDTH,
                "intermediate_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "encoder_hidden_size": WIDTH,
            },
            text_config=small | {"model_type": "t5"} if language == "t5" else llama,
            num_query_tokens=5,
            image_token_index=words.convert_tokens_to_ids("<image>"),
        )
    )
    pictures = BlipImageProcessorPil(size={"height": EDGE, "width": EDGE}, **GRAY)
    return Small(model.eval(), InstructBlipProcessor(pictures, words, asked, num_query_tokens=5))


def instructblip_t5() -> Small:
    """The one with an encoder."""
    return instructblip(language="t5")


BUILDERS = {
    "llava-next": llava_next,
    "llava-onevision": llava_onevision,
    "qwen2.5-vl": qwen,
    "instructblip": instructblip,
    "instructblip-t5": instructblip_t5,
}
