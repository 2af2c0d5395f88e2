"""What every page is made with: the store, the hands, and templates in which everything is escaped.

Knows how pages are drawn; nothing of which pages there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import CodeType
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from agent.store import Reader
from review import words
from review.hands import Hands
from review.markdown import answer_html, linked

FOLDER = Path(__file__).parent


class Place(NamedTuple):
    """An entry of the navigation."""

    title: str
    path: str
    key: str
    """What to press after g to go there."""


class Site(NamedTuple):
    """What pages are made with."""

    store: Reader
    hands: Hands | None
    templates: Environment

    def is_picture(self, name: str) -> bool:
        """Whether an artefact is there, and is a picture."""
        return self.store.artefacts.is_picture(name)

    def show(self, template: str, /, code: int = 200, **values: Any) -> HTMLResponse:
        """A page, or a part of one."""
        return HTMLResponse(self.draw(template, code=code, **values), code)

    def draw(self, template: str, /, **values: Any) -> str:
        """A template's text."""
        return self.templates.get_template(template).render(**values)


class _Compiled(BytecodeCache):
    """Templates as they were compiled in this process.

    A second application, as tests make hundreds of, then takes milliseconds and no third of a
    second.
    """

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """By its name and what stands in it."""
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        assert bucket.code is not None
        self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


def site_of(request: Request) -> Site:
    """The application's."""
    site: Site = request.app.state.site
    return site


Here = Annotated[Site, Depends(site_of)]


def templates(store: Reader, places: Sequence[Place]) -> Environment:
    """The templates, with the filters of `review.words`, the navigation, and what ids stand for."""
    drawn = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    known: dict[str, Any] = {
        "places": tuple(places),
        "is_picture": store.artefacts.is_picture,
        "is_artefact": store.artefacts.__contains__,
    }
    drawn.globals.update(known)
    drawn.filters.update(
        {
            "answer": answer_html,
            "linked": linked,
            "cost": words.cost,
            "lasted": words.lasted,
            "day": words.day,
            "clock": words.clock,
            "short": words.short,
            "many": words.many,
            "ids": words.ids,
            "figure": words.figure,
            "two": words.two,
            "figures": words.figures,
            "grouped": words.grouped,
        }
    )
    # Now, not when the first one asks: compiling takes longer than a page may.
    for name in drawn.list_templates(extensions=["html"]):
        drawn.get_template(name)
    return drawn
