"""Parts of requests that ask for nothing by themselves: remarks, openings, orders of doing.

Knows how they are worded; what becomes of them is for whoever asked to find out.
"""

from __future__ import annotations

from agent.planner.english import either, rule

REMARK = rule(
    r"""[\s.,;:!?-]*(?:it|they|this|that|both|(?:\d+|some|most|all|none)\s+of\s+(?:them|those)
    |(?:i|we)\s+already)(?:'s|'re|\s+(?:\w+ly\s+)?(?!is\s+there)\w+)"""
)
"""How a clause begins that only tells more of what is asked for."""
_MATTER = either(
    "going_on happening up wrong behind_\\w+ the_reason the_cause the_matter the_explanation"
)
WONDERING = rule(
    rf"""[\s.,;:!?-]*(?:and\s+)?(?:so\s+)?(?:what(?:'s|\s+is|\s+was)\s+{_MATTER}
    | how\s+(?:come|so) | why(?:\s+(?:is|was|does|did)\s+(?:that|it|this)(?:\s+\w+)?)?
    | what\s+(?:can|could|should|might)\s+(?:be\s+done|we\s+do|i\s+do|one\s+do|help)\b[^?]*
    )(?:\s+here|\s+there)?[\s?!.]*"""
)
"""A clause that only asks on about what stands before."""
WHERE = rule(r"\W*(?:in|on|at|for|with)\s+(?:[\w.#]+\s*){1,4}[,:]?\s*")
"""An opening that only says where: `in layer 3, ...`."""
_WORK = r"(?:investigat|label|compar|explain|stud[yi]|analy[sz]|nam|test|verif|steer)\w*"
LATER = rule(
    rf"""\W*(?:(?:and|then|please)\s+)*{_WORK}\b.*\b(?:them|it|those|these|each|all
    |the\s+(?:first|second|last|best|top|strongest|two|three))\b.*"""
)
"""What is to be done with features that have to be found first."""
BEFOREHAND = rule(
    r"""[\s.,;:!-]*(?:(?:oh|and|but)\b[\s,]*)*
    (?:before\s+(?:that|this|you\s+do\s+(?:that|so|it|this)|doing\s+(?:that|so|it)|anything))\b
    | [\s.,;]*but\s+first\b"""
)
"""How a clause begins that is to be done before the one that it follows."""
GOING_ON = rule(
    r"""^\s*(?:(?:ok(?:ay)?|alright|cool|great|thanks)[\s,.!]+)?(?:and|what\s+about|how\s+about
    |same|now|also|again|but|no|instead|rather|try|only|just|continue)\b
    | \b(?:instead|too|as\s+well|again)\W*$"""
)
"""What may be said of something that was asked before."""
