"""What the review pages need besides the store: pictures of splits, and what an index knows.

No model is loaded for either. Knows the lab and folders of indexes; nothing of pages.
"""

from __future__ import annotations

import io
import threading
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agent.findings import BehaviourFinding, FeatureFinding, Provenance
from agent.store import Reader
from lmmscope.settings import Settings
from review.hands import Bar, IndexRecord, Neighbour, Refused
from sae_core.errors import UserError
from tools.evidence import Evidence, Split
from tools.failures import ToolFailure

if TYPE_CHECKING:
    from sae_core.index.query import Index
    from sae_core.index.spec import IndexSpec
    from tools.lab import Lab

SEALED: Split = "test"
REMEMBERED = 256
"""So many findings' rights to sealed pictures: a page asks for dozens of pictures of one."""


class PicturesAndIndexes:
    """The eyes of the pages, `review.hands.Eyes`, on a profile's data."""

    def __init__(self, settings: Settings, store: Reader) -> None:
        self._settings, self._store = settings, store
        self._opened_by = lru_cache(REMEMBERED)(self._opened)
        self._made_from = lru_cache(REMEMBERED)(self._provenance)
        self._indexes: dict[tuple[str, ...], Index] = {}
        self._first = threading.Lock()

    def prepare(self) -> None:
        """Import what takes seconds, so that the first page does not wait for it."""
        with self._first:
            _ = self._lab

    @cached_property
    def _lab(self) -> Lab:
        from lmmscope.laboratory import lab
        from tools.backends.budget import Budget
        from tools.backends.ledger import MemoryLedger

        return lab(self._settings, MemoryLedger(), Budget())

    def picture(self, split: str, number: int, finding: str | None = None) -> bytes:
        """A picture as PNG; a sealed one only if the finding's verification shows it."""
        self.prepare()
        lab, which = self._lab, cast("Split", split)
        if which == SEALED:
            if finding is None or number not in self._opened_by(finding):
                raise Refused(
                    f"The picture {number} of {split} is sealed: no verification shows it."
                )
            lab = lab.opening(which)
        try:
            self._check(lab, which, finding)
            picture = lab.picture(which, number)
        except (ToolFailure, UserError) as error:
            raise Refused(str(error)) from None
        written = io.BytesIO()
        picture.convert("RGB").save(written, "PNG")
        return written.getvalue()

    def record(self, finding: str) -> IndexRecord:
        """From the index that the finding's evidence comes from."""
        found = self._store.finding(finding)
        if not isinstance(found, FeatureFinding):
            raise Refused("A behaviour is about no single feature.")
        record = self._index_of(found.provenance).feature(found.feature)
        edges = record.histogram.edges_H1.tolist()
        counts = record.histogram.counts_H.tolist()
        return IndexRecord(
            tuple(
                Bar(low, high, count)
                for low, high, count in zip(edges, edges[1:], counts, strict=False)
            ),
            tuple(Neighbour(one.feature, one.share) for one in record.neighbours),
        )

    def _check(self, lab: Lab, split: Split, finding: str | None) -> None:
        """The same number is another picture in another set."""
        if finding is None:
            return
        wanted = self._made_from(finding).pictures.get(split)
        here = lab.pictures(split).digest
        if wanted != here:
            raise Refused(
                f"The pictures to {split} of the profile {self._settings.name} are not those that "
                f"finding {finding} was made from. Start lmmscope review with the profile, and the "
                "LMMSCOPE_ variables, of its run."
            )

    def _opened(self, finding: str) -> frozenset[int]:
        """The sealed pictures that a finding's verification opened."""
        found = self._store.finding(finding)
        if isinstance(found, BehaviourFinding) or found.verification is None:
            return frozenset()
        shown = self._store.artefacts.document(found.verification.evidence, Evidence)
        return frozenset(one.picture for one in shown.sightings if shown.split == SEALED)

    def _provenance(self, finding: str) -> Provenance:
        return self._store.finding(finding).provenance

    def _index_of(self, made: Provenance) -> Index:
        """The profile's index, or one that a run built, of these features on these pictures."""
        from sae_core.index.query import Index

        wanted = (made.coder, made.levels, made.pictures.get("explore", ""))
        if wanted not in self._indexes:
            for folder in self._folders():
                spec = _spec(folder)
                if spec and (spec.coder, spec.levels, spec.pictures) == wanted:
                    self._indexes[wanted] = Index.open(folder)
                    break
            else:
                raise Refused(f"The index of {made.coder[:12]} is not on this machine.")
        return self._indexes[wanted]

    def _folders(self) -> list[Path]:
        from lmmscope import wiring

        known = self._settings.data.index
        shipped = [wiring.model_folder(known)] if known else []
        return [*shipped, *sorted((self._settings.runs / "indexes").glob("*"))]


def _spec(folder: Path) -> IndexSpec | None:
    from sae_core.index.spec import read_spec

    head = folder / "index.json"
    try:
        return read_spec(head.read_text(encoding="utf-8"), head)
    except (OSError, UserError, ValueError):
        return None
