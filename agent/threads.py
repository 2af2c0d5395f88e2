"""Where a graph's thread goes on: at its last step, if it was begun for the same question.

With other models, pictures, prompts or rules the question is another one, and nothing of what was
found out before may enter its answer. Knows threads and keys; nothing of what graphs do.
"""

from __future__ import annotations

from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver

from agent.office import Graph, Office


async def goes_on(office: Office, graph: Graph, config: Any, key: str, unit: str) -> bool:
    """Whether the thread is amid what has this key; what it holds of anything else is forgotten."""
    held = await graph.aget_state(config)
    if not held.values or held.values.get("key") == key:
        return bool(held.next)
    saver = cast("BaseCheckpointSaver[Any]", graph.checkpointer)
    await saver.adelete_thread(config["configurable"]["thread_id"])
    office.store.begin_unit(office.desk.run, unit)
    office.desk.at(unit, 0, "resume").say(
        "note", "begins anew: models, pictures, prompts or rules are others than before"
    )
    return False
