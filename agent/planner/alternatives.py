"""Three requests that could be made instead of one that was not understood.

They use its own numbers, words and pictures where it has any. Knows how requests are worded;
nothing of why one failed.
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.planner.behaviours import behaviour_in
from agent.planner.intents import classifier
from agent.planner.slots import Slots, slots_in
from agent.planner.tidying import tidied
from agent.planner.words import concept_in

USUAL = ("investigate", "find", "fix", "status")
"""What most people want, for when nothing tells."""
_LONGEST_WORDS = 3


def alternatives(request: str) -> tuple[str, str, str]:
    """The likeliest ones first: those that use what the request says, then what it resembles."""
    slots = slots_in(tidied(request))
    ranked = [one.name for one in classifier().ranked(slots.shape)]
    worded = dict(_fitting(slots))
    first = sorted(worded, key=ranked.index)
    rest = sorted((name for name in _ANY if name not in worded), key=ranked.index)
    likely = [name for name in rest if ranked.index(name) < ranked.index("none")]
    order = dict.fromkeys([*first[:2], *likely, *first[2:], *USUAL])
    one, two, three = [worded.get(name) or _ANY[name] for name in order][:3]
    return one, two, three


_ANY = {
    "investigate": "what does feature 12 respond to?",
    "label": "label the 100 most active features",
    "compare": "compare features 3 and 5",
    "find": "find features for beach",
    "why": "why does the model say yes to 'is there an umbrella?' for picture 7?",
    "fix": "the model sees umbrellas on beaches where there are none, find a fix",
    "search": "search findings for beach",
    "explain_finding": "explain the latest finding",
    "train": "train an sae on layer 3 with 2048 features, k 32, for 1M tokens",
    "load": "describe the sae that is in use",
    "status": "how far are we, and what was spent?",
}


def _fitting(slots: Slots) -> Iterator[tuple[str, str]]:
    """Requests with what this one names."""
    if slots.features:
        one, *others = slots.features
        yield "investigate", f"what does feature {one} respond to?"
        yield "explain_finding", f"explain the finding for feature {one}"
        if others:
            yield "compare", f"compare features {one} and {others[0]}"
            yield "label", f"label features {', '.join(map(str, slots.features[:10]))}"
    if slots.finding:
        yield "explain_finding", f"explain finding {slots.finding}"
    for picture in slots.pictures.named[:1]:
        where = (
            f"picture {picture}"
            if picture.artefact
            else f"{picture.split} picture {picture.number}"
        )
        asked = next((one for one in slots.quotes if "?" in one), "is there an umbrella?")
        yield "find", f"which features fire on {where}?"
        yield "why", f"why does the model answer '{asked}' as it does for {where}?"
        return
    seen = behaviour_in(slots.text)
    if seen.thing and len(seen.thing.split()) < _LONGEST_WORDS:
        where = f" in pictures of {seen.place}" if seen.place else ""
        yield "fix", f"the model wrongly sees {seen.thing}{where}, find a fix"
    words = slots.quotes[0] if slots.quotes else concept_in(slots.masked)
    if words and len(words.split()) <= _LONGEST_WORDS:
        yield "find", f"find features for {words}"
        yield "search", f"search findings for {words}"
