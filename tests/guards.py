"""What a test may not do unless its marker says so: use the network, or a library as an oracle.

The guards are put in place once, when conftest.py is imported; `rules_of` tells them which markers
the running test has. Child processes get proxies that refuse, which Python's urllib and pip obey.
"""

from __future__ import annotations

import ipaddress
import os
import socket

import pytest

#: Markers of the test that runs; None between tests (collecting, session fixtures).
_marked: frozenset[str] | None = None
_refused: list[str] = []
_connect, _connect_ex, _lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")
NOWHERE = "http://127.0.0.1:9"


def rules_of(marked: frozenset[str] | None) -> list[str]:
    """From now on a test with these markers runs; returns what the one before was refused."""
    global _marked, _refused
    _marked, refused = marked, _refused
    _refused = []
    return refused


def is_marked(name: str) -> bool:
    """True unless a test runs that lacks the marker."""
    return _marked is None or name in _marked


def _is_here(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return text == "localhost"


def _check(host: object) -> None:
    if not is_marked("network") and not _is_here(host):
        message = f"a test without the marker `network` asked for {host!r}"
        _refused.append(message)  # whatever catches the failure: the test fails when it ends
        pytest.fail(message)


def _guarded_connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _check(address[0])
    return _connect(self, address)


def _guarded_connect_ex(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _check(address[0])
    return _connect_ex(self, address)


def _guarded_lookup(host, *rest, **more):
    _check(host)
    return _lookup(host, *rest, **more)


def install(children: bool) -> None:
    """Guard connections and look-ups of names of this process, and those of its children."""
    socket.socket.connect, socket.socket.connect_ex = _guarded_connect, _guarded_connect_ex
    socket.getaddrinfo = _guarded_lookup
    if children:
        os.environ.update(dict.fromkeys(PROXIES, NOWHERE))
        os.environ.update(dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1"))
