"""The three layers of Table 3, each with a coder: of profiles, of folders, or trained here.

A small coder is trained once for each layer and kept in the runs folder; a training that was
killed goes on. Knows layers and coders; nothing of labels.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.paper.bench import check_coder
from benchmarks.paper.labelling import call
from benchmarks.paper.modes import Setup, Setups, opened, setups
from benchmarks.paper.published import LAYERS, TABLE_3
from lmmscope.settings import Settings, known_profiles, load_settings
from lmmscope.wiring import SHIPPED
from sae_core.errors import UserError
from sae_core.formats.store import stored_in
from sae_core.training.trainer import Progress
from tools.coder_folders import trained_folder
from tools.lab import Lab

EVERY = 10.0
"""Seconds between two lines that say how far a training is."""


class Training(NamedTuple):
    """What is trained where there is no coder."""

    steps: int = 400
    features: int = 1024
    k: int = 32
    batch: int = 1024
    block: int = 512
    pictures: int = 512
    """Explore pictures that such a coder is looked at on, and held-out ones."""


class Layer(NamedTuple):
    """One row of the table."""

    name: str
    printed: int
    """The paper's layer at the same depth."""
    setups: Setups


async def layers_of(
    settings: Settings, given: Mapping[int, Path], training: Training, seed: int
) -> list[Layer]:
    """A coder for each layer: one given, the profile sibling's, or, of the toybox, trained now."""
    siblings = {layer: f"{settings.name}-layer-{layer}" for layer in TABLE_3}
    if not given and set(siblings.values()) <= set(known_profiles()):
        return [_sibling(layer, name, settings.runs) for layer, name in siblings.items()]
    counts = ("explore_pictures", "held_out_pictures")
    few = settings.data.model_copy(update=dict.fromkeys(counts, training.pictures))
    small = settings if given else settings.model_copy(update={"data": few})
    async with opened(Setup(settings), seed) as lab:
        lab.report = Teller()
        depth = len(lab.target.layers())
        places = dict(zip(TABLE_3, places_of(depth), strict=True))
        if unknown := set(given) - set(places.values()):
            raise UserError(
                f"There is no coder wanted for layer {min(unknown)}: of {depth} layers, "
                f"{', '.join(map(str, places.values()))} are as deep as the paper's. "
                "Give these with --sae LAYER=FOLDER"
            )
        lacking = [str(place) for place in places.values() if place not in given]
        if lacking and not settings.models.target.startswith(SHIPPED):
            raise UserError(
                f"{settings.models.target} has no coder for layer {' nor '.join(lacking)} of "
                f"{depth}, as deep as the paper's. Train each with lmmscope sae train, and give it "
                "with --sae LAYER=FOLDER"
            )
        coders = {
            place: given.get(place) or await _trained(lab, place, training, seed)
            for place in places.values()
        }
    return [
        Layer(f"layer {place} of {depth}", printed, setups(small, sae=str(coders[place])))
        for printed, place in places.items()
    ]


async def _trained(lab: Lab, place: int, training: Training, seed: int) -> Path:
    """A layer's coder, if it is not there yet; another training has another name."""
    size = f"{training.features}-{training.k}-{training.steps}"
    folder = trained_folder(lab, f"paper-layer-{place}-{size}-{seed}")
    if not stored_in(folder):
        asked = training._asdict()
        del asked["pictures"]
        hook = f"layers.{place - 1}"
        await call(lab, "train_sae", name=folder.name, hook=hook, seed=seed, **asked)
    return folder


def places_of(depth: int) -> list[int]:
    """The layers of a target, from 1, that are as deep as the paper's."""
    places = [max(1, round(layer / LAYERS * depth)) for layer in TABLE_3]
    if len(set(places)) < len(places):
        raise UserError(
            f"A target of {depth} layers has none for each of {', '.join(map(str, TABLE_3))} of "
            f"{LAYERS}. Choose a deeper one with --profile"
        )
    return places


def folders_of(words: Sequence[str]) -> dict[int, Path]:
    """What --sae LAYER=FOLDER says."""
    found = {}
    for one in words:
        if not (said := re.fullmatch(r"(\d+)=(.+)", one)):
            raise UserError(f"--sae {one!r} is not LAYER=FOLDER. Try --sae 5=runs/saes/layer-5")
        found[int(said[1])] = Path(said[2])
    return found


def _sibling(layer: int, name: str, runs: Path) -> Layer:
    settings = load_settings(name).model_copy(update={"runs": runs})
    check_coder(settings)
    return Layer(f"layer {layer} of {LAYERS}", layer, setups(settings))


class Teller:
    """Says how far a training is, on standard error."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, at: Progress) -> None:
        """Now and then, and at the end."""
        now = time.monotonic()
        if now - self._last >= EVERY or at.step == at.steps:
            self._last = now
            line = f"training: step {at.step} of {at.steps}, {at.fvu:.2f} of the variance left"
            print(line, file=sys.stderr, flush=True)
