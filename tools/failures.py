"""How a tool fails: trying again may help, or it won't.

A failure is data for whoever plans the next step, so its reason is one line. It is neither a user's
mistake (`sae_core.errors.UserError`) nor a bug, which keeps its own exception and traceback. Nor is
it the end of a budget (`tools.backends.budget.OverBudget`), after which nothing can be planned.
"""

LONGEST = 400
"""Characters of a reason, at most: part of it may come from a server."""


class Failure(Exception):
    """Something could not be done, for a reason that is one line."""

    def __init__(self, reason: str) -> None:
        line = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
        self.reason = line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
        """One line: the culprit, its value and, where there is one, the next command."""
        super().__init__(self.reason)


class ToolFailure(Failure):
    """A tool could not do what it was asked; one of the two below says which kind it is."""


class TryAgain(ToolFailure):
    """The same call may succeed later."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after
        """The seconds to wait first, where somebody has said so."""


class WontWork(ToolFailure):
    """The same call fails each time; something else has to change first."""


class NeedsApproval(WontWork):
    """It costs more than may be spent unasked: somebody has to agree to this much first."""

    def __init__(self, asked: str, cost: float) -> None:
        """`asked` says what it is and what it costs, for whoever is to agree; no full stop."""
        super().__init__(f"{asked}. Ask for approval, then give approved_cost={cost:.0f}")
        self.asked, self.cost = asked, cost
