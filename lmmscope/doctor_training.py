"""What training a profile's coder will take, where none is there: memory, disk and time.

It rests on the same shapes and shares as the plan of the rest, and is an estimate, too.
"""

from __future__ import annotations

from inspect import signature

from lmmscope.doctor_checks import Check
from lmmscope.doctor_data import trains
from lmmscope.doctor_plan import (
    BYTES,
    PREACTIVATIONS,
    REACHED,
    accelerator,
    bytes_of_target,
    lasting,
)
from lmmscope.doctor_sizes import shape_of, size_of
from lmmscope.published import Coder
from lmmscope.settings import Settings

HELD = 16
"""Bytes of each of the coder's numbers on the GPU: itself, its gradient and Adam's two moments."""
SAVED = 12
"""Of each in a checkpoint: there are no gradients in it."""


def examine(settings: Settings) -> list[Check]:
    """One line, if there is a coder to be trained and enough is known of its target."""
    known, shape = settings.published.models.get("target"), shape_of(settings)
    size, coder = size_of(settings, "target"), settings.coder
    if coder is None or shape is None or size is None or not trains(settings):
        return []
    if known is None or not known.tokens:
        return []
    layer = int(settings.data.hook.rpartition(".")[2]) + 1
    passing = 2 * size.parameters * layer / shape.layers
    numbers = 2 * coder.features * shape.width
    block, at_once = _stream()
    wide = 3 * shape.inner + 8 * shape.width
    work = at_once * known.tokens * wide * BYTES[settings.precision] + PREACTIVATIONS
    on_gpu = size.parameters * bytes_of_target(settings) + numbers * HELD + work
    # While a block is shuffled it is there twice.
    in_memory = 2 * block * known.tokens * shape.width * BYTES[settings.precision]
    found = (
        f"{on_gpu / 1e9:.1f} GB of GPU memory, {in_memory / 1e9:.1f} GB of memory, "
        f"{(numbers * (SAVED + 4)) / 1e9:.1f} GB of disk, {_time(coder, passing, numbers)}"
    )
    return [Check.ok("plan", "training", found)]


def _time(coder: Coder, passing: float, numbers: float) -> str:
    """The target's pass and the encoder's product of every position; the rest touches little."""
    name, peak = accelerator()
    seconds = coder.steps * coder.batch * (passing + numbers) / (peak * 1e12 * REACHED)
    return (
        f"{lasting(seconds)} for {coder.steps:,} steps of {coder.batch:,} at {REACHED:.0%} of "
        f"{peak} TFLOP/s ({name}); an estimate"
    )


def _stream() -> tuple[int, int]:
    """How many conversations are shuffled together, and how many are shown at once."""
    from sae_core.training.activations import TokenStream

    usual = signature(TokenStream).parameters
    return usual["block"].default, usual["at_once"].default
