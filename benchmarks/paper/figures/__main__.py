"""Draws the gallery: a PNG for each figure, and one page of Markdown that tells them.

python -m benchmarks.paper.figures [--only concepts] [--profile P] [--runs DIR] [--out DIR]

A figure for which something is missing is left out, and the page says what.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.paper.bench import Bench, command, measured, options
from benchmarks.paper.figures import (
    concepts,
    emotions,
    hallucination,
    invariants,
    low_level,
    steering,
)
from benchmarks.paper.figures.figure import Figure
from sae_core.errors import UserError
from tools.failures import ToolFailure


class Drawing(NamedTuple):
    """How a figure is made, and what it is called where it is not."""

    title: str
    of_paper: str
    make: Callable[[Bench], Awaitable[Figure]]


FIGURES = {
    one.NAME: Drawing(one.TITLE, one.OF_PAPER, one.figure)
    for one in (concepts, emotions, invariants, hallucination, steering, low_level)
}
PAGE = "gallery.md"


def told(made: list[Figure], profile: str, typed: str) -> str:
    """The page."""
    parts = [
        "# The paper's figures, drawn here",
        f"    {typed}",
        f"What the figures of the paper show, for the profile `{profile}`. Features are chosen by "
        "what was measured, as each section says; where nothing meets the criterion, there is no "
        "picture.",
    ]
    for one in made:
        parts.append(f"## {one.title} ({one.of_paper})")
        if one.page is not None:
            parts.append(f"![{one.title}]({one.name}.png)")
        parts += one.text
    return "\n\n".join(parts) + "\n"


async def draw(bench: Bench, names: list[str], out: Path, typed: str) -> None:
    """All figures; each is written as soon as it is made. What no figure has ends it."""
    made, refusals = [], []
    for name in names:
        bench.say(f"drawing {name}")
        title, of_paper, make = FIGURES[name]
        try:
            figure = await make(bench)
        except (ToolFailure, UserError) as refusal:
            refusals.append(refusal)
            bench.say(f"left out {name}: {refusal}")
            figure = Figure(name, title, of_paper, None, (f"Left out: {refusal}",))
        if figure.page is not None:
            figure.page.save(out / f"{figure.name}.png")
        made.append(figure)
    if len(refusals) == len(names):
        raise refusals[0]
    out.mkdir(parents=True, exist_ok=True)
    (out / PAGE).write_text(told(made, bench.settings.name, typed))
    print(out / PAGE)


def main() -> None:
    """Draw."""
    parser = options((__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=tuple(FIGURES), help="one of the figures")
    given = parser.parse_args()
    typed = command("figures", given, parser)
    names = list(FIGURES) if given.only is None else [given.only]
    measured(given, lambda bench: draw(bench, names, given.out, typed))


if __name__ == "__main__":
    main()
