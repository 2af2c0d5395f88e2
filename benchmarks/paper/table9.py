"""Table 9: how far the reply to a white picture goes with a feature that is written into it.

    python -m benchmarks.paper.table9 [--features 48] [--strength 50] [--profile P] [--runs DIR]

Object features, labelled by findings in --runs or else by one question each, are clamped one at a
time while the model is asked what it sees; the replies are marked from 1 to 10 against the labels.
Mode paper clamps to one strength as was published, mode strict keeps what the coder does not
explain and calibrates the strength on another question. Beside both stand controls that differ in
what is written alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.paper.bench import Bench, command, measured, options
from benchmarks.paper.known import Labelled, labelled
from benchmarks.paper.marks import MARKS, Marker, marker_of
from benchmarks.paper.published import MEANT, TABLE_9
from benchmarks.paper.report import Cell, Report, Row, Series, Table, publish
from benchmarks.paper.writing import Written, calibrated, written
from sae_core.scoring.resampling import SHARE, cases_of, mean
from sae_core.scoring.significance import sign_flip_p
from sae_core.steering.controls import Control
from sae_core.steering.plan import Mode

FEATURES = 48
QUESTION = "what do you see in this image ?"
STRENGTH = 50.0
MODES: tuple[Mode, ...] = ("paper", "strict")
CHANGED_OF = 100
CHANGED = 11
"""Of so many object features, so many changed the reply in the paper."""
WAYS: dict[str, Control | None] = {
    "the feature": None,
    "a random feature": "random_feature",
    "a random direction of equal norm": "random_direction",
    "the wrong sign": "wrong_sign",
    "the reconstruction alone": "reconstruction",
}
PLAIN = "nothing written"


class Marked(NamedTuple):
    """One mode's replies and what they are worth, a list for each way of writing."""

    done: Written
    marks: dict[str, list[float | None]]

    def changed(self, way: str, than: str = PLAIN) -> np.ndarray:
        """Whether the reply differs from another way's, feature by feature."""
        there = self._texts(than)
        return np.array([a != b for a, b in zip(self._texts(way), there, strict=True)])

    def _texts(self, way: str) -> list[str]:
        if way == PLAIN:
            return [self.done.plain] * len(self.done.strengths)
        return self.done.texts(WAYS[way])


async def marked(bench: Bench, marker: Marker, some: Labelled, done: Written) -> Marked:
    """Every reply, marked against the label of the feature that was meant."""
    columns: dict[str, list[str]] = {PLAIN: [done.plain] * len(some.known)}
    columns |= {way: done.texts(control) for way, control in WAYS.items()}
    rows = await asyncio.gather(
        *(
            marker.marks(bench.lab, one.label, [texts[at] for texts in columns.values()])
            for at, one in enumerate(some.known)
        )
    )
    return Marked(done, {way: [row[at] for row in rows] for at, way in enumerate(columns)})


def report(some: Labelled, found: dict[Mode, Marked], marker: Marker, typed: str) -> Report:
    """Both modes beside what the paper prints."""
    return Report(
        name="table9",
        title="Table 9: steering, marked from 1 to 10",
        command=typed,
        tables=(
            _marks("Features whose reply changes", found, chosen=True),
            _marks("All features", found, chosen=False),
            _changes(found),
        ),
        notes=_notes(some, found, marker),
    )


def _marks(title: str, found: dict[Mode, Marked], *, chosen: bool) -> Table:
    rows = []
    for way in (*WAYS, PLAIN):
        cells: dict[str, Cell] = {}
        for mode, one in found.items():
            kept = one.changed("the feature") | (not chosen)
            pairs = list(zip(one.marks[way], one.marks["the feature"], kept, strict=True))
            values = [mark for mark, _, keep in pairs if keep and mark is not None]
            cells[f"{mode} mode"] = mean(cases_of(values), MARKS, 0) if values else None
            cells[f"n, {mode}"] = len(values)
            cells[f"p, {mode}"] = None if way == "the feature" else _p(pairs)
        if chosen:
            printed = {"the feature": TABLE_9.steered, "a random feature": TABLE_9.random}
            cells["the paper"] = printed.get(way)
        rows.append(Row(name=way, cells=cells))
    measured_in = [name for mode in found for name in (f"{mode} mode", f"p, {mode}", f"n, {mode}")]
    return Table(
        title=title,
        columns=(*measured_in, *(["the paper"] if chosen else [])),
        rows=tuple(rows),
        series=_series(chosen=chosen),
    )


def _series(*, chosen: bool) -> tuple[Series, ...]:
    paper = Series(column="the paper", name="the paper's", hollow=True)
    return (
        Series(column="paper mode", name="paper mode"),
        *([paper] if chosen else []),
        Series(column="strict mode", name="strict mode", kind="strict"),
    )


def _p(pairs: Sequence[tuple[float | None, float | None, bool]]) -> float | None:
    """Were the feature as good as the control: how often would it look so much better."""
    gaps = [own - other for other, own, keep in pairs if keep and None not in (own, other)]  # ty: ignore[unsupported-operator]
    return sign_flip_p(np.array(gaps), 0, two_sided=False) if gaps else None


def _changes(found: dict[Mode, Marked]) -> Table:
    told: dict[str, tuple[str, str]] = {
        "the feature, against the model's own reply": ("the feature", PLAIN),
        "the feature, against the reconstruction alone": (
            "the feature",
            "the reconstruction alone",
        ),
        "a random feature": ("a random feature", PLAIN),
        "a random direction of equal norm": ("a random direction of equal norm", PLAIN),
        "the wrong sign": ("the wrong sign", PLAIN),
        "the reconstruction alone": ("the reconstruction alone", PLAIN),
    }
    rows = []
    for name, (way, than) in told.items():
        cells: dict[str, Cell] = {
            f"{mode} mode": mean(cases_of(one.changed(way, than).astype(float)), SHARE, 0)
            for mode, one in found.items()
        }
        if (way, than) == ("the feature", PLAIN):
            cells["the paper"] = CHANGED / CHANGED_OF
        rows.append(Row(name=name, cells=cells))
    columns = (*(f"{mode} mode" for mode in found), "the paper")
    return Table(title="Share of features that change the reply", columns=columns, rows=tuple(rows))


def _notes(some: Labelled, found: dict[Mode, Marked], marker: Marker) -> tuple[str, ...]:
    failed = sum(mark is None for one in found.values() for ms in one.marks.values() for mark in ms)
    paper, strict = found["paper"].done, found["strict"].done
    spread = np.quantile(strict.strengths, (0, 0.5, 1))
    texts = {text for one in found.values() for text in one.done.texts(None)}
    kind = (
        "That is no judge's mark from 1 to 10 but a count: the toybox's judge reads no texts."
        if marker.by_words
        else f"{failed} replies got no mark, and count nowhere."
    )
    return (
        f"{len(some.known)} object features, labelled by {some.source}; {some.looked_at} were "
        "looked at to find them.",
        f"A white picture, {QUESTION!r}, nothing written: {paper.plain!r}.",
        f"Marks: {marker.name}. {kind}",
        f"Mode paper: clamped to {paper.strengths[0]:g} on the prompt's tokens, the coder's error "
        f"dropped. Mode strict: {spread[0]:.3g} to {spread[2]:.3g}, median {spread[1]:.3g}, also "
        "while replying, the error kept.",
        "Controls are marked against the same labels, for the same features, whether or not they "
        "change anything. p: how often the feature would be as much better by chance (signs of "
        "paired differences, one-sided).",
        f"Of {2 * len(some.known)} steered replies {len(texts)} are different.",
        f"The paper: {MEANT[9]} What its random column selects is not said.",
    )


async def measure(bench: Bench, count: int, strength: float) -> tuple[Labelled, dict[Mode, Marked]]:
    """Label, write in both modes, and mark."""
    some, marker = await labelled(bench, "object", count), marker_of(bench.settings)
    labels = {one.feature: one.label for one in some.known}
    bench.say(f"writing {len(labels)} features")
    strengths: dict[Mode, dict[int, float]] = {
        "paper": dict.fromkeys(labels, strength),
        "strict": await asyncio.to_thread(calibrated, bench.lab, labels),
    }
    found: dict[Mode, Marked] = {}
    for mode in MODES:
        done = await asyncio.to_thread(written, bench.lab, strengths[mode], mode, QUESTION)
        found[mode] = await marked(bench, marker, some, done)
    return some, found


def main() -> None:
    """Measure, print and write."""
    parser = options((__doc__ or "").splitlines()[0], FEATURES)
    parser.add_argument("--strength", type=float, default=STRENGTH, help="of mode paper")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    async def work(bench: Bench) -> None:
        some, found = await measure(bench, given.features, given.strength)
        made = report(some, found, marker_of(bench.settings), command("table9", given, parser))
        publish(made, given.out, as_json=given.json)

    measured(given, work)


if __name__ == "__main__":
    main()
