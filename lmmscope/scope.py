"""`Scope`: what the commands do, for notebooks and programs.

    scope = Scope("toybox", runs="runs")
    answer = scope.ask("what does feature 249 respond to?")
    answer.findings[0].label

A scope loads each model once, keeps it, and works on one profile and the features of one coder.
Every method may be called where an event loop runs already; `aask` and the like are to be awaited.
Knows how work is begun and waited for; nothing of how it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Unpack

from lmmscope.feature import Feature
from lmmscope.session import How, Session
from lmmscope.showing import Answer, Findings, Steered
from lmmscope.work import asking, labelling, ready

if TYPE_CHECKING:
    from PIL import Image

    from agent.events import Event
    from agent.store import Reader
    from lmmscope.settings import Settings
    from tools.artefacts import Artefacts
    from tools.lab import Lab
    from tools.tool import Tool

Picture: TypeAlias = "Image.Image | str | Path | int | None"


class Scope:
    """One profile and the features of one coder, to be asked about."""

    def __init__(
        self,
        profile: str | None = None,
        *,
        runs: str | Path | None = None,
        sae: str | None = None,
        planted_seed: int | None = None,
        listen: Callable[[Event], None] | None = None,
    ) -> None:
        """A profile by its name or file; `listen` is told of every step, from another thread."""
        self._session = Session(ready(profile, runs), sae, planted_seed, listen)

    @property
    def settings(self) -> Settings:
        """What the profile says."""
        return self._session.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, question: str, *, go_on: bool = False, **how: Unpack[How]) -> Answer:
        """Ask in plain words; `go_on` in the conversation of the latest run."""
        return self._session.run(asking(question, go_on=go_on), how)

    async def aask(self, question: str, *, go_on: bool = False, **how: Unpack[How]) -> Answer:
        """The same, awaited."""
        return await self._session.begun(asking(question, go_on=go_on), how)

    def batch(
        self, features: Sequence[int] = (), *, active: int | None = None, **how: Unpack[How]
    ) -> Answer:
        """Label many features, or so many that fire on the most pictures."""
        return self._session.run(labelling(features, active), how)

    async def abatch(
        self, features: Sequence[int] = (), *, active: int | None = None, **how: Unpack[How]
    ) -> Answer:
        """The same, awaited."""
        return await self._session.begun(labelling(features, active), how)

    def resume(self, run: str, **how: Unpack[How]) -> Answer:
        """Go on with a run that was paused or killed; nothing that is done is done again."""
        return self._session.resume(run, how)

    def steer(
        self,
        question: str,
        *,
        features: int | Sequence[int] = (),
        strength: float | Sequence[float] = (),
        recipe: str | Path | None = None,
        picture: Picture = None,
        **more: Any,
    ) -> Steered:
        """Write features, or a recipe, into the model and see what it says then.

        The picture is an image, a file or the number of an explore picture; with none, that of the
        first development question with these words. `more` are arguments of the tool `steer`.
        """
        asked = {"features": _several(features), "strengths": _several(strength)} | more
        return self._session.wait(self._steered(question, picture, recipe, asked))

    async def asteer(
        self,
        question: str,
        *,
        features: int | Sequence[int] = (),
        strength: float | Sequence[float] = (),
        recipe: str | Path | None = None,
        picture: Picture = None,
        **more: Any,
    ) -> Steered:
        """The same, awaited."""
        asked = {"features": _several(features), "strengths": _several(strength)} | more
        return await self._session.awaited(self._steered(question, picture, recipe, asked))

    def tool(self, name: str | Tool[Any, Any], **arguments: Any) -> Any:
        """Call one of the agent's tools, or one of your own; the result is typed."""
        return self._session.wait(self._called(name, arguments))

    async def atool(self, name: str | Tool[Any, Any], **arguments: Any) -> Any:
        """The same, awaited."""
        return await self._session.awaited(self._called(name, arguments))

    def feature(self, number: int) -> Feature:
        """One feature, to look at."""
        return Feature(self, number)

    def findings(
        self, words: str | None = None, *, status: str | None = None, count: int = 100
    ) -> Findings:
        """What is known: findings of these words or this status, the best or newest first."""
        with self.store() as store:
            known = store.known(words, status=status, count=count)
            return Findings(store.finding(one.finding) for one in known)

    def store(self) -> Reader:
        """Everything that runs have kept, to be read; close it after use."""
        return self._session.store()

    @property
    def artefacts(self) -> Artefacts:
        """Pictures and documents by the ids that answers and findings cite."""
        from tools.artefacts import Artefacts

        return Artefacts(self.settings.runs / "artefacts")

    @property
    def lab(self) -> Lab:
        """What the agent's tools work with; the test pictures are sealed."""
        return self._session.lab

    def close(self) -> None:
        """Let go of models and servers."""
        self._session.close()

    async def _called(self, name: str | Tool[Any, Any], arguments: dict[str, Any]) -> Any:
        from tools.registry import named

        chosen = named(name) if isinstance(name, str) else name
        return await chosen.call(self.lab, chosen.parse(arguments))

    async def _steered(
        self, question: str, picture: Picture, recipe: str | Path | None, asked: dict[str, Any]
    ) -> Steered:
        from lmmscope.steering import recipe_id, shown, steered

        image = await asyncio.to_thread(shown, self.settings, self.lab, question, picture)
        if recipe is not None:
            asked = {"recipe": recipe_id(self.lab, recipe)} | asked
        return Steered(question, image, await steered(self.lab, question, image, **asked))


def _several(given: Any) -> tuple[Any, ...]:
    return tuple(given) if isinstance(given, Iterable) else (given,)
