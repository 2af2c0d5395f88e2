"""The pictures of a feature's finding in tabs: where it fires, where it is silent, the sealed ones.

Knows findings, evidence documents and addresses of pictures; nothing of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from agent.findings import FeatureFinding
from agent.store import Reader
from review.evidence import FINEST, Evidence, Marks, Sheet, Sighting, document, outline, packed
from review.hands import Eyes, Refused

_SILENT = {
    "random": "By chance",
    "near": "Pictures that look like its own",
    "neighbour": "Where features fire that often fire along with it",
    "fitting": "Near misses: they fit what it is said to mean, or nearly",
    "rival": "They fit but for a condition, or what it might mean instead",
}


class Shot(NamedTuple):
    """A picture, where in it the feature fires, and what was said of it."""

    number: int
    address: str | None
    """None: nobody here has the picture."""
    peak: float
    mean: float
    cells: str
    """As `evidence.packed`; empty where the feature is silent."""
    outline: str
    """The lit cells from the document's level on, for whoever runs no script."""
    mark: Marks | None = None
    """What was measured, if it is sealed."""
    says_yes: bool | None = None
    """Whether the detector found that the label fits; None where it was not asked."""

    @property
    def fires(self) -> bool:
        """Whether the feature is lit anywhere."""
        return bool(self.cells)

    @property
    def wrong(self) -> bool:
        """Whether the detector was."""
        return self.says_yes is not None and self.says_yes != self.fires


class Row(NamedTuple):
    """Pictures of one kind."""

    title: str
    shots: tuple[Shot, ...]


class Tab(NamedTuple):
    """Rows that are looked at together."""

    name: str
    """In addresses."""
    title: str
    about: str
    level: int
    """Its document's own level, as `evidence.packed` writes activations."""
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        """How many pictures it has."""
        return sum(len(row.shots) for row in self.rows)


class Gallery(NamedTuple):
    """All pictures of a finding."""

    tabs: tuple[Tab, ...]
    grid: tuple[int, int]
    peak: float
    """The largest activation of all; cells are shares of it."""
    explore: Evidence | None
    sealed: Evidence | None


class _Taken(NamedTuple):
    """What the shots of one document have in common."""

    finding: str
    evidence: Evidence
    peak: float
    there: bool
    marks: Mapping[int, Marks]
    threshold: float | None

    def shot(self, one: Sighting) -> Shot:
        at = f"/shown/{self.finding}/{self.evidence.split}/{one.picture}.png"
        mark = self.marks.get(one.picture)
        said = None
        if mark is not None and mark.foretold is not None and self.threshold is not None:
            said = mark.foretold >= self.threshold
        return Shot(
            number=one.picture,
            address=at if self.there else None,
            peak=one.peak,
            mean=one.mean,
            cells=packed(one.cells, self.peak),
            outline=outline(one.cells, self.evidence.level),
            mark=mark,
            says_yes=said,
        )

    def rows(self, titles: Mapping[str, str]) -> tuple[Row, ...]:
        """A row for each group of these that has any."""
        rows = (
            Row(
                title,
                tuple(self.shot(one) for one in self.evidence.sightings if one.group == group),
            )
            for group, title in titles.items()
        )
        return tuple(row for row in rows if row.shots)

    def parts(self) -> tuple[Row, ...]:
        """The parts into which its activations were cut, the strongest first."""
        drawn = [one for one in self.evidence.sightings if one.quantile is not None]
        numbers = sorted({one.quantile for one in drawn if one.quantile is not None}, reverse=True)
        named = ("Strongest quarter", "Second", "Third", "Weakest quarter")
        titles = dict(zip((3, 2, 1, 0), named, strict=True)) if numbers and numbers[0] < 4 else {}
        return tuple(
            Row(
                titles.get(number, f"Part {number + 1}, counted from the weakest"),
                tuple(self.shot(one) for one in drawn if one.quantile == number),
            )
            for number in numbers
        )

    def tab(self, name: str, title: str, about: str, rows: tuple[Row, ...]) -> Tab:
        """Some rows with the document's own level."""
        share = self.evidence.level / self.peak if self.peak > 0 else 1.0
        return Tab(name, title, about, math.ceil(FINEST * min(1.0, share)), rows)


def gallery(
    store: Reader, finding: FeatureFinding, *, there: bool, threshold: float | None = None
) -> Gallery | None:
    """The tabs that have pictures; None where the evidence is not here any more.

    `there`: whether anybody can be asked for pictures. `threshold` is from where on the detector's
    word counted as yes on sealed pictures.
    """
    verified = finding.verification
    explore = document(store, finding.evidence, Evidence)
    sealed = document(store, verified.evidence, Evidence) if verified else None
    sheet = document(store, verified.sheet, Sheet) if verified else None
    some = explore or sealed
    if some is None:
        return None
    peak = max(one.peak for one in (explore, sealed) if one)
    tabs: list[Tab] = []
    if explore:
        tabs += _explored(_Taken(finding.id, explore, peak, there, {}, None))
    if sealed:
        marks = {one.picture: one for one in sheet.pictures} if sheet else {}
        tabs += _sealed(_Taken(finding.id, sealed, peak, there, marks, threshold))
    return Gallery(
        tabs=tuple(tab for tab in tabs if tab.rows),
        grid=some.grid,
        peak=peak,
        explore=explore,
        sealed=sealed,
    )


def refused(eyes: Eyes, found: Gallery, finding: str) -> str:
    """Why the pictures are not to be had; empty where they are. The first of each split tells."""
    for one in (found.explore, found.sealed):
        try:
            if one and one.sightings:
                eyes.picture(one.split, one.sightings[0].picture, finding)
        except Refused as error:
            return str(error)
    return ""


def _explored(taken: _Taken) -> list[Tab]:
    by_mean = taken.rows({"top_by_mean": "By their mean over all cells, the strongest first"})
    by_peak = taken.rows({"top_by_max": "By their largest cell, those above left out"})
    drawn = "Drawn by chance from each quarter of the pictures on which it fires."
    return [
        taken.tab("mean", "Top by mean", "What fires most is seen first.", by_mean),
        taken.tab("peak", "Top by maximum", "Small spots may light up most.", by_peak),
        taken.tab("quarters", "Quarters", drawn, taken.parts()),
        taken.tab("silent", "Silent", "The feature does not fire on these.", taken.rows(_SILENT)),
    ]


def _sealed(taken: _Taken) -> list[Tab]:
    said = "Nobody looked at these before the claim was fixed. It"
    fires, silent = taken.parts(), taken.rows(_SILENT)
    return [
        taken.tab("sealed", "Sealed: fires", f"{said} has to fit them.", fires),
        taken.tab("sealed-silent", "Sealed: silent", f"{said} must not fit them.", silent),
    ]
