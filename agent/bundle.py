"""What is told to whoever investigates a feature elsewhere, and what comes home: documents only.

An errand holds all that may matter of what others found out; a bundle holds everything that the
investigation came to, so that nothing is shared but the two. Knows no machines and no stores.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from agent.errors import Broke
from agent.events import Event
from agent.findings import FeatureFinding, Provenance
from agent.transcript import Call
from sae_core.errors import UserError
from tools.artefacts import ArtefactId
from tools.backends.budget import Limits, OverBudget, Spending
from tools.backends.chat import ChatReply
from tools.failures import ToolFailure, TryAgain, WontWork

if TYPE_CHECKING:
    # The desk brings torch, and whoever only reads the store does without.
    from agent.desk import Rules


class Seal(NamedTuple):
    """Sealed pictures that were opened."""

    key: str
    claim: str
    pictures: str
    subject: str


class Errand(NamedTuple):
    """One feature to be investigated for a run."""

    run: str
    unit: str
    feature: int
    key: str
    """What the finding will be known by."""
    provenance: Provenance
    rules: Rules
    seals: tuple[Seal, ...]
    """What was opened for this feature before: each time is one more try."""
    left: Limits
    """How much may be spent on it."""
    replies: dict[str, ChatReply]
    """What models said in an earlier try that came to no finding, by what they were asked."""


class Trouble(NamedTuple):
    """Why something could not be done, as it can be told from one process to another."""

    kind: Literal["UserError", "OverBudget", "TryAgain", "WontWork", "bug"]
    reason: str
    more: str = ""
    """Which limit it is, or a bug's traceback."""

    @classmethod
    def of(cls, error: Exception) -> Self:
        """As it was raised."""
        match error:
            case OverBudget():
                return cls("OverBudget", error.reason, error.limit)
            case TryAgain():
                return cls("TryAgain", error.reason)
            case ToolFailure():
                return cls("WontWork", error.reason)
            case UserError():
                return cls("UserError", str(error))
        bug = error if isinstance(error, Broke) else Broke.by(error)
        return cls("bug", str(bug), bug.trace)

    def error(self) -> Exception:
        """The same again."""
        match self.kind:
            case "OverBudget":
                return OverBudget(self.more, self.reason)
            case "TryAgain":
                return TryAgain(self.reason)
            case "WontWork":
                return WontWork(self.reason)
            case "UserError":
                return UserError(self.reason)
        return Broke(self.reason, self.more)


class Bundle(NamedTuple):
    """What one errand came to, whole or as far as it got."""

    events: tuple[Event, ...]
    calls: tuple[Call, ...]
    seals: tuple[Seal, ...]
    """What it opened."""
    finding: FeatureFinding | None
    artefacts: dict[ArtefactId, bytes]
    spent: Spending
    trouble: Trouble | None
    """Why there is no finding."""


def replies_in(calls: Iterable[Call]) -> dict[str, ChatReply]:
    """What models said that would say the same again."""
    return {
        one.digest: one.reply
        for one in calls
        if one.reply is not None
        and (one.settings.get("temperature") == 0 or one.settings.get("seed") is not None)
    }
