"""The application: every page of `review.pages` behind the guard.

Knows how they are put together; nothing of what they show.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from agent.errors import UserError, WontWork
from agent.store import Reader
from review.hands import Hands, Refused
from review.pages import PLACES, ROUTERS
from review.queries.paging import NoMark
from review.security import HEADERS, Guard
from review.site import FOLDER, Site, site_of, templates


def create_app(store: Reader, token: str, hands: Hands | None = None) -> FastAPI:
    """The application over a store; without hands it only reads."""
    app = FastAPI(title="lmmscope review", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = Site(store, hands, templates(store, PLACES))
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_exception_handler(HTTPException, _no_page)
    app.add_exception_handler(RequestValidationError, _odd)
    faults = ((UserError, 400), (WontWork, 404), (NoMark, 404), (Refused, 409))
    for kind, status in faults:
        app.add_exception_handler(kind, _said(status))
    app.add_exception_handler(Exception, _broke)
    app.add_middleware(Guard, token=token)
    return app


def _page(request: Request, code: int, said: str) -> HTMLResponse:
    return site_of(request).show("error.html", code, said=said)


async def _no_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _page(request, error.status_code, error.detail)


async def _odd(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _page(request, 422, f"{first['loc'][-1]} can't be that: {first['msg']}.")


def _said(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Faults that say in one line what the matter is and what to do."""

    async def answer(request: Request, error: Exception) -> Response:
        return _page(request, status, str(error))

    return answer


async def _broke(request: Request, error: Exception) -> Response:
    """A bug: its traceback is printed where the server runs."""
    page = _page(request, 500, f"{type(error).__name__}: see where lmmscope review was started.")
    page.headers.update(HEADERS)  # this page is made outside of the guard
    return page
