"""Features investigated in other processes: an errand goes out, a bundle comes home.

Whoever does the errand writes nothing that lasts: what it comes to is taken into the store by the
process that sent it, all of it or nothing. So a process that dies half way leaves nothing behind,
and its feature can be given to another. Knows nothing of how either travels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from agent.batch import STEPS
from agent.bundle import Bundle, Errand, Seal, Trouble, replies_in
from agent.desk import Desk, MemoryKeeper
from agent.findings import FeatureFinding
from agent.graph import feature_graph
from agent.provenance import subject_of
from agent.shares import Shares
from agent.store import Store
from agent.store.garbage import followed
from agent.store.rows import ids_in
from agent.transcript import Call
from tools.artefacts import Artefacts
from tools.backends.budget import Budget, Limits, Spending
from tools.lab import Lab

Send = Callable[[Errand], Awaitable[Bundle]]
"""Has an errand done somewhere."""


class Satchel(MemoryKeeper):
    """Keeps what one errand comes to; the lab's models record their calls here."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._known: frozenset[Seal] = frozenset()

    def empty(self, known: tuple[Seal, ...]) -> None:
        """For the next errand, with what was opened for its feature before."""
        self.events, self.findings, self.calls = [], [], []
        self._opened = {(one.key, one.pictures): (one.claim, one.subject) for one in known}
        self._known = frozenset(known)

    def record(self, call: Call) -> None:
        """Keep a call of a model."""
        self.calls.append(call)

    def begin_step(self, run: str, unit: str, step: int) -> None:
        """Forget the step's events and calls."""
        super().begin_step(run, unit, step)
        here = (run, unit, step)
        self.calls = [one for one in self.calls if (one.run, one.unit, one.step) != here]

    def bundle(self, artefacts: Artefacts, spent: Spending, trouble: Trouble | None) -> Bundle:
        """All of it, with every artefact that it speaks of."""
        opened = (Seal(key, c, where, s) for (key, where), (c, s) in self._opened.items())
        named = set().union(*map(ids_in, self._written()))
        kept = sorted(one for one in followed(artefacts.folder, named) if one in artefacts)
        found = [one for one in self.findings if isinstance(one, FeatureFinding)]
        return Bundle(
            tuple(self.events),
            tuple(self.calls),
            tuple(one for one in opened if one not in self._known),
            found[-1] if found else None,
            {one: artefacts.get(one) for one in kept},
            spent,
            trouble,
        )

    def _written(self) -> Iterator[str]:
        for document in (*self.events, *self.calls, *self.findings):
            yield document.model_dump_json()


async def carry_out(errand: Errand, lab: Lab, satchel: Satchel, budget: Budget) -> Bundle:
    """Investigate one feature from beginning to end; the lab's models record into the satchel."""
    satchel.empty(errand.seals)
    before, trouble = budget.spent, None
    budget.limits = _above(before, errand.left)
    desk = Desk(
        lab, errand.run, provenance=errand.provenance, keeper=satchel, rules=errand.rules
    )  # fmt: skip
    given = {"feature": errand.feature, "key": errand.key, "unit": errand.unit}
    try:
        await feature_graph().compile().ainvoke(given, {"recursion_limit": STEPS}, context=desk)
    except Exception as error:  # noqa: BLE001 (whatever it was is told with what led to it)
        trouble = Trouble.of(error)
    spent = _since(before, budget.spent)
    return await asyncio.to_thread(satchel.bundle, lab.artefacts, spent, trouble)


class Messenger:
    """`agent.office.Elsewhere`: sends errands, and takes home what comes of them."""

    def __init__(self, send: Send, budget: Budget, size: int = 1) -> None:
        """Errands share the budget, so many at a time; nothing is sent once it is spent."""
        self._send, self._shares = send, Shares(budget, size)

    async def __call__(self, desk: Desk, store: Store, unit: str, feature: int, key: str) -> None:
        """One feature; where its share does not suffice it is sent again with all that is left."""
        whole = False
        while True:
            async with self._shares.one(whole=whole) as share:
                errand = _errand(desk, store, unit, feature, key, share.left)
                bundle = await self._send(errand)
                share.held.settle(bundle.spent)
            taken = await asyncio.to_thread(store.take, desk.run, unit, bundle)
            trouble = bundle.trouble
            whole = trouble is not None and trouble.kind == "OverBudget" and not share.whole
            if not whole:
                break
        if taken:
            desk.pass_on(bundle.events)
        if trouble is not None:
            raise trouble.error()


def _errand(desk: Desk, store: Store, unit: str, feature: int, key: str, left: Limits) -> Errand:
    return Errand(
        desk.run,
        unit,
        feature,
        key,
        desk.provenance,
        desk.rules,
        seals=store.opened_for(subject_of(desk.provenance, feature)),
        left=left,
        replies=replies_in(store.calls(desk.run, unit=unit)),
    )


def _since(before: Spending, now: Spending) -> Spending:
    return Spending(
        now.calls - before.calls,
        now.tokens - before.tokens,
        now.seconds - before.seconds,
        now.money - before.money,
    )


def _above(spent: Spending, left: Limits) -> Limits:
    """Limits for somebody who has spent something already, and may spend so much more."""
    before = spent._asdict()
    return Limits(**{n: None if more is None else before[n] + more for n, more in left})
