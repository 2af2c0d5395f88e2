"""One form for words that have several: the singular, and contractions in full.

Knows English endings; nothing of requests.
"""

from __future__ import annotations

import re

_PAIRS = ("sunglasses", "eyeglasses", "scissors", "trousers", "jeans", "goggles", "clothes")
_IRREGULAR = {"people": "person", "cacti": "cactus", "men": "man", "women": "woman"}


def singular(noun: str) -> str:
    """One of them."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if len(noun) < 4 or not noun.endswith("s") or noun.endswith(("ss", "us", "is", *_PAIRS)):
        return noun
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun[:-2] if re.search(r"(?:x|(?<!sta)ch|sh|ss|zz|bus|cactus)es$", noun) else noun[:-1]


def in_full(text: str) -> str:
    """Without contractions."""
    text = re.sub(r"\b(it|there|that|he|she)'s\b", r"\1 is", text, flags=re.I)
    text = re.sub(r"\b(they|we|you)'re\b", r"\1 are", text, flags=re.I)
    text = re.sub(r"\bcan(?:'t|not)\b", "can not", text, flags=re.I)
    text = re.sub(r"n't\b", " not", text)
    # `Why can't it see the clock`
    return re.sub(r"\bnot\s+(it|the\s+(?:model|network))\b", r"\1 not", text)
