"""What a label says: one concept, several of which any will do, and what has to be there or not.

    wheels                      wheels are seen
    wheels or a door            either is seen
    hat together with a beach   a hat is seen, and somewhere in the picture a beach
    hat without a beach         a hat is seen, and nowhere a beach

Other labels are single concepts, whatever they say. Knows words and numbers; nothing of who sees
what. A claim is seen where its alternatives are: what has to be beside them is not part of it.

Shapes: N pictures, H x W the picture.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

_FORM = re.compile(
    r"(?P<any>.+?)(?: together with (?P<beside>.+?))?(?: without (?P<without>.+?))?",
    re.IGNORECASE | re.DOTALL,
)
_OR = re.compile(r" or ", re.IGNORECASE)
_ARTICLE = re.compile(r"^(a|an|the)\s+")


class Claim(BaseModel):
    """A label in its parts."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    any_of: tuple[str, ...] = Field(min_length=1)
    """The alternatives: what lights up is one of them."""
    beside: str | None = None
    """What has to be in the picture too."""
    without: str | None = None
    """What must not be in it."""

    @property
    def text(self) -> str:
        """The label."""
        beside = f" together with {self.beside}" if self.beside else ""
        without = f" without {self.without}" if self.without else ""
        return f"{' or '.join(self.any_of)}{beside}{without}"

    @property
    def concepts(self) -> tuple[str, ...]:
        """All that has to be looked for, each once."""
        conditions = (one for one in (self.beside, self.without) if one)
        return tuple(dict.fromkeys((*self.any_of, *conditions)))

    @property
    def shorter(self) -> tuple[Claim, ...]:
        """All that is left when one part of it is left out."""
        alternatives = self.any_of if len(self.any_of) > 1 else ()
        fewer = (tuple(one for one in self.any_of if one != left) for left in alternatives)
        found = [self.model_copy(update={"any_of": any_of}) for any_of in fewer]
        for condition in ("beside", "without"):
            if getattr(self, condition):
                found.append(self.model_copy(update={condition: None}))
        return tuple(found)

    @property
    def parts(self) -> int:
        """Of how many concepts it speaks."""
        return len(self.any_of) + (self.beside is not None) + (self.without is not None)

    @property
    def bare(self) -> Claim:
        """The alternatives alone."""
        return Claim(any_of=self.any_of)

    def composed(self, sure: Mapping[str, np.ndarray]) -> np.ndarray:
        """How sure it is that the claim fits, 0 to 1, from how sure each concept is [N]."""
        found_N = np.max([sure[one] for one in self.any_of], axis=0)
        if self.beside:
            found_N = np.minimum(found_N, sure[self.beside])
        if self.without:
            found_N = np.minimum(found_N, 1 - sure[self.without])
        return found_N

    def masked(self, masks: Mapping[str, np.ndarray]) -> np.ndarray:
        """Where it is in a picture: the alternatives, if the conditions hold [H, W]."""
        found_HW = np.any([masks[one] for one in self.any_of], axis=0)
        held = (not self.beside or masks[self.beside].any()) and not (
            self.without and masks[self.without].any()
        )
        return found_HW & held


def parse(text: str) -> Claim:
    """The parts of a label."""
    said = " ".join(text.split())
    found = _FORM.fullmatch(said)
    if found is None:
        return Claim(any_of=(said,))
    return Claim(
        any_of=tuple(dict.fromkeys(_OR.split(found["any"]))),
        beside=found["beside"],
        without=found["without"],
    )


def normal(text: str) -> str:
    """The same for labels that say the same: no articles, no capitals, alternatives in order."""
    claim = parse(text)
    return Claim(
        any_of=tuple(sorted({_bare(one) for one in claim.any_of})),
        beside=claim.beside and _bare(claim.beside),
        without=claim.without and _bare(claim.without),
    ).text


def _bare(concept: str) -> str:
    return _ARTICLE.sub("", concept.casefold().strip(" ."))
