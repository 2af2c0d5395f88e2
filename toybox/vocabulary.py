"""The names of everything the toybox can show: concepts, their classes, how English uses them.

Knows words only: nothing here knows how a thing looks or where it stands.
"""

from __future__ import annotations

from typing import NamedTuple

from sae_core.errors import UserError

SCENES = ("beach", "forest", "city", "kitchen", "bedroom", "desert", "snow", "sea")
OBJECTS = (
    "car", "bus", "boat", "rocket", "house", "tree", "flower", "mushroom", "cactus",
    "umbrella", "cup", "bottle", "lamp", "chair", "table", "clock", "ball", "balloon",
    "kite", "hat", "bird", "fish", "cat", "robot", "sign", "person",
)  # fmt: skip
PARTS = (
    "wheels", "windows", "roof", "door", "leaves", "trunk", "sail",
    "handle", "legs", "wings", "tail", "petals", "eyes", "fins",
)  # fmt: skip
MATERIALS = ("wood", "metal", "glass", "stone", "wool", "brick")
TEXTURES = ("striped", "dotted", "checkered", "zigzag", "netted", "patchy")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black")
WORDS = (
    "stop", "open", "exit", "sale", "taxi", "zoo", "cafe", "bank", "help", "love",
    "park", "shop", "menu", "free", "milk", "gym", "home", "jazz", "fish", "boat",
)  # fmt: skip
EMOTIONS = ("happy", "sad", "angry", "surprised")

PLAIN = "plain"
FINISHES = (PLAIN, *MATERIALS, *TEXTURES)

MEMBERS: dict[str, tuple[str, ...]] = {
    "scene": SCENES,
    "object": OBJECTS,
    "part": PARTS,
    "material": MATERIALS,
    "texture": TEXTURES,
    "color": COLOURS,
    "text": WORDS,
    "emotion": EMOTIONS,
}
"""Concept classes by the names that the categorise prompt uses, with their members."""

PLACE_PHRASES = {
    "beach": "a beach", "forest": "a forest", "city": "a city", "kitchen": "a kitchen",
    "bedroom": "a bedroom", "desert": "a desert", "snow": "a snow field", "sea": "the sea",
}  # fmt: skip
MATERIAL_ADJECTIVES = {"wood": "wooden", "wool": "woolen"}
TEXTURE_NOUNS = {
    "striped": "stripes", "dotted": "dots", "checkered": "checks",
    "zigzag": "zigzags", "netted": "nets", "patchy": "patches",
}  # fmt: skip
PLURALS = {"bus": "buses", "cactus": "cacti", "fish": "fish", "person": "persons"}


class Concept(NamedTuple):
    """One thing that can be seen: its class, its word, and the label people would give it."""

    group: str
    word: str

    @property
    def id(self) -> str:
        """A stable name, unique over classes: the word "fish" is not the object fish."""
        return f"{self.group}:{self.word}"

    @property
    def label(self) -> str:
        """What a good explanation, refined, would say."""
        if self.group == "scene":
            return PLACE_PHRASES[self.word]
        if self.group == "text":
            return f"the word {self.word}"
        if self.group == "emotion":
            return f"{self.word} face"
        if self.group == "color":
            return f"{self.word} color"
        if self.group == "texture":
            return f"{self.word} pattern"
        return self.word


CONCEPTS: tuple[Concept, ...] = tuple(
    Concept(group, word) for group, words in MEMBERS.items() for word in words
)
BY_ID: dict[str, Concept] = {concept.id: concept for concept in CONCEPTS}


def concept(name: str) -> Concept:
    """Find a concept by its id ("object:car") or, where only one class has it, by its bare word."""
    if name in BY_ID:
        return BY_ID[name]
    found = [c for c in CONCEPTS if c.word == name]
    if len(found) == 1:
        return found[0]
    if found:
        options = " or ".join(c.id for c in found)
        raise UserError(f"The concept {name!r} is ambiguous: say {options}.")
    raise UserError(
        f"No concept {name!r} in the toybox: it has {len(CONCEPTS)}. "
        "Try lmmscope toybox concepts to list them."
    )


def article(noun_phrase: str) -> str:
    """The noun phrase with a or an before it."""
    return f"{'an' if noun_phrase[0] in 'aeiou' else 'a'} {noun_phrase}"


def plural(noun: str) -> str:
    """More than one of a thing."""
    return PLURALS.get(noun, f"{noun}s")


def adjective(finish: str) -> str:
    """How a finish stands before a noun; nothing for a plain one."""
    return "" if finish == PLAIN else MATERIAL_ADJECTIVES.get(finish, finish)
