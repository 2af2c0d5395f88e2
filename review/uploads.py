"""Pictures that people bring: read up to a limit, decoded in limits, written anew, then kept.

Nothing of the file but its pixels is kept. Knows requests and bytes; nothing of what the picture
is for.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from agent.store import Reader
from review.pictures import MOST_BYTES, Unreadable, decoded

MOST_FIELDS = 100
LONGEST_FIELD = 16 * 2**10


async def form_of(request: Request) -> FormData:
    """A form with at most one file in it; a request that goes on too long is cut off."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await FormParser(request.headers, _limited(request)).parse()
    parser = MultiPartParser(
        request.headers,
        _limited(request),
        max_files=1,
        max_fields=MOST_FIELDS,
        max_part_size=LONGEST_FIELD,
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, f"This form can't be read: {error.message}") from None


async def kept(store: Reader, file: object) -> str | None:
    """The id of the picture in a form's field; None if nobody chose one."""
    if not isinstance(file, UploadFile):
        return None
    try:
        content = await file.read(MOST_BYTES + 1)
    finally:
        await file.close()
    if not content:
        return None
    try:
        # Pixels alone go on: put_picture writes them anew.
        return await run_in_threadpool(lambda: store.artefacts.put_picture(decoded(content)))
    except Unreadable as error:
        raise HTTPException(415, f"That picture can't be taken: {error}.") from None


async def _limited(request: Request) -> AsyncGenerator[bytes]:
    """A request's body; what it says of its own length need not be true."""
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > MOST_BYTES + MOST_FIELDS * LONGEST_FIELD:
            raise HTTPException(413, f"A picture may have {MOST_BYTES:,} bytes, not more.")
        yield chunk
