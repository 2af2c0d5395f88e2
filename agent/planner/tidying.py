"""A request without what carries no meaning: courtesies, slips of the keyboard, number words.

Knows English; nothing of tasks. What stands in quotation marks is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from agent.planner.dialogues import in_quotes
from agent.planner.english import COMMAND, FUNCTION, PICTURE, UNIT, either, rule, words
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
    (?:i|we)_(?:want|need|wish|wanna)(?:_(?:you_)?to)? i_was_wondering(?:_if_you_could)? i_wonder
    i'm_(?:curious|wondering)(?:_about)?(?=_(?:what|why|how|which|whether|if)\\b) let's let_us
    let_me help_me(?:_to)? go_ahead_and go_and time_to
    (?:tell|show)_me(?=_(?:what|why|how|which|whether|if|where)\\b)"""
)
_OPENING = rule(rf"\s*(?:{MARKER}\s|{_COURTESY}(?![\w'])\s*[,.!:;-]*)\s*")
_COUNTED = either("all both one two three four five six seven eight nine ten twelve")
_THANKS = either(
    """please pls plz thanks(?:_a_lot)? thank_you thx cheers for_me if_you_can if_possible
    when_you_have_time asap right_now then overnight in_a_nutshell tonight
    (?:before|by|until)_(?:the_|our_|my_)?(?:\\w{3,6}day|tomorrow|noon|lunch|meeting)(?:'s_\\w+)?"""
)
_CLOSING = rule(rf"[\s,.!]*\b{_THANKS}\s*(?P<mark>[?.!]*)\s*$")
_ASIDE = rule(
    rf"""\s*[(\[](?:(?:{FUNCTION}|{_COURTESY}|{_THANKS}|topics?|kinds?|urgent|optional|{_COUNTED})
    (?![\w'-])[\s,.!]*)+[)\]](?=\W|$)"""
)
"""`(if any)`, `(please)`: what says nothing stands in brackets, not what was seen or where."""
_DENIED = rule(
    rf"""(?:^|(?<=[,;.]\s))(?:(?:i|we|you)\s+)?(?:do\s+not|don'?t)\s+(?:(?:want|need)\b|{COMMAND}\b)
    [^,;.:"'“‘`]*(?:[,;.:]\s+(?:(?:but|just|instead)\s+)*|\b(?:but|just)\s+)(?=\S)"""  # noqa: RUF001
)
"""`I do not want a label, ...`: what is not wanted says nothing of what is."""
_MENTIONED = rule(
    rf"""(?<!\w)(?P<mark>["'`])
      (?P<what>(?:{UNIT}|{PICTURE}|findings?)\s*\#?\w*\d\w*)(?P=mark)(?!\w)
    | (?P<before>(?:\b{UNIT}|\band|\bto|\balso|[,)])\s+)
      (?P<sign>["'`])(?P<number>\d+)(?P=sign)(?!\w)"""
)
"""A reference in quotation marks is no quotation; nor is a number where one goes on from others."""
_ARROW = rule(rf"\s+[-=]+>\s+(?={COMMAND}\W*$)")
_LOOKED_FOR = rule(r"^(find|search(?:\s+for)?|look\s+(?:up|for))\s*:\s*(?!.*[:?])(?=[a-z])")

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
    "cmp": "compare",
    "cuz": "because",
    "bc": "because",
    "abt": "about",
    "e.g.": "such as",
    "eg": "such as",
    "feat": "feature",
    "feats": "features",
    "ftr": "feature",
    "ftrs": "features",
    "lat": "latent",
    "lats": "latents",
    "pic": "picture",
    "pics": "pictures",
    "img": "image",
    "imgs": "images",
    "i.e.": "that is",
    "4": "for",
}
"""How people type in a hurry; `btw` only before a number, and `4` only behind a verb."""
_PLAIN = "|".join(map(re.escape, sorted(_IN_FULL.keys() - {"btw", "4"})))
_SHORT = rule(
    rf"""(?<![\w/'.-])(?:{_PLAIN}|btw(?=\s+\S*\d)
    |(?:(?<=look\s)|(?<=looking\s)|(?<=search\s))4(?=\s+[a-z]))(?!(?!_\d)[\w/])"""
)

KEYWORDS = words(
    """feature features picture pictures compare comparing investigate investigating explain
    finding findings supported refuted hallucinate hallucinates hallucination hallucinations
    hallucinating hallucinated respond responds activate activates activation difference
    different between active autoencoder sparse tokens status train search label labels latest
    evidence neuron neurons image images validation explore training umbrella explanation which
    about layer model latent latents"""
)
"""Words on which understanding hangs: a slip within them is mended, or two in a long one."""
_OTHER_WORDS = words(
    """models layers actives featured explains labeled labelled mode modes compared compares
    explained explored explorer explores pictured sparser searches token umbrellas responded
    explaining labelling modal abort actively starts states starch statue latex layered later
    lapel activated activations inactive investigated investigates differences refute refutes
    support supports supporter spare spares spark sparks imaged explanations trainings
    autoencoders lawyer lager explode trailing trains trail trait variation variations exploration
    explorations activities comprising"""
)
"""Words that are as close to a keyword, and meant as they stand."""
_LONG, _VERY_LONG = 7, 9
_ALPHABETIC = re.compile(r"(?<![\w/.:-])[A-Za-z]{5,}(?![\w/:-])")


def tidied(text: str) -> str:
    """The request in one line, with its meaning alone."""
    # A typographic apostrophe is one, unless it closes a quotation.
    line = " ".join((text if "‘" in text else text.replace("’", "'")).split())  # noqa: RUF001
    # Placeholders are ours alone.
    line = re.sub(r"<(\w+)>", r"\1", line)
    line = re.sub(r"(?<=\w)\((e?s)\)", r"\1", line)
    line = _LOOKED_FOR.sub(r"\1 features for ", _ARROW.sub(", ", _ASIDE.sub("", line)))
    line = _DENIED.sub("", _MENTIONED.sub(_unquoted, line))
    line = _SLASH.sub("; ", line)
    line = in_quotes(_NEXT_ITEM.sub(". ", line) if line.startswith("1. ") else line)
    line = _SHORT.sub(lambda match: _IN_FULL[match[0].lower()], line)
    if (whole := QUOTED.fullmatch(line)) is not None:
        line = whole[0][1:-1].strip()
    return _outside_quotes(_without_courtesies(line), lambda part: in_digits(_mended(part)))


def _unquoted(match: re.Match[str]) -> str:
    return match["what"] or f"{match['before']}{match['number']}"


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


@cache
def _without_slip(word: str) -> str:
    low = word.lower()
    if low in KEYWORDS or low in _OTHER_WORDS:
        return word
    near = [(slips, key) for key in KEYWORDS if (slips := _slips(low, key)) is not None]
    return min(near)[1] if near else word


def _slips(word: str, key: str) -> int | None:
    """How many, if they are few; never in the first letter."""
    allowed = 2 if min(len(word), len(key)) >= _VERY_LONG else 1
    if word[0] != key[0] or abs(len(word) - len(key)) > allowed:
        return None
    if len(word) >= _LONG and sorted(word) == sorted(key):
        return 1
    counted = _edits(word, key)
    return counted if counted <= allowed else None


def _edits(word: str, key: str) -> int:
    """Letters too many, too few or wrong, and neighbours swapped."""
    before, row = [0] * (len(key) + 1), list(range(len(key) + 1))
    for i, letter in enumerate(word, 1):
        older, before, row = before, row, [i]
        for j, wanted in enumerate(key, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and (letter, word[i - 2]) == (key[j - 2], wanted):
                least = min(least, older[j - 2] + 1)
            row.append(least)
    return row[-1]
