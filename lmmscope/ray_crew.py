"""Workers on a Ray cluster: whoever is free gets the next thing to do, whoever dies is replaced.

A thing that was being done by a worker that died is given to another one, from its beginning.
Knows actors; nothing of what they do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from agent.errors import UserError, WontWork
from lmmscope.ray_cluster import posts
from lmmscope.ray_worker import Told, Worker

TRIES = 4
"""Workers that may die of one thing to do; then it is taken for the reason. So many may also die
one after the other before they can begin."""
PATIENCE = 600.0
"""Seconds without any worker, after which nobody waits for one any longer."""
FAREWELL = 5.0
Tell = Callable[[str], None]


class NoWorkers(UserError):
    """There is nobody left to do anything."""


class Member:
    """A worker, as far as it is known here."""

    def __init__(self, actor: Any, deaths: int) -> None:
        """So many before it died without having done anything."""
        self.actor, self.deaths = actor, deaths
        self.place, self.ready = "", 0

    async def call(self, name: str, *given: Any) -> Any:
        """What it says."""
        told: Told = await self.actor.call.remote(name, *given)
        if told.trouble is not None:
            raise told.trouble.error()
        return told.value


class Crew:
    """The workers."""

    def __init__(self, make: Callable[[], Any], size: int, tell: Tell) -> None:
        """`make` makes an actor, `tell` tells people what happened to workers."""
        import ray
        from ray import exceptions as why

        self._ray, self._make, self.size, self._tell = ray, make, size, tell
        self._trouble, self._told = why.RayError, why.RayTaskError
        self._free: asyncio.Queue[Member | NoWorkers] = asyncio.Queue()
        self._members: set[Member] = set()
        self._coming: set[asyncio.Task[None]] = set()
        self._before: list[tuple[str, Any]] = []

    def begin(self) -> None:
        """Call for the workers; each is at hand when its process is up."""
        for _ in range(self.size):
            self._hire()

    async def do(
        self,
        name: str,
        *given: Any,
        what: str = "",
        spoils: Callable[[Any], bool] = lambda _: False,
    ) -> Any:
        """Have something done by whoever is free; `what` it is, for people.

        Who did what `spoils` a worker is replaced: it would fail at all else, and at once.
        """
        what = what or name
        for _ in range(TRIES):
            member = await self._prepared()
            try:
                done = await member.call(name, *given)
            except Exception as error:
                if self._is_lost(error):
                    self._tell(f"a worker died ({member.place}); {what} is given to another")
                    self._replace(member)
                    continue
                self._free.put_nowait(member)  # it said so itself, and can do something else
                raise
            if spoils(done):
                self._tell(f"a worker is replaced ({member.place}): {what} broke there")
                self._replace(member)
            else:
                self._free.put_nowait(member)
            return done
        raise WontWork(
            f"{what} was given to {TRIES} workers, and all of them died. Is there memory "
            "enough on the nodes? Try fewer --actors"
        )

    def _is_lost(self, error: Exception) -> bool:
        """Whether the worker is gone, for whatever reason Ray has; a mistake it tells itself."""
        return isinstance(error, self._trouble) and not isinstance(error, self._told)

    def first(self, name: str, given: Any) -> None:
        """What every worker has to do before anything else; whoever can't is let go."""
        self._before.append((name, self._ray.put(given)))

    async def end(self) -> None:
        """Let all of them go."""
        for task in self._coming:
            task.cancel()
        farewells = (member.call("end") for member in self._members if member.place)
        with suppress(TimeoutError):
            together = asyncio.gather(*farewells, return_exceptions=True)
            await asyncio.wait_for(together, FAREWELL)
        for member in list(self._members):
            self._dismiss(member)

    async def _prepared(self) -> Member:
        """Whoever is free and has done what comes first."""
        while True:
            member = await self._next()
            try:
                for name, given in self._before[member.ready :]:
                    await member.call(name, given)
                    member.ready += 1
            except Exception as error:  # noqa: BLE001 (others may be able to)
                if self._is_lost(error) and member.deaths + 1 < TRIES:
                    self._tell(f"a worker died ({member.place}); another one is called for")
                    self._replace(member, member.deaths + 1)
                else:
                    self._let_go(member, error)
            else:
                return member

    async def _next(self) -> Member:
        while True:
            try:
                found = await asyncio.wait_for(self._free.get(), PATIENCE)
            except TimeoutError:
                if len(self._coming) == len(self._members):
                    raise NoWorkers(
                        f"No worker came up within {PATIENCE / 60:.0f} minutes. Is there room for "
                        "one? Try ray status"
                    ) from None
                continue
            if isinstance(found, NoWorkers):
                self._free.put_nowait(found)  # for all who wait
                raise found
            return found

    def _hire(self, deaths: int = 0) -> None:
        coming = asyncio.create_task(self._come(deaths))
        self._coming.add(coming)
        coming.add_done_callback(self._coming.discard)

    async def _come(self, deaths: int) -> None:
        """Wait for a worker; a node may die while it comes up there."""
        why = ""
        for _ in range(TRIES):
            member = Member(self._make(), deaths)
            self._members.add(member)
            try:
                member.place = await member.call("begin", str(Path.cwd()))
            except Exception as error:  # noqa: BLE001 (others may come up)
                if not self._is_lost(error):
                    self._let_go(member, error)
                    return
                self._dismiss(member)
                why = _last_line(error)
                self._tell("a worker died as it came up; another one is called for")
                continue
            self._free.put_nowait(member)
            return
        self._end_without_workers(
            f"Workers die as soon as they come up: {why}. Is lmmscope installed on all nodes?"
        )

    def _end_without_workers(self, why: str) -> None:
        if not self._members:
            self._free.put_nowait(NoWorkers(why))

    def _let_go(self, member: Member, error: Exception) -> None:
        """It can't work, and nobody takes its place: that would be on the same node."""
        why = _last_line(error)
        self._tell(f"a worker is let go ({member.place or 'as it came up'}): {why}")
        self._dismiss(member)
        self._end_without_workers(why)

    def _replace(self, member: Member, deaths: int = 0) -> None:
        self._dismiss(member)
        self._hire(deaths)

    def _dismiss(self, member: Member) -> None:
        self._members.discard(member)
        with suppress(Exception):  # it may be gone already
            self._ray.kill(member.actor)


def _last_line(error: Exception) -> str:
    """What Ray says has many lines, the last of which is the reason."""
    return str(error).strip().rpartition("\n")[2]


@asynccontextmanager
async def crew(given: tuple[Any, ...], actors: int | None) -> AsyncGenerator[Crew]:
    """Workers with these arguments, spread over the nodes of the cluster that was joined."""
    import ray

    wanted, console = posts(actors), Console(stderr=True)
    kind = ray.remote(Worker).options(
        num_cpus=wanted.cpus,
        num_gpus=wanted.gpus,
        max_restarts=0,
        scheduling_strategy="SPREAD",
    )

    def tell(said: str) -> None:
        console.print(said, markup=False, highlight=False, soft_wrap=True)

    made = Crew(lambda: kind.remote(*given), wanted.count, tell)
    made.begin()
    try:
        yield made
    finally:
        await made.end()
