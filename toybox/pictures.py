"""Opens pictures that people bring, and refuses what the toybox models have never seen.

Knows files and sizes; nothing of models.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from sae_core.errors import UserError
from toybox.world import SIZE

SMALLEST = 16


def open_picture(path: Path, *, fit: bool = False) -> Image.Image:
    """A 96 x 96 RGB picture. With fit, other sizes and modes are converted; without, refused."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file)
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
    except FileNotFoundError:
        raise UserError(f"No picture at {path}: check the path.") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not a picture: name a file in it.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UserError(
            f"The picture {path} is too large to decode: scale it down first."
        ) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, RuntimeError) as error:
        reason = "not a picture" if isinstance(error, UnidentifiedImageError) else str(error)
        raise UserError(f"The picture {path} can't be read ({reason}): save it as PNG.") from None
    return checked_picture(picture, str(path), fit=fit)


def checked_picture(picture: Image.Image, name: str, *, fit: bool = False) -> Image.Image:
    """The picture if the toybox models can see it as it is, or converted where asked to."""
    width, height = picture.size
    if min(width, height) < SMALLEST:
        raise UserError(
            f"The picture {name} is {width} x {height} pixels: the toybox sees nothing in less "
            f"than {SMALLEST} x {SMALLEST}. Bring a larger one."
        )
    if picture.mode == "RGB" and picture.size == (SIZE, SIZE):
        return picture
    if not fit:
        raise UserError(
            f"The picture {name} is {width} x {height}, mode {picture.mode}: the toybox models "
            f"know {SIZE} x {SIZE} RGB. Add --fit to convert it."
        )
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if "transparency" in picture.info or picture.mode in ("LA", "RGBA", "PA"):
        clear = picture.convert("RGBA")
        wall = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(wall, clear)
    return picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
