"""A request without what carries no meaning: courtesies, slips of the keyboard, number words.

Knows English; nothing of tasks. What stands in quotation marks is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from agent.planner.dialogues import in_quotes
from agent.planner.english import either, rule, words
from agent.planner.numerals import in_digits

QUOTED = re.compile(
    r"""“[^”]+”|‘[^’]+’|«[^»]+»|"[^"]+"|`[^`]+`|(?<!\w)'[^']+(?:'\w+[^']*)*'(?!\w)"""  # noqa: RUF001
)
"""A quotation; an apostrophe within a word opens none."""

MARKER = r"(?:\(?(?:[a-h]|[1-9]|iv|v|i{1,3})\)|^1\.(?=\s))"
"""What stands before the items of a list: `(a)`, `2)`."""
_NEXT_ITEM = re.compile(r"[;,.]?\s+[2-9]\.\s+(?=[A-Za-z])")
"""In a list that begins with `1.`."""
_SLASH = re.compile(r"\s+/\s+(?=[a-z])(?!\w+[\s?.!]*$)|(?<=[a-z?!])\s+/\s+(?=[a-z])", re.I)
"""Between clauses; between numbers it is an `and`."""
_COURTESY = either(
    """hi(?:_there)? hello(?:_there)? hey(?:_there)? dear_\\w+ good_(?:morning|evening) ok(?:ay)?
    so well right great cool interesting perfect fascinating sure wow nice thanks thank_you now
    also and but alright hm+ um+ ah please pls plz kindly just maybe perhaps quickly
    (?:two|three|four|\\d+|several|some|a_few)_(?:things|tasks|jobs|steps|requests|questions)(?=\\s*:)
    first(?:ly)?(?=\\s*,) finally
    (?:can|could|would|will)_(?:you|u|we|i)(?:_(?:please|kindly|just|maybe|perhaps))?
    would_you_mind do_you_mind are_you_able_to is_it_possible_to
    (?:i_(?:would|'d)|i'd|we'd|we_would)_(?:really_)?(?:like|love)(?:_(?:you_)?to)?
    (?:i|we)_(?:want|need|wish)(?:_(?:you_)?to)? i_was_wondering(?:_if_you_could)? i_wonder
    i'm_(?:curious|wondering)(?:_about)?(?=_(?:what|why|how|which|whether|if)\\b) let's let_us
    let_me help_me(?:_to)? go_ahead_and go_and time_to
    (?:tell|show)_me(?=_(?:what|why|how|which|whether|if|where)\\b)"""
)
_OPENING = rule(rf"\s*(?:{MARKER}\s|{_COURTESY}(?![\w'])\s*[,.!:;-]*)\s*")
_THANKS = either(
    """please pls plz thanks(?:_a_lot)? thank_you thx cheers for_me if_you_can if_possible
    when_you_have_time asap right_now then"""
)
_CLOSING = rule(rf"[\s,.!]*\b{_THANKS}\s*(?P<mark>[?.!]*)\s*$")

_IN_FULL = {
    "diff": "difference",
    "diffs": "differences",
    "b/w": "between",
    "btw": "between",
    "whats": "what's",
    "wats": "what's",
    "wat": "what",
    "hows": "how's",
    "wheres": "where's",
    "w/": "with",
    "w/o": "without",
    "cuz": "because",
    "bc": "because",
    "abt": "about",
    "e.g.": "such as",
    "eg": "such as",
    "i.e.": "that is",
    "4": "for",
}
"""How people type in a hurry; `btw` only before a number, and `4` only behind a verb."""
_PLAIN = "|".join(map(re.escape, sorted(_IN_FULL.keys() - {"btw", "4"})))
_SHORT = rule(
    rf"""(?<![\w/'.-])(?:{_PLAIN}|btw(?=\s+\S*\d)
    |(?:(?<=look\s)|(?<=looking\s)|(?<=search\s))4(?=\s+[a-z]))(?![\w/])"""
)

KEYWORDS = words(
    """feature features picture pictures compare comparing investigate investigating explain
    finding findings supported refuted hallucinate hallucinates hallucination hallucinations
    hallucinating hallucinated respond responds activate activates activation difference
    different between active autoencoder sparse tokens status train search label labels latest
    evidence neuron neurons image images validation explore training umbrella explanation which
    about layer model latent latents"""
)
"""Words on which understanding hangs: one slip within them is mended."""
_OTHER_WORDS = words(
    """models layers actives featured explains labeled labelled mode modes compared compares
    explained explored explorer explores pictured sparser searches token umbrellas responded
    explaining labelling modal abort actively starts states starch statue latex layered later
    lapel activated activations inactive investigated investigates differences refute refutes
    support supports supporter spare spares spark sparks imaged explanations trainings
    autoencoders lawyer lager explode trailing trains trail trait"""
)
"""Words that are as close to a keyword, and meant as they stand."""
_LONG = 7
_ALPHABETIC = re.compile(r"(?<![\w/.:-])[A-Za-z]{5,}(?![\w/:-])")


def tidied(text: str) -> str:
    """The request in one line, with its meaning alone."""
    # A typographic apostrophe is one, unless it closes a quotation.
    line = " ".join((text if "‘" in text else text.replace("’", "'")).split())  # noqa: RUF001
    # Placeholders are ours alone.
    line = re.sub(r"<(\w+)>", r"\1", line)
    line = _SLASH.sub("; ", line)
    line = in_quotes(_NEXT_ITEM.sub(". ", line) if line.startswith("1. ") else line)
    line = _SHORT.sub(lambda match: _IN_FULL[match[0].lower()], line)
    if (whole := QUOTED.fullmatch(line)) is not None:
        line = whole[0][1:-1].strip()
    return _outside_quotes(_without_courtesies(line), lambda part: in_digits(_mended(part)))


def _outside_quotes(text: str, change: Callable[[str], str]) -> str:
    pieces, at = [], 0
    for quote in QUOTED.finditer(text):
        pieces += [change(text[at : quote.start()]), quote[0]]
        at = quote.end()
    return "".join([*pieces, change(text[at:])])


def _without_courtesies(line: str) -> str:
    while (opening := _OPENING.match(line)) and opening.end() < len(line):
        line = line[opening.end() :]
    while (closing := _CLOSING.search(line)) and closing.start() > 0:
        line = line[: closing.start()] + ("?" if "?" in closing["mark"] else "")
    return line


def _mended(text: str) -> str:
    return _ALPHABETIC.sub(lambda match: _without_slip(match[0]), text)


def _without_slip(word: str) -> str:
    low = word.lower()
    if low in KEYWORDS or low in _OTHER_WORDS:
        return word
    return next((key for key in sorted(KEYWORDS) if _one_slip(low, key)), word)


def _one_slip(word: str, key: str) -> bool:
    """One letter too many, too few, wrong, or two swapped (more in long words); not the first."""
    if word[0] != key[0] or abs(len(word) - len(key)) > 1:
        return False
    if len(word) >= _LONG and sorted(word) == sorted(key):
        return True
    same = next((i for i, (a, b) in enumerate(zip(word, key, strict=False)) if a != b), None)
    if same is None:
        return True
    rest, wanted = word[same:], key[same:]
    return (
        rest[1:] in (wanted[1:], wanted)
        or rest == wanted[1:]
        or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:])
    )
