"""One file from one address, within one deadline and one count of bytes for the whole exchange.

`urllib` limits the wait for single bytes, and nothing but the body can be counted by its caller: a
status line, headers, chunk sizes or the body of a redirect may drip or run on for ever. Here every
byte that arrives, through TLS or not, passes `Exchange.receive`, which knows both limits; looking
up the name and connecting share the deadline. Redirects are followed without reading their bodies.
Proxies are those of the environment (`http_proxy`, `https_proxy`, `no_proxy`).
"""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from ..quoting import shown

MAX_REDIRECTS = 5
OVERHEAD = 1 << 20  # status lines, headers, chunk sizes, redirects
_CHUNK = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)


class TransferError(Exception):
    """Why one address did not deliver the file; the next one is tried."""


class Exchange:
    """The limits of one download: `deadline` (of `time.monotonic`), `wait` seconds for the next
    byte, `left` bytes in all; slow: what to say at the deadline."""

    def __init__(self, wait: float, deadline: float, size: int, slow: str) -> None:
        self.wait, self.deadline, self.slow = wait, deadline, slow
        self.limit = size + size // 4 + OVERHEAD
        self.left = self.limit

    def timeout(self) -> float:
        """How long the next step may wait; TransferError after the deadline."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TransferError(self.slow)
        return min(self.wait, left)

    def step(self, act: Callable[[], Any]) -> Any:
        """What `act` gives; a wait that the deadline cut short is TransferError."""
        try:
            return act()
        except TimeoutError:
            self.timeout()  # the deadline, or else the wait for a byte
            raise

    def receive(self, sock: socket.socket, raw: Any, buffer: Any) -> int:
        sock.settimeout(self.timeout())
        count = self.step(lambda: raw.readinto(buffer)) or 0
        self.left -= count
        if self.left < 0:
            raise TransferError(f"sent more than {self.limit} bytes for the whole exchange")
        return count

    def connect(self, address: tuple[str, int]) -> socket.socket:
        """A connected socket, to the first of the host's addresses that answers."""
        failure: OSError = OSError(f"no address of {shown(address[0])}")
        for family, kind, protocol, _, place in self._look_up(address):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(self.timeout())
                self.step(partial(sock.connect, place))
                return sock
            except OSError as error:
                failure = error
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise failure

    def _look_up(self, address: tuple[str, int]) -> list[Any]:
        # getaddrinfo has no timeout: whoever waits for it is a thread that can be left behind.
        found: list[Any] = []

        def work() -> None:
            try:
                found.append(socket.getaddrinfo(*address, type=socket.SOCK_STREAM))
            except (OSError, ValueError) as error:
                found.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(self.timeout())
        if not found:
            raise TransferError(f"the name {shown(address[0])} was not resolved in time")
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]


class _Limited(io.RawIOBase):
    """The readable end of a socket, within an exchange."""

    def __init__(self, exchange: Exchange, sock: socket.socket) -> None:
        self._exchange, self._sock = exchange, sock
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._exchange.receive(self._sock, self._raw, buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """What `http.client` needs of a socket."""

    def __init__(self, exchange: Exchange, sock: socket.socket) -> None:
        self.exchange, self.sock = exchange, sock

    def makefile(self, mode: str, *rest: Any) -> io.BufferedReader:
        return io.BufferedReader(_Limited(self.exchange, self.sock))

    def sendall(self, data: Any) -> None:
        self.sock.settimeout(self.exchange.timeout())
        self.exchange.step(lambda: self.sock.sendall(data))

    def close(self) -> None:
        self.sock.close()


class _Connection(HTTPConnection):
    """HTTP, or with `context` HTTPS, through limited sockets; a proxy's tunnel included."""

    def __init__(self, exchange: Exchange, context: ssl.SSLContext | None, host: str, **rest: Any):
        self.default_port = 443 if context else 80
        super().__init__(host, **rest)
        self._exchange, self._context = exchange, context

    def connect(self) -> None:
        sock = self._exchange.connect((self.host, self.port))
        self.sock: Any = _Socket(self._exchange, sock)
        if self._tunnel_host:  # type: ignore[attr-defined]
            self._tunnel()  # type: ignore[attr-defined]
        if self._context is not None:
            name = self._tunnel_host or self.host  # type: ignore[attr-defined]
            sock.settimeout(self._exchange.timeout())
            wrap = partial(self._context.wrap_socket, sock, server_hostname=name)
            self.sock = _Socket(self._exchange, self._exchange.step(wrap))


class _Http(HTTPHandler):
    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def http_open(self, req: Request) -> Any:
        return self.do_open(partial(_Connection, self._exchange, None), req)


class _Https(HTTPSHandler):
    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange

    def https_open(self, req: Request) -> Any:
        context = ssl.create_default_context()
        return self.do_open(partial(_Connection, self._exchange, context), req)


def pieces(url: str, exchange: Exchange) -> Iterator[bytes]:
    """The body at `url` in pieces; whatever the network does wrong becomes TransferError."""
    try:
        with _answer(url, exchange) as response:
            # read1 returns what has arrived: nothing is lost when the deadline comes.
            while piece := response.read1(_CHUNK):
                yield piece
    except HTTPError as error:
        error.close()
        raise TransferError(f"HTTP {error.code} {shown(error.reason, 80)}") from None
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise TransferError(f"{type(error).__name__}: {shown(reason, 160)}") from None


def _answer(url: str, exchange: Exchange) -> Any:
    """The response at the end of the redirects."""
    opener = OpenerDirector()
    for handler in (
        *(ProxyHandler(), UnknownHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()),
        *(_Http(exchange), _Https(exchange)),
    ):
        opener.add_handler(handler)
    for _ in range(MAX_REDIRECTS + 1):
        # Some servers answer 403 to the user agent "Python-urllib".
        request = Request(url, headers={"User-Agent": "tinydl"})
        try:
            return opener.open(request, timeout=exchange.timeout())
        except HTTPError as error:
            target = error.headers.get("Location")
            if error.code not in _REDIRECTS or not target:
                raise
            error.close()  # unread
            url = urljoin(url, target)
            if urlsplit(url).scheme not in ("http", "https"):
                raise TransferError(f"HTTP {error.code} leads to {shown(url, 80)}") from None
            code = error.code
    raise TransferError(f"HTTP {code} leads on after {MAX_REDIRECTS} redirects")
