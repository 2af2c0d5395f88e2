"""What happens in a run, as it happens: one record for each step that somebody may want to doubt.

Knows records and who listens; nothing of graphs, screens or databases.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from agent.findings import Cost
from tools.artefacts import ArtefactId

Kind = Literal[
    "asked", "plan", "task", "tool", "hypotheses", "test", "verdict", "steering", "finding",
    "approval", "note", "failure", "answer",
]  # fmt: skip


class Event(BaseModel):
    """One thing that happened.

    `run`, `unit`, `step` and `place` together name it: a step that is done again after a crash
    writes the same names over what it wrote before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    run: str
    unit: str
    """Which part of the run: `run` itself, or a task such as `0` or `0/118` for a feature in it."""
    step: int = Field(ge=0)
    """Which step of its graph."""
    place: int = Field(ge=0)
    """Which event of that step."""
    who: str
    """The node."""
    kind: Kind
    text: str
    """One line for people."""
    tool: str | None = None
    arguments: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    """What came of it: numbers, words and ids."""
    artefacts: tuple[ArtefactId, ...] = ()
    cost: Cost = Cost()
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def name(self) -> str:
        """How the event is cited: RUN/UNIT.STEP.PLACE."""
        return f"{self.run}/{self.unit}.{self.step}.{self.place}"


class Listener(Protocol):
    """Whoever wants to know."""

    def hear(self, event: Event) -> None:
        """Called in order, at once."""
        ...
