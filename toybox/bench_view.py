"""Shows a benchmark's report as a table, on a terminal or in the model card.

It measures nothing and knows no models.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from toybox.bench_rows import Report, Row


def show(report: Report, console: Console) -> None:
    """Print the table: value, interval, bar, verdict."""
    table = Table(title=f"{report.n} fresh pictures, seed {report.seed}", title_justify="left")
    for heading in ("role", "measure"):
        table.add_column(heading)
    for heading in ("value", "95 % interval", "bar", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    role = ""
    for row in report.rows:
        table.add_row("" if row.role == role else row.role, *_cells(row))
        role = row.role
    console.print(table)


def markdown(report: Report) -> str:
    """The same table as Markdown, as it stands in the model card."""
    head = [
        "| role | measure | value | 95 % interval | bar | n | |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(
        [*head, *(f"| {' | '.join((row.role, *_plain(row)))} |" for row in report.rows)]
    )


def _plain(row: Row) -> tuple[str, ...]:
    bar = "" if row.bar is None else f"{'<=' if row.at_most else '>='} {row.bar:.3g}"
    interval = f"{row.low:.3f} to {row.high:.3f}"
    verdict = ("ok" if row.passed else "missed") if bar else ""
    return row.measure, f"{row.value:.3f}", interval, bar, str(row.n), verdict


def _cells(row: Row) -> tuple[str, ...]:
    *cells, verdict = _plain(row)
    colours = {"ok": "[green]ok[/]", "missed": "[bold red]missed[/]"}
    return *cells, colours.get(verdict, "")
