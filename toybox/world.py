"""What is in a toybox picture: a place and the things in it, from a seed; edits of one attribute.

Knows what stands where. How it looks is world_draw's, what is said of it is world_text's.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sae_core.errors import UserError
from toybox.vocabulary import COLOURS, EMOTIONS, FINISHES, OBJECTS, PLAIN, SCENES, WORDS

SIZE = 96
"""Width and height of a picture in pixels."""

COLUMNS = {"left": 17, "middle": 48, "right": 79}
ROWS = {"top": 27, "bottom": 71}

Distribution = Literal["natural", "balanced", "conflict"]

BIAS: dict[str, str] = {
    "beach": "umbrella",
    "kitchen": "cup",
    "bedroom": "lamp",
    "desert": "cactus",
}
"""The planted co-occurrence: in natural pictures, this place nearly always has this object."""
BIAS_VISIBLE = 0.5
BIAS_UNSEEN = 0.33
"""Shares of natural pictures of a biased place whose usual object is shown, or is there but outside
of the frame: whoever wrote the captions stood in the place and mentions it all the same."""

_WEIGHTS = np.array([{"sign": 4.0, "person": 2.5}.get(kind, 1.0) for kind in OBJECTS])
_KIND_SHARES = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Thing:
    """One object. Every thing has a word and an emotion; only signs and persons show theirs."""

    kind: str
    colour: str
    finish: str
    word: str
    emotion: str
    column: str
    row: str
    dx: int
    dy: int
    scale: int
    flip: bool
    phase: int
    shown: bool = True


@dataclass(frozen=True)
class Scene:
    """Everything that determines a picture: equal scenes have equal pixels."""

    place: str | None
    things: tuple[Thing, ...]
    backdrop: int
    unseen: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[Thing, ...]:
        """The things that are drawn."""
        return tuple(thing for thing in self.things if thing.shown)

    def digest(self) -> str:
        """SHA-256 of the scene's canonical JSON."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _thing(rng: np.random.Generator, kind: str, column: str, row: str) -> Thing:
    plain = rng.random() < 0.25
    finish = PLAIN if plain or kind == "sign" else _pick(rng, FINISHES[1:])
    return Thing(
        kind=kind,
        colour=_pick(rng, COLOURS),
        finish=finish,
        word=_pick(rng, WORDS),
        emotion=_pick(rng, EMOTIONS),
        column=column,
        row=row,
        dx=int(rng.integers(-2, 3)),
        dy=int(rng.integers(-3, 4)),
        scale=int(rng.integers(90, 112)),
        flip=bool(rng.integers(2)),
        phase=int(rng.integers(4096)),
    )


def _kinds(rng: np.random.Generator, count: int, banned: str | None) -> list[str]:
    """Kinds of the things, one of them sometimes repeated, so that counting is a task."""
    kinds = [OBJECTS[i] for i in rng.choice(len(OBJECTS), count, p=_KIND_SHARES)]
    if count > 1 and rng.random() < 0.25:
        copies = int(rng.integers(1, count))
        kinds[1 : 1 + copies] = [kinds[0]] * copies
    return [kind for kind in kinds if kind != banned]


def sample_scene(key: int | tuple[int, ...], distribution: Distribution = "balanced") -> Scene:
    """Draw a scene from a key.

    Balanced: everything independent. Natural: with the planted bias. Conflict: a biased place
    that does not have its usual object.
    """
    rng = np.random.default_rng(key)
    places = tuple(BIAS) if distribution == "conflict" else SCENES
    place = _pick(rng, places)
    usual = BIAS.get(place)
    chance = rng.random()
    decided = distribution != "balanced" and usual is not None
    kinds = _kinds(rng, int(rng.integers(1, 5)), usual if decided else None)
    unseen: tuple[str, ...] = ()
    if distribution == "natural" and usual is not None:
        if chance < BIAS_VISIBLE:
            kinds.insert(0, usual)
        elif chance < BIAS_VISIBLE + BIAS_UNSEEN:
            unseen = (usual,)
    slots = [(column, row) for row in ROWS for column in COLUMNS]
    chosen = rng.permutation(len(slots))
    things = [_thing(rng, kind, *slots[s]) for kind, s in zip(kinds, chosen, strict=False)]
    things.sort(key=lambda t: (t.row == "bottom", list(COLUMNS).index(t.column)))
    return Scene(place, tuple(things), int(rng.integers(2**31)), unseen)


_CHOICES: dict[str, tuple[str, ...]] = {
    "kind": OBJECTS,
    "colour": COLOURS,
    "finish": FINISHES,
    "word": WORDS,
    "emotion": EMOTIONS,
    "column": tuple(COLUMNS),
    "row": tuple(ROWS),
}


def attributes(scene: Scene) -> dict[str, Any]:
    """Every attribute that edit() can change, with its present value: "place", "0.colour", ..."""
    names = (*_CHOICES, "scale", "flip", "shown")
    found: dict[str, Any] = {"place": scene.place}
    for i, thing in enumerate(scene.things):
        found |= {f"{i}.{name}": getattr(thing, name) for name in names}
    return found


def choices(attribute: str) -> tuple[Any, ...]:
    """The values that an attribute may have."""
    name = attribute.rpartition(".")[2]
    rest = {"place": (*SCENES, None), "scale": tuple(range(60, 131))}
    return _CHOICES.get(name) or rest.get(name, (False, True))


def edit(scene: Scene, attribute: str, value: Any) -> Scene:
    """The same scene with exactly one attribute changed, for example ("0.colour", "red")."""
    known = attributes(scene)
    if attribute not in known:
        listed = ", ".join(known)
        raise UserError(f"No attribute {attribute!r} in this scene: it has {listed}.")
    index, _, name = attribute.rpartition(".")
    allowed = choices(attribute)
    if not any(type(value) is type(option) and value == option for option in allowed):
        listed = "60 to 130" if name == "scale" else ", ".join(map(str, allowed))
        raise UserError(f"No value {value!r} for {attribute}: choose from {listed}.")
    if name == "place":
        return dataclasses.replace(scene, place=value)
    things = list(scene.things)
    things[int(index)] = dataclasses.replace(things[int(index)], **{name: value})
    return dataclasses.replace(scene, things=tuple(things))
