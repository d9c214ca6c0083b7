"""One try to send a request. The first request imports the HTTP library, because most runs send none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from http.client import HTTPException
from io import BytesIO
from typing import IO, TYPE_CHECKING

from tenantry.providers.qlik import messages
from tenantry.providers.qlik.deadlines import Deadline
from tenantry.providers.qlik.errors import ConnectionFailed
from tenantry.providers.qlik.failures import connection_failed
from tenantry.providers.qlik.messages import Form, Request
from tenantry.providers.qlik.settings import Settings
from tenantry.providers.qlik.tokens import Token

if TYPE_CHECKING:
    import requests
    from requests.adapters import BaseAdapter

CONNECT_TIMEOUT = 15.0
CHUNK = 256 * 1024
CONNECTIONS_PER_HOST = 16
MAX_ERROR_BYTES = 1 << 20
"""The number of bytes that are read from an error response or a redirect."""


class Transport:
    """A sender that keeps and reuses connections. Thread-safe.

    In tests, `adapter` replaces the network: see `tenantry.providers.qlik.testing`.
    """

    def __init__(self, settings: Settings, adapter: BaseAdapter | None = None) -> None:
        self._settings = settings
        self._adapter = adapter
        self._session: requests.Session | None = None
        self._lock = threading.Lock()

    def exchange(self, request: Request, token: Token | None, deadline: Deadline) -> messages.Response:
        """Send `request` and return the response with any status. Redirects are not followed.

        Raises ConnectionFailed. An exception of the HTTP library contains the token, so it never leaves this
        method, not even as a context.
        """
        from requests import RequestException
        from urllib3.exceptions import HTTPError

        body = None if request.body is None else json.dumps(request.body, allow_nan=False).encode()
        try:
            with ExitStack() as stack:
                response = self._open(request, body, token, deadline, stack)
                return _receive(request, response, deadline, stack)
        except (RequestException, HTTPError, HTTPException, ValueError) as error:
            failure = connection_failed(request, error, self._settings, deadline)
        raise failure

    def close(self) -> None:
        """Close all connections. The next request opens new ones."""
        with self._lock:
            if self._session is not None:
                self._session.close()
            self._session = None

    def _open(
        self,
        request: Request,
        body: bytes | None,
        token: Token | None,
        deadline: Deadline,
        stack: ExitStack,
    ) -> requests.Response:
        """Send the request, and return once the status and headers have arrived."""
        data: bytes | FileBody | None = None
        headers = {"Accept": "application/json", **request.headers, **(request.login_headers or {})}
        if request.file is not None:
            data = FileBody([stack.enter_context(request.file.open("rb"))], request, deadline)
            headers.setdefault("Content-Type", "application/octet-stream")
        elif request.form is not None:
            pieces, headers["Content-Type"] = _encoded(request.form, stack)
            data = FileBody(pieces, request, deadline)
        elif body is not None:
            data = body
            headers.setdefault("Content-Type", "application/json")
        if request.into is not None:
            headers |= {"Accept": "*/*", "Accept-Encoding": "identity"}
        endpoint = self._settings.endpoint
        if endpoint is not None:
            headers["Host"] = request.host
        remaining = max(0.001, deadline.remaining())
        response = self._connections().request(
            request.method,
            f"{endpoint or f'https://{request.host}'}{request.path}",
            params=request.query,
            data=data,
            headers=headers,
            auth=_Bearer(token),
            timeout=(min(CONNECT_TIMEOUT, remaining), min(self._settings.request_timeout, remaining)),
            allow_redirects=False,
            stream=True,
        )
        stack.callback(response.close)
        return response

    def _connections(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                self._session = _new_session(self._settings, self._adapter)
            return self._session


class FileBody:
    """A request body from files, one after the other.

    It is read in chunks until the deadline. Its length is known in advance.
    """

    def __init__(self, files: Sequence[IO[bytes]], request: Request, deadline: Deadline) -> None:
        self._files = files
        self._request = request
        self._deadline = deadline
        self._length = sum(file.seek(0, 2) for file in files)
        for file in files:
            file.seek(0)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(CHUNK):
            yield chunk

    def read(self, size: int = -1) -> bytes:
        """Return the next chunk. Raises ConnectionFailed after the deadline."""
        if self._deadline.remaining() <= 0:
            raise ConnectionFailed(self._request, "no time left to send the file", sent=True)
        if size < 0:
            return b"".join(file.read() for file in self._files)
        return next((chunk for file in self._files if (chunk := file.read(max(size, CHUNK)))), b"")


class _Bearer:
    """Authentication with a token, or with none. Without it, `requests` sends a password from ~/.netrc."""

    def __init__(self, token: Token | None) -> None:
        self._token = token

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            prepared.headers["Authorization"] = f"Bearer {self._token.value}"
        return prepared


def _encoded(form: Form, stack: ExitStack) -> tuple[list[IO[bytes]], str]:
    """Return the body of a form as a sequence of files, and its content type."""
    from secrets import token_bytes

    from urllib3.fields import RequestField
    from urllib3.filepost import encode_multipart_formdata

    fields, places = [], {}
    for name, part in form.items():
        content = part.content
        if part.file is not None:
            content = token_bytes(32)
            places[content] = part.file
        field = RequestField(name, content, part.file_name)
        field.make_multipart(content_type=part.media_type)
        fields.append(field)
    rest, content_type = encode_multipart_formdata(fields)
    pieces: list[IO[bytes]] = []
    for place, path in places.items():
        before, _, rest = rest.partition(place)
        pieces += [BytesIO(before), stack.enter_context(path.open("rb"))]
    return [*pieces, BytesIO(rest)], content_type


def _receive(
    request: Request, response: requests.Response, deadline: Deadline, stack: ExitStack
) -> messages.Response:
    """Read the body into `request.into` if the request succeeded, else into memory."""
    to_file = response.status_code == 200
    pieces: list[bytes] = []
    write = stack.enter_context(request.into.open("wb")).write if request.into and to_file else pieces.append
    length = 0
    # read1 returns what has arrived, but read waits for a full chunk
    while chunk := response.raw.read1(CHUNK, decode_content=True):
        write(chunk)
        length += len(chunk)
        if length > MAX_ERROR_BYTES and not 200 <= response.status_code < 300:
            break  # the beginning of an error or redirect page is enough
        if length > request.max_bytes and write == pieces.append:  # files have no limit except time
            reason = f"the response has more than {request.max_bytes >> 20} MB"
            raise ConnectionFailed(request, reason, sent=True, permanent=True)
        if deadline.remaining() <= 0 and response.raw.length_remaining != 0:
            raise ConnectionFailed(request, f"no time left after {length} bytes of the response", sent=True)
    return messages.Response(response.status_code, response.headers, b"".join(pieces), length)


def _new_session(settings: Settings, adapter: BaseAdapter | None) -> requests.Session:
    from http.cookiejar import DefaultCookiePolicy

    import requests

    from tenantry.providers.qlik.deadline_adapter import Adapter

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> None:
            """Return None. The original reads the whole body, and may fail on the Location."""

    session = Session()
    session.headers["User-Agent"] = f"tenantry/{_version()}"
    # with an endpoint, all tenants have one host, so a cookie of one tenant would reach another
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    # the local endpoint uses neither the proxy nor the certificate bundle of the environment
    session.trust_env = settings.endpoint is None
    mounted = adapter or Adapter(pool_maxsize=CONNECTIONS_PER_HOST)
    for scheme in ("https://", "http://"):
        session.mount(scheme, mounted)
    return session


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tenantry")
    except PackageNotFoundError:
        return "0"
