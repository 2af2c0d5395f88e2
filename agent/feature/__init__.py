"""Finding out what a feature means: hypotheses that compete, and experiments between them.

`gather`, `propose`, `experiment` (until `Inquiry.over`) and `choose` are the steps, in this order.
`admit` takes hypotheses from elsewhere instead of proposing some.
"""

from agent.feature.inquiry import Inquiry
from agent.feature.loop import admit, choose, experiment, gather, propose

__all__ = ["Inquiry", "admit", "choose", "experiment", "gather", "propose"]
