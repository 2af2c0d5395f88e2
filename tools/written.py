"""A file that is complete, or absent, whoever reads it and whenever its writer dies.

Knows bytes and names; nothing of what they mean. Several processes may write the same file at once.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def written(path: Path, content: bytes) -> None:
    """Written beside its place and renamed; what was there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
