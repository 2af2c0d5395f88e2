"""Whose replies a run gets: those of models, those in a record, or both in turn.

A replay asks no model; a fork asks none as far as it shares a history with the run that it left.
Knows records and who reads them; nothing of what is asked.
"""

from __future__ import annotations

from collections.abc import Callable

import prompts
from agent.fork import Fork, ForkedChat, History
from agent.served import ReplayedModel
from agent.store import Store
from agent.transcript import NotRecorded, Recorded, ReplayedChat, TranscribedChat
from tools.backends.chat import ChatModel


class Replies:
    """Replies for one run."""

    def __init__(self, store: Store, replayed: str | None, left: Fork | None) -> None:
        self._store, self._replayed, self._left = store, replayed, left
        self._missed: list[NotRecorded] = []

    def around(self, role: str, make: Callable[[], ChatModel]) -> ChatModel:
        """The role's model, recorded; or the record in its place."""
        if self._replayed is not None:
            return ReplayedChat(self._store.calls(self._replayed, role), self._missed)
        # Outermost, so that replies from the cache are recorded too.
        asked = TranscribedChat(make(), self._store, self._store.artefacts)
        known = self.history(role)
        return asked if known is None else ForkedChat(asked, known)

    def history(self, role: str) -> History | None:
        """What the role's model said before the run left another one."""
        if self._left is None:
            return None
        run = self._left.run
        return History(
            lambda unit: self._store.calls(run, role, unit=unit), self._store, self._left
        )

    def recorded(self, role: str) -> ReplayedModel | None:
        """What a chat model with tools said in the replayed run, if it said anything."""
        said = self._store.calls(self._replayed or "", role)
        if not said:
            return None
        return ReplayedModel(
            recorded=Recorded(said), prompt=prompts.load("plan"), missed=self._missed
        )

    def check(self) -> None:
        """NotRecorded, though a step may have taken a missing reply for any other failure."""
        for one in self._missed:
            raise one
