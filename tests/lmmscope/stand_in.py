"""The paper's models and data sets as tiny random ones, laid out as a hub's cache has them.

Repositories, folders, shards, tensor names and precisions are the published ones, so that the
profile of the paper runs as it is; only the numbers are others. And an explainer behind HTTP.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from sae_core.lmm.adapter import Prompt, adapter_for
from sae_core.lmm.hooks import harvest
from tests.sae_core import small_models
from tests.sae_core.small_models import WIDTH, Small, noise
from tests.tools.backends import small_grounders

REVISION = "0123456789abcdef0123456789abcdef01234567"
FEATURES, K, LAYERS, BRIGHT = 64, 4, 26, 3


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
    target = tiny_target()
    write_coder(snapshot(cache, "lmms-lab/llama3-llava-next-8b-hf-sae-131k"), target)
    write_target(snapshot(cache, "llava-hf/llama3-llava-next-8b-hf"), target)
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


def tiny_target() -> Small:
    """LLaVA-NeXT with as many blocks as the profile's hook point needs."""
    return small_models.llava_next(depth=LAYERS)


def write_target(folder: Path, target: Small) -> None:
    """LLaVA-NeXT in half precision and several shards, with the names that tensors had then."""
    model, processor = target
    model.to(torch.float16).save_pretrained(folder, max_shard_size="40KB")
    processor.save_pretrained(folder)
    index = folder / "model.safetensors.index.json"
    about = json.loads(index.read_text())
    about["weight_map"] = {_then(name): file for name, file in about["weight_map"].items()}
    index.write_text(json.dumps(about))
    for shard in folder.glob("*.safetensors"):
        tensors = {_then(name): tensor for name, tensor in load_file(shard).items()}
        save_file(tensors, shard, metadata={"format": "pt"})


def _then(name: str) -> str:
    """A tensor's name in the checkpoints that were published before transformers 4.52."""
    if name.startswith("model.language_model."):
        return name.replace("model.language_model.", "language_model.model.")
    if name.startswith("lm_head."):
        return f"language_model.{name}"
    return name.removeprefix("model.")


def write_coder(folder: Path, target: Small) -> None:
    """One folder a hook point, as sparsify has it, with a key that newer versions do not know.

    Centred on what the target makes of some pictures; the feature BRIGHT stands for bright ones.
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


def write_clip(folder: Path) -> None:
    """Pickled weights alone, as the published one has them."""
    model, processor = small_grounders.clip()
    model.config.save_pretrained(folder)
    model.config.architectures = ["CLIPModel"]
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    processor.save_pretrained(folder)


def write_grounders(detector: Path, segmenter: Path) -> None:
    """Grounding DINO and SAM, as transformers has them."""
    for folder, make in (
        (detector, small_grounders.grounding_dino),
        (segmenter, small_grounders.sam),
    ):
        model, processor = make()
        model.save_pretrained(folder)
        processor.save_pretrained(folder)


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


@contextmanager
def explainer() -> Generator[str]:
    """A server that gives each question a reply of the form that it asks for; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # the name that http.server looks for
            self._send({"data": [{"id": "/models/large"}]})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            message = {"role": "assistant", "content": _reply(body["messages"][-1]["content"])}
            choice = {"message": message, "finish_reason": "stop"}
            self._send({"model": body["model"], "choices": [choice]})

        def _send(self, document: dict) -> None:
            data = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


FORMS = {
    "[EXPLANATION]:": "[EXPLANATION]: a red car",
    "[HYPOTHESIS]": "[HYPOTHESIS] a red car\n[HYPOTHESIS] a tree",
    "[ANSWER]": "[ANSWER] red car",
    "1 for yes or 0 for no": "1",
    "Which one class": "object",
}


def _reply(content: str | list) -> str:
    text = content if isinstance(content, str) else " ".join(p.get("text", "") for p in content)
    return next((reply for form, reply in FORMS.items() if form in text), "a red car, a tree")
