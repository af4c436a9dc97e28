"""One deadline and one count of bytes for a whole download: a server that drips or runs on,
wherever in the exchange it does so. Raw sockets: these servers speak no honest HTTP."""

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tinydl.data import cache_folder, data_folder, download, list_datasets, web
from tinydl.data.record import DataFile, DataSet, Mirror
from tinydl.errors import DataError
from tinydl.measure import machine

pytest.importorskip("filelock", reason="needs filelock (the extra `data`)")

BODY = b"x" * 1000
OK, MOVED = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: /next\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
#: Where it drips: what comes at once, then what comes byte by byte for ever.
DRIPS = {
    "status line": (b"", b"H"),
    "header name": (OK, b"X"),
    "header after header": (OK, b"X-A: b\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "chunk size": (CHUNKED, b"0"),
    "chunk extension": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + b"3e8\r\n" + BODY + b"\r\n0\r\n", b"X: y\r\n"),
    "body": (OK + b"\r\n", b"x"),
    "error body": (b"HTTP/1.1 500 No\r\n\r\n", b"x"),
    "redirect body": (MOVED + b"\r\n", b"x"),
    "redirect header": (MOVED, b"X-A: b\r\n"),
}


@contextmanager
def server(answer):
    """`answer(connection)` for every connection; gives the address."""
    listening, stopping = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve(connection):
        with connection, suppress(OSError):
            answer(connection, stopping)

    def accept():
        while not stopping.is_set():
            with suppress(OSError):
                threading.Thread(target=serve, args=listening.accept()[:1], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stopping.set()
        listening.close()


@pytest.fixture(autouse=True)
def limits(monkeypatch, tmp_path):
    for name in ("TINYDL_DATA", "TINYDL_OFFLINE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TINYDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "TIMEOUT", 0.3)


def fetched(*addresses):
    mirrors = tuple(Mirror(address) for address in addresses)
    file = DataFile("f.bin", hashlib.sha256(BODY).hexdigest(), len(BODY), (), mirrors)
    return download.locate(DataSet("tiny", "tiny", (file,), (), "", "", "", "", ""), file)


@pytest.mark.parametrize("place", DRIPS)
def test_a_server_that_drips_anywhere_meets_the_deadline(place):
    at_once, drop = DRIPS[place]

    def drip(connection, stopping):
        connection.recv(4096)
        connection.sendall(at_once)
        while not stopping.wait(0.02):
            for k in range(len(drop)):
                connection.sendall(drop[k : k + 1])

    with server(drip) as address:
        started = time.monotonic()
        with pytest.raises(DataError, match=r"slower than|HTTP 500|HTTP 302"):
            fetched(f"http://{address}/")
        assert time.monotonic() - started < 3


@pytest.mark.parametrize("place", DRIPS)
def test_a_server_that_runs_on_anywhere_is_cut(place, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 20.0)
    monkeypatch.setattr(web, "OVERHEAD", 100_000)
    at_once, drop = DRIPS[place]
    sent = [0]

    def flood(connection, stopping):
        connection.recv(4096)
        connection.sendall(at_once)
        while not stopping.is_set():
            sent[0] += connection.send(drop * 10_000)

    with server(flood) as address:
        started = time.monotonic()
        with pytest.raises(DataError, match="no mirror delivered") as error:
            fetched(f"http://{address}/")
        assert time.monotonic() - started < 10
    assert len(str(error.value)) < 1000
    assert sent[0] < 40_000_000  # what the sockets of all redirects buffer


def test_tls_that_never_answers_or_never_ends():
    def silent(connection, stopping):
        stopping.wait(20)

    def record_by_record(connection, stopping):
        connection.recv(4096)
        while not stopping.wait(0.02):
            connection.sendall(b"\x16")

    for answer in (silent, record_by_record):
        with server(answer) as address:
            started = time.monotonic()
            with pytest.raises(DataError, match=r"timed out|slower than|SSL"):
                fetched(f"https://{address}/")
            assert time.monotonic() - started < 3


def test_a_name_that_is_never_resolved(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: time.sleep(5))
    started = time.monotonic()
    with pytest.raises(DataError, match="was not resolved in time"):
        fetched("http://nowhere.invalid/")
    assert time.monotonic() - started < 3


def test_an_honest_server_behind_redirects_and_a_proxy(monkeypatch):
    asked = []

    def honest(connection, stopping):
        line = connection.recv(4096).split(b"\r\n")[0]
        asked.append(line)
        moved = b"HTTP/1.1 301 M\r\nLocation: ../there/f.bin\r\nContent-Length: 3\r\n\r\nabc"
        connection.sendall(moved if b"/here/" in line else CHUNKED + b"3e8\r\n" + BODY)
        connection.sendall(b"" if b"/here/" in line else b"\r\n0\r\nX: y\r\n\r\n")

    with server(honest) as address:
        assert fetched(f"http://{address}/here/").read_bytes() == BODY
        fetched(f"http://{address}/here/").unlink()
        monkeypatch.setenv("http_proxy", f"http://{address}")
        monkeypatch.setenv("no_proxy", "")
        assert fetched("http://data.invalid/there/").read_bytes() == BODY
    assert asked[:2] == [b"GET /here/f.bin HTTP/1.1", b"GET /there/f.bin HTTP/1.1"]
    assert asked[-1] == b"GET http://data.invalid/there/f.bin HTTP/1.1"


def test_a_redirect_to_another_kind_of_address():
    def answer(connection, stopping):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\n\r\n")

    with (
        server(answer) as address,
        pytest.raises(DataError, match="HTTP 302 leads to file:///etc/passwd"),
    ):
        fetched(f"http://{address}/")


def test_a_server_s_words_are_shown_and_cut():
    def answer(connection, stopping):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 404 \x1b[2J" + b"x" * 60_000 + b"\r\n\r\n")

    with server(answer) as address, pytest.raises(DataError, match=r"HTTP 404 \\x1b\[2J") as error:
        fetched(f"http://{address}/")
    assert len(str(error.value)) < 600 and str(error.value).isprintable()


# -- folders ---------------------------------------------------------------------------------------


def test_without_a_home_folder_one_sentence_says_what_to_set(monkeypatch):
    monkeypatch.delenv("TINYDL_CACHE")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as pathlib sees no home
    for act in (cache_folder, list_datasets):
        with pytest.raises(DataError, match=r"no home folder for ~/\.cache; set TINYDL_CACHE to"):
            act()
    for variable, act in (("TINYDL_DATA", data_folder), ("TINYDL_CACHE", cache_folder)):
        monkeypatch.setenv(variable, "~nobody-of-that-name/x")
        with pytest.raises(DataError, match=f"for ~nobody-of-that-name/x; set {variable} to"):
            act()


def test_info_without_a_home_folder(monkeypatch):
    monkeypatch.delenv("TINYDL_CACHE")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert "no home folder" in machine.facts()["data_folders"][0]


def test_a_folder_that_may_not_be_looked_into(monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refused)
    for act in (list_datasets, lambda: fetched("http://127.0.0.1:9/")):
        with pytest.raises(DataError, match=r"cannot read .*\(Permission denied\)"):
            act()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for a certificate")
def test_tls_directly_and_through_a_proxy_s_tunnel(tmp_path, monkeypatch):
    key, certificate = str(tmp_path / "key"), str(tmp_path / "certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=data.test", "-keyout", key, "-out", certificate,
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:data.test"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked = []

    def honest(connection, stopping):
        if connection.recv(1, socket.MSG_PEEK) == b"C":  # CONNECT, as a proxy gets it
            asked.append(connection.recv(4096).split(b"\r\n")[0])
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as secure:
            asked.append(secure.recv(4096).split(b"\r\n")[0])
            secure.sendall(OK + b"Content-Length: 1000\r\n\r\n" + BODY)

    monkeypatch.setattr(download, "TIMEOUT", 10.0)
    with server(honest) as address:
        with pytest.raises(DataError, match="certificate verify failed"):
            fetched(f"https://{address}/")
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
        fetched(f"https://{address}/").unlink()
        monkeypatch.setenv("https_proxy", f"http://{address}")
        fetched("https://data.test/")
    lines = [line.rsplit(b" ", 1)[0] for line in asked]
    assert lines == [b"GET /f.bin", b"CONNECT data.test:443", b"GET /f.bin"]
