"""The command line, the profiles, and the one place that wires the other packages together.

    from lmmscope import Scope

Importing it does nothing; the heavy packages are imported inside what uses them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lmmscope.scope import Scope
    from sae_core.errors import UserError

try:
    __version__ = version("lmmscope")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "not installed"

__all__ = ["Scope", "UserError", "__version__"]


def __getattr__(name: str) -> Any:
    """`Scope` and `UserError`, once they are asked for."""
    match name:
        case "Scope":
            from lmmscope.scope import Scope

            return Scope
        case "UserError":
            from sae_core.errors import UserError

            return UserError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
