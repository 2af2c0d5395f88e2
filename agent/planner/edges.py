"""What stands around the words that are looked for, and says nothing of them.

Knows articles, courtesies and afterthoughts; nothing of how one asks.
"""

from __future__ import annotations

from agent.planner.english import COLOUR, FUNCTION, either, rule, words

LABORATORY = either(
    """saes? model network dictionary autoencoder layer coder lmm database db findings records
    runs store target results labels archive index lab notes? logs? files? <layer>"""
)
SCOPE = rf"""(?:the|this|our|my|your|its|that|a)?\s*
    (?:(?:current|whole|loaded|earlier|previous|past|last|older)\s+)?{LABORATORY}"""

_CONCEPT_WORD = either("concepts? ideas? notion words? term text lettering topic subject")
_KEPT = either(
    "no not without between behind under above below inside outside near over after another"
)
"""Of the words that hold a sentence together, those that tell what is looked for."""
_BEFORE = either(
    """things?_like anything_(?:like|about|on|regarding|concerning) something_like stuff_like
    related_to most strongly known findings? labels? past earlier previous existing stored
    supported related"""
)
_EDGE_START = rule(
    rf"""^(?:
    (?:(?:whether|if|when)\s+)?(?:it|there)(?:'s|\s+is|\s+are)\s+ |
    (?:concepts?|ideas?|notion)\s+of\s+ | written\s+words?\s+
    | (?:the|an?)\s+(?:(?:written|printed)\s+)?
      (?:{_CONCEPT_WORD}|colou?r(?=\s+{COLOUR}\b))\s+(?:(?:of|for|is)\s+)?
    | (?:pictures?|images?|photos?|scenes?|shots?)\s+(?:of|with|showing|that\s+(?:show|contain))\s+
    | (?:{_BEFORE}|(?!{_KEPT}\b){FUNCTION})\s+
    | [\s,:;.?!"'-]+
    )"""
)
_BEHIND = either(
    """please maybe perhaps best most strongly at_all anywhere so_far already yet before
    by_now until_now to_date there here the_most the_best too exists? again instead right_now
    now and or in of with on for about features? have has any some somewhere do_we_have we_have
    are_there is_there known findings? labels? verdicts? status that which were was is are been only
    (?:show|give|list|return)(?:_me)? concepts? (?:come|came)(?:_up)?
    (?:turned|shown|cropped|popped)_up in_(?:view|sight|frame)"""
)
_LIMIT = either("at_most top up_to limit(?:ed)?(?:_to)? max(?:imum)? just only the")
_EDGE_END = rule(
    rf"""(?:
    \s*[?!.;]\s+(?!\W*<).*
    | \s*[,;.]\s*(?:(?:and|please)\s+)*\w+\s+(?:it|them|those)\b.*
    | \s*,\s*(?:(?:and|but)\s+)?not\b.*
    | \s*,?\s+(?:rather\s+than|instead\s+of|as\s+opposed\s+to)\s+.*
    | \s*,?\s+(?:since|because|given\s+that|(?<=,\s)as)\s+.*
    | \s+(?:that|which|who)\s+
      (?:were|was|are|is|turned|have|had|could|did|failed|passed|got|came)\b.*
    | \s+(?:is|are)\s+
      (?:visible|shown|present|there|around|in\s+(?:the\s+)?(?:picture|view|image))\b.*
    | [\s,:;.?!"'-]+
    | \s+(?:in|inside|within|of|from|for|across|among|amongst|at|on)\s+{SCOPE}
    | \s+in\s+(?:the|an?|this|that|my)\s+(?:picture|image|photo)s?
    | \s+{_BEHIND}
    | \s*[,(-]?\s*(?:(?:say|but),?\s+)?(?:{_LIMIT}\s+)*
      <\w+>(?:\s+(?:features|findings|results|hits|entries|ones|of\s+(?:them|those|these)))?
      (?:\s+(?:at\s+(?:the\s+)?most|max(?:imum)?|will\s+do|(?:is|are)\s+enough|only))?\)?
    )$"""
)
_EMPTY = words(
    """thing things feature features concept concepts word words know knows find found finding
    findings label labels search list give show verdict verdicts status outcome recent latest
    newest last more first second third best top respond responds react reacts similar related
    nearest"""
)
_FUNCTION = rule(FUNCTION)


def without_edges(text: str) -> str:
    """Without what stands around the concept."""
    before = None
    while before != text:
        before = text
        text = _EDGE_END.sub("", _EDGE_START.sub("", text))
    return text


def bare_words(text: str) -> str | None:
    """What is left of a text without edges, if it says anything."""
    kept = without_edges(text)
    return None if empty(kept) or "<" in kept else kept


def empty(text: str) -> bool:
    """Whether a text says nothing that could be looked for."""
    kept = (word.strip(",.?!") for word in text.lower().split())
    return all(
        len(word) < 2 or word in _EMPTY or word[:1] == "<" or _FUNCTION.fullmatch(word)
        for word in kept
    )
