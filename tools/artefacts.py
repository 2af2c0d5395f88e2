"""Everything that a run produces, by the SHA-256 of its bytes: pictures as PNG, documents as JSON.

Knows bytes and folders; nothing of what an artefact means. Several processes may share a folder: a
file is written beside and renamed, and equal content is one file. Nothing is ever changed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, TypeVar

from PIL import Image
from pydantic import BaseModel, StringConstraints, ValidationError

from sae_core.errors import UserError
from tools.failures import WontWork
from tools.written import written

ArtefactId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""What an artefact is called."""
_ID = re.compile(r"[0-9a-f]{64}")
M = TypeVar("M", bound=BaseModel)


class Artefacts:
    """A folder of artefacts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, name: ArtefactId) -> bool:
        """Whether there is such an artefact."""
        return self._path(name).exists()

    def put(self, content: bytes) -> ArtefactId:
        """Keep some bytes; a disk that is full or closed to us is named."""
        name = hashlib.sha256(content).hexdigest()
        try:
            self._put(self._path(name), content)
        except OSError as error:
            raise UserError(
                f"{self.folder} can't be written to: {error.strerror}. "
                "Make room there, or choose another runs folder"
            ) from error
        return name

    def _put(self, path: Path, content: bytes) -> None:
        with suppress(FileNotFoundError):
            if path.read_bytes() == content:
                os.utime(path)  # wanted again, so who cleans up must not take it for an old one
                return
        written(path, content)  # also over one that a power cut left empty

    def put_picture(self, picture: Image.Image) -> ArtefactId:
        """Keep a picture's pixels; what else it carries, such as its scene, stays out."""
        plain = picture.convert("RGB").copy()
        plain.info = {}
        png = io.BytesIO()
        plain.save(png, "PNG")
        return self.put(png.getvalue())

    def put_document(self, document: BaseModel) -> ArtefactId:
        """Keep a document."""
        return self.put(document.model_dump_json().encode())

    def get(self, name: ArtefactId) -> bytes:
        """The bytes; WontWork if there are none, or if they are no longer what they were."""
        if not _ID.fullmatch(name):
            raise WontWork(f"{name!r} is no artefact: an id has 64 hexadecimal digits")
        try:
            content = self._path(name).read_bytes()
        except FileNotFoundError:
            raise WontWork(f"There is no artefact {name} in {self.folder}") from None
        if hashlib.sha256(content).hexdigest() != name:
            raise WontWork(f"The artefact {name} in {self.folder} is damaged. Make it anew")
        return content

    def picture(self, name: ArtefactId) -> Image.Image:
        """A picture; WontWork if the artefact is none."""
        content = self.get(name)
        if not content.startswith(b"\x89PNG"):
            raise WontWork(f"The artefact {name} is no picture")
        image = Image.open(io.BytesIO(content))
        image.load()
        return image

    def is_picture(self, name: ArtefactId) -> bool:
        """Whether there is such an artefact, and it says that it is a picture."""
        try:
            with self._path(name).open("rb") as file:
                return file.read(4) == b"\x89PNG"
        except FileNotFoundError:
            return False

    def beginning(self, start: str) -> list[ArtefactId]:
        """The artefacts whose ids begin like that; at least two digits have to be given."""
        if not re.fullmatch(r"[0-9a-f]{2,64}", start):
            return []
        return sorted(
            path.name
            for path in (self.folder / start[:2]).glob(f"{start}*")
            if _ID.fullmatch(path.name)
        )

    def document(self, name: ArtefactId, kind: type[M]) -> M:
        """A document; WontWork if the artefact is something else."""
        try:
            return kind.model_validate_json(self.get(name))
        except ValidationError:
            raise WontWork(f"The artefact {name} is no {kind.__name__}") from None

    def _path(self, name: str) -> Path:
        """In 256 folders, since a million files in one are slow to list."""
        return self.folder / name[:2] / name
