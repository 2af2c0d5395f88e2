"""What an investigation of one feature knows between two steps: documents, no handles.

Knows what was looked at and which hypotheses there are; nothing of how either comes about.

Shapes: N pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from agent.desk import Desk
from agent.findings import Cost, Hypothesis
from tools.artefacts import ArtefactId


class Looked(BaseModel):
    """The explore pictures that were looked at, in the order in which that happened."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    pictures: tuple[int, ...] = ()
    fires: tuple[bool, ...] = ()
    """Whether the feature fires on each."""
    sure: dict[str, tuple[float, ...]] = {}
    """How sure the grounder is of each concept in each of them."""

    @property
    def fires_N(self) -> np.ndarray:
        """Whether the feature fires on each [N]."""
        return np.array(self.fires, bool)

    @property
    def sure_N(self) -> dict[str, np.ndarray]:
        """How sure the grounder is of each concept [N]."""
        return {concept: np.array(values, np.float64) for concept, values in self.sure.items()}


class Inquiry(BaseModel):
    """How far an investigation has come."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    feature: int
    evidence: ArtefactId
    """The explore evidence."""
    fires_on: int
    """On how many explore pictures the feature fires."""
    short: bool
    """Those are too few."""
    looked: ArtefactId
    """The pictures that were looked at."""
    one_shot: str | None = None
    """The label that one question gives."""
    hypotheses: tuple[Hypothesis, ...] = ()
    """All that were ever tried, best first."""
    done: tuple[str, ...] = ()
    """The experiments so far, as kind and claims."""
    over: str | None = None
    """Why there is nothing more to do."""
    spent: Cost = Cost()

    def seen(self, desk: Desk) -> Looked:
        """What was looked at."""
        return desk.lab.artefacts.document(self.looked, Looked)


async def extended(
    desk: Desk,
    feature: int,
    looked: Looked,
    *,
    pictures: Sequence[int] = (),
    concepts: Sequence[str] = (),
) -> Looked:
    """The same with more pictures and concepts: what is missing is looked at."""
    new = tuple(number for number in dict.fromkeys(pictures) if number not in looked.pictures)
    fresh = tuple(one for one in dict.fromkeys(concepts) if one not in looked.sure)
    known = tuple(looked.sure)
    if fresh and looked.pictures:
        found = await desk.use(
            "look",
            f"looked for {', '.join(fresh)} in {len(looked.pictures)} pictures",
            feature=feature,
            pictures=looked.pictures,
            concepts=fresh,
        )
        looked = looked.model_copy(update={"sure": looked.sure | found.sure})
    if not new:
        return looked
    asked = known + fresh
    found = await desk.use(
        "look",
        f"looked at {len(new)} more pictures",
        feature=feature,
        pictures=new,
        concepts=asked,
    )
    return Looked(
        pictures=looked.pictures + new,
        fires=looked.fires + found.fires,
        sure={one: looked.sure.get(one, ()) + found.sure[one] for one in asked},
    )
