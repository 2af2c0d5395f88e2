"""Pictures, by the SHA-256 of their bytes and in no other way: decoded in limits, written anew.

What a file holds besides its pixels never reaches a browser. Knows bytes and sizes; nothing of what
a picture shows.
"""

from __future__ import annotations

import io
import re
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import Response
from PIL import Image, ImageOps

from review.site import Here

SIZES = (96, 192, 384)
"""The longer side of a thumbnail, in pixels; smaller pictures stay as they are."""
MOST_BYTES = 64 * 2**20
MOST_PIXELS = 24 * 2**20
"""As many as a large camera takes; more would fill the memory before anything is seen."""
FOREVER = "private, max-age=31536000, immutable"
"""How long a browser may keep what can't change, since its name is its content."""
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
FAULTS = (OSError, ValueError, SyntaxError, *BOMBS)
"""What Pillow raises over files that are no pictures, or harmful ones."""
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[Literal["96", "192", "384"] | None, Query()]

router = APIRouter()


class Unreadable(Exception):
    """A picture that is none, or too large to be looked at; the message says which."""


@router.api_route("/pictures/{name}.png", methods=["GET", "HEAD"])
def picture(request: Request, here: Here, name: Id, size: Size = None) -> Response:
    """A picture, or its thumbnail."""
    tag = f'"{name[:32]}-{size or "whole"}"'
    headers = {"ETag": tag, "Cache-Control": FOREVER}
    if name not in here.store.artefacts:
        raise HTTPException(404, f"There is no picture {name[:12]}.")
    if tag in re.split(r"\s*,\s*", request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    try:
        content = written(decoded(here.store.artefacts.get(name)), int(size) if size else None)
    except Unreadable as error:
        raise HTTPException(415, f"{name[:12]} can't be shown: {error}.") from None
    return Response(content, media_type="image/png", headers=headers)


def decoded(content: bytes) -> Image.Image:
    """A PNG, JPEG or WebP picture's pixels; Unreadable if it is none, or has too many."""
    if len(content) > MOST_BYTES:
        raise Unreadable(f"{len(content):,} bytes are more than {MOST_BYTES:,}")
    try:
        image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP"))
        width, height = image.size
        # Before a single pixel is decoded: the header alone says how many there would be.
        if width * height > MOST_PIXELS:
            raise Unreadable(f"{width:,} x {height:,} pixels are more than {MOST_PIXELS:,}")
        ImageOps.exif_transpose(image, in_place=True)
        return image.convert("RGB")
    except FAULTS as error:
        # Pillow has a bar of its own, far above ours.
        raise Unreadable(
            "it has too many pixels" if isinstance(error, BOMBS) else "it is no picture"
        ) from None


def written(image: Image.Image, longest: int | None = None) -> bytes:
    """A picture as a PNG of its pixels alone, its longer side no longer than that.

    The picture itself is made smaller: a second one of its size may not fit the memory.
    """
    image.info = {}
    if longest is not None:
        image.thumbnail((longest, longest))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
