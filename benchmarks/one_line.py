"""How benchmarks end where something can't be done: in one line, as commands do."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from sae_core.errors import UserError
from tools.failures import Failure


@contextmanager
def in_one_line() -> Generator[None]:
    """What can't be done is told in one line; anything else is a bug and keeps its traceback."""
    try:
        yield
    except (Failure, UserError) as failure:
        sys.exit(" ".join(str(failure).split()))
