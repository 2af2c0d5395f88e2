"""From words to a plan: what is asked for, with which numbers, pictures and names.

`ChatPlanner` asks a chat model with tools; `OfflinePlanner` is one that needs no server. Knows the
tasks; nothing of how they are done.
"""

from agent.planner.chat import ChatPlanner
from agent.planner.conversation import Exchange, Named, Planner
from agent.planner.offline import OfflinePlanner

__all__ = ["ChatPlanner", "Exchange", "Named", "OfflinePlanner", "Planner"]
