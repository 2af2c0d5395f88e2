"""How a feature of the index looks: in a terminal, as JSON, as a sheet of pictures.

Knows records and pictures; nothing of models. Whoever only numbers pictures needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lmmscope.bars import bars

if TYPE_CHECKING:
    from sae_core.index.build import Source
    from sae_core.index.observer import PictureSet
    from sae_core.index.query import FeatureRecord, Shown
    from sae_core.index.table import Harvested
    from sae_core.pictures.manifest import Manifest

COLUMNS, GAP, HEAD, SIDE = 8, 6, 16, 96
PAPER, INK, LIGHT = (250, 249, 246), (60, 58, 54), (255, 196, 0)


@contextmanager
def counted(source: Source, span: range) -> Generator[Source]:
    """The source with a progress bar over all of its pictures."""
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("pictures", total=len(span))

        def batches(part: range) -> Iterable[Harvested]:
            progress.update(task, completed=part.start - span.start)
            for batch in source(part):
                yield batch
                progress.advance(task, len(batch.picture_B))

        yield batches
        progress.update(task, completed=len(span))


def numbering(place: str, each: int = 5000) -> Callable[[int], None]:
    """Says now and then how many pictures of a set are numbered, which can take minutes."""
    told = 0

    def tell(count: int) -> None:
        nonlocal told
        if count - told >= each:
            told = count
            Console(stderr=True).print(f"{place}: {count:,} pictures numbered", markup=False)

    return tell


def left_out(place: str, shown: int = 5) -> Callable[[Manifest, Path], None]:
    """Says which pictures of a set that was just numbered do not count, and why."""

    def made(manifest: Manifest, kept: Path) -> None:
        console, broken = Console(stderr=True, soft_wrap=True), manifest.unreadable
        if manifest.repeated:
            console.print(f"{place}: {manifest.repeated:,} repeated, counted once", markup=False)
        if broken:
            named = "; ".join(f"{name}: {why}" for name, why in broken[:shown])
            rest = f"; all of them in {kept}" if len(broken) > shown else ""
            text = f"{place}: {len(broken):,} left out, as they can't be opened ({named}{rest})"
            console.print(text, markup=False)

    return made


def show_record(record: FeatureRecord, level: float = 0.0) -> None:
    """A feature as a table; below its level it counts as silent."""
    table = Table(show_header=False, box=None, pad_edge=False)
    few = "   too few to judge it by" if record.short else ""
    table.add_row("feature", str(record.feature))
    table.add_row("fires on", f"{record.fires_on:,} pictures ({record.picture_rate:.2%}){few}")
    table.add_row("", f"{record.token_rate:.3%} of all positions")
    if level:
        table.add_row("", f"counted from {level:.3f} on")
    table.add_row("activation", f"mean {record.mean:.3f}, peak {record.peak:.3f}")
    table.add_row("histogram", bars(record.histogram.counts_H.tolist()))
    table.add_row("top by mean", _listed(record.top_by_mean))
    table.add_row("top by maximum", _listed(record.top_by_max))
    table.add_row("silent but near", ", ".join(str(n.picture) for n in record.negatives) or "none")
    near = ", ".join(f"{n.feature} ({n.share:.0%})" for n in record.neighbours)
    table.add_row("fires with", near or "none")
    Console().print(table)


def _listed(shown: Sequence[Shown], most: int = 10) -> str:
    return ", ".join(str(one.picture) for one in shown[:most]) or "none"


def as_json(record: FeatureRecord, level: float = 0.0) -> str:
    """A feature for programs; patch maps are left to the index."""

    def plain(shown: Sequence[Shown]) -> list[dict[str, float]]:
        return [{"picture": s.picture, "mean": s.mean, "peak": s.peak} for s in shown]

    fields = record._asdict() | {
        "counted_from": level,
        "short": record.short,
        "histogram": {
            "edges": record.histogram.edges_H1.tolist(),
            "counts": record.histogram.counts_H.tolist(),
        },
        "top_by_mean": plain(record.top_by_mean),
        "top_by_max": plain(record.top_by_max),
        "sample": plain(record.sample),
        "negatives": [n._asdict() for n in record.negatives],
        "neighbours": [n._asdict() for n in record.neighbours],
    }
    return json.dumps(fields, indent=2)


def write_sheet(record: FeatureRecord, pictures: PictureSet, path: Path) -> Path:
    """A sheet: the strongest pictures, a sample from weak to strong, and silent ones that are near.

    Cells that fire are bright, the rest is dimmed; silent pictures are shown as they are.
    """
    weak_to_strong = record.sample[:: max(1, len(record.sample) // COLUMNS)][:COLUMNS]
    rows = [
        ("strongest by mean", [_lit(s, pictures) for s in record.top_by_mean[:COLUMNS]]),
        ("strongest by maximum", [_lit(s, pictures) for s in record.top_by_max[:COLUMNS]]),
        ("by chance, weak to strong", [_lit(s, pictures) for s in weak_to_strong]),
        ("near, but silent", [pictures.picture(n.picture) for n in record.negatives[:COLUMNS]]),
    ]
    width = GAP + COLUMNS * (SIDE + GAP)
    sheet = Image.new("RGB", (width, HEAD + GAP + len(rows) * (HEAD + SIDE + GAP)), PAPER)
    draw = ImageDraw.Draw(sheet)
    few = " (too few to judge it by)" if record.short else ""
    draw.text((GAP, 4), f"feature {record.feature}: {record.fires_on} pictures{few}", INK)
    for at, (title, images) in enumerate(rows):
        top = HEAD + GAP + at * (HEAD + SIDE + GAP)
        draw.text((GAP, top), title if images else f"{title}: none", INK)
        for column, image in enumerate(images):
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            sheet.paste(small, (GAP + column * (SIDE + GAP), top + HEAD))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def _lit(shown: Shown, pictures: PictureSet) -> Image.Image:
    from sae_core.index.masks import strict_mask

    image = pictures.picture(shown.picture).convert("RGB")
    lit = strict_mask(shown.map_RC, image.size)
    pixels = np.asarray(image, np.float32)
    grey = pixels.mean(2, keepdims=True)
    dimmed = 0.25 * (0.4 * pixels + 0.6 * grey)
    out = np.where(lit[..., None], pixels, dimmed).astype(np.uint8)
    padded = np.pad(lit, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    out[lit & ~inside] = LIGHT
    return Image.fromarray(out)
