"""Replies on disk, one file for each request that was ever answered.

Knows digests and replies; nothing of how either is made. Several processes may share a folder: a
file is written beside and renamed, so that a reader finds all of it or nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from tools.backends.chat import ChatReply
from tools.written import written


class ReplyCache:
    """The folder's replies, by `ChatRequest.digest`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, digest: str) -> ChatReply | None:
        """The reply, if there is one; a damaged file is as good as none."""
        try:
            seal, _, body = self._path(digest).read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        if seal != _seal(digest, body):
            return None
        try:
            return ChatReply.model_validate_json(body).model_copy(update={"from_cache": True})
        except ValidationError:  # whole, but from another version of ours
            return None

    def put(self, digest: str, reply: ChatReply) -> None:
        """Keep a reply; what was there is replaced."""
        body = reply.model_dump_json().encode()
        written(self._path(digest), _seal(digest, body) + b"\n" + body)

    def _path(self, digest: str) -> Path:
        """In 256 folders, since a million files in one are slow to list."""
        return self._folder / digest[:2] / f"{digest}.json"


def _seal(digest: str, body: bytes) -> bytes:
    """What only this body under this name has."""
    return hashlib.sha256(digest.encode() + body).hexdigest().encode()
