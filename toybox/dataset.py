"""Pictures of a split, rendered once and kept on disk with the dense labels that training uses.

Knows files and arrays; nothing of models. Safe to interrupt: a chunk is complete or absent.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track

from toybox.evidence import evidence_in
from toybox.grid import GRID, PATCH
from toybox.vocabulary import COLOURS, EMOTIONS, FINISHES, OBJECTS, PARTS, SCENES, WORDS
from toybox.world import SIZE
from toybox.world_draw import Picture, draw_scene, region_facts
from toybox.world_splits import split

CHUNK = 2_000

FACETS: dict[str, tuple[str, ...]] = {
    "object": ("", *OBJECTS),
    "color": ("", *COLOURS),
    "finish": ("", *FINISHES),
    "part": ("", *PARTS),
    "text": ("", *WORDS),
    "emotion": ("", *EMOTIONS),
    "scene": ("", *SCENES),
}
"""What can be labelled at a patch, and the names of the labels; label 0 means none."""
PATCH_FACETS = len(FACETS) - 1
"""Facets that are kept for each patch; the scene is kept once for a picture."""


class Labelled(NamedTuple):
    """Rendered pictures of a split. patches_NPF holds one label per patch and facet."""

    pixels_NHW3: np.ndarray
    patches_NPF: np.ndarray
    scenes_N: np.ndarray


class EvidenceTable(NamedTuple):
    """Rendered pictures, and rows of: whose picture, which of meanings(), which cells."""

    pixels_NHW3: np.ndarray
    owner_R: np.ndarray
    number_R: np.ndarray
    cells_RC: np.ndarray

    def starts(self) -> np.ndarray:
        """Where each picture's rows begin, and after the last one where they end."""
        return np.searchsorted(self.owner_R, np.arange(len(self.pixels_NHW3) + 1))


def patch_labels(picture: Picture) -> np.ndarray:
    """Labels of each patch [GRID * GRID, facets]: the thing most seen there, and what of it."""

    def blocks(plane: np.ndarray) -> np.ndarray:
        cut = plane.reshape(GRID, PATCH, GRID, PATCH).swapaxes(1, 2)
        return cut.reshape(GRID * GRID, PATCH * PATCH)

    thing_PK, region_PK = blocks(picture.thing_HW), blocks(picture.region_HW)
    facts = region_facts()
    shown = picture.scene.shown
    area_PT = np.stack([(thing_PK == i).sum(1) for i in range(len(shown))], 1) if shown else None
    labels = np.zeros((GRID * GRID, PATCH_FACETS), np.uint8)
    if area_PT is None:
        return labels
    main_P = area_PT.argmax(1)
    seen_P = area_PT.max(1) >= 10
    mine_PK = thing_PK == main_P[:, None]
    tinted_P = (facts.tinted[region_PK] & mine_PK).sum(1) >= 8
    part_counts = np.stack(
        [((facts.parts[region_PK] == part) & mine_PK).sum(1) for part in PARTS], 1
    )
    for p in np.nonzero(seen_P)[0]:
        thing = shown[main_P[p]]
        labels[p, 0] = 1 + OBJECTS.index(thing.kind)
        if tinted_P[p]:
            labels[p, 1] = 1 + COLOURS.index(thing.colour)
            labels[p, 2] = 1 + FINISHES.index(thing.finish)
        if part_counts[p].max() >= 6:
            labels[p, 3] = 1 + part_counts[p].argmax()
        if (facts.plate[region_PK[p]] & mine_PK[p]).sum() >= 16 and thing.kind == "sign":
            labels[p, 4] = 1 + WORDS.index(thing.word)
        if thing.kind == "person" and (facts.face[region_PK[p]] & mine_PK[p]).sum() >= 16:
            labels[p, 5] = 1 + EMOTIONS.index(thing.emotion)
    return labels


Arrays = dict[str, np.ndarray]


def _draw(name: str, start: int, stop: int) -> list[Picture]:
    return [draw_scene(split(name).scene(i)) for i in range(start, stop)]


def _labelled_chunk(name: str, start: int, stop: int) -> Arrays:
    pictures = _draw(name, start, stop)
    return {
        "pixels": np.stack([p.pixels_HW3 for p in pictures]),
        "patches": np.stack([patch_labels(p) for p in pictures]),
        "scenes": np.array([SCENES.index(p.scene.place or SCENES[0]) for p in pictures], np.uint8),
    }


def evidence_table(pictures: list[Picture]) -> EvidenceTable:
    """Some pictures with the cells of everything in them."""
    found = [evidence_in(picture) for picture in pictures]
    rows = [(i, number, cells) for i, one in enumerate(found) for number, cells in one.items()]
    return EvidenceTable(
        np.stack([picture.pixels_HW3 for picture in pictures]),
        np.array([i for i, _, _ in rows]),
        np.array([number for _, number, _ in rows]),
        np.stack([cells for _, _, cells in rows]),
    )


def _evidence_chunk(name: str, start: int, stop: int) -> Arrays:
    table = evidence_table(_draw(name, start, stop))
    return table._replace(owner_R=table.owner_R + start)._asdict()


def _write(job: tuple[Callable[[str, int, int], Arrays], str, int, int, Path]) -> None:
    make, name, start, stop, path = job
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **make(name, start, stop))
    partial.replace(path)


def _chunks(
    make: Callable[[str, int, int], Arrays], name: str, count: int, cache: Path, kind: str
) -> Iterator[Arrays]:
    """The chunks of a split in order, made in parallel where they are not on disk yet."""
    folder = cache / f"{kind}-{name}-{split(name).digest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    spans = [(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    jobs = [(make, name, a, b, folder / f"{a:07d}-{b:07d}.npz") for a, b in spans]
    missing = [job for job in jobs if not job[-1].exists()]
    if missing:
        workers = min(len(missing), os.cpu_count() or 1)
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for _ in track(
                pool.imap_unordered(_write, missing),
                f"drawing {name}",
                total=len(missing),
                console=Console(stderr=True),
            ):
                pass
    for job in jobs:
        with np.load(job[-1]) as chunk:
            yield dict(chunk)


def labelled(name: str, count: int, cache: Path) -> Labelled:
    """The first `count` pictures of a split with their patch labels."""
    pixels = np.empty((count, SIZE, SIZE, 3), np.uint8)
    patches = np.empty((count, GRID * GRID, PATCH_FACETS), np.uint8)
    scenes = np.empty(count, np.uint8)
    at = 0
    for chunk in _chunks(_labelled_chunk, name, count, cache, "patches"):
        end = at + len(chunk["pixels"])
        pixels[at:end], patches[at:end] = chunk["pixels"], chunk["patches"]
        scenes[at:end] = chunk["scenes"]
        at = end
    return Labelled(pixels, patches, scenes)


def evidence(name: str, count: int, cache: Path) -> EvidenceTable:
    """The first `count` pictures of a split with the cells of everything in them."""
    chunks = list(_chunks(_evidence_chunk, name, count, cache, "evidence"))
    fields = EvidenceTable._fields
    return EvidenceTable(*(np.concatenate([chunk[name] for chunk in chunks]) for name in fields))
