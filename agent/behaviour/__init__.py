"""How a behaviour is reproduced, blamed on features, mended and tested: one module for each step.

Each step is a function of a desk and of what the steps before it found, plain documents all. None
of them knows the graph that calls them.
"""

from agent.behaviour.blame import blame
from agent.behaviour.conclude import conclude
from agent.behaviour.documents import Blamed, Case, Sealed, Swept
from agent.behaviour.reproduce import reproduce
from agent.behaviour.seal import seal
from agent.behaviour.sweep import sweep
from agent.behaviour.why import WhyFound, why

__all__ = [
    "Blamed",
    "Case",
    "Sealed",
    "Swept",
    "WhyFound",
    "blame",
    "conclude",
    "reproduce",
    "seal",
    "sweep",
    "why",
]
