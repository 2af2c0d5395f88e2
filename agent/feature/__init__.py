"""Finding out what a feature means: hypotheses that compete, and experiments between them.

`gather`, `propose`, `experiment` (until `Inquiry.over`) and `choose` are the steps, in this order.
"""

from agent.feature.inquiry import Inquiry
from agent.feature.loop import choose, experiment, gather, propose

__all__ = ["Inquiry", "choose", "experiment", "gather", "propose"]
