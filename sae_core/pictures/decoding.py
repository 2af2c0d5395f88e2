"""Bytes into a picture as it is meant to be seen: upright, in RGB, of 8 bits a colour.

Knows what files of pictures differ in; nothing of where they lie. Of a moving picture it takes the
first frame; what is transparent shows the colour stored there, as models' own processors have it.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

WIDE = "I;16"
"""How the names of modes begin that have one number of 16 bits for each pixel."""
UNBOUNDED = ("I", "F")
"""Modes of 32 bits, which say nothing of what is white."""


class Unreadable(Exception):
    """Bytes that are no picture; the text says why."""


def picture_of(data: bytes) -> Image.Image:
    """The picture that these bytes are, whole; an Unreadable says what is wrong."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return _in_rgb(_upright(picture))
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise Unreadable(str(error).partition(" <_io")[0]) from None
    except Image.DecompressionBombError as error:
        raise Unreadable(str(error)) from None


def _upright(picture: Image.Image) -> Image.Image:
    """Cameras write pixels as the sensor lies, and beside them which side is up."""
    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except (struct.error, KeyError, TypeError, ZeroDivisionError):
        return picture  # what lies beside the pixels is broken, the pixels are not


def _in_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(WIDE):
        # Pillow would take all from 255 on for white.
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    elif picture.mode in UNBOUNDED:
        raise Unreadable(f"its pixels are numbers of 32 bits (mode {picture.mode})")
    elif picture.mode == "P":
        # Else a palette with shares of transparency is warned about.
        picture = picture.convert("RGBA")
    return picture.convert("RGB")
