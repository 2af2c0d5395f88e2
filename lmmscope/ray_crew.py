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
"""Workers that may die of one thing to do; then it is taken for the reason."""
PATIENCE = 600.0
"""Seconds without any worker, after which nobody waits for one any longer."""
FAREWELL = 5.0
Tell = Callable[[str], None]


class NoWorkers(UserError):
    """There is nobody left to do anything."""


class Member:
    """A worker, as far as it is known here."""

    def __init__(self, actor: Any) -> None:
        self.actor, self.place, self.ready = actor, "", 0

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
        self._lost = (
            why.RayActorError, why.NodeDiedError, why.WorkerCrashedError, why.ObjectLostError
        )  # fmt: skip
        self._free: asyncio.Queue[Member | NoWorkers] = asyncio.Queue()
        self._members: set[Member] = set()
        self._coming: set[asyncio.Task[None]] = set()
        self._before: list[tuple[str, Any]] = []

    def begin(self) -> None:
        """Call for the workers; each is at hand when its process is up."""
        for _ in range(self.size):
            self._hire()

    async def do(self, name: str, *given: Any, what: str = "") -> Any:
        """Have something done by whoever is free; `what` it is, for people."""
        for _ in range(TRIES):
            member = await self._prepared()
            try:
                done = await member.call(name, *given)
            except self._lost:
                self._tell(f"a worker died ({member.place}); {what or name} is given to another")
                self._replace(member)
                continue
            except Exception:
                self._free.put_nowait(member)  # it said so itself, and can do something else
                raise
            self._free.put_nowait(member)
            return done
        raise WontWork(
            f"{what or name} was given to {TRIES} workers, and all of them died. Is there memory "
            "enough on the nodes? Try fewer --actors"
        )

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
            except self._lost:
                self._tell(f"a worker died ({member.place}); another one is called for")
                self._replace(member)
            except Exception as error:  # noqa: BLE001 (others may be able to)
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

    def _hire(self) -> None:
        coming = asyncio.create_task(self._come())
        self._coming.add(coming)
        coming.add_done_callback(self._coming.discard)

    async def _come(self) -> None:
        """Wait for a worker; a node may die while it comes up there."""
        why = ""
        for _ in range(TRIES):
            member = Member(self._make())
            self._members.add(member)
            try:
                member.place = await member.call("begin", str(Path.cwd()))
            except self._lost as error:
                self._dismiss(member)
                why = str(error).strip().rpartition("\n")[2]
                self._tell("a worker died as it came up; another one is called for")
                continue
            except Exception as error:  # noqa: BLE001 (others may come up)
                self._let_go(member, error)
                return
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
        self._tell(f"a worker is let go ({member.place or 'as it came up'}): {error}")
        self._dismiss(member)
        self._end_without_workers(str(error))

    def _replace(self, member: Member) -> None:
        self._dismiss(member)
        self._hire()

    def _dismiss(self, member: Member) -> None:
        self._members.discard(member)
        with suppress(Exception):  # it may be gone already
            self._ray.kill(member.actor)


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
