"""Who may ask for what: this machine's browser; for what changes or costs, who has the token.

A page on the internet can make a browser send requests to this address, and can give its own name
this address too. So the name that was asked for is checked with every request, and where a request
comes from with every one that may do something. Knows headers; nothing of pages.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
"""What this machine may be called."""
READING = frozenset({"GET", "HEAD"})
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every reply carries."""


class Guard:
    """Stands before the application: lets in what may come in, and seals what goes out."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token
        # Cookies know no ports: two servers on one machine must not overwrite each other's.
        self._cookie = f"review-{hashlib.sha256(token.encode()).hexdigest()[:12]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "websocket":  # no page speaks it, and nothing here would check it
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        answer = self._refused(scope) or self._entrance(scope)
        await (answer or self._app)(scope, receive, sealed)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not _is_ours(f"http://{headers.get('host', '')}", scope):
            return _no(421, "This address is not served here: use the one that lmmscope printed.")
        if scope["method"] in READING:
            return None
        if not _from_here(headers, scope):
            return _no(403, "Only the pages of this server may ask for that.")
        cookies = cookie_parser(headers.get("cookie", ""))
        if not self._is_token(cookies.get(self._cookie, "")):
            return _no(
                403, "Open the address that lmmscope printed, with its token, and try again."
            )
        return None

    def _entrance(self, scope: Scope) -> Response | None:
        """Whoever comes with the token keeps it in a cookie; the address loses it."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(asked).get("token")
        if given is None or scope["method"] not in READING:
            return None
        kept = urlencode([pair for pair in asked if pair[0] != "token"])
        # One leading slash: what begins with two would lead to another server.
        path = "/" + quote(scope["path"].lstrip("/"))
        reply = RedirectResponse(f"{path}?{kept}" if kept else path, 303)
        if self._is_token(given):
            reply.set_cookie(self._cookie, given, httponly=True, samesite="strict", path="/")
        return reply

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


def _from_here(headers: Headers, scope: Scope) -> bool:
    """Browsers say where a request comes from in one way or both; silence is no yes."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    # A form says null here, as our pages tell nobody where they are.
    if origin is not None and origin != "null" and not _is_ours(origin, scope):
        return False
    if site is not None:
        return site == "same-origin"
    return origin is not None and origin != "null"


def _is_ours(address: str, scope: Scope) -> bool:
    """Whether an address names this machine and the port of this server."""
    try:
        parts = urlsplit(address)
        port = parts.port or 80
    except ValueError:
        return False
    plain = not (parts.path or parts.query or parts.fragment or parts.username is not None)
    here = scope.get("server") or ("", None)
    return plain and parts.scheme == "http" and parts.hostname in NAMES and port == here[1]


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(why, status)
