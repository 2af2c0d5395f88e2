"""The tool search_findings: what is known already of the features at hand.

Knows whom to ask; nothing of how findings are made or kept.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.lab import Lab
from tools.tool import Arguments, Result, tool

Status = Literal[
    "supported", "refuted", "no explanation", "too rare",
    "fixed", "improved", "not fixed", "not reproduced",
]  # fmt: skip


class SearchFindingsArguments(Arguments):
    """What to look for: words, a status, a feature, or some of them together."""

    words: str | None = Field(default=None, min_length=1, max_length=200)
    """What labels, claims, classes or summaries should say; the endings of words don't count."""
    status: Status | None = None
    """How the findings ended: the first four are about features, the others about behaviours."""
    feature: int | None = Field(default=None, ge=0)
    """The feature that they are about."""
    count: int = Field(default=10, ge=1, le=100)
    """How many findings at most."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.words is None and self.status is None and self.feature is None:
            raise ValueError("give words, a status or a feature")
        return self


class KnownFinding(BaseModel):
    """A finding in short."""

    model_config = ConfigDict(frozen=True)

    finding: str
    """Its id."""
    feature: int | None
    """None: it is about the model's behaviour."""
    status: str
    label: str | None
    """The name; of a behaviour, what the model does."""
    category: str | None
    summary: str
    score: float
    """The share of the words asked for that it has; 1 where there were none."""


class SearchFindingsResult(Result):
    """The findings that stand, best first; without words the newest first."""

    found: tuple[KnownFinding, ...]


@tool("Search what is known already: earlier findings by words, status or feature.")
def search_findings(lab: Lab, args: SearchFindingsArguments) -> SearchFindingsResult:
    """Ask whoever keeps the findings."""
    known = lab.labels.known(args.words, status=args.status, feature=args.feature, count=args.count)
    return SearchFindingsResult(found=tuple(KnownFinding(**one._asdict()) for one in known))
