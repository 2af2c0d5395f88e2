"""The tasks as tools that a chat model calls, and calls read back as tasks.

Knows the forms of both; nothing of requests. Lists of features may have ranges in a call, since a
model that has to write out `0-499` number by number costs a thousand tokens and miscounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from langchain_core.messages import ToolCall
from langchain_core.messages.tool import tool_call
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, TypeAdapter

from agent.plan import MOST, TASKS, Task

_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_BY_NAME = {kind.__name__: kind for kind in TASKS}
_RANGE = {"type": "string", "pattern": "^[0-9]+-[0-9]+$", "description": "such as 0-499"}


def tools() -> list[dict[str, Any]]:
    """What a model is told of the tasks."""
    return [_tool(kind) for kind in TASKS]


def _tool(kind: type[BaseModel]) -> dict[str, Any]:
    tool = convert_to_openai_tool(kind)
    properties = tool["function"]["parameters"]["properties"]
    # The tool's name says it already.
    del properties["task"]
    if (features := properties.get("features", {})).get("type") == "array":
        features["items"] = {"anyOf": [features["items"], _RANGE]}
    return tool


def call_of(task: Task, name: str) -> ToolCall:
    """A task as a model would call it."""
    arguments = task.model_dump(mode="json", exclude_defaults=True, exclude={"task"})
    if isinstance(features := arguments.get("features"), list):
        arguments["features"] = _folded(features)
    return tool_call(name=type(task).__name__, args=arguments, id=name)


def task_of(name: str, arguments: Mapping[str, Any]) -> Task:
    """The task that a model called; ValueError says what is wrong with the call."""
    if name not in _BY_NAME:
        raise ValueError(f"there is no tool {name!r}; there are {', '.join(_BY_NAME)}")
    given = {**arguments, "task": _BY_NAME[name].model_fields["task"].default}
    if isinstance(features := given.get("features"), list | tuple):
        given["features"] = tuple(_unfolded(features))
    return _TASK.validate_python(given)


def _folded(features: Iterable[int]) -> list[int | str]:
    """Three or more in a row become a range."""
    rows: list[list[int]] = []
    for feature in features:
        if rows and rows[-1][-1] + 1 == feature:
            rows[-1].append(feature)
        else:
            rows.append([feature])
    return [one for row in rows for one in ([f"{row[0]}-{row[-1]}"] if len(row) > 2 else row)]


def _unfolded(features: Iterable[Any]) -> Iterator[Any]:
    for one in features:
        low, dash, high = one.partition("-") if isinstance(one, str) else (one, "", "")
        if not (dash and low.isdecimal() and high.isdecimal()):
            yield one  # a number, or something that the task's own check refuses by name
            continue
        if not int(low) <= int(high) < int(low) + MOST:
            raise ValueError(f"{one} is no range of at most {MOST} features")
        yield from range(int(low), int(high) + 1)
