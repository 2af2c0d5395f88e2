"""The paper's models and data sets as tiny random ones, laid out as a hub's cache has them.

Repositories, folders, shards, tensor names and precisions are the published ones, so that the
profile of the paper runs as it is; only the numbers are others.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from safetensors.torch import save_file

from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.hooks import harvest
from tests.lmmscope.stand_in_server import explainer
from tests.lmmscope.stand_in_targets import (
    llava_next,
    write_instructblip,
    write_llava_next,
    write_processor,
    write_qwen,
)
from tests.sae_core.small_models import WIDTH, Small, noise
from tests.tools.backends import small_grounders

__all__ = [
    "BRIGHT",
    "drawn",
    "explainer",
    "link",
    "png",
    "snapshot",
    "write_all",
    "write_others",
    "write_table",
]

REVISION = "0123456789abcdef0123456789abcdef01234567"
FEATURES, K, BRIGHT = 64, 4, 3


def snapshot(cache: Path, repository: str, kind: str = "models") -> Path:
    """An empty folder where a hub's client looks for a repository."""
    home = cache / f"{kind}--{repository.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(REVISION)
    folder = home / "snapshots" / REVISION
    folder.mkdir(parents=True)
    return folder


def write_all(cache: Path, pictures: int = 40) -> None:
    """Everything that the profile llava-next-8b names, but for the explainer."""
    target = llava_next()
    write_coder(snapshot(cache, "lmms-lab/llama3-llava-next-8b-hf-sae-131k"), target)
    write_llava_next(snapshot(cache, "llava-hf/llama3-llava-next-8b-hf"), target)
    write_clip(snapshot(cache, "openai/clip-vit-base-patch32"))
    write_grounders(
        snapshot(cache, "IDEA-Research/grounding-dino-base"),
        snapshot(cache, "facebook/sam-vit-huge"),
    )
    explore = snapshot(cache, "lmms-lab/sae-sample-cache-dataset", "datasets") / "data"
    held_out = snapshot(cache, "lmms-lab/COCO-Caption2017", "datasets") / "data"
    seeds = iter(range(10_000))
    for shard in range(2):
        rows = [png(drawn(next(seeds))) for _ in range(pictures // 2)]
        write_table(explore / f"train-{shard:05d}-of-00002.parquet", rows)
    for shard in range(4):
        rows = [png(drawn(next(seeds))) for _ in range(pictures // 4)]
        write_table(held_out / f"test-{shard:05d}-of-00014.parquet", rows)
    link(cache)


def write_others(cache: Path, conversations: int = 8) -> None:
    """What the other profiles name beside it: their targets, and what coders are trained on."""
    write_qwen(snapshot(cache, "Qwen/Qwen2.5-VL-7B-Instruct"))
    write_instructblip(snapshot(cache, "Salesforce/instructblip-vicuna-7b"))
    lessons = snapshot(cache, "lmms-lab/LLaVA-NeXT-Data", "datasets") / "data"
    said = [
        {"from": "human", "value": "<image>\nwhat is this?"},
        {"from": "gpt", "value": "the red cat"},
    ]
    rows = [png(drawn(20_000 + seed)) for seed in range(conversations)]
    write_table(
        lessons / "train-00000-of-00250.parquet", rows, conversations=[said] * conversations
    )
    link(cache)


def link(cache: Path) -> None:
    """As a hub's client leaves it: each file is a link to its bytes, which lie by their digest."""
    for home in cache.iterdir():
        (home / "blobs").mkdir(exist_ok=True)
        for file in (home / "snapshots").rglob("*"):
            if file.is_file() and not file.is_symlink():
                blob = home / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
                file.replace(blob)
                file.symlink_to(os.path.relpath(blob, file.parent))


def write_coder(folder: Path, target: Small) -> None:
    """One folder a hook point, as sparsify has it, with a key that newer versions do not know.

    Beside it lies how it was trained, as the published one has it. It is centred on what the target
    makes of some pictures; the feature BRIGHT stands for bright ones.
    """
    adapter = adapter_for(*target)
    shown = adapter.prepare([Prompt((drawn(seed),), "") for seed in range(12)])
    x_BTD = harvest(adapter, shown, "layers.24").detach()
    torch.manual_seed(0)
    place = folder / "model.layers.24"
    place.mkdir()
    decoder = torch.randn(FEATURES, WIDTH)
    decoder[BRIGHT] = (x_BTD[2::3] - x_BTD[0::3]).mean((0, 1))
    decoder = torch.nn.functional.normalize(decoder, dim=1)
    save_file(
        {
            "encoder.weight": decoder.clone(),
            "encoder.bias": torch.zeros(FEATURES),
            "W_dec": decoder,
            "b_dec": x_BTD.mean((0, 1)),
        },
        place / "sae.safetensors",
    )
    about = {
        "expansion_factor": 32, "normalize_decoder": True, "num_latents": FEATURES, "k": K,
        "signed": False, "d_in": WIDTH,
    }  # fmt: skip
    (place / "cfg.json").write_text(json.dumps(about))
    (folder / "config.json").write_text(json.dumps({"sae": about, "lr": None}))


def write_clip(folder: Path) -> None:
    """Pickled weights alone, and a processor's settings as CLIP's first versions wrote them."""
    model, processor = small_grounders.clip()
    model.config.architectures = ["CLIPModel"]
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    processor.tokenizer.save_pretrained(folder)
    about = {
        "crop_size": small_grounders.EDGE, "size": small_grounders.EDGE, "resample": 3,
        "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor",
        "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28],
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(about))


def write_grounders(detector: Path, segmenter: Path) -> None:
    """Grounding DINO and SAM, as transformers has them."""
    for folder, make in (
        (detector, small_grounders.grounding_dino),
        (segmenter, small_grounders.sam),
    ):
        model, processor = make()
        model.save_pretrained(folder)
        write_processor(folder, processor)


def drawn(seed: int) -> Image.Image:
    """A picture of random pixels, darker or brighter, and of a size that differs."""
    light = 0.2 + 0.4 * (seed % 3)
    return noise(24 + seed % 5, 24 + seed % 3, seed).point(lambda value: int(value * light))


def png(picture: Image.Image) -> bytes:
    """A picture's bytes."""
    out = io.BytesIO()
    picture.save(out, "png")
    return out.getvalue()


def write_table(path: Path, rows: list[bytes | None], **columns: list) -> None:
    """Parquet in small row groups, with structs of bytes and path, as a hub has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [
        None if row is None else {"bytes": row, "path": f"{i}.png"} for i, row in enumerate(rows)
    ]
    pq.write_table(pa.table({"image": cells, **columns}), path, row_group_size=7)
