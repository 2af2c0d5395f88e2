"""What works on one node of a cluster: it counts pictures, and investigates features.

It has a lab of its own in a folder of its own, and gives everything back to whoever asks; nothing
that it writes lasts. An actor of Ray's is made of it, but it knows nothing of Ray.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.bundle import Bundle, Errand, Trouble
from agent.errand import Satchel, carry_out
from agent.findings import Provenance
from agent.meter import MeteringLedger
from agent.provenance import provenance
from agent.transcript import TranscribedChat
from lmmscope import wiring
from lmmscope.laboratory import index_spec, lab, replies_of, shipped_index
from lmmscope.settings import Settings
from sae_core.errors import UserError
from sae_core.index.build import count_part
from sae_core.index.levels import Levels, levels_of
from sae_core.index.lit import Recorder, Rows
from sae_core.index.observer import Observer, PictureSet, source_of
from sae_core.index.part import Part
from sae_core.index.spec import IndexSpec
from tools.artefacts import Artefacts
from tools.backends.budget import Budget
from tools.backends.chat import ChatModel
from tools.backends.ledger import MemoryLedger
from tools.evidence import Split
from tools.written import written

if TYPE_CHECKING:
    from tools.lab import Lab

SPLITS: tuple[Split, ...] = ("explore", "test")
"""Those whose indexes an investigation asks."""
Files = Mapping[str, bytes]
"""The contents of files by their paths in a runs folder."""


class Told(NamedTuple):
    """What a call came to: a value, or why there is none."""

    value: Any
    trouble: Trouble | None = None


class Counted(NamedTuple):
    """What is known of some pictures."""

    part: Part
    lit: Rows
    """What fires on each of them."""


class Explored(NamedTuple):
    """What an index is going to be built from."""

    spec: IndexSpec
    levels: Levels | None
    """From where on features count as firing."""
    files: Files
    """The same, as workers find them."""


class Prepared(NamedTuple):
    """What workers need to know and to have, found out by one of them for all."""

    provenance: Provenance
    lacking: dict[Split, IndexSpec]
    """The indexes that the profile does not name."""
    files: Files
    """What took long to make."""


class Worker:
    """One process of a cluster."""

    def __init__(self, settings: Settings, planted_seed: int | None, sae: str | None) -> None:
        """Nothing is loaded yet: what goes wrong then is told by the first call."""
        self._room = TemporaryDirectory(prefix="lmmscope-")
        self._settings = settings.model_copy(update={"runs": Path(self._room.name)})
        self._planted_seed, self._sae = planted_seed, sae
        self._satchel, self._budget = Satchel(), Budget()

    async def call(self, name: str, *given: Any) -> Told:
        """Do one thing; errors are told, since a raised one would not arrive as it is."""
        does: Callable[..., Awaitable[Any]] = getattr(self, f"do_{name}")
        try:
            return Told(await does(*given))
        except Exception as error:  # noqa: BLE001 (whoever asked raises it again)
            return Told(None, Trouble.of(error))

    async def do_begin(self, folder: str) -> str:
        """Say where this is, ready for work; what a profile names may be relative to the folder."""
        with suppress(OSError):  # a node that has no such folder
            os.chdir(folder)
        wiring.mend_imports(self._settings)
        wiring.use_threads(self._settings)
        return f"{socket.gethostname()}, process {os.getpid()}"

    async def do_keep(self, files: Files) -> None:
        """Keep files that somebody has made already."""
        await asyncio.to_thread(write, self._settings.runs, files)

    async def do_explore(self, sizes: Mapping[str, int]) -> Explored:
        """What an index of the explore pictures is built from."""
        return await asyncio.to_thread(self._explore, sizes)

    async def do_prepare(self) -> Prepared:
        """Load everything once, and say what findings that are made here rest on."""
        return await asyncio.to_thread(self._prepare)

    async def do_agree(self, found: Provenance | IndexSpec) -> None:
        """Refuse to work where this node has something else than the first one had."""
        if isinstance(found, Provenance):
            await asyncio.to_thread(self._same_run, found)
        else:
            await asyncio.to_thread(self._same_index, found)

    async def do_count(self, split: Split, spec: IndexSpec, span: range) -> Counted:
        """Count some pictures."""
        return await asyncio.to_thread(self._count, split, spec, span)

    async def do_errand(self, errand: Errand) -> Bundle:
        """Investigate one feature."""
        kept = replies_of(self._settings)
        for digest, reply in errand.replies.items():
            kept.put(digest, reply)
        return await carry_out(errand, self._lab, self._satchel, self._budget)

    async def do_end(self) -> None:
        """Let go of servers and of the folder."""
        if "_lab" in self.__dict__:
            await self._lab.close()
        self._room.cleanup()

    @cached_property
    def _lab(self) -> Lab:
        artefacts = Artefacts(self._settings.runs / "artefacts")

        def around(_: str, make: Callable[[], ChatModel]) -> ChatModel:
            return TranscribedChat(make(), self._satchel, artefacts)

        ledger = MeteringLedger(MemoryLedger())
        return lab(
            self._settings,
            ledger,
            self._budget,
            planted_seed=self._planted_seed,
            sae=self._sae,
            around=around,
        )

    @cached_property
    def _provenance(self) -> Provenance:
        return provenance(self._lab, self._settings.name)

    def _explore(self, sizes: Mapping[str, int]) -> Explored:
        spec = index_spec(self._observer, self._pictures("explore"), "explore", **sizes)
        return Explored(spec, self._lab.levels, read(self._settings.runs, "levels"))

    def _prepare(self) -> Prepared:
        """The order matters: levels are measured when the observer is first needed."""
        known, lacking = self._provenance, dict[Split, IndexSpec]()
        for split in SPLITS:
            shown = self._pictures(split)
            found = shipped_index(self._settings, shown, split, self._planted_seed, self._sae)
            if found is None:
                lacking[split] = index_spec(self._observer, shown, split)
        return Prepared(known, lacking, read(self._settings.runs, "levels"))

    @property
    def _observer(self) -> Observer:
        return self._lab.observer

    def _pictures(self, split: Split) -> PictureSet:
        return self._lab.opening(split).pictures(split)

    def _count(self, split: Split, spec: IndexSpec, span: range) -> Counted:
        source = source_of(self._observer, self._pictures(split), self._settings.batch)
        recorder = Recorder(source)
        part = count_part(spec, recorder, span, wiring.device())
        return Counted(part, recorder.noted.rows)

    def _same_index(self, spec: IndexSpec) -> None:
        here = {"coder": self._observer.digest, "levels": levels_of(self._observer)}
        here["pictures"] = self._pictures("explore").digest
        _refuse([name for name, value in here.items() if value != getattr(spec, name)])

    def _same_run(self, first: Provenance) -> None:
        """All that the key of a finding is made of, and the code."""
        names = ("model", "hook", "coder", "levels", "pictures", "models", "prompts", "seed")
        mine = self._provenance
        other = [name for name in names if getattr(mine, name) != getattr(first, name)]
        if mine.packages["lmmscope"] != first.packages["lmmscope"]:
            other.append("lmmscope")
        _refuse(other)


def _refuse(other: Sequence[str]) -> None:
    if other:
        raise UserError(
            f"{socket.gethostname()} has other {' and '.join(other)} than the first node. Install "
            "and copy the same on all nodes"
        )


def read(runs: Path, *folders: str) -> Files:
    """The files of some folders of a runs folder."""
    paths = (path for folder in folders for path in sorted((runs / folder).rglob("*")))
    return {str(path.relative_to(runs)): path.read_bytes() for path in paths if path.is_file()}


def write(runs: Path, files: Files) -> None:
    """Put files there that are not there yet; a reader finds all of one or nothing."""
    for name, content in files.items():
        if not (path := runs / name).exists():
            written(path, content)
