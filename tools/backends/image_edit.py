"""Edits pictures by words on an OpenAI-compatible server: POST /v1/images/edits.

Knows the form that is posted and the document that comes back; nothing of features. What a server
makes is checked, never trusted: it is a picture in the answer itself, or it is a failure.
"""

from __future__ import annotations

import base64
import binascii
import io

import httpx2
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, Field, ValidationError

from tools.backends.endpoint import Endpoint
from tools.backends.exchange import Answer
from tools.backends.pictures import png_of
from tools.failures import TryAgain, WontWork

PATH = "/v1/images/edits"
MOST_PIXELS = 64_000_000


class _Made(BaseModel):
    b64_json: str


class _Edited(BaseModel):
    data: list[_Made] = Field(min_length=1)


class ServerEditor(Endpoint):
    """A PictureEditor over HTTP. Belongs to one event loop; leaving it closes its connections."""

    @property
    def identity(self) -> str:
        """The server, its model, and how pictures are sent."""
        return self._config.model_dump_json(include={"base_url", "model", "longest_side"})

    async def edited(self, picture: Image.Image, words: str) -> Image.Image:
        """The picture with that change, as large as it was; what else it carried stays out."""
        form = self._form(picture, words)
        kind = form.headers["Content-Type"]
        made = await self._called(PATH, form.read(), self._picture, self._patience(), kind)
        return made.resize(picture.size, Image.Resampling.LANCZOS)

    def edits(self, picture: Image.Image) -> None:
        """None: a server takes any words."""
        del picture

    def others(self, picture: Image.Image, words: str) -> tuple[str, ...]:
        """None: a server takes any words, and can't say which would be a fair comparison."""
        del picture, words
        return ()

    def _form(self, picture: Image.Image, words: str) -> httpx2.Request:
        """Never sent itself: it knows how forms are written."""
        fields = {"model": self._config.model, "prompt": words, "n": "1"}
        fields["response_format"] = "b64_json"
        png = png_of(picture, self._config.longest_side)
        files = {"image": ("picture.png", png, "image/png")}
        return httpx2.Request("POST", self._config.base_url, data=fields, files=files)

    def _picture(self, answer: Answer) -> Image.Image:
        base = answer.server.base_url
        try:
            made = _Edited.model_validate_json(answer.body).data[0]
            image = Image.open(io.BytesIO(base64.b64decode(made.b64_json, validate=True)))
            if image.width * image.height > MOST_PIXELS:
                raise WontWork(f"{base} sends a picture of {image.width} x {image.height} pixels")
            return image.convert("RGB")
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)[0]
            fault, broken = details["msg"], details["type"] == "json_invalid"
        except (binascii.Error, UnidentifiedImageError, OSError, ValueError):
            fault, broken = "what is in data.0.b64_json is no picture", False
        except Image.DecompressionBombError:
            fault, broken = "its picture is too large", False
        if broken:
            raise TryAgain(f"{base} sends an answer that is no JSON: {fault}")
        raise WontWork(f"{base} sends no edited picture: {fault}. Try lmmscope doctor")
