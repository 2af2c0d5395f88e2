"""What a model claims, as a question with its answer: `there is no cat` is a no to `a cat?`.

A claim is one of four: that there is something, that something is so or does something, that it is
called something, or a thing that is seen or missed. Whoever reports it may deny it, and so may the
claim itself; two denials cancel out. Knows how claims are reported; nothing of pictures and
answers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.planner.english import COLOUR, FUNCTION, MISS, SAY, SEE, either, rule
from agent.planner.forms import in_full, singular

_WORD = rf"(?!(?:{FUNCTION}|{SAY})\b)(?<![\w'])[a-z][\w'-]*"
_NOUN = rf"(?:{_WORD}(?:\s+{_WORD}){{0,2}}?)"
_THE = r"(?:the|this|that|these|those|an?|its|his|her|their|some|any)\s+"
OF_PICTURE = r"(?:\s+(?:in|on|of|at|from)\s+<picture>)?"
_SUBJECT = rf"""(?:{_THE}{_NOUN}(?:\s+(?:on|to|at|in|of|with)\s+{_THE}{_NOUN})?
    | it | this | that | they | he | she | everything | everyone | someone | nobody | <picture>
    | {_NOUN})"""
_AUXILIARY = "is are was were can has have does do did".replace(" ", "|")
_NOT = r"(?:not|never|no\s+longer)\s+(?:\w+ly\s+)?"

_EXISTS = rule(
    r"""(?:that\s+)?there\s+(?:is|are|was|were|to\s+be)\s+(?:(?:\w+ly|also|always)\s+)?
    (?P<not>not\b\s*|no\s+|never\s+)?(?P<thing>.+)"""
)
_IS_SO = rule(
    rf"""(?:that\s+)?(?P<subject>{_SUBJECT}){OF_PICTURE}\s+(?P<verb>{_AUXILIARY})\s+
    (?P<not>{_NOT})?(?P<rest>.+)"""
)
_DOES = rule(rf"(?:that\s+)?(?P<subject>{_SUBJECT}){OF_PICTURE}\s+(?P<verb>[a-z]+s)\s+(?P<rest>.+)")
_SEEN_AS_PASSIVE = rule(
    rf"""\b(?:is|are|was|were)\s+(?P<early>not\s+)?(?P<thing>{_THE}{_NOUN}){OF_PICTURE}\s+
    (?P<late>not\s+)?(?:seen|detected|noticed|found|reported|mentioned|recogni[sz]ed|spotted)\b"""
)
_SAID_TO_BE = r"(?:classified|described|labell?ed|seen|recogni[sz]ed|identified|read)\s+as\s+"
_WHY_IS_IT_SAID = rule(
    rf"""\bwhy\s+(?P<verb>is|are|was|were)\s+(?P<subject>{_THE}{_NOUN}){OF_PICTURE}\s+
    (?P<said>{_SAID_TO_BE}.+)"""
)
_CALLS = either(
    """call(?:s|ed|ing)? label(?:s|led|ling)? describ(?:e|es|ed|ing) take[sn]? took
    mistak(?:e|es|en|ing) mistook consider(?:s|ed|ing)? paint(?:s|ed|ing)? judg(?:e|es|ed|ing)
    see(?:s|ing)? saw"""
)
_CALLED = rule(
    rf"""\b(?P<verb>{_CALLS})\s+{_THE}(?P<thing>{_NOUN}){OF_PICTURE}\s+
    (?:(?P<as>as|to\s+be|for)\s+)?(?:(?P<article>an?)\s+)?(?P<what>{_WORD}(?:\s+{_WORD})?)\s*
    (?=$|[?.,;!]|(?:(?:in|on|of|for|at|from)\s+)?<picture>)"""
)
_HAS = r"""(?:(?:(?:is|was)\s+)?(?:said|claimed|supposed|reported|thought)\s+to\s+)?
    (?:has|have|contains?|shows?|includes?|features)"""
_REPORT = rule(
    rf"""(?:(?P<not>{_NOT})?\b(?P<say>(?!think(?:s|ing)?\s+of\b){SAY}|convinced|sure)|\b(?P<miss>{MISS})
      |(?P<unseen>{_NOT})?\b(?P<see>{SEE}|sense[sd]?|perceives?|think(?:s|ing)?\s+of)
      |(?P<has><picture>\s+{_HAS})|\b(?P<bare>that|why))\s+
    (?:of\s+)?(?P<claim>.+)"""
)
_OF_MODEL = rule(
    rf"""(?:that\s+)?(?:it|the\s+(?:model|network))\s+(?:(?:do|does|did|can|could|would)\s+)?
    (?:{_NOT})?(?:{SAY}|{SEE}|{MISS})\b | (?:that\s+)?<picture>\s+{_HAS}"""
)
"""`It claims that it sees a bus`: what is seen says more."""
_CONTRARY = rule(
    rf"\b(?:but|yet|still|though|although)\b.*\b(?:it|model|network)\s+(?:\w+ly\s+)?{SAY}"
)
"""`There is no car, but it says so` tells first what the picture shows."""
_END = rule(
    r"""\s*(?:\b(?:in|on|for|of|at|from|about|with|within)?\s*<picture>.*
    | [,;:.!?](?:\s.*|$)
    | \s-+\s.*
    | \b(?:when|whenever|if|although|though|even|but|yet|because|while|whereas|despite|without
        |(?:that|which)\s+(?:is|are)\s+not|where\s+(?:there|none)|why|how|what|instead|rather|and\s+(?:not|how|why|what|is|can))\b.*)$"""
)
_ASIDE = rule(r"\s+(?:here|there|in\s+it|too|anyway|visible|present|somewhere|at\s+all|again)$")
_PRESENT = {"was": "is", "were": "are", "did": "do"}
_NUMBER = rule(r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|many|several|no)\s")


class Claim(NamedTuple):
    """A question, and the answer that the claim gives to it."""

    question: str
    answer: str


def claimed(text: str) -> Claim | None:
    """What is said to be claimed, wherever in the text it stands."""
    plain = in_full(text)
    if match := _SEEN_AS_PASSIVE.search(plain):
        return exists(match["thing"], bool(match["early"] or match["late"]))
    if match := _WHY_IS_IT_SAID.search(plain):
        return proposition(f"{match['subject']} {match['verb']} {match['said']}")
    if made := _named(plain):
        return made
    at, shown = 0, None
    while match := _REPORT.search(plain, at):
        if not _OF_MODEL.match(match["claim"]) and (made := _reported(match)):
            if not match["has"]:
                return made
            # What the picture shows is what is claimed, unless the model says something of it.
            shown = shown or made
        at = match.start("claim")
    found = _EXISTS.search(plain)
    return shown or (_there(found) if found else None)


def proposition(text: str) -> Claim | None:
    """A claim by itself: that there is something, or that something is so."""
    if match := _EXISTS.match(text):
        return _there(match)
    if match := _IS_SO.match(text):
        return _is_so(match)
    return None


def _reported(match: re.Match[str]) -> Claim | None:
    denied = bool(match["not"] or match["miss"] or match["unseen"])
    claim = match["claim"]
    made = proposition(claim)
    if made is None and match["say"] and (does := _DOES.match(claim)):
        made = _does(does)
    if made is None and (match["miss"] or match["see"] or match["has"]):
        none = re.match(r"no\s", claim)
        made = exists(re.sub(r"^(?:no|that)\s+", "", claim), bool(none))
    return _opposite(made) if made and denied else made


def _opposite(claim: Claim) -> Claim:
    other = {"yes": "no", "no": "yes"}
    return claim._replace(answer=other.get(claim.answer, f"not {claim.answer}"))


def _there(match: re.Match[str]) -> Claim | None:
    return exists(match["thing"], bool(match["not"]) != bool(_CONTRARY.search(match["thing"])))


def exists(text: str, denied: bool = False) -> Claim | None:
    """The claim that there is something, or, denied, that there is none."""
    thing = _ended(text).lower()
    thing = re.sub(r"^(?:an?|any|some|the|this|that|these|those)\s+", "", thing)
    if not re.match(r"[a-z\d]", thing) or re.fullmatch(rf"(?:{FUNCTION})\b.*", thing):
        return None
    head = re.split(rf"\s(?:{FUNCTION})\b", thing)[0]
    if _NUMBER.match(thing):
        asked = f"are there {thing}?"
    elif singular(head) != head:
        asked = f"are there any {thing}?"
    else:
        asked = f"is there {'an' if thing[0] in 'aeiou' else 'a'} {thing}?"
    return Claim(asked, "no" if denied else "yes")


def _is_so(match: re.Match[str]) -> Claim | None:
    rest, verb = _ended(match["rest"]).lower(), match["verb"].lower()
    verb = _PRESENT.get(verb, verb)
    if not rest:
        # `A dog is in picture 3`
        shown = "<picture>" in match["rest"]
        return exists(match["subject"], match["not"] is not None) if shown else None
    subject = _subject(match["subject"], rest)
    no = match["not"] is not None
    if named := re.fullmatch(rf"{_SAID_TO_BE}(.+)", rest):
        rest = named[1]
    if re.fullmatch(COLOUR, rest, re.I) and subject not in ("it", "this"):
        told = Claim(f"what color {verb} {subject}?", rest)
        return _opposite(told) if no else told
    if made := re.fullmatch(r"made\s+(?:out\s+)?of\s+(.+)", rest):
        return Claim(f"what {verb} {subject} made of?", made[1])
    if verb in ("has", "have"):
        no = no or rest.startswith("no ")
        rest = re.sub(r"^no\s+", "a ", rest)
        return _yes_no(f"{'does' if verb == 'has' else 'do'} {subject} have {rest}?", no)
    return _yes_no(f"{verb} {subject} {rest}?", no)


def _does(match: re.Match[str]) -> Claim | None:
    rest = _ended(match["rest"]).lower()
    if not rest:
        return None
    subject = _subject(match["subject"], rest)
    return Claim(f"does {subject} {singular(match['verb'].lower())} {rest}?", "yes")


def _named(text: str) -> Claim | None:
    """`It calls the car blue`, `takes the cat for a dog`."""
    match = _CALLED.search(text)
    if match is None:
        return None
    what, thing = match["what"].lower(), match["thing"].lower()
    if re.fullmatch(COLOUR, what):
        return Claim(f"what color is the {thing}?", what)
    if not match["as"] and re.match(r"see|saw|take|took|mist", match["verb"], re.I):
        return None
    article = f"{match['article'].lower()} " if match["article"] else ""
    return Claim(f"is the {thing} {article}{what}?", "yes")


def _subject(text: str, rest: str) -> str:
    low = text.lower()
    if low == "it":
        return "it" if re.match(r"\w+ing\b", rest) else "this"
    if low in ("this", "that", "<picture>"):
        return "this"
    if low in ("they", "he", "she") or re.fullmatch(r"(?:every|some|no)\w+", low):
        return low
    return "the " + re.sub(rf"^{_THE}", "", low, flags=re.X)


def _yes_no(question: str, denied: bool) -> Claim:
    return Claim(question, "no" if denied else "yes")


def _ended(text: str) -> str:
    """Up to where the claim ends."""
    return _ASIDE.sub("", _END.sub("", text).strip(" ?.,;:!-"))
