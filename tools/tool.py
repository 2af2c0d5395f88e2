"""A tool: a name, a line that says what it does, typed arguments, and a function of a lab.

Knows how tools are called; nothing of what they do. The same function serves the agent, a person on
the command line, the review page and a batch worker.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Literal, NamedTuple, TypeVar, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError

from sae_core.errors import UserError
from tools.failures import WontWork
from tools.lab import Lab


class Arguments(BaseModel):
    """What a tool is told: ids, numbers and names of things, never paths or addresses."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Result(BaseModel):
    """What a tool answers: numbers, words and ids of artefacts, never pictures."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


Risk = Literal["reads", "asks models", "long"]
"""What a call costs: nothing to speak of, calls of models, or minutes and more."""
A = TypeVar("A", bound=Arguments)
R = TypeVar("R", bound=Result)


class Tool(NamedTuple, Generic[A, R]):
    """One tool."""

    name: str
    does: str
    """One line, for people and planners."""
    risk: Risk
    arguments: type[A]
    result: type[R]
    function: Callable[[Lab, A], R | Awaitable[R]]

    async def call(self, lab: Lab, arguments: A) -> R:
        """Run it; what blocks runs in a thread. A user's mistake is a failure that won't work."""
        try:
            if inspect.iscoroutinefunction(self.function):
                return await cast("Awaitable[R]", self.function(lab, arguments))
            return cast("R", await asyncio.to_thread(self.function, lab, arguments))
        except UserError as error:
            raise WontWork(str(error)) from error

    def parse(self, arguments: str | dict[str, Any]) -> A:
        """Arguments from JSON; WontWork names the first that is wrong."""
        try:
            if isinstance(arguments, str):
                return self.arguments.model_validate_json(arguments or "{}")
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "arguments"
            raise WontWork(f"{self.name}: {place}: {first['msg']}") from None


def tool(
    does: str, risk: Risk = "reads"
) -> Callable[[Callable[[Lab, A], R | Awaitable[R]]], Tool[A, R]]:
    """Make a function of a lab and arguments a tool of the same name."""

    def made(function: Callable[[Lab, A], R | Awaitable[R]]) -> Tool[A, R]:
        hints = get_type_hints(function)
        name = getattr(function, "__name__", "")
        return Tool(name, does, risk, hints["args"], hints["return"], function)

    return made
