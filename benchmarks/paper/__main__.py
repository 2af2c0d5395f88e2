"""Lists the paper's tables and figures with their commands; each module's docstring tells both."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
CALL = "python -m benchmarks.paper."


class Entry(NamedTuple):
    """One command."""

    does: str
    command: str


def entries() -> Iterator[Entry]:
    """Read without being imported, since that takes long."""
    for path in sorted((*HERE.glob("*.py"), *HERE.glob("*/__main__.py"))):
        said = ast.get_docstring(ast.parse(path.read_text())) or ""
        lines = [line.strip() for line in said.splitlines()]
        calls = [line for line in lines if line.startswith(CALL)]
        if calls:
            yield Entry(lines[0], calls[0])


def main() -> None:
    """Print the list."""
    for one in entries():
        print(f"{one.does}\n    {one.command}\n")


if __name__ == "__main__":
    main()
