"""Pictures on their way to a server: made smaller, stripped of metadata, written as data URIs.

Knows pixels only; nothing of requests.
"""

import base64
import io

from PIL import Image


def shrunk(picture: Image.Image, longest_side: int) -> Image.Image:
    """The picture with its proportions, its longer side at most this long."""
    scale = longest_side / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def png_of(picture: Image.Image, longest_side: int) -> bytes:
    """A PNG of the pixels alone: what else a picture carries may be the answer."""
    plain = shrunk(picture.convert("RGB"), longest_side).copy()
    plain.info = {}
    written = io.BytesIO()
    # Twice as fast as the default and hardly larger, since masked pictures are mostly black.
    plain.save(written, "PNG", compress_level=1)
    return written.getvalue()


def data_uri(picture: Image.Image, longest_side: int) -> str:
    """The picture as a part of a JSON document."""
    return f"data:image/png;base64,{base64.b64encode(png_of(picture, longest_side)).decode()}"
