"""What a form asks for, before it is complete: read from an address or a form, written to both.

An address holds all of a draft, so it can be kept, sent and come back to. Knows fields; nothing of
models.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import HTTPException
from pydantic import ValidationError
from starlette.datastructures import ImmutableMultiDict

from review.bench import CONTROLS, Question, Trial

TIMES = "2"
"""The strength of a feature that was just chosen."""
ALL = "all"
"""Every control that there is."""
USUAL = ("random_feature", "wrong_sign")
"""What stands beside a trial unless somebody says otherwise."""
SPLITS = ("explore", "validate")
"""Those that anybody may look at."""
Fields = ImmutableMultiDict


class Shown(NamedTuple):
    """A picture that was chosen: an artefact, or one of a split by its number; or none."""

    picture: str = ""
    split: str = "explore"
    number: str = ""

    @property
    def address(self) -> str | None:
        """Where it is drawn."""
        if self.picture:
            return f"/pictures/{self.picture}.png"
        return f"/steer/splits/{self.split}/{self.number}.png" if self.number else None

    def fields(self) -> list[tuple[str, str]]:
        """As they stand in an address."""
        return [(name, value) for name, value in self._asdict().items() if value]


class Draft(NamedTuple):
    """A trial as far as it is filled in."""

    shown: Shown = Shown()
    prompt: str = ""
    writes: tuple[tuple[str, str], ...] = ()
    """Features with their strengths, as they were written."""
    kind: str = "clamp"
    where: str = "all"
    mode: str = "strict"
    controls: tuple[str, ...] = ()
    hint: str = "look carefully."
    tokens: str = "48"
    coder: str = ""
    """Whose features they are, where whoever led here knows."""

    def trial(self, picture: str | None) -> Trial:
        """The trial; a page names what is wrong."""
        try:
            return Trial.model_validate(
                {
                    **self._asdict(),
                    "picture": picture,
                    "writes": [{"feature": f, "strength": t} for f, t in self.writes],
                }
            )
        except ValidationError as error:
            raise HTTPException(422, _fault(error)) from None

    def query(self, **instead: str) -> str:
        """What stands in an address after the question mark."""
        pairs = self.shown.fields()
        for feature, times in self.writes:
            pairs += [("feature", feature), ("times", times)]
        named = ("prompt", "kind", "where", "mode", "hint", "tokens", "coder")
        pairs += [(name, getattr(self, name)) for name in named if getattr(self, name)]
        pairs += [("control", one) for one in self.controls]
        return urlencode([pair for pair in pairs if pair[0] not in instead] + [*instead.items()])


def draft_of(fields: Fields) -> Draft:
    """What was filled in; what is not there is as usual."""
    usual, controls = Draft(), texts(fields, "control")
    if ALL in controls:
        controls = [*CONTROLS]
    if "kind" not in fields:  # nobody has had the form before them yet
        controls = controls or [*USUAL]
    features, times = texts(fields, "feature"), texts(fields, "times")
    pairs = zip_longest(features, times[: len(features)], fillvalue=TIMES)
    without = text(fields, "without")
    return Draft(
        shown=shown_of(fields),
        prompt=text(fields, "prompt"),
        writes=tuple(
            (f.strip(), t.strip() or TIMES) for f, t in pairs if f.strip() not in ("", without)
        ),
        controls=tuple(dict.fromkeys(controls)),
        **{
            name: text(fields, name, getattr(usual, name))
            for name in ("kind", "where", "mode", "hint", "tokens", "coder")
        },
    )


def draft_from(trial: Trial) -> Draft:
    """The form that asks for a trial once more."""
    return Draft(
        shown=Shown(trial.picture or ""),
        writes=tuple((str(one.feature), f"{one.strength:g}") for one in trial.writes),
        tokens=str(trial.tokens),
        **{name: getattr(trial, name) for name in ("prompt", "kind", "where", "mode", "hint")},
        controls=tuple(trial.controls),
    )


def shown_of(fields: Fields) -> Shown:
    """Which picture is meant; a number counts for more than what was there before."""
    number = text(fields, "number").strip()
    split = text(fields, "split", "explore")
    if number and not (number.isascii() and number.isdigit() and len(number) < 10):
        raise HTTPException(422, f"{number!r} is no number of a picture: they count from 0")
    if split not in SPLITS:
        raise HTTPException(
            422, f"{split!r} is no split to choose from: they are {', '.join(SPLITS)}"
        )
    return Shown("" if number else text(fields, "picture"), split, number)


def question_of(fields: Fields, picture: str | None) -> Question:
    """The question; a page names what is wrong."""
    given = {name: text(fields, name) for name in ("question", "answer", "baseline")}
    try:
        return Question.model_validate(
            {**given, "picture": picture, "top": text(fields, "top", "12")}
        )
    except ValidationError as error:
        raise HTTPException(422, _fault(error)) from None


def text(fields: Fields, name: str, usual: str = "") -> str:
    """A field's text; a file is none."""
    value = fields.get(name, usual)
    return value if isinstance(value, str) else usual


def texts(fields: Fields, name: str) -> list[str]:
    """All texts of a field that may be given several times."""
    return [value for value in fields.getlist(name) if isinstance(value, str)]


def features_in(writes: Iterable[tuple[str, str]]) -> list[int]:
    """The numbers among them that are some."""
    return [int(f) for f, _ in writes if f.isascii() and f.isdigit() and len(f) < 10]


NAMES = {
    "unsteered": "Unsteered",
    "steered": "Steered",
    "random_feature": "Random features",
    "wrong_sign": "Wrong sign",
    "random_direction": "Random direction of equal norm",
    "reconstruction": "Reconstruction alone",
    "prompt_only": "Prompt alone",
}
EXPLAINED = {
    "unsteered": "The model as it is.",
    "steered": "The features written as you say.",
    "random_feature": "Features that fire about as often, written just as strongly.",
    "wrong_sign": "The same change, taken off instead of added.",
    "random_direction": "As much change, in a direction that means nothing.",
    "reconstruction": "What the coder's own error does, with nothing written.",
    "prompt_only": "Nothing written: a few words before the prompt instead.",
}


def _fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the form"
    return f"{place}: {first['msg']}"
