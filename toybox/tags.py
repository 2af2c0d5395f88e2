"""A picture that remembers its scene: in its info, and in the text of a PNG file.

Knows scenes and pictures. So the truth about a picture survives being copied, painted over, saved
and read again, and whoever measures against the truth need not guess which picture it was.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from toybox.world import Scene, Thing
from toybox.world_draw import Picture

KEY = "toybox-scene"


def tagged(picture: Picture) -> Image.Image:
    """The picture as an image that remembers its scene."""
    image = picture.image()
    image.info[KEY] = json.dumps(dataclasses.asdict(picture.scene), separators=(",", ":"))
    return image


def scene_of(image: Image.Image) -> Scene | None:
    """The scene that an image was drawn from; None where it does not say."""
    text = image.info.get(KEY)
    if not isinstance(text, str):
        return None
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["things"] = tuple(Thing(**thing) for thing in fields["things"])
        fields["unseen"] = tuple(fields["unseen"])
        return Scene(**fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def png_info(image: Image.Image) -> PngInfo:
    """What to give to save(pnginfo=...) so that a PNG file remembers the scene too."""
    info = PngInfo()
    if isinstance(image.info.get(KEY), str):
        info.add_text(KEY, image.info[KEY])
    return info
