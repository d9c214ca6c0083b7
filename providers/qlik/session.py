"""Sessions of users. The customer's system signs a JWT, and Qlik exchanges it for cookies.

Source: https://qlik.dev/apis/rest/login.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tenantry.providers.qlik import redirects, responses
from tenantry.providers.qlik.host import Host
from tenantry.providers.qlik.messages import Request, Response
from tenantry.providers.qlik.sender import Sender

LOGIN = "/login/jwt-session"
CSRF = "qlik-csrf-token"
SESSION = "eas.sid"
COOKIE = re.compile(r"(?:^|,)\s*([^=;,\s]+)=([^;,]*)")
"""The name and value of a cookie in Set-Cookie.

Commas may join several cookies in one header. A comma within a date does not start a cookie.
"""


class Session(Host):
    """A tenant as one of its users sees it. `log_in` creates it.

    It has the methods of a Host, and they raise the same errors. They raise Unauthorized if the session has
    ended.
    """

    def __init__(self, cloud: Sender, hostname: str, cookies: dict[str, str]) -> None:
        super().__init__(cloud, hostname)
        self._cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        self._csrf = ""

    def __repr__(self) -> str:
        return f"Session({self.hostname!r}, cookies=[secure])"

    def _send(self, request: Request) -> Response:
        login_headers = (
            self._cookies if request.method == "GET" else {**self._cookies, CSRF: self._csrf_token()}
        )
        return redirects.follow(self.cloud.send, replace(request, login_headers=login_headers))

    def _csrf_token(self) -> str:
        if not self._csrf:
            request = Request("GET", self.hostname, "/api/v1/csrf-token")
            response = self._send(request)
            self._csrf = response.headers.get(CSRF, "")
            if not self._csrf:
                raise responses.unexpected(request, response, f"without the header {CSRF}")
        return self._csrf


def log_in(host: Host, jwt: str) -> Session:
    """Exchange a signed JWT for a session of its user on a tenant.

    This changes the tenant: the first login of a subject creates the user, and may take an entitlement of the
    licence. Raises ApiError (400, 401) if Qlik does not accept the token, ResponseLost if the login may have
    happened, and the errors of every request.
    """
    request = Request("POST", host.hostname, LOGIN, login_headers={"Authorization": f"Bearer {jwt}"})
    response = redirects.follow(host.cloud.send, request)
    cookies = dict(COOKIE.findall(response.headers.get("Set-Cookie", "")))
    if SESSION not in cookies:
        raise responses.unexpected(request, response, f"without the cookie {SESSION}")
    return Session(host.cloud, host.hostname, cookies)
