"""What a request becomes: tasks, and what was taken for granted; or what it lacks.

Knows how tasks are made and changed with their checks; nothing of requests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from agent.plan import Task

T = TypeVar("T", bound=Task)


class Lacking(Exception):
    """A request does not say what its task needs."""


class Made(NamedTuple):
    """Tasks, and what was taken for granted."""

    tasks: tuple[Task, ...]
    assumed: tuple[str, ...] = ()


def checked(kind: Callable[..., T], **arguments: Any) -> T:
    """A task, or what is wrong with the values that the request gives for it."""
    try:
        return kind(**arguments)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Lacking("; ".join(faults)) from error


def changed(task: T, **changes: Any) -> T:
    """The same task with some arguments changed."""
    kept = {name: getattr(task, name) for name in type(task).model_fields}
    return checked(type(task), **(kept | changes))
