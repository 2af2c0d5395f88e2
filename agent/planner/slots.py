"""What a request says besides its intent: numbers, pictures, quotations, ids, sizes.

Each kind is taken out of the text in turn and leaves a placeholder, so that what remains says what
is wanted, and reads alike for feature 3 and feature 300. Knows the order in which kinds are told
apart; each kind itself is known by its own module.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agent.planner.counts import counts_in
from agent.planner.english import (
    COMMAND,
    FUNCTION,
    PICTURE,
    RECORD,
    UNIT,
    either,
    rule,
)
from agent.planner.numbers import Numbers, in_plain_notation, numbers_in
from agent.planner.pictures import Pictures, pictures_in
from agent.planner.sizes import Sizes, sizes_in
from agent.planner.standings import Standing, is_standing, standing_in
from agent.planner.tidying import QUOTED

_FINDING = rule(
    r"""\b(?:finding|verdict|result)s?\s*(?:(?:that\s+)?(?:begin|start)(?:s|n?ing)\s+)?(?:with\s+)?
      (?:the\s+)?(?:id|no\.?|number|nr\.?|\#|:)*\s*
      ((?=[0-9a-f]*\d)[0-9a-f]{3,64}|[a-f]{6,64}|\d+)(?![\w-])
    | (?<![\w/.-])((?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,63})(?![\w/.-])"""
)
_OTHER_NAMES = either(
    """top features? units? neurons? latents? pictures? images? photos? layers? blocks? test
    validat\\w+ val explore first model auto f(?=[_-]\\d) f\\d+(?=-f?\\d) feats?(?=[_-]\\d)"""
)
_NAME = rule(
    rf"""(?<![\w/:.-])(?!{_OTHER_NAMES}[-_/:])(?=[\w./:-]*(?:\d|_|sae))
      (?:[a-z]\w*[a-z]\w*|[a-z]+\d*)(?:[/:-][\w.-]*[a-z][\w.-]*)+(?<!\.)(?![\w/])
    | (?<![\w/:.-])(?!(?:f|feature|unit|latent)_\d+\b)(?=\w*[a-z]\w*_)[a-z]\w*_\w+(?![\w/])
    | (?:(?<=\bcalled\s)|(?<=\bnamed\s)|(?<=\bload\s)|(?<=\bmount\s))(?!{_OTHER_NAMES})
      (?=\S*[a-z])(?=\S*[\d_-])[\w./-]*\w"""
)
_FEATURE = rule(r"\b(?:feat|unit|neuron|latent|f[_-]?\s?\d)|\#")


class Slots(NamedTuple):
    """A request taken apart."""

    text: str
    """As it was asked."""
    masked: str
    """With placeholders."""
    numbers: Numbers
    pictures: Pictures
    quotes: tuple[str, ...]
    findings: tuple[str, ...]
    """Their ids, or how these begin."""
    name: str | None
    """What somebody called a coder."""
    sizes: Sizes
    most: int | None
    """So many of the most active ones."""
    count: int | None
    """So many of whatever is asked for."""
    standing: Standing | None

    @property
    def quote(self) -> str | None:
        """The first quotation."""
        return self.quotes[0] if self.quotes else None

    @property
    def finding(self) -> str | None:
        """The first finding that is named."""
        return self.findings[0] if self.findings else None

    @property
    def kinds(self) -> frozenset[str]:
        """What it names: features, pictures, whatever else was taken out of the text."""
        sizes = self.sizes if any(one is not None for one in self.sizes) else None
        named = {
            "features": self.features or self.most, "pictures": self.pictures.named,
            "quotes": self.quotes, "findings": self.findings, "name": self.name, "sizes": sizes,
        }  # fmt: skip
        return frozenset(kind for kind, value in named.items() if value)

    @property
    def bare(self) -> bool:
        """There are numbers, and nothing says that they are features'."""
        return bool(self.numbers.pieces) and not _FEATURE.search(self.text)

    @property
    def shape(self) -> str:
        """What the classifier sees."""
        return f"{self.masked} <bare>" if self.bare else self.masked

    @property
    def features(self) -> tuple[int, ...]:
        """Each feature once, in order."""
        return self.numbers.all


def slots_in(text: str) -> Slots:
    """Take a tidied request apart."""
    quotes: list[str] = []

    def put_aside(match: re.Match[str]) -> str:
        if is_standing(match[0][1:-1]):
            return match[0][1:-1]
        quotes.append(match[0][1:-1].strip())
        return " <question> " if quotes[-1].endswith("?") else " <quote> "

    left = QUOTED.sub(put_aside, text)
    findings = [match[1] or match[2] for match in _FINDING.finditer(left)]
    left = _FINDING.sub(" <finding> ", left)
    name = match[0] if (match := _NAME.search(left)) else None
    left = _NAME.sub(" <name> ", left)
    pictures = pictures_in(left)
    sizes, left = sizes_in(in_plain_notation(pictures.left))
    (most, count), left = counts_in(left)
    numbers, left = numbers_in(left)
    return Slots(
        text=text,
        masked=" ".join(left.split()),
        numbers=numbers,
        pictures=pictures,
        quotes=tuple(one for one in quotes if one),
        name=name,
        findings=tuple(one.lower() for one in findings),
        sizes=sizes,
        most=most,
        count=count,
        standing=standing_in(left),
    )


_NO_PART = rf"""(?!(?:{FUNCTION}|{UNIT}|{PICTURE}|{RECORD}|{COMMAND}|concepts?|words?|texts?|terms?
    |written|printed|lettering|string|phrase|query|keyword|please|maybe|perhaps|\w+ly)\b)"""
_ADJECTIVE_BEFORE = rule(
    rf"""\b(?:for|about|on|of|to|at|with)\s+(?P<adjective>{_NO_PART}[a-z][\w-]+(?<!s))\s+<quote>"""
)
_NOUN_BEHIND = rule(
    rf"""<quote>\s+(?P<noun>{_NO_PART}[a-z][\w-]+(?<!ing)(?<!ed))(?=\s*(?:[,.;:?!)]|<|$|(?:{FUNCTION}|please)\b))"""
)


def quoted(slots: Slots) -> str | None:
    """The first quotation, with the words that it belongs to: `"stop" signs`, `red "hats"`."""
    if slots.quote is None:
        return None
    before, mark, behind = slots.masked.partition("<quote>")
    noun = _NOUN_BEHIND.match(mark + behind)
    adjective = _ADJECTIVE_BEFORE.search(before + mark)
    parts = (adjective and adjective["adjective"], slots.quote, noun and noun["noun"])
    return " ".join(part for part in parts if part)
