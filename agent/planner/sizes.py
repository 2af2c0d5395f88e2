"""How an SAE is to be trained, in a request: `4096 features, k 32, layer 3, 2M tokens`.

Knows how layers and sizes are written; nothing of what is feasible.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.planner.english import CODER, UNIT, rule

_NUMBER = r"""(\d+(?:[.,]\d+)*(?:e\d+)?)
    (?:\s*(k|m|mn|mio|million|b|billion|thousand)\b(?!\s*[=:]?\s*\d))?"""
_TIMES = {"k": 10**3, "t": 10**3, "m": 10**6, "b": 10**9}
_LAYER = rule(
    r"""\b(?:the\s+)?(?:
    (?P<path>(?:\w+\.)*(?:layers?|blocks?)\.\d+(?:\.\w+)*)
    | (?:layers?|blocks?)\s*(?:number|no\.?|index|\#|=|:)?\s*(?P<number>\d+)(?!\w)
    | (?P<nth>\d+)(?:st|nd|rd|th)\s+(?:layer|block))"""
)
_SHORT_LAYER = rule(r"(?<![\w/.-])(?P<path>)L[ _-]?(?P<number>\d+)(?P<nth>)(?![\w/-]|\.\w)")
"""A layer only where a training is spoken of; elsewhere it is a name."""
_TOKENS = rule(
    rf"""\b{_NUMBER}[ -]*(?:training\s+)?(?:tok(?:en)?s?|positions)\b(?!\s*[=:]?\s*\d)
    | (?<!per\s)\btok(?:en)?s?\s*[=:]?\s*{_NUMBER}(?!\w)"""
)
_IS = r"(?:=|:|of|is|at|being|set\s+(?:to|at))"
_K = rule(
    rf"""\b(?:top[- ]?)?k\s*{_IS}?\s*(\d+)(?!\w)
    | \btop[- ]?(\d+)(?=\s*(?:sparsity|active|sae|,|$))
    | \b(\d+)(?=\s+of\s+\d+\s+{UNIT}\s+active\b)
    | \b(\d+)\s+(?:of\s+them\s+|{UNIT}\s+(?!on\b))?(?:(?:is|are)\s+)?
      (?:active|firing|fire|nonzero|non-zero|on(?!\s+(?:the\s+)?(?:<|(?:\w+\s+)?(?:layer|block))))\b
      (?:\s+(?:at\s+a\s+time|at\s+once|per\s+token|each|per\s+position))?
    | \b(\d+)\s+at\s+(?:a\s+time|once)\b
    | \b(?:sparsity|l0)\s*{_IS}?\s*(\d+)(?!\w)"""
)
_WIDTH = rule(
    rf"""\b{_NUMBER}[ -]*(?:{UNIT}|wide|dictionary|atoms)(?!\w)
    | \b(?:width|size|{UNIT}|dictionary(?:\s+size)?|wide)\s*{_IS}?\s*{_NUMBER}(?!\w)"""
)
_BARE_WIDTH = rule(r"[,:;]\s*(\d{3,}(?:,\d{3})*)()(?=\s*(?:$|[,;.]|<))")
_TRAINING = rule(
    rf"""
    \b(?:re-?)?train\w*
    | \b(?:fit|learn|make|build|create|new|fresh|bigger|larger|wider|smaller|another)\b.*\b{CODER}\b
    | \b{CODER}\b.*\b(?:k\s*=?\s*\d|\d+\s+(?:active|at\s+a\s+time|at\s+once)\b)
    """
)


class Sizes(NamedTuple):
    """What is said of a training."""

    hook: str | None = None
    features: int | None = None
    k: int | None = None
    tokens: int | None = None


class Sized(NamedTuple):
    """Sizes, and the text with placeholders instead."""

    sizes: Sizes
    left: str


def sizes_in(text: str, training: bool = False) -> Sized:
    """Layer and tokens wherever they stand; k and width only where a training is spoken of."""
    layer, text = _first(_LAYER, text, "<layer>")
    tokens, text = _first(_TOKENS, text, "<tokens>")
    k = width = None
    if training or _TRAINING.search(text) or tokens is not None:
        if layer is None:
            layer, text = _first(_SHORT_LAYER, text, "<layer>")
        k, text = _first(_K, text, "<k>")
        width, text = _first(_WIDTH, text, "<width>")
        if width is None:
            width, text = _first(_BARE_WIDTH, text, "<width>")
    return Sized(
        Sizes(_hook(layer), _amount(width), _amount(k), _amount(tokens)),
        text,
    )


def _first(pattern: re.Pattern[str], text: str, mark: str) -> tuple[re.Match[str] | None, str]:
    match = pattern.search(text)
    if match is None:
        return None, text
    return match, f"{text[: match.start()]} {mark} {text[match.end() :]}"


def _hook(layer: re.Match[str] | None) -> str | None:
    if layer is None:
        return None
    return layer["path"] or f"layers.{layer['number'] or layer['nth']}"


def _amount(match: re.Match[str] | None) -> int | None:
    """A number, with its thousands and millions."""
    if match is None:
        return None
    number, times = next(
        (one, match[place + 1] if place < match.re.groups else None)
        for place, one in enumerate(match.groups(), 1)
        if one and one[0].isdigit()
    )
    # A comma before three digits separates thousands; any other one, and a point, decimals.
    plain = re.sub(r",(?=\d{3}(?!\d))", "", number).replace(",", ".")
    scale = _TIMES[times[0].lower()] if times and not times.isdigit() else 1
    return round(float(plain) * scale) if plain.count(".") < 2 else None
