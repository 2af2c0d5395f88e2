"""What was measured, one file a feature, so that a command that was killed goes on.

A file's name is the hash of everything that its content depends on. Knows documents and names;
nothing of what they mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tools.written import written

M = TypeVar("M", bound=BaseModel)


class Kept:
    """A folder of documents about one thing."""

    def __init__(self, folder: Path, about: Mapping[str, object]) -> None:
        self._folder, self._about = folder, dict(about)

    async def once(
        self,
        kind: type[M],
        asked: Mapping[str, object],
        make: Callable[[], Awaitable[M]],
        worth: Callable[[M], bool],
    ) -> M:
        """What is kept under these words, or is made now and kept if it is worth it."""
        said = json.dumps({**self._about, **asked, "kind": kind.__name__}, sort_keys=True)
        path = self._folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.json"
        try:
            return kind.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            made = await make()
        if worth(made):
            written(path, made.model_dump_json().encode())
        return made
