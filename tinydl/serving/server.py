"""The HTTP server of `tinydl serve`: this machine alone, and only who has the printed address.

Any web page that the user visits, and any program on the machine, can send requests to a port of
127.0.0.1. So nothing is answered without the token of the address; the Host must be this server's
(a name that was made to point here is refused: DNS rebinding), an Origin its own; no header invites
other pages, and the browser is told to load nothing from elsewhere. What is served lies in memory,
under fixed names. Each connection is one request, with one deadline, in a thread of its own.
"""

from __future__ import annotations

import io
import json
import sys
import traceback
from collections.abc import Mapping
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, HTTPServer
from secrets import token_urlsafe
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

from .._start import debugging
from ..console import json_able
from ..errors import TinydlError
from ..quoting import printable
from .channel import Channel, TooLong
from .page import FILES
from .questions import MOST_BYTES, Question
from .worker import Busy, Worker

HERE = "127.0.0.1"
MOST_HEAD = 32_768  # bytes of a request's first line and headers
SECONDS = 10.0  # for a whole exchange
SENDING = 0.1  # of that time is kept for the answer
CONNECTIONS, WAITING = 64, 8
BYTES = "application/octet-stream"  # the type of every body: no form of another page has it
#: What every answer says.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Connection": "close",
}


class Refused(Exception):
    """The request gets this status and this sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Server(ThreadingMixIn, HTTPServer):
    """Serves the page of a run at `url` until `close`.

    facts: what the page is told first; questions: by the name under which they are asked, answered
    one at a time. seconds: for a whole exchange.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = CONNECTIONS

    def __init__(
        self, facts: Mapping[str, Any], questions: Mapping[str, Question], seconds: float = SECONDS
    ) -> None:
        self.files = {**FILES, "run": ("application/json", _as_json(facts))}
        self.questions, self.seconds = dict(questions), seconds
        self.token = token_urlsafe(32)
        self.worker = Worker(WAITING)
        self._free = BoundedSemaphore(CONNECTIONS)
        super().__init__((HERE, 0), Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's asks a name server who 127.0.0.1 is
        self.server_name, self.server_port = HERE, self.server_address[1]

    @property
    def host(self) -> str:
        return f"{HERE}:{self.server_port}"

    @property
    def url(self) -> str:
        """The address of the page; whoever has it can ask the run."""
        return f"http://{self.host}/{self.token}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections break; nobody needs to know."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            told_of(error)

    def close(self) -> None:
        """Nothing is answered any more."""
        self.server_close()
        self.worker.close()


class Handler(BaseHTTPRequestHandler):
    """One connection: one request, one answer."""

    server: Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.connection = self.request
        self.channel = Channel(self.request, self.server.seconds, MOST_HEAD)
        self.rfile: Any = io.BufferedReader(self.channel, 8192)
        self.wfile: Any = self.channel

    def handle(self) -> None:
        self.close_connection, self.request_version = True, "HTTP/1.1"
        self.command = self.requestline = ""
        try:
            self.handle_one_request()
        except Refused as refused:
            self.refuse(refused.status, refused.sentence)
        except TooLong:
            self.refuse(431, "the head of the request is too long")

    def finish(self) -> None:
        self.channel.drain(1.0, 2 * MOST_BYTES)

    def parse_request(self) -> bool:
        """As every request, then who asks for what."""
        if not super().parse_request():
            return False
        self.close_connection = True
        if self.request_version not in ("HTTP/1.0", "HTTP/1.1"):
            raise Refused(505, "HTTP/1.1 is spoken here")
        self._check_who()
        return True

    def handle_expect_100(self) -> bool:
        raise Refused(417, "send the body at once")

    # -- who asks, for what ------------------------------------------------------------------------

    def _check_who(self) -> None:
        """Refused unless the request is for this server, by its own page or its user, who has
        the token."""
        here = self.server.host
        if self._header("Host") != here:
            raise Refused(421, "another host was asked for")
        if self._header("Origin") not in (None, f"http://{here}"):
            raise Refused(403, "another page asks")
        if self._header("Sec-Fetch-Site") not in (None, "none", "same-origin"):
            raise Refused(403, "another page asks")
        if not compare_digest(self._place[0].encode(), self.server.token.encode()):
            raise Refused(403, "only the address that `tinydl serve` printed is answered")

    def _header(self, name: str) -> str | None:
        """The header's value, None without; Refused where it comes twice."""
        values = self.headers.get_all(name, [])
        if len(values) > 1:
            raise Refused(400, f"{name} comes twice")
        return values[0].strip() if values else None

    @property
    def _place(self) -> tuple[str, str]:
        """(token, name) of the path; what is no such path is ("", "")."""
        empty, token, name = ([*self.path.split("/"), "", ""])[:3]
        whole = f"{empty}/{token}/{name}" == self.path
        return (token, name) if whole and not empty else ("", "")

    def _length(self, most: int) -> int:
        """Bytes of the body as the request tells them, -1 where it does not."""
        if self._header("Transfer-Encoding") is not None:
            raise Refused(411, "the body must come in one piece, with Content-Length")
        told = self._header("Content-Length")
        if told is None:
            return -1
        if not (told.isascii() and told.isdigit() and len(told) <= 12):
            raise Refused(400, "Content-Length is no number of bytes")
        if int(told) > most:
            raise Refused(413, f"at most {most:,} bytes are read, these are {int(told):,}")
        return int(told)

    # -- answers -----------------------------------------------------------------------------------

    def do_GET(self) -> None:
        name = self._place[1]
        if name in self.server.questions:
            raise Refused(405, "this is asked with POST")
        if name not in self.server.files:
            raise Refused(404, "there is no such page")
        if self._length(MOST_BYTES) > 0:
            raise Refused(400, "GET has no body")
        self.respond(200, *self.server.files[name])

    def do_POST(self) -> None:
        name = self._place[1]
        if name in self.server.files:
            raise Refused(405, "this is read with GET")
        if name not in self.server.questions:
            raise Refused(404, "there is no such question")
        length = self._length(self.server.questions[name].most)
        if length < 0:
            raise Refused(411, "the body must come in one piece, with Content-Length")
        if self._header("Content-Type") != BYTES:
            raise Refused(415, f"the body must be {BYTES}")
        self.channel.allowed = length
        body = self.rfile.read(length) if length else b""
        if len(body) != length:
            raise Refused(400, "the body is shorter than Content-Length")
        self.respond(200, "application/json", self._asked(name, body))

    def _asked(self, name: str, body: bytes) -> bytes:
        answer = self.server.questions[name].answer
        until = self.channel.deadline - SENDING * self.server.seconds
        started = monotonic()
        try:
            found = self.server.worker.ask(lambda: answer(body), until)
        except Busy as error:
            raise Refused(503, str(error)) from None
        except TinydlError as error:
            raise Refused(422, str(error)) from None
        except Exception as error:
            told_of(error)
            raise Refused(500, "a fault of tinydl; the terminal says which") from None
        return _as_json({**found, "seconds": monotonic() - started})

    def refuse(self, status: int, sentence: str) -> None:
        self.request_version = "HTTP/1.1"  # for what came in words of 1991 too
        self.respond(status, "application/json", _as_json({"error": sentence}))

    def respond(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class refuses: without its page, which repeats the request."""
        sentences = {501: "GET and POST are answered", 505: "HTTP/1.1 is spoken here"}
        self.refuse(code, sentences.get(code, "this is no request of HTTP/1.1"))

    def version_string(self) -> str:
        return "tinydl"

    def log_message(self, *words: Any) -> None:
        """The address holds the token: no log."""


def told_of(error: BaseException | None) -> None:
    """A fault, on the terminal."""
    if debugging() and error is not None:
        traceback.print_exception(error)
    told = printable(f"{type(error).__name__}: {error}")
    print(f"tinydl: serve: {told} (a fault of tinydl)", file=sys.stderr)


def _as_json(value: Any) -> bytes:
    return json.dumps(json_able(value), allow_nan=False, separators=(",", ":")).encode()
