"""What it costs to train a coder, before it is done: in TFLOP, so that it is the same every time.

An upper estimate: the target is reckoned as if all of it ran at each position, the coder as if
nothing of it were sparse. Knows sizes; nothing of money, and nothing of how fast a machine is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sae_core.coders.coder import CoderConfig
from sae_core.lmm.adapter import Adapter
from sae_core.lmm.layout import PAD
from sae_core.training.activations import KINDS, Conversation, Positions
from tools.failures import NeedsApproval

FREE = 100.0
"""TFLOP that may be spent unasked: half an hour on two cores of a CPU, seconds on a GPU."""
SAMPLED = 8
"""Conversations that tell how many positions the target runs for each that is wanted."""


def training_cost(
    adapter: Adapter,
    config: CoderConfig,
    lessons: Sequence[Conversation],
    rows: int,
    positions: Positions,
) -> float:
    """TFLOP for so many rows of activations, in whole numbers."""
    parameters = sum(weight.numel() for weight in adapter.model.parameters())
    model = 2 * parameters * _run_for_each(adapter, lessons, positions)
    coder = 6 * config.features * config.width  # the encoder forwards, and twice backwards
    return float(math.ceil(rows * (model + coder) / 1e12))


def check_approved(name: str, cost: float, approved: float) -> None:
    """Refuse what nobody has agreed to."""
    if cost > max(FREE, approved):
        raise NeedsApproval(
            f"Training {name} costs about {cost:,.0f} TFLOP, and {FREE:,.0f} may be spent unasked",
            cost,
        )


def _run_for_each(adapter: Adapter, lessons: Sequence[Conversation], positions: Positions) -> float:
    """How many positions the target runs for one that the coder is given."""
    run = wanted = 0
    for at in range(0, len(lessons), max(1, len(lessons) // SAMPLED)):
        lesson = lessons[at]
        (layout,) = adapter.prepare([lesson.prompt], replies=[lesson.reply]).layouts
        run += int((layout.kind_T != PAD).sum())
        wanted += len(layout.where(*KINDS[positions]))
    return run / max(1, wanted)
