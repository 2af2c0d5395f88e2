"""One profile in two modes: as the paper measures, and as it should be measured.

`paper`: every activation counts as firing, and a label is scored on the five pictures that it was
made from. `strict`: a feature fires where it is strong, and a label is scored on pictures that were
held out. Knows settings and how a lab is opened; nothing of measures.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple

from lmmscope.laboratory import lab_alone
from lmmscope.settings import Settings, known_profiles, load_settings
from sae_core.scoring.overlap import Mode
from tools.lab import Lab

FIRING = 0.5
"""From what share of its fifth-best picture on a feature is strong, if the profile does not say."""


class Setup(NamedTuple):
    """What a lab is opened with."""

    settings: Settings
    sae: str | None = None
    """A coder's folder, instead of the profile's."""
    planted_seed: int | None = None
    """Planted features of the toybox, instead of a coder's."""


Setups = dict[Mode, Setup]


def setups(settings: Settings, sae: str | None = None, planted_seed: int | None = None) -> Setups:
    """Both modes of a profile."""
    return {
        "paper": Setup(_firing(settings, 0.0), sae, planted_seed),
        "strict": Setup(_strict(settings), sae, planted_seed),
    }


@asynccontextmanager
async def opened(setup: Setup, seed: int) -> AsyncGenerator[Lab]:
    """The lab; one at a time, since a large target is not loaded twice."""
    lab = lab_alone(setup.settings, planted_seed=setup.planted_seed, sae=setup.sae)
    lab.seed = seed
    try:
        yield lab
    finally:
        await lab.close()


def _strict(settings: Settings) -> Settings:
    """The profile's strict sibling, where it has one."""
    sibling = f"{settings.name}-strict"
    if sibling in known_profiles():
        return load_settings(sibling).model_copy(update={"runs": settings.runs})
    return _firing(settings, settings.data.firing or FIRING)


def _firing(settings: Settings, share: float) -> Settings:
    """An index that was built with another share is of no use."""
    if settings.data.firing == share:
        return settings
    changed = {"firing": share, "index": None, "test_index": None}
    return settings.model_copy(update={"data": settings.data.model_copy(update=changed)})
