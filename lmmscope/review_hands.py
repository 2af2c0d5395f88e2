"""What the review pages need besides the store: pictures of splits, and what an index knows.

No model is loaded for either, nor torch: who only looks shall not wait for it, nor pay for it in
memory. Knows picture sets and folders of indexes; nothing of pages.
"""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agent.findings import BehaviourFinding, FeatureFinding, Provenance
from agent.store import Reader
from lmmscope.settings import Settings
from review.hands import Bar, IndexRecord, Neighbour, Refused
from sae_core.errors import UserError
from tools.evidence import Evidence, Split

if TYPE_CHECKING:
    from sae_core.index.arrays import Arrays
    from sae_core.index.observer import PictureSet
    from sae_core.index.spec import IndexSpec

SEALED: Split = "test"
REMEMBERED = 256
"""So many findings' rights to sealed pictures: a page asks for dozens of pictures of one."""


class PicturesAndIndexes:
    """The eyes of the pages, `review.hands.Eyes`, on a profile's data."""

    def __init__(self, settings: Settings, store: Reader) -> None:
        self._settings, self._store = settings, store
        self._opened_by = lru_cache(REMEMBERED)(self._opened)
        self._made_from = lru_cache(REMEMBERED)(self._provenance)
        self._indexes: dict[tuple[str, ...], Arrays] = {}
        self._first = threading.Lock()

    def prepare(self) -> None:
        """Do what takes seconds, so that the first page does not wait for it.

        What is wrong with the profile's pictures is told by whoever asks for one.
        """
        with suppress(UserError), self._first:
            _ = self._splits

    @cached_property
    def _splits(self) -> dict[Split, PictureSet]:
        from lmmscope import wiring

        return wiring.splits(self._settings)

    def picture(self, split: str, number: int, finding: str | None = None) -> bytes:
        """A picture as PNG; a sealed one only if the finding's verification shows it."""
        if split == SEALED and (finding is None or number not in self._opened_by(finding)):
            raise Refused(f"The picture {number} of {split} is sealed: no verification shows it.")
        try:
            shown = self._set(cast("Split", split), finding)
            if not 0 <= number < len(shown):
                raise Refused(f"There is no picture {number} in {split}: it has {len(shown)}.")
            picture = shown.picture(number)
        except UserError as error:
            raise Refused(str(error)) from None
        written = io.BytesIO()
        picture.convert("RGB").save(written, "PNG")
        return written.getvalue()

    def record(self, finding: str) -> IndexRecord:
        """From the index that the finding's evidence comes from."""
        from sae_core.index.bins import edges

        found = self._store.finding(finding)
        if not isinstance(found, FeatureFinding):
            raise Refused("A behaviour is about no single feature.")
        index, feature = self._index_of(found.provenance), found.feature
        if feature >= len(index.histogram_FH):
            raise Refused(
                f"The index has {len(index.histogram_FH)} features, and the finding is about "
                f"{feature}: it is another coder's. Try lmmscope index build"
            )
        counts = index.histogram_FH[feature].tolist()
        bars = zip(pairwise(edges().tolist()), counts, strict=True)
        near = zip(index.neighbour_FN[feature], index.share_FN[feature], strict=True)
        return IndexRecord(
            tuple(Bar(low, high, count) for (low, high), count in bars),
            tuple(Neighbour(int(one), float(share)) for one, share in near if one >= 0),
        )

    def _set(self, split: Split, finding: str | None) -> PictureSet:
        """The pictures of a split; the same number is another picture in another set."""
        self.prepare()
        if (found := self._splits.get(split)) is None:
            raise Refused(f"The profile names no pictures to {split} on. Add them under [data].")
        if finding is not None and self._made_from(finding).pictures.get(split) != found.digest:
            raise Refused(
                f"The pictures to {split} of the profile {self._settings.name} are not those that "
                f"finding {finding} was made from. Start lmmscope review with the profile, and the "
                "LMMSCOPE_ variables, of its run."
            )
        return found

    def _opened(self, finding: str) -> frozenset[int]:
        """The sealed pictures that a finding's verification opened."""
        found = self._store.finding(finding)
        if isinstance(found, BehaviourFinding) or found.verification is None:
            return frozenset()
        shown = self._store.artefacts.document(found.verification.evidence, Evidence)
        return frozenset(one.picture for one in shown.sightings if shown.split == SEALED)

    def _provenance(self, finding: str) -> Provenance:
        return self._store.finding(finding).provenance

    def _index_of(self, made: Provenance) -> Arrays:
        """The profile's index, or one that a run built, of these features on these pictures."""
        from sae_core.index.arrays import read_index

        wanted = (made.coder, made.levels, made.pictures.get("explore", ""))
        if wanted not in self._indexes:
            for folder in self._folders():
                spec = _spec(folder)
                if spec and (spec.coder, spec.levels, spec.pictures) == wanted:
                    self._indexes[wanted] = read_index(folder).arrays
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
