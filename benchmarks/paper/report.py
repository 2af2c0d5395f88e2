"""A table of the paper beside ours: as Markdown on the terminal, and as three files.

    rows = [Row(name="scene", cells={"n": 40, "ours": estimate, "the paper": given})]
    series = (Series(column="ours", name="paper mode"),
              Series(column="the paper", name="the paper's", hollow=True))
    table = Table(title="IoU", columns=("n", "ours", "the paper"), rows=rows, series=series)
    publish(Report(name="table1", title="...", command="...", tables=(table,), notes=("...",)), out)

- A `Report` has one or more `Table`s; each is one table of Markdown and one panel of the chart.
- A `Row` is a name and cells by column. A cell is an `Estimate` (value and interval), a `Given`
  (a number of the paper's), a number, words, or None where there is nothing to tell.
- A `Series` says that a column is drawn, and how: `ours` and `strict` are measurements, `null`
  and `strict null` are what they have to beat; `hollow` marks what the paper printed, on the line
  of the series before it. Tables without series are not drawn; those with the same rows are drawn
  side by side.
- `publish` prints, and writes `<out>/<name>.md`, `.json` and `.png`.

Knows nothing of what was measured.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks.paper.chart import drawn
from benchmarks.paper.plotting import Kind, Line, Panel, Spot
from benchmarks.paper.published import Given
from sae_core.scoring.estimate import Estimate

NOTHING = "-"
PLACES = 2
"""After the point, that the paper prints at least of a share."""
Cell = Estimate | Given | int | float | str | None


class Part(BaseModel):
    """Of a report."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(Part):
    """A name, and cells by column."""

    name: str
    cells: dict[str, Cell]


class Series(Part):
    """A column that is drawn."""

    column: str
    name: str
    """In the legend."""
    kind: Kind = "ours"
    hollow: bool = False
    """A number of the paper's."""


class Table(Part):
    """Rows under the same columns."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    series: tuple[Series, ...] = ()
    digits: int = 2
    """After the point."""


class Report(Part):
    """What one command comes to."""

    name: str
    """Of its files."""
    title: str
    command: str
    """That measures it anew."""
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()


def publish(report: Report, out: Path, *, as_json: bool = False) -> None:
    """Print the report, and write its files."""
    text, document = markdown(report), report.model_dump_json(indent=1)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{report.name}.md").write_text(text)
    (out / f"{report.name}.json").write_text(document + "\n")
    if panels := [_panel(table) for table in _charted(report)]:
        drawn(report.title, panels).save(out / f"{report.name}.png")
    print(document if as_json else text, end="\n" if as_json else "")


def markdown(report: Report) -> str:
    """The report as text."""
    parts = [f"# {report.title}", f"    {report.command}"]
    if _charted(report):
        parts.append(f"![The same as a chart]({report.name}.png)")
    for table in report.tables:
        parts += [f"## {table.title}", _rows(table)]
    if report.notes:
        parts.append("\n".join(f"- {note}" for note in report.notes))
    return "\n\n".join(parts) + "\n"


def _charted(report: Report) -> list[Table]:
    return [table for table in report.tables if table.series]


def _rows(table: Table) -> str:
    head = ["", *table.columns]
    lines = [head, ["---"] + ["--:"] * len(table.columns)]
    for row in table.rows:
        cells = (told(row.cells.get(column), table.digits) for column in table.columns)
        lines.append([row.name, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def told(cell: Cell, digits: int = 2) -> str:
    """A cell in words."""
    match cell:
        case None:
            return NOTHING
        case Estimate():
            return f"{cell.value:.{digits}f} ({cell.low:.{digits}f} to {cell.high:.{digits}f})"
        case Given():
            return _printed(cell, digits)
        case float():
            return f"{cell:.{digits}f}"
    return str(cell).replace("|", "\\|")


def _printed(cell: Given, digits: int) -> str:
    """All the places that the paper prints, and its zeros."""
    rounded = f"{cell.value:.{min(digits, PLACES)}f}"
    value = rounded if float(rounded) == cell.value else f"{cell.value:g}"
    return value if cell.half is None else f"{value} ± {cell.half:g}"


def _panel(table: Table) -> Panel:
    return Panel(
        table.title,
        tuple(row.name for row in table.rows),
        tuple(
            Line(series.name, series.kind, series.hollow, _spots(table, series.column))
            for series in table.series
        ),
    )


def _spots(table: Table, column: str) -> tuple[Spot | None, ...]:
    return tuple(_spot(row.cells.get(column)) for row in table.rows)


def _spot(cell: Cell) -> Spot | None:
    match cell:
        case Estimate():
            return Spot(cell.value, cell.low, cell.high)
        case Given():
            half = cell.half or 0.0
            return Spot(cell.value, cell.value - half, cell.value + half)
        case int() | float():
            return Spot(cell, cell, cell)
    return None
