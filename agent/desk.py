"""Where a task works: its tools, its limits, its seal, and whoever listens to what it does.

Every call of a tool goes through `Desk.use`, so none is made that is not recorded. Handles live
here and never in a graph's state. Knows how work is recorded; nothing of what is worked on.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from agent.events import Event, Kind, Listener
from agent.findings import Cost, Finding, Provenance
from agent.meter import metered
from agent.transcript import asking
from tools.artefacts import ArtefactId
from tools.evidence import Split
from tools.failures import Failure, NeedsApproval, WontWork
from tools.lab import Lab
from tools.registry import named
from tools.tool import Result

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


class Rules(BaseModel):
    """How far an investigation goes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    hypotheses: int = Field(default=5, ge=1, le=12)
    """How many compete at a time."""
    rounds: int = Field(default=4, ge=1, le=20)
    """How many experiments are made to tell them apart."""
    free: bool = False
    """Whether a chat model investigates as it likes."""
    steps: int = Field(default=24, ge=1, le=200)
    """How often a model that investigates freely may be asked."""
    calls: int | None = Field(default=None, ge=1)
    """Requests to models for one feature."""
    seconds: float | None = Field(default=None, gt=0)
    """By the clock, for one feature."""
    repeats: int = Field(default=3, ge=2)
    """The same action so many times in a row is a loop, and ends it."""
    steer: bool = True
    """Whether features are written into the model."""
    discovery: float = Field(default=0.05, gt=0, lt=1)
    """The share of a batch's supported findings that may be so by chance."""


class Seals(Protocol):
    """Who remembers which sealed pictures were opened, for which finding and claim."""

    def open(self, key: str, claim: str, pictures: str, subject: str = "") -> bool:
        """Whether the finding's pictures may be opened for this claim.

        They may be once; for the same claim again, since a crash may have come in between.
        """
        ...

    def tries(self, pictures: str, subject: str) -> int:
        """How often these pictures were opened for this subject, whichever finding it was for."""
        ...


class Opened(NamedTuple):
    """Sealed pictures that were opened."""

    lab: Lab
    """The lab that shows them."""
    tries: int
    """How often they have been opened for the same subject, this time included: by other settings
    or another seed. Each try is another chance for a wrong claim, and has to be paid for."""


class Keeper(Seals, Listener, Protocol):
    """Who keeps what happens and what is found out."""

    def begin_step(self, run: str, unit: str, step: int) -> None:
        """Forget what an interrupted try at this step left behind."""
        ...

    def put(self, finding: Finding) -> str:
        """Keep a finding, and give its id."""
        ...


class MemoryKeeper:
    """Keeps everything until the process ends."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.findings: list[Finding] = []
        self._opened: dict[tuple[str, str], tuple[str, str]] = {}

    def open(self, key: str, claim: str, pictures: str, subject: str = "") -> bool:
        """The first claim that asks gets them."""
        return self._opened.setdefault((key, pictures), (claim, subject))[0] == claim

    def tries(self, pictures: str, subject: str) -> int:
        """How often, by whatever key."""
        return sum(
            place[1] == pictures and kept[1] == subject for place, kept in self._opened.items()
        )

    def hear(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)

    def begin_step(self, run: str, unit: str, step: int) -> None:
        """Forget the step's events."""
        here = (run, unit, step)
        self.events = [one for one in self.events if (one.run, one.unit, one.step) != here]

    def put(self, finding: Finding) -> str:
        """Keep a finding."""
        self.findings.append(finding)
        return finding.id


class Desk:
    """One task's place of work."""

    def __init__(
        self,
        lab: Lab,
        run: str,
        *,
        provenance: Provenance,
        keeper: Keeper | None = None,
        listeners: Sequence[Listener] = (),
        rules: Rules | None = None,
        explorer: BaseChatModel | None = None,
    ) -> None:
        self.lab, self.run, self.provenance = lab, run, provenance
        self.keeper: Keeper = keeper or MemoryKeeper()
        self.rules = rules or Rules()
        self.explorer = explorer
        """The model that investigates freely, if one does."""
        self._listeners = (self.keeper, *listeners)
        self.unit, self._step, self._who, self._place = "run", 0, "", 0

    def at(self, unit: str, step: int, who: str) -> Desk:
        """The same desk for one step of one unit; its events are counted from zero."""
        moved = copy.copy(self)
        moved.unit, moved._step, moved._who, moved._place = unit, step, who, 0
        return moved

    @contextmanager
    def step(self, unit: str, step: int, who: str) -> Generator[Desk]:
        """Do one step of one unit: a broken try at it is forgotten, its models know who asks."""
        self.keeper.begin_step(self.run, unit, step)
        with asking(self.run, unit, step):
            yield self.at(unit, step, who)

    def say(
        self,
        kind: Kind,
        text: str,
        *,
        tool: str | None = None,
        arguments: dict[str, Any] | None = None,
        result: dict[str, Any] | None = None,
        artefacts: Sequence[ArtefactId] = (),
        cost: Cost | None = None,
        place: int | None = None,
    ) -> Event:
        """Record that something happened, in a place that was taken before or in the next one."""
        event = Event(
            run=self.run,
            unit=self.unit,
            step=self._step,
            place=self._taken() if place is None else place,
            who=self._who,
            kind=kind,
            text=" ".join(text.split()),
            tool=tool,
            arguments=arguments,
            result=result,
            artefacts=tuple(artefacts),
            cost=cost or Cost(),
        )
        for listener in self._listeners:
            listener.hear(event)
        return event

    def pass_on(self, events: Sequence[Event]) -> None:
        """Tell whoever listens what happened elsewhere and is kept already."""
        for event in events:
            for listener in self._listeners[1:]:
                listener.hear(event)

    def _taken(self) -> int:
        """The next place of the step."""
        self._place += 1
        return self._place - 1

    async def use(
        self, tool: str, text: str = "", /, *, lab: Lab | None = None, **arguments: Any
    ) -> Any:
        """Call a tool and record it; what fails is recorded too, and raised.

        Another lab is given by the verification alone, which has one with the seal broken.
        """
        # By the order of the beginnings: which of several ends first is chance.
        asked, place = arguments, self._taken()
        with metered() as meter:
            try:
                chosen = named(tool)
                given = chosen.parse(arguments)
                asked = _plain(given)
                result: Result = await chosen.call(lab or self.lab, given)
            except Failure as failure:
                if not isinstance(failure, NeedsApproval):  # that is asked for, and did not fail
                    self._broke(tool, failure.reason, asked, meter.cost, place)
                raise
            except BaseException as error:
                # Cancelled, or a bug: what was spent was spent.
                why = f"broke off: {type(error).__name__}"
                self._broke(tool, why, asked, meter.cost, place)
                raise
        self.say(
            "tool",
            text or chosen.does,
            tool=tool,
            arguments=asked,
            result=_plain(result),
            cost=meter.cost,
            place=place,
        )
        return result

    def _broke(self, tool: str, why: str, asked: dict[str, Any], cost: Cost, place: int) -> None:
        self.say("failure", why, tool=tool, arguments=asked, cost=cost, place=place)

    def opened(self, key: str, claim: str, split: Split = "test", subject: str = "") -> Opened:
        """The lab with a finding's sealed pictures open, once; WontWork ever after."""
        lab = self.lab.opening(split)
        pictures = lab.pictures(split).digest
        if not self.keeper.open(key, claim, pictures, subject):
            raise WontWork(
                f"The {split} pictures were opened for this finding before, and for another claim: "
                "a second try would be tuned to them. Start a new run with other test pictures"
            )
        tries = self.keeper.tries(pictures, subject)
        again = f", for the {tries}th time in all" if tries > 1 else ""
        self.say(
            "note",
            f"opened the sealed {split} pictures for {claim!r}{again}",
            result={"key": key, "pictures": pictures, "tries": tries},
        )
        return Opened(lab, tries)


def _plain(document: BaseModel) -> dict[str, Any]:
    return document.model_dump(mode="json")
