"""How well the places where a feature fires match those where a grounder finds its label.

Mode `paper`: pixels, the region being what the published mask leaves lighter than 224, bleed and
all. Mode `strict`: cells of the grid, those that fire against those that the detection covers.
A picture on which nothing was found scores 0 in both and is counted; a grounder that failed is the
caller's failure, not a picture without a detection.

Knows masks; nothing of grounders.

Shapes: R x C the base grid, H x W a detection, N cases, D draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from sae_core.errors import UserError
from sae_core.index.masks import paper_mask, strict_mask
from sae_core.masks import INACTIVE_ALPHA
from sae_core.scoring.estimate import Score
from sae_core.scoring.nulls import drawn_null, labels_null
from sae_core.scoring.resampling import SHARE, Cases, mean
from sae_core.scoring.significance import DRAWS

Mode = Literal["paper", "strict"]
Found = np.ndarray | None
"""The union of a label's masks on a picture [H, W], or None where nothing was found."""
COVERED = 0.5
"""From this share of its area on, a cell belongs to a detection."""


class Lit(NamedTuple):
    """Where a feature fires on a picture."""

    picture: int
    map_RC: np.ndarray
    level: float = 0.0
    """In mode `strict`, cells that fire more weakly do not count."""


class Regions(NamedTuple):
    """What the feature lights and what the grounder found, both at one resolution."""

    lit: np.ndarray
    found: np.ndarray


class Overlap(Score):
    """The mean intersection over union."""

    mode: Mode
    undetected: int
    """On how many of the cases nothing was found; each counts 0."""


def overlap(
    lit: Sequence[Lit],
    found: Sequence[Found],
    mode: Mode,
    *,
    shuffled: Sequence[Sequence[Found]] = (),
    seed: int = 0,
) -> Overlap:
    """Score a label's detections; `shuffled` holds those of other features' labels, label by label.

    The null that is always there: each region moved and flipped at random, so of the same area.
    """
    own = overlap_cases(lit, found, mode)
    score = mean(own, SHARE, seed)
    nulls = [drawn_null("moved_masks", score.value, _moved(lit, found, mode, seed), score.n)]
    if shuffled:
        others = [overlap_cases(lit, label, mode) for label in shuffled]
        nulls.append(labels_null(own, others, SHARE, seed))
    return Overlap(
        **score.model_dump(),
        nulls=tuple(nulls),
        mode=mode,
        undetected=sum(mask is None or not mask.any() for mask in found),
    )


def overlap_cases(lit: Sequence[Lit], found: Sequence[Found], mode: Mode) -> Cases:
    """Each picture's intersection over union: two labels' are compared by `difference`."""
    if len(lit) != len(found):
        raise UserError(
            f"{len(lit)} maps came with {len(found)} detections. Give each map one, or None"
        )
    for one, mask in zip(lit, found, strict=True):
        _check(one, mask, mode)
    scores = [
        iou(*regions(one, mask, mode)) if mask is not None and mask.any() else 0.0
        for one, mask in zip(lit, found, strict=True)
    ]
    return Cases(np.array(scores), np.array([one.picture for one in lit]))


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union; two empty masks share nothing."""
    return float((one & other).sum() / max((one | other).sum(), 1))


def regions(lit: Lit, found_HW: np.ndarray, mode: Mode) -> Regions:
    """Both masks at the resolution at which the mode compares them."""
    if mode == "strict":
        found_HW = on_grid(found_HW, lit.map_RC.shape)
    return Regions(_lit_region(lit, found_HW.shape, mode), found_HW)


def on_grid(found_HW: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """The cells that a detection covers by half or more [R, C].

    A thing smaller than that still lies somewhere: then it is the cell it covers most.
    """
    rows, columns = grid
    pixels = Image.fromarray(found_HW.astype(np.float32))
    covered_RC = np.asarray(pixels.resize((columns, rows), Image.Resampling.BOX))
    # The filter's sums are a little off a half where a cell is covered by exactly that.
    return (covered_RC > 0) & (covered_RC >= min(COVERED, covered_RC.max()) - 1e-4)


def everywhere(lit: np.ndarray, found: np.ndarray) -> np.ndarray:
    """The intersection over union with the lit region rolled to every place and flipped [4HW]."""
    spectrum = np.fft.rfft2(found)
    flips = (lit, lit[::-1], lit[:, ::-1], lit[::-1, ::-1])
    # A correlation counts the cells in common for all shifts at once.
    shared = [
        np.fft.irfft2(np.conj(np.fft.rfft2(flip)) * spectrum, s=found.shape) for flip in flips
    ]
    common = np.rint(np.stack(shared)).ravel()
    return common / (lit.sum() + found.sum() - common)


def _lit_region(lit: Lit, shape: tuple[int, ...], mode: Mode) -> np.ndarray:
    height, width = shape
    if mode == "paper":
        return paper_mask(lit.map_RC, (width, height)) < INACTIVE_ALPHA
    return strict_mask(lit.map_RC, (width, height), lit.level)


def _check(lit: Lit, found: Found, mode: Mode) -> None:
    """Whether the feature fires at all must not go unnoticed where nothing was found."""
    if lit.map_RC.ndim != 2 or (found is not None and (found.dtype != bool or found.ndim != 2)):
        given = "nothing" if found is None else f"{found.dtype} {found.shape}"
        raise UserError(
            f"On picture {lit.picture} the map is {lit.map_RC.shape} and the detection {given}. "
            "Give a map [R, C] and a boolean mask [H, W], or None"
        )
    if not _lit_region(lit, lit.map_RC.shape, mode).any():
        raise UserError(
            f"The feature lights nothing on picture {lit.picture} in mode {mode} at level "
            f"{lit.level}. Leave the picture out, or lower the level"
        )


def _moved(lit: Sequence[Lit], found: Sequence[Found], mode: Mode, seed: int) -> np.ndarray:
    """The mean over all cases with each region at random places [D]."""
    iou_ND = np.zeros((len(lit), DRAWS))
    for row_D, one, mask in zip(iou_ND, lit, found, strict=True):
        if mask is not None and mask.any():
            places = everywhere(*regions(one, mask, mode))
            # The picture's own lot: its place in the list must not matter.
            rng = np.random.default_rng((seed, one.picture))
            row_D[:] = places[rng.integers(len(places), size=DRAWS)]
    return np.sort(iou_ND, axis=0).mean(0)
