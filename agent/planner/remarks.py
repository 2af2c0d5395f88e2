"""Parts of requests that ask for nothing by themselves: remarks, openings, orders of doing.

Knows how they are worded; what becomes of them is for whoever asked to find out.
"""

from __future__ import annotations

from agent.planner.english import COMMAND, SAY, SEE, either, rule

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
WHERE = rule(
    r"\W*(?:(?:explain|tell\s+me|say)\W+)?(?:in|on|at|for|with)\s+(?:[\w.#]+\s*){1,4}[,:]?\s*"
)
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
_WISH = either(
    """please need want wish should must like_to look(?:ing)?_(?:for|into) after
    search(?:ing)?_for wonder(?:ing)? curious interested expect"""
)
_STATE = either(
    """is are was were isn't aren't has have had looks seems feels keeps gets gives comes shows
    thinks believes claims says said told asked cares complains uses"""
)
_TIME = either("yesterday today currently recently lately (?:last|this)_(?:week|month|year|night)")
_INQUIRY = either(
    """what who whose where when which why how is are do does did has have can could would any"""
)
TELLING = rule(
    rf"""\W*(?:{_TIME}\W+)?(?!.*\b{_WISH}\b)(?!.*\?\W*$)
    (?:(?:i|we|you|he|she|they|it|there|this|that|these|those|nobody|no\s+one|everybody|people
      |some(?:one|body))(?:'\w+)?\s+\w+
    | (?:(?:my|our|his|her|their|the|an?|one|1|two|2|some|most|many)\s+)?
      (?:(?!(?:{COMMAND}|{_INQUIRY})\b)[\w<>'-]+\s+){{1,3}}?{_STATE}\b)
    .*"""
)
"""A sentence that only says how things are, before somebody asks: `My inbox is full.`"""
ASKING = rule(
    rf"\W*(?:(?:please|so|and|now|then)\W+)*(?:{COMMAND}|{_INQUIRY})\b|.*\?\W*$|.*\b{_WISH}\b"
)
BACK = rule(r"\b(?:it|its|them|they|their|these|those|this|that|there|both|one|the\s+finding)\b")
"""What points to something that was told before."""
MODEL_SAYS = rule(rf"\b(?:{SAY}|{SEE})\b")
