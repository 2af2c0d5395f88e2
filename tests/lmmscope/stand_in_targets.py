"""Tiny random targets in the published layouts: files, shards, tensor names, precisions, configs.

Their layers are as many as the real ones have, so that the profiles' hook points are there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import ProcessorMixin

from tests.sae_core import small_models
from tests.sae_core.small_models import Small

SHARD = "150KB"
INDEX = "model.safetensors.index.json"


def llava_next() -> Small:
    """LLaVA-NeXT with the blocks of Llama 3 8B."""
    return small_models.llava_next(depth=32)


def write_llava_next(folder: Path, target: Small) -> None:
    """llava-hf/llama3-llava-next-8b-hf: float16, with the names that tensors had then."""
    model, processor = target
    model.to(torch.float16).save_pretrained(folder, max_shard_size=SHARD)
    _rename(folder, "vision_tower.", "vision_tower.vision_model.")
    options = ("patch_size", "num_additional_image_tokens", "vision_feature_select_strategy")
    about = {name: getattr(processor, name) for name in options} | {"image_token": "<image>"}
    write_processor(folder, processor, **about)


def write_qwen(folder: Path) -> None:
    """Qwen/Qwen2.5-VL-7B-Instruct: bfloat16, the language model's settings not apart."""
    model, processor = small_models.qwen(depth=28)
    model.to(torch.bfloat16).save_pretrained(folder, max_shard_size=SHARD)
    config = json.loads((folder / "config.json").read_text())
    text = config.pop("text_config")
    rope = text.pop("rope_parameters")
    text |= {
        "rope_theta": rope["rope_theta"],
        "rope_scaling": {"type": "mrope", "mrope_section": rope["mrope_section"]},
        "torch_dtype": config.pop("dtype"),
    }
    del text["layer_types"], config["vision_config"]["rope_parameters"]
    _write(folder / "config.json", text | config)
    write_processor(folder, processor)
    pictures = folder / "preprocessor_config.json"
    about = json.loads(pictures.read_text())
    size = about.pop("size")
    about |= {"min_pixels": size["shortest_edge"], "max_pixels": size["longest_edge"]}
    _write(pictures, about)


def write_instructblip(folder: Path) -> None:
    """Salesforce/instructblip-vicuna-7b: float32, and a tokenizer of the Q-Former's own."""
    model, processor = small_models.instructblip(depth=32)
    model.save_pretrained(folder, max_shard_size=SHARD)
    write_processor(folder, processor, num_query_tokens=processor.num_query_tokens)
    processor.qformer_tokenizer.save_pretrained(folder / "qformer_tokenizer")


def write_processor(folder: Path, processor: ProcessorMixin, **about: Any) -> None:
    """One file a part, as before transformers 5, and classes by their published names."""
    kind = type(processor).__name__.strip("_")
    named = {"Onevision": "LlavaOnevisionProcessor", "Qwen": "Qwen2_5_VLProcessor"}.get(kind, kind)
    pictures = processor.image_processor
    pictures.save_pretrained(folder)
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    settings["image_processor_type"] = type(pictures).__name__.removesuffix("Pil")
    _write(folder / "preprocessor_config.json", settings | {"processor_class": named})
    if getattr(processor, "tokenizer", None) is not None:
        processor.tokenizer.save_pretrained(folder)
    if about:
        _write(folder / "processor_config.json", about | {"processor_class": named})
    if getattr(processor, "chat_template", None):
        _write(folder / "chat_template.json", {"chat_template": processor.chat_template})


def _rename(folder: Path, now: str, then: str) -> None:
    """Give the tensors whose names begin so another beginning, in shards and index."""

    def named(tensor: str) -> str:
        return then + tensor.removeprefix(now) if tensor.startswith(now) else tensor

    about = json.loads((folder / INDEX).read_text())
    about["weight_map"] = {named(name): file for name, file in about["weight_map"].items()}
    _write(folder / INDEX, about)
    for shard in folder.glob("*.safetensors"):
        tensors = {named(name): tensor for name, tensor in load_file(shard).items()}
        save_file(tensors, shard, metadata={"format": "pt"})


def _write(file: Path, document: dict[str, Any]) -> None:
    file.write_text(json.dumps(document, indent=2))
