"""What a claim rests on: an artefact by its id or the beginning of it, picture or document."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from review.site import Here, Site

router = APIRouter()


@router.get("/evidence/{name}")
def evidence(here: Here, name: Annotated[str, Path(pattern=r"^[0-9a-f]{6,64}$")]) -> Response:
    """An artefact; answers cite them by the first twelve digits."""
    found = here.store.artefacts.beginning(name)
    if not found:
        raise HTTPException(404, f"There is no evidence {name[:12]}: it may have been cleaned up.")
    if len(found) > 1:
        raise HTTPException(404, f"{name} begins {len(found)} pieces of evidence.")
    if found[0] != name:
        return RedirectResponse(f"/evidence/{found[0]}", 303)
    return _shown(here, name)


def _shown(here: Site, name: str) -> HTMLResponse:
    if here.is_picture(name):
        return here.show("evidence.html", name=name, document=None)
    try:
        document = json.loads(here.store.artefacts.get(name))
    except ValueError:
        raise HTTPException(415, f"{name[:12]} is neither a picture nor a document.") from None
    return here.show("evidence.html", name=name, document=document)
