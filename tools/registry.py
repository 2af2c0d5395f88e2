"""Which tools there are. A tool's module is imported when the tool is first asked for.

Knows names only: each is a module of this package that holds a tool of the same name.
"""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

from tools.failures import WontWork
from tools.tool import Tool

NAMES = (
    "load_sae", "train_sae", "top_images", "render_masks", "explain", "refine", "categorise",
    "ground", "score", "counterfactual", "probe", "steer", "attribute", "find_features",
    "search_findings", "describe", "seek", "look", "tell_apart", "says", "answers", "suspects",
    "edit_one", "screen",
)  # fmt: skip


def named(name: str) -> Tool[Any, Any]:
    """The tool of this name."""
    if name not in NAMES:
        close = difflib.get_close_matches(name, NAMES, 1)
        meant = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(NAMES)}"
        raise WontWork(f"There is no tool {name!r}. {meant}")
    return getattr(import_module(f"tools.{name}"), name)
