"""Pictures of the store as addresses that hold their own content: whole, or as thumbnails.

Decoded within limits: a file may claim to be larger than memory. What is gone or damaged is None,
for whoever shows it to say so. Knows the store's pictures; nothing of pages.
"""

from __future__ import annotations

import base64
import io
import warnings

from PIL import Image

from agent.errors import WontWork
from agent.store import Reader

SIDE = 256
"""Of a thumbnail, in pixels."""
PLAIN = 32_768
"""Bytes up to which a small picture stays as it is: sharp, and no smaller as JPEG."""
PIXELS = 64_000_000
"""A picture that claims more is not decoded."""
_PNG = b"\x89PNG\r\n\x1a\n"


class Pictures:
    """The pictures of a store."""

    def __init__(self, store: Reader) -> None:
        self._artefacts = store.artefacts

    def has(self, name: str) -> bool:
        """Whether there is a picture of this name."""
        return self._artefacts.is_picture(name)

    def whole(self, name: str) -> str | None:
        """The picture as it is kept."""
        content = self._content(name)
        return None if content is None else _address(content, "image/png")

    def thumbnail(self, name: str) -> str | None:
        """No side longer than SIDE; small pictures as they are."""
        content = self._content(name)
        if content is None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            try:
                with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                    return self._small(image, content)
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
                return None

    def _small(self, image: Image.Image, content: bytes) -> str | None:
        if max(image.size) <= SIDE and len(content) <= PLAIN:
            return _address(content, "image/png")
        if image.width * image.height > PIXELS:
            return None
        small = image.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        written = io.BytesIO()
        small.save(written, "JPEG", quality=85)
        return _address(written.getvalue(), "image/jpeg")

    def _content(self, name: str) -> bytes | None:
        try:
            content = self._artefacts.get(name)
        except WontWork:
            return None
        return content if content.startswith(_PNG) else None


def _address(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
