"""Edits toybox pictures by words such as "0.colour = red": one attribute of the scene, exactly.

Knows scenes and their tags; nothing of features. Thing 0 is the first in reading order. A picture
that was painted over is refused: drawn anew it would lose that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from sae_core.errors import UserError
from toybox.tags import scene_of, tagged
from toybox.world import Scene, attributes, choices, edit
from toybox.world_draw import draw_scene

BEING = ("place", "kind", "colour", "finish", "word", "emotion", "shown")
"""What is edited when a thing or the place becomes another one."""


class SceneEditor:
    """Draws a picture again with another value for one attribute."""

    identity = "toybox:renderer"

    async def edited(self, picture: Image.Image, words: str) -> Image.Image:
        """The picture with that change; it remembers its new scene."""
        scene = _scene(picture)
        attribute, value = _parsed(scene, words)
        return tagged(draw_scene(edit(scene, attribute, value)))

    def edits(self, picture: Image.Image) -> list[str]:
        """Every other value for what things and the place are; not for where and how large."""
        scene = _scene(picture)
        return [
            words
            for attribute in attributes(scene)
            if attribute.rpartition(".")[2] in BEING
            for words in _changes(scene, attribute)
        ]

    def others(self, picture: Image.Image, words: str) -> list[str]:
        """Edits of other things, or of the place: another edit of the same thing may undo it."""
        scene = _scene(picture)
        changed = _of(_parsed(scene, words)[0])
        return [
            words
            for attribute in attributes(scene)
            if _of(attribute) != changed
            for words in _changes(scene, attribute)
        ]


def _changes(scene: Scene, attribute: str) -> list[str]:
    """An attribute's other values, in words."""
    present = attributes(scene)[attribute]
    return [f"{attribute} = {value}" for value in choices(attribute) if value != present]


def _of(attribute: str) -> str:
    """Whose attribute it is: a thing's number, or nothing for the place."""
    return attribute.rpartition(".")[0]


def _scene(picture: Image.Image) -> Scene:
    scene = scene_of(picture)
    if scene is None:
        raise UserError(
            "This picture does not say what scene it shows: only those of the toybox's splits can "
            "be edited by attribute. Give a split and a number"
        )
    drawn = draw_scene(scene).pixels_HW3
    if not np.array_equal(np.asarray(picture.convert("RGB")), drawn):
        raise UserError(
            "This picture was changed since it was drawn: edited by attribute it would lose that. "
            "Give the picture as it was"
        )
    return scene


def _parsed(scene: Scene, words: str) -> tuple[str, Any]:
    """The attribute, and the value that is written like this."""
    attribute, equals, written = (part.strip() for part in words.partition("="))
    if not equals or attribute not in attributes(scene):
        raise UserError(
            f"No edit {words!r} of this picture: write 0.colour = red, for example. "
            f"It has {', '.join(attributes(scene))}"
        )
    for value in choices(attribute):
        if str(value).lower() == written.lower():
            return attribute, value
    listed = ", ".join(map(str, choices(attribute)))
    raise UserError(f"No value {written!r} for {attribute}: choose from {listed}.")
