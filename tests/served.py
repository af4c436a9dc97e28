"""A server of `tinydl serve` that runs while a test asks it, over plain sockets."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from threading import Thread

from tinydl.runs.imported import opened
from tinydl.serving.kinds import asked
from tinydl.serving.server import BYTES, Server


@contextmanager
def running(server):
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.close()
        thread.join()


def page_of(run, recipe_file=None):
    """The server of a run, or of one that is opened already: not yet running."""
    made = asked(opened(run, recipe_file) if isinstance(run, str) else run)
    return Server(made.facts(), made.questions)


def connected(server, seconds=30.0):
    return socket.create_connection(server.server_address, timeout=seconds)


def everything(connection):
    """What still comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(1 << 16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


class Reply:
    """An answer: status, headers by lower-case name, body; status 0: nothing came."""

    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1]) if raw else 0
        pairs = [line.partition(": ")[::2] for line in lines]
        self.headers = {name.lower(): value for name, value in pairs}

    @property
    def json(self):
        return json.loads(self.body)


def sent(server, raw):
    """The reply to these bytes, after which nothing is sent."""
    with connected(server) as connection:
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        except OSError:  # it was refused before all was sent
            pass
        return Reply(everything(connection))


def request(server, name="", method="GET", body=None, path=None, **changes):
    """A request as the page sends it; changes: other headers ("_" is "-", None: without it)."""
    headers = {"Host": server.host}
    if body is not None:
        headers |= {"Content-Type": BYTES, "Content-Length": str(len(body))}
    headers |= {key.replace("_", "-"): value for key, value in changes.items()}
    lines = [f"{method} {f'/{server.token}/{name}' if path is None else path} HTTP/1.1"]
    for key, value in headers.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"{key}: {one}" for one in values if one is not None]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def ask(server, name="", body=None, **changes):
    method = "GET" if body is None else "POST"
    return sent(server, request(server, name, method, body, **changes))
