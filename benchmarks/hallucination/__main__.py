"""Lists the benchmarks with their commands; each module's docstring tells both."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CALL = "python -m benchmarks.hallucination."


def entries() -> Iterator[tuple[str, str]]:
    """What each does, and how it is called; read without being imported, since that takes long."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        said = (ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()
        at = [number for number, line in enumerate(said) if line.strip().startswith(CALL)]
        if at:
            call = said[at[0] :]
            until = next((n for n, line in enumerate(call) if not line.strip()), len(call))
            yield said[0], " ".join(line.strip() for line in call[:until])


def main() -> None:
    """Print the list."""
    for does, call in entries():
        print(f"{does}\n    {call}\n")


if __name__ == "__main__":
    main()
