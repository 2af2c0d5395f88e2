"""The errors that whoever reads a store may meet or raise: a mistake, and what is not to be had.

And a bug, as one process tells it to another. Knows little more than names; the review application,
which may import nothing of ours but `agent`, has them from here.
"""

from __future__ import annotations

import traceback
from typing import Self

from sae_core.errors import UserError
from tools.failures import WontWork

__all__ = ["Broke", "UserError", "WontWork"]


class Broke(Exception):
    """A bug, as it can be told from one process to another; `trace` is its traceback."""

    def __init__(self, reason: str, trace: str) -> None:
        super().__init__(reason)
        self.trace = trace
        self.add_note(trace)

    @classmethod
    def by(cls, bug: Exception) -> Self:
        """As it was raised."""
        return cls(f"{type(bug).__name__}: {bug}", "".join(traceback.format_exception(bug)))
