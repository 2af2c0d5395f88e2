"""What is seen wrongly and where, in words about a behaviour: the umbrella, the beach.

Knows how people tell of hallucinations; nothing of which things and places there are.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.planner.english import FUNCTION, MISS, either, rule, words
from agent.planner.forms import in_full, singular

_SAYING = either(
    """say(?:s|ing)? said claim(?:s|ed|ing)? think(?:s|ing)? see(?:s|ing)? saw
    hallucinat(?:e|es|ed|ing) invent(?:s|ed|ing)? imagin(?:e|es|ed|ing) report(?:s|ed|ing)?
    mention(?:s|ed|ing)? detect(?:s|ed|ing)? finds finding
    (?<=\\bit\\s)find (?<=model\\s)find (?<=always\\s)find (?<=often\\s)find
    add(?:s|ed|ing)? mak(?:e|es|ing)_up
    made_up dream(?:s|ed|ing)?_(?:up|of) insist(?:s|ed|ing)? believ(?:e|es|ed|ing)
    answer(?:s|ed|ing)? perceiv(?:e|es|ing) notic(?:e|es|ing) spot(?:s|ted|ting)?
    conjur(?:e|es|ing)(?:_up)? fabricat(?:e|es|ed|ing) recogni[sz](?:e|es|ing)
    describ(?:e|es|ing) tell(?:s|ing)?(?:_(?:us|me))? put(?:s|ting)? predict(?:s|ing)?
    (?:talk|speak)(?:s|ing)?_(?:about|of) assum(?:e|es|ing) output(?:s|ting)? list(?:s|ing)
    pretend(?:s|ing)? (?<!picture\\s)(?<!image\\s)(?<!photo\\s)show(?:s|ing)"""
)
_UNREAL = either(
    """non-?exist(?:ent|ing) unreal absent phantom ghost false bogus spurious imaginary fake
    fictional invented imagined hallucinated made-up"""
)
_QUALITY = either(
    """an? any the some this that these those every each all our its my of about other extra many
    most wrong wrongly typical such empty plain simple certain always often also again
    lots?_of lot_of bunch_of number_of plenty_of pairs?_of"""
)
_BEFORE_NOUN = rf"(?:(?:{_UNREAL}|{_QUALITY})\s+)*"
_NO_NOUN = either(
    """pictures? images? photos? scenes? shots? hallucinations? hallucinated model please problem
    bug issue error mistakes? bias behaviou?r absent gone away anymore
    seen reported detected spotted claimed noticed altogether completely
    entirely next find fix stop suggest remedy none's"""
)
_WORD = rf"(?!(?:{FUNCTION}|{_NO_NOUN})\b)(?<![\w'])[a-z][\w'-]*"
_NOUN = rf"(?:{_WORD}(?:\s+{_WORD}){{0,2}})"
_THING, _PLACE = (rf"{_BEFORE_NOUN}(?P<{name}>{_NOUN})" for name in ("thing", "place"))
_PICTURES = either(
    """pictures? images? photos? photographs? scenes? shots? views? settings? backgrounds?
    landscapes?"""
)

_NO_THINGS = words(
    """things thing stuff objects object yes model answer question questions answers time
    behaviour behavior hallucination hallucinations mistake fix remedy cure recipe steering
    intervention remove wrong way feature features false positive positives false-positives
    alarm alarms ghost ghosts phantom phantoms illusion illusions"""
)
_NO_PLACES = words(
    """picture pictures image images photo photos model answer question reality fact general
    captions caption case cases first place time times way sight scene scenes shot shots fix truth
    mistake error hallucination hallucinations output outputs person persons people answers
    questions photographs test explore layer saying claiming seeing"""
)
_NO_BEGINNINGS = words(
    """make makes empty plain typical prevent prevents stop fix repair mend remove reduce
    suppress avoid eliminate cure correct debug solve tackle kill get rid diagnose investigate
    understand patch address handle number amount kind sort fewer more less keeps keep yes"""
)

_IF = either("when(?:ever)? wherever if (?:every|each)_time as_soon_as")
_CONDITION = rule(rf"\b{_IF}\s+[^,.;:?!]+")
_MENDING = either(
    "suppress(?:es|ing)? remov(?:e|es|ing) eliminat(?:e|es|ing) stop(?:s|ping)? avoid(?:s|ing)?"
)
_FALSE = either("hallucinations? phantoms? ghosts? false_(?:positives?|alarms?) illusions?")
_HAVING = rf"""\b(?:every|each|all|any|that(?:\s+the)?)\s+(?P<place>{_WORD}(?:\s+{_WORD})??)\s+
    (?:has|have|had|gets?|contains?|comes?\s+with)\s+"""
_THINGS = (
    rule(rf"{_HAVING}{_THING}"),
    rule(rf"\b(?<!where\s)there\s+(?:is|are|was|were|being)\s+{_THING}"),
    rule(rf"\basked\s+(?:for|about)\s+{_THING}"),
    rule(
        rf"""\b{_SAYING}\s+(?:(?:that|yes,?|wrongly|falsely|often|always|up|for|with|us|me
        |to(?:\s+(?:see|have|find|notice|detect))?)\s+)*
        {_THING}"""
    ),
    rule(
        rf"""\b{_THING}\s+(?:(?:in|on|at)\s+(?:the\s+)?{_NOUN}\s+)?
        (?:that|which|when|where|though|although)\s+(?:\w+\s+)?
        (?:is|are|was|were|do|does)\b"""
    ),
    rule(rf"\b{MISS}\s+{_THING}"),
    rule(rf"\b{_FALSE}\s*:\s*{_THING}"),
    rule(rf"^(?:fix|mend|repair|cure|correct)\s*:\s*{_THING}"),
    rule(rf"\b{_UNREAL}\s+{_THING}"),
    rule(rf"\b{_FALSE}\s+(?:of|about|with|for|involving)\s+{_THING}"),
    rule(rf"\b{_THING}\s+(?:in|on|at)\s+{_WORD}\s+hallucinations?\b"),
    rule(
        rf"""\b{_THING}\s+(?:hallucination|illusion|false\s+positive|bias|bug|problem|issue|mistake|
        error)s?\b"""
    ),
    rule(rf"\byes\b.*?\babout\s+{_THING}"),
    rule(
        rf"""\b(?:supposedly|allegedly|apparently|always)\s+
        (?:has|have|having|gets?|contains?|shows?)\s+{_THING}"""
    ),
    rule(
        rf"""\b{_THING}\s+(?:(?:is|are|gets?|being|keeps?|always|often|wrongly|falsely)\s+)+
        (?:hallucinated|invented|imagined|reported|seen|mentioned|claimed|detected|added|made)\b"""
    ),
    rule(
        rf"\b{_THING}\s+(?:seen|reported|detected|claimed|hallucinated|imagined|invented)\s+(?:in|on|at)\b"
    ),
    rule(rf"\b(?:is|are)\s+there\s+{_THING}"),
    rule(rf"\b{_MENDING}\s+{_THING}(?=\s+(?:in|on|at|from)\b)"),
    rule(rf"^{_THING}\s+(?:in|on|at)\s+[\w\s]+[:-]"),
    rule(rf"^{_THING}\s*[:;,]"),
    rule(rf"\bthere\s+(?:is|are|was|were)\s+(?:no|not|never)\s+{_THING}"),
)
_PLACES = (
    rule(_HAVING),
    rule(
        rf"\b(?:{_PICTURES}|descriptions?|captions?)\s+(?:of|showing|with|from|taken\s+(?:at|in|on))\s+{_PLACE}"
    ),
    rule(
        rf"""\b(?:in|on|at|for|with|from|of|given|sees?|shown|show)\s+{_BEFORE_NOUN}
        (?P<place>[a-z][\w-]*(?:\s+[a-z][\w-]*)?)\s+{_PICTURES}\b"""
    ),
    rule(
        rf"""\b(?:{_IF}|where|because|once)\s+(?:\w+\s+){{0,3}}?
        (?:(?:is|are)\s+(?:shown|given|looking\s+at)|is|are|shows?|sees?|showing|shown|looks?\s+at
        |at|in|on)\s+(?:(?:it|them|the\s+model)\s+)?{_PLACE}"""
    ),
    rule(
        rf"""\b(?:in|on|at|by|near|inside|within|around|along|across|over|above|under|beside|to)\s+
        (?:(?:front|top)\s+of\s+)?{_PLACE}"""
    ),
    rule(rf"\b(?P<place>[a-z][\w-]*)\s+(?:{_PICTURES}|hallucinations?)\b"),
    rule(rf"\bfor\s+{_PLACE}"),
    rule(rf"[:,][\s,;/]+{_PLACE}\s*(?:[,;.!?]|$)"),
    rule(r"[(\[{]\s*(?P<place>[a-z][\w-]*(?:\s+[a-z][\w-]*)?)\s*[)\]}]"),
)
_NO_NOUN_ITSELF = rule(rf"{_SAYING}|{FUNCTION}")
_MARKS = rule(r"""<\w+> | ["'“”‘’`](?!\w) | (?<!\w)["'“”‘’`]""")  # noqa: RUF001


class Behaviour(NamedTuple):
    """A thing that is seen, and where."""

    thing: str | None
    place: str | None


def behaviour_in(text: str) -> Behaviour:
    """What is seen wrongly, and where."""
    apart = re.sub(r"(?<=[a-z])/(?=[a-z])", ", ", re.sub(r"-(on|in|at)-", r" \1 ", text))
    plain = " ".join(_MARKS.sub(" ", in_full(apart)).split())
    # `Whenever there is snow, it sees a sledge`: a condition says where, the rest says what.
    thing = _first(_THINGS, "thing", _CONDITION.sub(" ", plain), _NO_THINGS)
    thing = thing or _first(_THINGS, "thing", plain, _NO_THINGS)
    if thing is not None:
        plain = re.sub(rf"\b{re.escape(thing)}\w*\b", " , ", plain, flags=re.I)
    return Behaviour(thing, _first(_PLACES, "place", plain, _NO_PLACES))


def _first(
    rules: tuple[re.Pattern[str], ...], name: str, text: str, excluded: frozenset[str]
) -> str | None:
    nouns = (_noun(match[name], excluded) for one in rules for match in one.finditer(text))
    return next((noun for noun in nouns if noun), None)


def _noun(caught: str, excluded: frozenset[str]) -> str | None:
    """The noun among the words that were caught, in the singular."""
    found = caught.lower().split()
    while found and (found[0] in excluded | _NO_BEGINNINGS or _NO_NOUN_ITSELF.fullmatch(found[0])):
        found = found[1:]
    while found and (found[-1] in excluded or _NO_NOUN_ITSELF.fullmatch(found[-1])):
        found = found[:-1]
    return singular(" ".join(found)) if found else None
