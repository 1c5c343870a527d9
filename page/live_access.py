"""Who may talk to the live page: host, origin, token, content type (DNS rebinding, CSRF); knows no study."""

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "pegbox-token"
# By name too: a browser that was sent to `localhost` says so in its Host header.
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

SECURITY_HEADERS = {
    # Everything is refused that the page does not use itself; no caching, because histories are private and change all
    # the time.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class AccessRule:
    """What a request must show.

    Attributes:
        token: A secret that every request carries; None for a page that only this machine can reach.
        allows_control: True where visitors may stop, extend and retry studies; never without a token.
    """

    token: str | None = None
    allows_control: bool = False


def is_loopback(host: str) -> bool:
    """True for an address that no other machine can reach."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AccessMiddleware:
    """Answers requests that do not belong here, before anything else sees them."""

    def __init__(self, app: ASGIApp, gate: AccessRule) -> None:
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
        # DNS rebinding: a page from elsewhere may point its own name at 127.0.0.1 and then counts as the same origin.
        # Only the Host header gives it away (421 is HTTP's word for a request that came to the wrong server).
        if self._gate.token is None and not is_loopback(host_name(host)):
            return refuse(421, f"The page answers to localhost only, but was asked for as {host[:100]!r}.")
        origin = headers.get("origin")
        # Cross-site request forgery: browsers send Origin with every POST, other programs send none.
        if origin is not None and urlsplit(origin).netloc != host:
            return refuse(403, f"The request comes from another page, {origin[:100]!r}.")
        # Covers the GETs, which carry no Origin. The page itself may be opened by a link from anywhere, its data may
        # not.
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"} and scope["path"] != "/":
            return refuse(403, "The request comes from another page.")
        # A form of another page can send three content types without asking first; JSON is none of them.
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
        # The token moves from the address into a cookie, or it would stay in the browser's history and on shared
        # screens. No script can read the cookie, and no other site has it sent.
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
    # A plain comparison ends at the first wrong letter, and its time tells how many were right.
    return hmac.compare_digest(given.encode(), wanted.encode())
