"""LLaVA-NeXT 8B in its true shapes, with random weights: what each part takes on this machine.

    python -m benchmarks.true_shapes [--scale 1] [--pictures 64] [--json]

Target and coder are as large as the profile llava-next-8b says and mean nothing, so nothing is
downloaded: harvest, index, steering, attribution, training of the coder. `--scale 16`, which is the
default where there is no GPU, divides widths and features by 16; layers, cells and words stay.
Memory is the most that the device held in that stage, what stays loaded included.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.one_line import in_one_line
from benchmarks.random_llava import Size, random_llava
from benchmarks.runners.common import peak_megabytes
from lmmscope import wiring
from lmmscope.settings import Settings, load_settings
from sae_core.attribution.linear import ask, attribute
from sae_core.coders.coder import CoderConfig, SparseCoder
from sae_core.errors import UserError
from sae_core.index.build import build_index
from sae_core.index.observer import LmmObserver, source_of, spec_of
from sae_core.lmm.adapter import Adapter, Prompt
from sae_core.lmm.hooks import harvest
from sae_core.steering.experiment import steer
from sae_core.steering.plan import Intervention
from sae_core.training.trainer import TrainConfig, Trainer

PROFILE = "llava-next-8b"
SCALES = (1, 2, 4, 8, 16)
PICTURE = (640, 480)
"""As most of COCO's: four tiles beside the base."""
QUESTION = "what is in this picture ?"
TOKENS, CONTROLS = 16, ("reconstruction", "random_direction")
ROWS, STEPS = 4096, 5


class Stage(NamedTuple):
    """What one part took."""

    name: str
    unit: str
    amount: int
    seconds: float
    megabytes: float

    @property
    def pace(self) -> float:
        """So many units a second."""
        return self.amount / self.seconds


class Noise:
    """Pictures of random pixels, each drawn when it is asked for."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.digest = hashlib.sha256(f"noise {count} {PICTURE}".encode()).hexdigest()

    def __len__(self) -> int:
        """How many."""
        return self._count

    def picture(self, number: int) -> Image.Image:
        """The same each time."""
        width, height = PICTURE
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        return Image.fromarray(pixels)


class Loaded(NamedTuple):
    """What the stages work on."""

    settings: Settings
    adapter: Adapter
    coder: SparseCoder
    shown: Noise
    device: str

    def timed(self, name: str, unit: str, amount: int, work: Callable[[], object]) -> Stage:
        """Once, after everything before it has ended."""
        _fresh(self.device)
        began = time.perf_counter()
        work()
        _ended(self.device)
        return Stage(name, unit, amount, time.perf_counter() - began, _megabytes(self.device))


def loaded(scale: int, pictures: int) -> tuple[Loaded, Stage]:
    """The target and the coder on the device, and what that took."""
    settings, device = load_settings(PROFILE), wiring.device()
    size, config = sizes(settings, scale)
    dtype = getattr(torch, settings.precision) if device == "cuda" else torch.float32
    _fresh(device)
    began = time.perf_counter()
    adapter = random_llava(size, device, dtype)
    torch.manual_seed(0)
    coder = SparseCoder(config).to(device).eval()
    _ended(device)
    numbers = sum(p.numel() for part in (adapter.model, coder) for p in part.parameters())
    seconds = time.perf_counter() - began
    took = Stage("making both", "M numbers", numbers // 1_000_000, seconds, _megabytes(device))
    return Loaded(settings, adapter, coder, Noise(pictures), device), took


def sizes(settings: Settings, scale: int) -> tuple[Size, CoderConfig]:
    """Of the profile's target and coder, as published, with widths divided."""
    known, coder = settings.published.models["target"], settings.coder
    if scale not in SCALES:
        raise UserError(f"--scale {scale}: one of {', '.join(map(str, SCALES))} divides all widths")
    if coder is None or not (known.width and known.inner and known.layers):
        raise UserError(f"The profile {PROFILE} says no sizes. Restore it with git checkout")
    size = Size(known.width, known.inner, known.layers).smaller(scale)
    config = CoderConfig(
        width=size.width,
        features=coder.features // scale,
        k=coder.k // scale,
        hook=settings.data.hook,
    )
    return size, config


def stages(on: Loaded) -> Iterator[Stage]:
    """One after the other; the first pictures warm the device up."""
    yield from _harvested(on)
    yield _indexed(on)
    yield from _steered(on)
    yield _attributed(on)
    yield _trained(on)


def _harvested(on: Loaded) -> Iterator[Stage]:
    batch = min(on.settings.batch, len(on.shown))
    inputs = on.adapter.prepare([Prompt((on.shown.picture(n),), "") for n in range(batch)])

    def run() -> None:
        harvest(on.adapter, inputs, on.settings.data.hook)

    run()
    times = max(1, len(on.shown) // batch)
    tokens = sum(len(layout.kind_T) for layout in inputs.layouts)
    took = on.timed("harvest", "pictures", batch * times, lambda: [run() for _ in range(times)])
    yield took
    yield took._replace(unit="tokens", amount=tokens * times)


def _indexed(on: Loaded) -> Stage:
    seeing = LmmObserver(on.adapter, on.coder, on.settings.data.hook, "random")
    spec = spec_of(seeing, on.shown)
    with tempfile.TemporaryDirectory() as room:
        source = source_of(seeing, on.shown, on.settings.batch)
        return on.timed(
            "index, from pictures to disk",
            "pictures",
            len(on.shown),
            lambda: build_index(Path(room) / "index", spec, source, device=on.device),
        )


def _steered(on: Loaded) -> Iterator[Stage]:
    prompt = Prompt((on.shown.picture(0),), QUESTION)
    few = [(Intervention(feature=feature, kind="clamp", value=10.0),) for feature in range(4)]
    for size in (1, len(few)):
        rows = 1 + size * (1 + len(CONTROLS))
        yield on.timed(
            f"steering {size}, with controls",
            "tokens",
            rows * TOKENS,
            lambda size=size: steer(
                on.adapter, on.coder, on.settings.data.hook, prompt, few[:size],
                tokens=TOKENS, controls=CONTROLS,
            ),
        )  # fmt: skip


def _attributed(on: Loaded) -> Stage:
    inputs = on.adapter.prepare([Prompt((on.shown.picture(0),), QUESTION)])
    question = ask(on.adapter, on.coder, on.settings.data.hook, inputs, "yes", "no")
    return on.timed("attribution, all features", "answers", 1, lambda: attribute(question))


def _trained(on: Loaded) -> Stage:
    plan = TrainConfig(steps=STEPS + 1, batch=ROWS)
    trainer = Trainer(on.coder.config, plan).to(torch.device(on.device))
    generator = torch.Generator(on.device).manual_seed(0)
    x_ND = torch.randn(ROWS, on.coder.config.width, generator=generator, device=on.device)
    trainer.begin(x_ND)
    trainer.train_step(x_ND)
    return on.timed(
        "training the coder",
        "rows",
        STEPS * ROWS,
        lambda: [trainer.train_step(x_ND) for _ in range(STEPS)],
    )


def _fresh(device: str) -> None:
    """Memory is counted from here on."""
    _ended(device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")  # the process's own peak begins anew


def _ended(device: str) -> None:
    """A GPU works on after it was told to."""
    if device == "cuda":
        torch.cuda.synchronize()


def _megabytes(device: str) -> float:
    return torch.cuda.max_memory_allocated() / 1e6 if device == "cuda" else peak_megabytes()


def where(device: str) -> str:
    """The machine, in words."""
    name = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
    return f"{name}, {torch.get_num_threads()} threads, torch {torch.__version__}"


@in_one_line()
def main() -> None:
    """Print a line for each stage as it ends, and the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    usual = 1 if wiring.device() == "cuda" else 16
    parser.add_argument("--scale", type=int, default=usual, help="divides widths and features")
    parser.add_argument("--pictures", type=int, default=64 if usual == 1 else 8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    console = Console(stderr=given.json)
    on, first = loaded(given.scale, given.pictures)
    found = [first]
    for stage in stages(on):
        found.append(stage)
        console.print(f"{stage.name}: {stage.pace:,.3g} {stage.unit}/s", style="dim")
    if given.json:
        print(json.dumps({"where": where(on.device), "stages": [s._asdict() for s in found]}))
        return
    scale = "true shapes" if given.scale == 1 else f"widths divided by {given.scale}"
    table = Table(title=f"{PROFILE}, {scale}: {where(on.device)}")
    for heading in ("stage", "amount", "seconds", "a second", "most MB"):
        table.add_column(heading, justify="left" if heading == "stage" else "right")
    for one in found:
        amount, pace = f"{one.amount:,} {one.unit}", f"{one.pace:,.3g}"
        table.add_row(one.name, amount, f"{one.seconds:.2f}", pace, f"{one.megabytes:,.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
