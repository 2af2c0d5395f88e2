"""Where a task works: its tools, its limits, its seal, and whoever listens to what it does.

Every call of a tool goes through `Desk.use`, so none is made that is not recorded. Handles live
here and never in a graph's state. Knows how work is recorded; nothing of what is worked on.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from agent.events import Event, Kind, Listener
from agent.findings import Cost, Provenance
from agent.meter import metered
from tools.artefacts import ArtefactId
from tools.evidence import Split
from tools.failures import ToolFailure, WontWork
from tools.lab import Lab
from tools.registry import named
from tools.tool import Result


class Rules(BaseModel):
    """How far an investigation goes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    hypotheses: int = Field(default=5, ge=1, le=12)
    """How many compete at a time."""
    rounds: int = Field(default=4, ge=1, le=20)
    """How many experiments are made to tell them apart."""
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

    def open(self, key: str, claim: str, pictures: str) -> bool:
        """Whether the finding's pictures may be opened for this claim.

        They may be once; for the same claim again, since a crash may have come in between.
        """
        ...


class OpenOnce:
    """Seals that are gone with the process."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], str] = {}

    def open(self, key: str, claim: str, pictures: str) -> bool:
        """The first claim that asks gets them."""
        return self._opened.setdefault((key, pictures), claim) == claim


class Desk:
    """One task's place of work."""

    def __init__(
        self,
        lab: Lab,
        run: str,
        *,
        provenance: Provenance,
        seals: Seals | None = None,
        listeners: Sequence[Listener] = (),
        rules: Rules | None = None,
    ) -> None:
        self.lab, self.run, self.provenance = lab, run, provenance
        self.seals: Seals = seals or OpenOnce()
        self.rules = rules or Rules()
        self._listeners = tuple(listeners)
        self.unit, self._step, self._who, self._place = "run", 0, "", 0

    def at(self, unit: str, step: int, who: str) -> Desk:
        """The same desk for one step of one unit; its events are counted from zero."""
        moved = copy.copy(self)
        moved.unit, moved._step, moved._who, moved._place = unit, step, who, 0
        return moved

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
    ) -> Event:
        """Record that something happened."""
        event = Event(
            run=self.run,
            unit=self.unit,
            step=self._step,
            place=self._place,
            who=self._who,
            kind=kind,
            text=" ".join(text.split()),
            tool=tool,
            arguments=arguments,
            result=result,
            artefacts=tuple(artefacts),
            cost=cost or Cost(),
        )
        self._place += 1
        for listener in self._listeners:
            listener.hear(event)
        return event

    async def use(
        self, tool: str, text: str = "", *, lab: Lab | None = None, **arguments: Any
    ) -> Any:
        """Call a tool and record it; what fails is recorded too, and raised.

        Another lab is given by the verification alone, which has one with the seal broken.
        """
        chosen = named(tool)
        given = chosen.parse(arguments)
        with metered() as meter:
            try:
                result: Result = await chosen.call(lab or self.lab, given)
            except ToolFailure as failure:
                self.say(
                    "failure", failure.reason, tool=tool, arguments=_plain(given), cost=meter.cost
                )
                raise
        self.say(
            "tool",
            text or chosen.does,
            tool=tool,
            arguments=_plain(given),
            result=_plain(result),
            cost=meter.cost,
        )
        return result

    def opened(self, key: str, claim: str, split: Split = "test") -> Lab:
        """The lab with a finding's sealed pictures open, once; WontWork ever after."""
        lab = self.lab.opening(split)
        if not self.seals.open(key, claim, lab.pictures(split).digest):
            raise WontWork(
                f"The {split} pictures were opened for this finding before, and for another claim: "
                "a second try would be tuned to them. Start a new run with other test pictures"
            )
        return lab


def _plain(document: BaseModel) -> dict[str, Any]:
    return document.model_dump(mode="json")
