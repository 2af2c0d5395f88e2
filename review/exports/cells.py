"""A picture as Neuronpedia has texts: its cells for tokens, the activations there for values.

Knows evidence; nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agent.store.reader import Evidence

Cells = Sequence[Sequence[float]]


def activations_of(finding: str, evidence: Evidence) -> Iterator[dict[str, Any]]:
    """One for each picture on which the feature fires, the strongest first."""
    lit = {one.picture: one for one in evidence.sightings if one.cells}
    for one in sorted(lit.values(), key=lambda one: (-one.peak, one.picture)):
        values = [value for row in one.cells for value in row]
        yield {
            "id": f"{finding}-{evidence.split}-{one.picture}",
            "dataSource": f"pictures {evidence.pictures}, {evidence.split}",
            "tokens": list(_tokens(f"picture {evidence.split}/{one.picture}", one.cells)),
            "maxValue": max(values),
            "minValue": min(values),
            "values": values,
            "maxValueTokenIndex": values.index(max(values)),
            "dfaValues": [],
            "dfaMaxValue": None,
            "dfaTargetIndex": None,
            "binContains": None,
            "binMin": None,
            "binMax": None,
        }


def _tokens(picture: str, cells: Cells) -> Iterator[str]:
    """The first names the picture too: Neuronpedia takes equal texts for one and the same."""
    for row, values in enumerate(cells, 1):
        for column in range(1, len(values) + 1):
            first = row == column == 1
            yield f"{picture} r{row}c{column}" if first else f" r{row}c{column}"
