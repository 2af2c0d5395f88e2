"""What the store tells of runs, and what people say of findings.

Knows documents only; nothing of the tables that they are kept in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from agent.findings import Cost, Provenance
from agent.plan import Plan

RunStatus = Literal["running", "paused", "done", "failed", "aborted"]


class RunRecord(BaseModel):
    """A run, as far as it got."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    id: str
    question: str
    profile: str
    status: RunStatus
    alive: bool
    """A process works on it now."""
    began: datetime
    ended: datetime | None
    plan: Plan | None
    answer: str | None
    """Or why it stopped."""
    pid: int | None
    """The process that works on it, or last did."""
    provenance: Provenance
    findings: int
    """How many it has come to."""
    cost: Cost
    """Of everything that it did; the seconds are of work, which is done side by side."""

    @property
    def standing(self) -> str:
        """The status in a word; what is said to be running, and by nobody, was killed."""
        return "interrupted" if self.status == "running" and not self.alive else self.status


class Verdict(BaseModel):
    """What a person thinks of a finding; another one is put beside it, never in its place."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    finding: str
    reviewer: str = Field(min_length=1, max_length=100)
    score: int = Field(ge=1, le=5)
    """1: it is wrong; 5: it says exactly what the feature does."""
    tags: tuple[str, ...] = ()
    note: str = ""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class StepCost(NamedTuple):
    """What one step of one unit took."""

    unit: str
    step: int
    cost: Cost


def stamp(at: datetime) -> str:
    """A time as it is written: such texts sort as the times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
