"""Trains the toybox's sparse autoencoder, builds its feature index, and notes what each feature is.

    python -m toybox.train_sae

Knows the target's middle layer. The truth about features is kept apart from coder and index, which
are what an agent is given.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from sae_core.coders.coder import CoderConfig
from sae_core.formats.store import load_coder, save_coder
from sae_core.index.harvest import Numbered
from sae_core.index.levels import FILE, StrongObserver, measured, write_levels
from sae_core.index.lit import build_with_lit
from sae_core.index.observer import LmmObserver, source_of, spec_of
from sae_core.lmm.adapter import adapter_for
from sae_core.training.activations import TokenStream, tokens_of
from sae_core.training.evaluation import evaluate, loss_recovered
from sae_core.training.trainer import Progress, TrainConfig, Trainer
from toybox.conversations import ToyboxConversations, ToyboxPictures
from toybox.models import WEIGHTS, load_target
from toybox.training import CACHE, console
from toybox.truth import Matcher, Truth, write_truth

HOOK, FEATURES, K = "layers.3", 2048, 32
STEPS, BATCH, RATE = 1500, 2048, 1e-3
FIRING = 0.5
"""Of what its fifth-best picture reaches, as in the toybox's profile."""
INDEXED, SEALED, MATCHED, HELD_OUT = 4096, 4096, 1024, 512
TRUTH = WEIGHTS / "sae-truth.json"


def train(folder: Path, out: Path, steps: int = STEPS) -> None:
    """Train, or go on; then ship the coder in half precision."""
    chat = load_target()
    adapter = adapter_for(chat.model, chat.processor)
    config = CoderConfig(
        width=adapter.width(), features=FEATURES, k=K, hook=HOOK, source="toybox:target"
    )
    plan = TrainConfig(steps=steps, batch=BATCH, rate=RATE, warmup=200, dead_after=300_000)
    talks = ToyboxConversations("train-balanced", 40_000)
    stream = TokenStream(adapter, talks, HOOK, BATCH, at_once=32)
    coder = Trainer(config, plan).run(stream, folder / "train" / "sae.pt", report=_told)
    save_coder(coder.half(), out, replace=True)


def _told(now: Progress) -> None:
    if now.step % 50 == 0 or now.step == now.steps:
        left = (now.steps - now.step) * BATCH / now.rows_per_second / 60
        console.print(
            f"sae {now.step}/{now.steps} FVU {now.fvu:.3f} L0 {now.l0:.1f} dead {now.dead:.1%} · "
            f"{now.rows_per_second:,.0f} tokens/s · {left:.0f} min left"
        )


def observer(out: Path) -> LmmObserver:
    """The shipped coder on the target."""
    chat = load_target()
    coder = load_coder(out).float()
    return LmmObserver(adapter_for(chat.model, chat.processor), coder, HOOK, "toybox:target")


def index(seeing: LmmObserver, folder: Path) -> None:
    """The index over the pictures that an agent may explore, and that of the sealed ones."""
    shown = ToyboxPictures("explore", INDEXED)
    shutil.rmtree(folder, ignore_errors=True)
    levels = measured(source_of(seeing, shown), len(shown), seeing.features, FIRING)
    write_levels(levels, folder / FILE)
    strong = StrongObserver(seeing, levels)
    _build(strong, shown, folder, top=12, sample=24)
    # Verification takes pictures from all quarters of the sample, and no top pictures.
    tested = folder.with_name(f"{folder.name}-test")
    shutil.rmtree(tested, ignore_errors=True)
    _build(strong, ToyboxPictures("test", SEALED), tested, top=5, sample=64)


def _build(strong: StrongObserver, shown: ToyboxPictures, folder: Path, **sizes: int) -> None:
    spec = spec_of(strong, shown, levels=strong.levels.digest, **sizes)
    build_with_lit(folder, spec, source_of(strong, shown))


def match(seeing: LmmObserver, count: int = MATCHED) -> Truth:
    """What each feature is, over pictures that neither training nor index has seen."""
    name = "validate"
    shown, matcher = ToyboxPictures(name, count), Matcher(seeing.features, name)
    for at in range(0, count, 32):
        numbers = range(at, min(at + 32, count))
        matcher.add(seeing.observe([Numbered(n, shown.picture(n)) for n in numbers]))
    return matcher.truth(seeing.digest)


def measure(seeing: LmmObserver, truth: Truth) -> None:
    """Print what the model card says."""
    talks = ToyboxConversations("validate", HELD_OUT)
    batches = (
        tokens_of(seeing.adapter, talks[at : at + 32], HOOK, "all") for at in range(0, HELD_OUT, 32)
    )
    with torch.inference_mode():
        found = evaluate(seeing.coder, batches)
        replies = loss_recovered(seeing.adapter, seeing.coder, HOOK, talks)
    console.print(
        f"FVU {found.fvu:.4f} · L0 {found.l0:.1f} · dead {found.dead:.1%} · loss recovered "
        f"{replies.recovered:.4f} · {len(truth.found())} concepts of {len(truth.concepts)} have a "
        "feature that tells them (AUROC >= 0.9)"
    )


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, default=CACHE, help="where checkpoints lie")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "sae", help="the coder's folder")
    given = parser.parse_args()
    train(given.cache, given.out)
    seeing = observer(given.out)
    index(seeing, given.out / "index")
    truth = match(seeing)
    write_truth(truth, TRUTH if given.out == WEIGHTS / "sae" else given.out / "truth.json")
    measure(seeing, truth)


if __name__ == "__main__":
    main()
