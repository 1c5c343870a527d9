"""Who may talk to the live page: checks host, origin, token and content type; knows no study."""

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "pegbox-token"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """What a request must show.

    Attributes:
        token: A secret that every request carries; None for a page that only this machine can reach.
    """

    token: str | None = None


def is_loopback(host: str) -> bool:
    """True for an address that no other machine can reach."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class GateMiddleware:
    """Answers requests that do not belong here, before anything else sees them."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer; either way with the headers that keep a browser strict."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        await (answer or self._app)(scope, receive, send_safely)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._gate.token is None and not is_loopback(host_name(host)):
            return refuse(421, f"The page answers to localhost only, but was asked for as {host[:100]!r}.")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return refuse(403, f"The request comes from another page, {origin[:100]!r}.")
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"} and scope["path"] != "/":
            return refuse(403, "The request comes from another page.")
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] not in {"GET", "HEAD"} and kind != "application/json":
            return refuse(415, "The request must be JSON, with content type application/json.")
        return self._check_token(scope, headers)

    def _check_token(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._gate.token
        if token is None:
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        given = query.pop("token", [""])[0]
        if given and _same(given, token):
            rest = urlencode(query, doseq=True)
            place = "/" + scope["path"].lstrip("/")  # `//host/` would lead to another host
            response = RedirectResponse(place + (f"?{rest}" if rest else ""), status_code=303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
            return response
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        if _same(bearer, token) or _same(cookie, token):
            return None
        return refuse(401, "A token is needed. Open the address that `pegbox ui` printed.")


def host_name(host: str) -> str:
    """The name in a Host header, without its port.

    >>> host_name("localhost:8712"), host_name("[::1]:8712"), host_name("evil.example")
    ('localhost', '::1', 'evil.example')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def refuse(status: int, message: str) -> Response:
    """An error that a person can read."""
    return JSONResponse({"error": message}, status_code=status)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
