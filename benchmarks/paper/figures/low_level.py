"""Figure 17: features that are active in nearly every picture, and what their maps go along with.

Knows how they are chosen: by how many pictures they are active on at all, then by how many cells.
What a map goes along with is measured on cells: the rank correlation of activation with each of a
few plain properties of what a cell shows.

Shapes: N pictures, R x C the grid, H x W a picture, P cells of all pictures.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks.paper.bench import Bench
from benchmarks.paper.figures.blocks import Card, Heading, Strip, Title
from benchmarks.paper.figures.canvas import Page
from benchmarks.paper.figures.figure import Figure, check_places, enlarged
from sae_core.attribution.exact import spearman
from sae_core.index.harvest import Numbered
from tools.lab import Lab

NAME, OF_PAPER = "low_level", "Figure 17"
TITLE = "Features that are active nearly everywhere"
MEASURED_ON = 64
NEARLY = 0.9
SHOWN, ACROSS = 4, 6


class Common(NamedTuple):
    """A feature on some pictures by chance."""

    feature: int
    pictures: float
    """On what share of them it is active."""
    cells: float
    map_NRC: np.ndarray
    follows: str
    rho: float


async def figure(bench: Bench) -> Figure:
    """The commonest features on a few pictures by chance."""
    rng = np.random.default_rng((bench.seed, 17))
    size = len(bench.lab.pictures("explore"))
    numbers = sorted(rng.choice(size, min(MEASURED_ON, size), replace=False).tolist())
    common = await asyncio.to_thread(commonest, bench.lab, numbers)
    told = (
        f"{len(common)} features are active on at least {NEARLY:.0%} of {len(numbers)} explore "
        "pictures by chance, weakly or strongly."
    )
    if not common:
        return Figure(NAME, TITLE, OF_PAPER, None, (told,))
    blocks: list[Heading | Strip] = []
    for one in common[:SHOWN]:
        strongest = float(one.map_NRC[:ACROSS].max()) or 1.0
        cards = tuple(
            Card(heated(bench.lab.picture("explore", number), map_RC / strongest))
            for number, map_RC in zip(numbers[:ACROSS], one.map_NRC, strict=False)
        )
        beside = f"on {one.pictures:.0%} of the pictures, {one.cells:.0%} of the cells"
        way = "rises" if one.rho > 0 else "falls"
        name = f"feature {one.feature}  ·  {way} with {one.follows} ({one.rho:+.2f})"
        blocks += [Heading(name, beside), Strip(cards, ACROSS)]
    below = (
        "The same pictures by chance in each row; the lighter, the more active. Beside the number: "
        "the plain property of a cell that its activation goes along with most (rank correlation)."
    )
    return Figure(
        NAME,
        TITLE,
        OF_PAPER,
        Page((Title(TITLE, below), *blocks)),
        (told, f"Shown are the {min(SHOWN, len(common))} that are active in most cells."),
    )


@torch.no_grad()
def commonest(lab: Lab, numbers: list[int]) -> list[Common]:
    """The features that are active on nearly all of these pictures, most cells first."""
    pictures = [lab.picture("explore", number) for number in numbers]
    seen = lab.graded.observe([Numbered(n, p) for n, p in zip(numbers, pictures, strict=True)])
    check_places(lab, seen.grid)
    dense_NPF = seen.code.dense(lab.graded.features).cpu()
    often_F = (dense_NPF > 0).any(1).float().mean(0)
    cells_F = (dense_NPF > 0).float().mean((0, 1))
    order = torch.where(often_F >= NEARLY, cells_F, -1).argsort(descending=True)
    some = [int(f) for f in order if often_F[f] >= NEARLY]
    plain = properties(pictures, seen.grid)
    found = []
    for feature in some:
        map_NRC = dense_NPF[:, :, feature].reshape(-1, *seen.grid).numpy()
        shown = len(found) < SHOWN
        follows, rho = _follows(map_NRC, plain) if shown else ("", 0.0)
        found.append(
            Common(feature, float(often_F[feature]), float(cells_F[feature]), map_NRC, follows, rho)
        )
    return found


def properties(pictures: list[Image.Image], grid: tuple[int, int]) -> dict[str, np.ndarray]:
    """What each cell of each picture is like, in plain words [P]."""
    rows: dict[str, list[np.ndarray]] = {}
    for picture in pictures:
        pixels_HW3 = np.asarray(picture.convert("RGB"), np.float32)
        light_HW = pixels_HW3.mean(2)
        down_HW, across_HW = np.gradient(light_HW)
        maps = {
            "brightness": light_HW,
            "colourfulness": pixels_HW3.max(2) - pixels_HW3.min(2),
            "edges": np.hypot(down_HW, across_HW),
            "redness": pixels_HW3[..., 0] - light_HW,
            "greenness": pixels_HW3[..., 1] - light_HW,
            "blueness": pixels_HW3[..., 2] - light_HW,
        }
        for name, map_HW in maps.items():
            cells_RC = Image.fromarray(map_HW).resize(grid[::-1], Image.Resampling.BOX)
            rows.setdefault(name, []).append(np.asarray(cells_RC))
        down_RC, across_RC = np.indices(grid)
        rows.setdefault("height in the picture", []).append(-down_RC)
        rows.setdefault("nearness to the right", []).append(across_RC)
    return {name: np.stack(some).ravel() for name, some in rows.items()}


def _follows(map_NRC: np.ndarray, plain: dict[str, np.ndarray]) -> tuple[str, float]:
    map_P = torch.from_numpy(map_NRC.ravel())
    found = {
        name: spearman(map_P, torch.from_numpy(value_P))
        for name, value_P in plain.items()
        if value_P.min() < value_P.max()
    }
    best = max(found, key=lambda name: abs(found[name]))
    return best, found[best]


def heated(picture: Image.Image, strength_RC: np.ndarray) -> Image.Image:
    """A picture, the lighter the more active a cell is."""
    large = enlarged(picture)
    cover = Image.fromarray(strength_RC.astype(np.float32))
    cover_HW1 = np.asarray(cover.resize(large.size, Image.Resampling.NEAREST))[..., None]
    lit_HW3 = np.asarray(large, np.float32) * (0.25 + 0.75 * np.sqrt(cover_HW1.clip(0, 1)))
    return Image.fromarray(lit_HW3.round().astype(np.uint8))
