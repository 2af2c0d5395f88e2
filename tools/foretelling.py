"""Does a label foretell where its feature fires? A detector that sees only label and picture.

How sure the detector has to be is learnt on the explore split, before the held-out pictures are
looked at. Knows pictures and labels; whether the feature fires is told by evidence.

Shapes: N pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image

from tools.evidence import Evidence
from tools.failures import WontWork
from tools.gathering import Amounts, gather
from tools.held_out import Contrast, contrast
from tools.lab import Lab
from tools.masking import shown

Detector = Literal["clip", "grounder"]
"""`clip` says how near picture and label are, `grounder` how sure it is to have found the label."""
LEARNT_ON = 64
"""Pictures of the explore split that a threshold is learnt on, half of them firing."""


def foretold(
    lab: Lab, detector: Detector, label: str, pictures: Sequence[Image.Image]
) -> np.ndarray:
    """How well the label fits each picture, as the detector sees it [N]."""
    if detector == "clip":
        near_N = lab.clip.of_pictures(pictures) @ lab.clip.of_texts([label])[0]
        return near_N.double().numpy()
    located = lab.grounder.locate(pictures, [label] * len(pictures))
    return np.array([max(one.scores, default=0.0) for one in located])


def learnt_threshold(lab: Lab, detector: Detector, label: str, feature: int) -> float:
    """The threshold that does best on explore pictures on which the feature fires or not."""
    amounts = Amounts(0, LEARNT_ON // 8, 4, LEARNT_ON // 6)
    evidence = gather(lab, feature, "explore", amounts).evidence
    chosen = contrast(evidence, LEARNT_ON)
    if not (chosen.firing and chosen.silent):
        raise WontWork(
            f"Feature {feature} fires on {evidence.fires_on} of {evidence.size} explore pictures: "
            "how sure a detector has to be can't be learnt there. Score without detection"
        )
    score_N = foretold(lab, detector, label, pictures_of(lab, evidence, chosen))
    return best_threshold(score_N, fires_of(chosen))


def best_threshold(score_N: np.ndarray, fires_N: np.ndarray) -> float:
    """Where the balanced accuracy is highest: halfway between two scores, or beyond all of them.

    There have to be pictures of both kinds. Of several equally good places the lowest counts.
    """
    known = np.unique(score_N)
    between = (known[1:] + known[:-1]) / 2
    candidates = np.array([known[0], *between, np.nextafter(known[-1], np.inf)])
    called = score_N[:, None] >= candidates
    right = called[fires_N].mean(0) + (~called[~fires_N]).mean(0)
    return float(candidates[np.argmax(right)])


def pictures_of(lab: Lab, evidence: Evidence, chosen: Contrast) -> list[Image.Image]:
    """The pictures themselves, the firing ones first."""
    return [shown(lab, evidence, one) for one in (*chosen.firing, *chosen.silent)]


def fires_of(chosen: Contrast) -> np.ndarray:
    """Whether the feature fires on each [N]."""
    return np.array([True] * len(chosen.firing) + [False] * len(chosen.silent), bool)
