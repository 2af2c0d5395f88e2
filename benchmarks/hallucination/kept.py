"""What the target has said, in a file that grows, so that a run that was killed goes on.

Knows keys and texts. One JSON object a line; a line that a kill has cut short is written anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


class Kept:
    """Replies by key; without a file, those of this run alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._path, self._said = path, {}
        if path is not None and path.exists():
            self._said = _whole_lines(path)

    def __contains__(self, key: str) -> bool:
        return key in self._said

    def __getitem__(self, key: str) -> str:
        return self._said[key]

    def add(self, said: Mapping[str, str]) -> None:
        """Some more, on disk before this returns."""
        self._said.update(said)
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            for key, text in said.items():
                file.write(json.dumps({"key": key, "said": text}) + "\n")


def _whole_lines(path: Path) -> dict[str, str]:
    """What the whole lines say; whatever follows the last of them is cut off."""
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    lines = (json.loads(line) for line in whole.splitlines())
    return {line["key"]: line["said"] for line in lines}
