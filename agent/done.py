"""What came of a task: words for people, and the ids that they can be checked by.

Knows documents; nothing of how tasks are done.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from agent.findings import FeatureFinding
from agent.planner import Named
from tools.artefacts import ArtefactId


class Done(BaseModel):
    """A finished task."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    text: str
    """The answer in Markdown; every claim in it cites a finding or an artefact."""
    named: tuple[Named, ...] = ()
    """The features and findings that it speaks of, so that a follow-up can mean them."""
    artefacts: tuple[ArtefactId, ...] = ()
    failures: tuple[str, ...] = ()
    """What could not be done, and why."""


def of_finding(finding: FeatureFinding) -> Named:
    """A finding as an answer names it."""
    return Named(finding.feature, finding.id)


def cited(name: ArtefactId) -> str:
    """An artefact as an answer cites it."""
    return f"[{name[:12]}]"
