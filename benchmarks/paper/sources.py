"""Which version of the code measures: a hash of the sources that take part, and of what they use.

Knows packages and files; nothing of what they do. Git's revision would not tell one change in the
working tree from the next, and an installed copy has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parents[2]
PACKAGES = ("benchmarks/paper", "lmmscope", "tools", "prompts", "sae_core", "toybox")
"""Everything that a label or a score passes through."""
LIBRARIES = ("torch", "transformers")


@cache
def code() -> str:
    """Of this process."""
    libraries = " ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return hashlib.sha256(f"{digest_of(HERE, PACKAGES)} {libraries}".encode()).hexdigest()


def digest_of(root: Path, packages: Sequence[str]) -> str:
    """SHA-256 of the names and contents of all sources of some packages."""
    running = hashlib.sha256()
    for file in sorted(file for name in packages for file in (root / name).rglob("*.py")):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        running.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return running.hexdigest()
