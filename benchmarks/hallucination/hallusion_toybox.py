"""HallusionBench's equivalent on the toybox: a picture, and the same with one attribute edited.

Both are asked the same two questions, one after what is there and one after what it becomes, so
that each right answer flips. All are questions that need the picture (VD). Kind `usual`: the object
that a place usually has, edited into another: who says what usually is there is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.hallucination.hallusion import Posed
from benchmarks.hallucination.pictures import Picture
from toybox.questions_set import with_usual
from toybox.vocabulary import PLACE_PHRASES, PLAIN, adjective, article
from toybox.world import Scene, choices, edit
from toybox.world_draw import MIN_VISIBLE, draw_scene
from toybox.world_splits import fresh_scene

NOTE = (
    "Each set is a picture and its twin with one attribute edited; both get the same two "
    "questions, to which the right answers flip. Easy: the picture; hard: its twin."
)
ASKED = 4
"""Questions of a set: two about each of two pictures."""


class Claim(NamedTuple):
    """A question with yes or no for an answer, and when it is yes."""

    question: str
    holds: Callable[[Scene], bool]


class Change(NamedTuple):
    """An edit, and what is asked before and after."""

    scene: Scene
    attribute: str
    value: Any
    claims: tuple[Claim, Claim]


class Drawn(NamedTuple):
    """What a change is made at: a scene, and one of its things."""

    scene: Scene
    at: int
    rng: np.random.Generator

    def other(self, name: str, *without: Any) -> Any:
        """Another value by chance."""
        present = getattr(self.scene.things[self.at], name)
        left = [one for one in choices(f"0.{name}") if one not in (present, *without)]
        return left[int(self.rng.integers(len(left)))]


def _there(noun: str, **wanted: str) -> Claim:
    """A thing with these attributes is in the picture."""
    return Claim(
        f"is there {article(noun)} in the picture?",
        lambda scene: any(
            all(getattr(thing, name) == value for name, value in wanted.items())
            for thing in scene.shown
        ),
    )


def _thing(drawn: Drawn, name: str, claim: Callable[[str], Claim], *without: str) -> Change:
    present, value = getattr(drawn.scene.things[drawn.at], name), drawn.other(name, *without)
    return Change(drawn.scene, f"{drawn.at}.{name}", value, (claim(present), claim(value)))


def _object(drawn: Drawn) -> Change:
    return _thing(drawn, "kind", lambda kind: _there(kind, kind=kind))


def _colour(drawn: Drawn) -> Change:
    kind = drawn.scene.things[drawn.at].kind
    return _thing(drawn, "colour", lambda one: _there(f"{one} {kind}", kind=kind, colour=one))


def _finish(drawn: Drawn) -> Change | None:
    thing = drawn.scene.things[drawn.at]
    if thing.finish == PLAIN or thing.kind == "sign":
        return None

    def claim(finish: str) -> Claim:
        return _there(f"{adjective(finish)} {thing.kind}", kind=thing.kind, finish=finish)

    return _thing(drawn, "finish", claim, PLAIN)


def _word(drawn: Drawn) -> Change | None:
    if drawn.scene.things[drawn.at].kind != "sign":
        return None

    def claim(word: str) -> Claim:
        written = _there("sign", kind="sign", word=word).holds
        return Claim(f"is the word {word} written?", written)

    return _thing(drawn, "word", claim)


def _emotion(drawn: Drawn) -> Change | None:
    if drawn.scene.things[drawn.at].kind != "person":
        return None
    return _thing(drawn, "emotion", lambda one: _there(f"{one} person", kind="person", emotion=one))


def _place(drawn: Drawn) -> Change:
    present = drawn.scene.place
    left = [place for place in PLACE_PHRASES if place != present]
    value = left[int(drawn.rng.integers(len(left)))]

    def claim(place: str) -> Claim:
        return Claim(f"is this {PLACE_PHRASES[place]}?", lambda scene: scene.place == place)

    return Change(drawn.scene, "place", value, (claim(present or ""), claim(value)))


def _usual(drawn: Drawn) -> Change | None:
    shown = with_usual(drawn.scene, int(drawn.rng.integers(2**16)))
    # It makes the first thing the usual one.
    return None if shown is None else _object(drawn._replace(scene=shown, at=0))


KINDS: dict[str, Callable[[Drawn], Change | None]] = {
    "usual": _usual,
    "object": _object,
    "colour": _colour,
    "finish": _finish,
    "word": _word,
    "emotion": _emotion,
    "place": _place,
}


def posed(seed: int, least: int) -> list[Posed]:
    """So many questions, and those that the last set has over; the kinds in turn."""
    made, index, kinds = list[Posed](), 0, list(KINDS)
    while len(made) < least:
        kind = kinds[len(made) // ASKED % len(kinds)]
        rng = np.random.default_rng((73, seed, index))
        scene, index = fresh_scene(seed, index), index + 1
        if not scene.things:
            continue
        change = KINDS[kind](Drawn(scene, int(rng.integers(len(scene.things))), rng))
        if change is not None and _flips(change):
            made += _set(kind, str(index), change)
    return made


def _flips(change: Change) -> bool:
    """Whether the one claim becomes wrong, the other right, and what is edited can be seen."""
    before, after = change.scene, edit(change.scene, change.attribute, change.value)
    was, becomes = change.claims
    flips = was.holds(before) and not was.holds(after)
    flips &= becomes.holds(after) and not becomes.holds(before)
    if not flips or change.attribute == "place":
        return flips
    at = int(change.attribute.partition(".")[0])
    areas = (int((draw_scene(scene).thing_HW == at).sum()) for scene in (before, after))
    return min(areas) >= MIN_VISIBLE


def _set(kind: str, name: str, change: Change) -> Sequence[Posed]:
    twins = (change.scene, edit(change.scene, change.attribute, change.value))
    return [
        Posed(
            "VD",
            kind,
            name,
            str(figure),
            str(question),
            _picture(scene),
            claim.question,
            claim.holds(scene),
        )
        for figure, scene in enumerate(twins)
        for question, claim in enumerate(change.claims)
    ]


def _picture(scene: Scene) -> Picture:
    return Picture(lambda: draw_scene(scene).image())
