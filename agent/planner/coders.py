"""Tasks about sparse autoencoders: which one to train, which one to look into.

Knows how sizes are carried on from a training before, and how coders are named; nothing of which
there are.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.plan import LoadSae, TrainSae
from agent.planner.context import Context
from agent.planner.english import CODER, UNIT, rule, words
from agent.planner.made import Lacking, Made, changed, checked
from agent.planner.sizes import Sizes, sizes_in
from agent.planner.slots import Slots

_ONE_AND_ANOTHER = rule(
    rf"""\b(?:one|an?(?=\s+{CODER}))\s+(?:{CODER}\s+)?(?=with|of|at|on|for)(?P<one>.+?)(?:,|\band\b|;)+\s*(?:and\s+)?
    (?:another|one|(?:the|an)\s*other|the\s+second)(?:\s+(?:one|1|{CODER}))?\s+(?=with|of|at|on|for)(?P<other>.+)"""
)


_NTH_LAYER = rule(r"\b\d+(?:st|nd|rd|th)\s+(?:layer|block)\b")
_ANEW = rule(rf"\b(?:re-?)?train\w*|\b(?:{CODER}|new|fresh|another|one|second|start|fit|learn)\b")


def train(slots: Slots, context: Context) -> Made:
    """Whatever is said of layer and sizes, or `one with k 16 and another with k 64`."""
    if isinstance(context.last, TrainSae) and not _ANEW.search(slots.text):
        told = {name: value for name, value in slots.sizes._asdict().items() if value is not None}
        return Made((changed(context.last, **told),))
    two = _ONE_AND_ANOTHER.search(slots.text)
    if not _ANEW.search(slots.text) and slots.sizes == Sizes(hook=slots.sizes.hook):
        raise Lacking("It does not say what is to be done with the layer")
    if two is None:
        sizes, guessed = _with_rest(slots)
        nth = _NTH_LAYER.search(slots.text)
        assumed = (f"the {nth[0]} is {slots.sizes.hook}, counted from 0",) if nth else ()
        return Made((checked(TrainSae, **sizes._asdict()),), (*assumed, *guessed))
    shared = slots.text[: two.start()]
    one, other = (sizes_in(f"{two[name]} {shared}", True).sizes for name in ("one", "other"))
    each = (one._replace(hook=one.hook or other.hook), other)
    return Made(tuple(checked(TrainSae, **sizes._asdict()) for sizes in each))


_WIDE = 256
"""From here on, a number that says nothing of itself is the width; below it, it is k."""


class _Guessed(NamedTuple):
    sizes: Sizes
    assumed: tuple[str, ...]


def _with_rest(slots: Slots) -> _Guessed:
    """The sizes, with numbers that nothing names for those that are missing."""
    sizes, assumed = slots.sizes, []
    for number in slots.features:
        if number >= _WIDE and sizes.features is None:
            sizes = sizes._replace(features=number)
            assumed.append(f"{number} is the number of features")
        elif number < _WIDE and sizes.k is None:
            sizes = sizes._replace(k=number)
            assumed.append(f"{number} is k")
    return _Guessed(sizes, tuple(assumed))


_NAME = r"(?P<name>[A-Za-z0-9][\w.:/-]*\w)"
_NAMES = (
    rule(rf"\b(?:called|named|by\s+the\s+name\s+of)\s+{_NAME}"),
    rule(
        rf"""(?<![\w/-]){CODER}\s*
        (?:[:=]|called|named|at|from|to|under|in\s+folder|with\s+the\s+name)?\s*
        (?:(?:use|load|open|take)\s+)?{_NAME}"""
    ),
    rule(rf"^(?:load|mount)\s+(?:up\s+)?{_NAME}\W*$"),
    rule(
        rf"""\b(?:load|open|use|import|mount|to|select|pick|take|inspect|into|get|fetch)\s+
        (?:up\s+)?(?:(?:the|my|our)\s+)?(?=\S*[\d_/:.-]){_NAME}"""
    ),
)
_NO_NAMES = words(
    """the in of from that which with for on is are we you it and to at into as by trained used
    loaded settings now instead back again please pls plz runs folder run default profile profile's
    existing current sparse sae saes autoencoder dictionary checkpoint coder one other another
    details layer layers block my our this does do has have see say what how who was will can
    be there here up out called named target model already information info look going
    currently active most features number size"""
)


_OF_CODER = rule(rf"\b(?:{CODER}|{UNIT}|load\w*|profile|runs|trained|layer|k)\b|<layer>")


def load(slots: Slots, context: Context) -> Made:
    """A name, or the profile's."""
    del context
    if slots.count is not None:
        raise Lacking("It does not say what is to be done with the features")
    named = (match["name"] for pattern in _NAMES for match in pattern.finditer(slots.text))
    name = slots.quote or slots.name or next((one for one in named if _is_name(one)), None)
    if name is None and not _OF_CODER.search(slots.masked):
        raise Lacking("It does not say which sparse autoencoder is meant")
    return Made((checked(LoadSae, name=name),))


def _is_name(word: str) -> bool:
    return word.lower() not in _NO_NAMES
