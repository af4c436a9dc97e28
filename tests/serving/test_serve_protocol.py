"""The server of `tinydl serve` against whoever sends what it should not."""

import random
import socket
from contextlib import ExitStack
from threading import Event, Lock, Thread
from time import monotonic, sleep

import pytest
from served import Reply, ask, connected, everything, request, running, sent

from tinydl.errors import ConfigError
from tinydl.serving import server as serving
from tinydl.serving.page import FILES
from tinydl.serving.questions import Question
from tinydl.serving.server import CONNECTIONS, HEADERS, WAITING, Server
from tinydl.serving.worker import Busy, Worker


class Answers:
    """Questions of the tests; `gate`: "wait" is answered when it opens."""

    def __init__(self):
        self.gate, self.lock, self.now, self.most = Event(), Lock(), 0, 0
        self.questions = {
            "length": Question(8_000_000, lambda body: {"length": len(body)}),
            "short": Question(10, lambda body: {"length": len(body)}),
            "wait": Question(10, self.wait),
            "wrong": Question(10, self.wrong),
            "fault": Question(10, self.fault),
        }

    def wait(self, body):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.gate.wait(60)
        with self.lock:
            self.now -= 1
        return {"waited": body.decode()}

    def wrong(self, body):
        raise ConfigError("serve: \x1b[2J is no picture")

    def fault(self, body):
        raise ZeroDivisionError("a secret")


@pytest.fixture(scope="module")
def server():
    with running(Server({"name": "<b>&\u202e"}, Answers().questions)) as made:
        yield made


@pytest.fixture
def patient():
    """A server whose exchanges may last long, and what it is asked."""
    answers = Answers()
    with running(Server({}, answers.questions, seconds=60)) as made:
        yield made, answers
        answers.gate.set()


# -- what is answered ------------------------------------------------------------------------------


def test_the_page_and_its_files_come_from_memory_with_every_header(server):
    for name, (kind, content) in server.files.items():
        reply = ask(server, name)
        assert (reply.status, reply.body) == (200, content)
        assert reply.headers["content-type"] == f"{kind}; charset=utf-8"
        for header, value in HEADERS.items():
            assert reply.headers[header.lower()] == value
    assert set(server.files) == {*FILES, "run"} and "default-src 'self'" in str(HEADERS)
    assert ask(server, "run").json == {"name": "<b>&\u202e"}
    assert b"\\u202e" in ask(server, "run").body


def test_a_body_is_answered_once_all_of_it_is_there(server):
    assert ask(server, "length", b"x" * 7).json["length"] == 7
    assert ask(server, "length", b"").json["length"] == 0
    assert ask(server, "length", bytes(8_000_000)).json["length"] == 8_000_000
    with connected(server) as connection:
        raw = request(server, "length", "POST", b"12345")
        for k in range(0, len(raw), 40):
            connection.sendall(raw[k : k + 40])
        assert Reply(everything(connection)).json["length"] == 5


def test_it_listens_on_one_address_of_this_machine(server):
    assert server.server_address[0] == "127.0.0.1" and server.url.startswith("http://127.0.0.1:")
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", server.server_port), timeout=5)


def test_tokens_are_long_and_never_the_same():
    made = [Server({}, {}) for _ in range(3)]
    for one in made:
        one.close()
    assert len({one.token for one in made}) == 3 and min(len(one.token) for one in made) >= 43


# -- who asks --------------------------------------------------------------------------------------


def test_without_the_token_nothing_is_answered(server):
    token = server.token
    wrong = ["/", f"/{token}", f"/{token}x/", f"/{token[:-1]}/", f"/{token[:-1]}\xe9/", "/x/run",
             f"/x/{token}/", "*", f"http://{server.host}/{token}/",
             f"/?{token}/", f"/{token.swapcase()}/"]  # fmt: skip
    for path in wrong:
        for method, body in (("GET", None), ("POST", b"")):
            reply = sent(server, request(server, method=method, body=body, path=path))
            assert reply.status == 403, path
            assert "the address that" in reply.json["error"] and token not in str(reply.headers)


NO_NAMES = (
    "../../etc/passwd",
    "page.js?x", "page.js#x", "/", "%72un", "run/", "page.html", "page.JS", "..",
    "page.js\x00", "length/..",
)  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES)
def test_only_fixed_names_are_served(server, name):
    reply = sent(server, request(server, name))
    assert reply.status in (400, 403, 404) and b"passwd" not in reply.body


def test_another_host_is_refused(server):
    port = server.server_port
    others = (
        "localhost:{}",
        "evil.example:{}",
        "127.0.0.1:{}.evil.example",
        "127.0.0.2:{}",
        "[::1]:{}",
    )
    for host in (None, "", "127.0.0.1", "127.0.0.1:1", *(one.format(port) for one in others)):
        assert ask(server, Host=host).status == 421, host
        assert ask(server, "length", b"", Host=host).status == 421, host
    assert ask(server, Host=[server.host, "evil.example"]).status == 400


def test_another_page_is_refused_and_none_is_invited(server):
    for origin in ["null", "http://evil.example", f"https://{server.host}", "http://127.0.0.1:1",
                   f"http://localhost:{server.server_port}", ""]:  # fmt: skip
        assert ask(server, "length", b"", Origin=origin).status == 403, origin
        assert ask(server, Origin=origin).status == 403, origin
    for site in ("cross-site", "same-site", "anything"):
        assert ask(server, "length", b"", Sec_Fetch_Site=site).status == 403
    reply = ask(server, "length", b"", Origin=f"http://{server.host}", Sec_Fetch_Site="same-origin")
    assert reply.status == 200 and not [h for h in reply.headers if h.startswith("access-control")]
    asked_first = sent(server, request(server, "length", "OPTIONS", Origin="http://evil.example"))
    assert asked_first.status == 403
    refused = sent(server, request(server, "length", "OPTIONS"))
    assert refused.status == 501
    assert not [h for h in refused.headers if h.startswith("access-control")]


# -- bodies ----------------------------------------------------------------------------------------


def test_a_body_has_one_length_and_comes_in_one_piece(server):
    def status(**changes):
        return sent(server, request(server, "length", "POST", b"12345", **changes)).status

    assert status() == 200
    assert status(Content_Length=None) == 411
    assert status(Transfer_Encoding="chunked") == 411
    assert status(Transfer_Encoding="identity", Content_Length=None) == 411
    for told in ("", "-1", "+5", "5, 5", "5.0", "0x5", "five", "\xb2", "9" * 13, "1_0"):
        assert status(Content_Length=told) == 400, told
    assert status(Content_Length=["5", "6"]) == 400
    assert status(Content_Length="6") == 400  # it never came
    assert status(Content_Length="4") == 200  # what follows is dropped
    assert status(Expect="100-continue") == 417
    for kind in (None, "text/plain", "multipart/form-data", "application/json"):
        assert status(Content_Type=kind) == 415, kind
    assert sent(server, request(server, "run", "GET", b"12345")).status == 400


def test_what_is_too_large_is_refused_before_it_comes(server):
    for name, told in (("length", 8_000_001), ("short", 11), ("length", 10**11)):
        with connected(server) as connection:
            connection.sendall(request(server, name, "POST", b"", Content_Length=str(told)))
            reply = Reply(everything(connection))
        assert reply.status == 413 and "at most" in reply.json["error"]
    assert ask(server, "short", bytes(11)).status == 413
    assert ask(server, "length", bytes(9_000_000)).status == 413  # and all of it is sent


def test_the_head_is_short(server):
    assert ask(server, path="/" + "x" * 70_000).status in (414, 431)
    assert ask(server, X="y" * 40_000).status == 431
    assert ask(server, **{f"X{k}": "y" for k in range(200)}).status == 431


def test_methods_and_names_fit(server):
    for method in ("PUT", "DELETE", "HEAD", "TRACE", "CONNECT", "BREW"):
        assert sent(server, request(server, method=method)).status == 501, method
    assert sent(server, request(server, "length")).status == 405
    assert ask(server, "run", b"").status == 405
    assert ask(server, "nothing", b"").status == 404


def test_errors_are_sentences_without_what_was_sent(server, capsys):
    reply = ask(server, "wrong", b"")
    assert reply.status == 422 and reply.json["error"] == "serve: \\x1b[2J is no picture"
    reply = ask(server, "fault", b"")
    assert reply.status == 500 and b"secret" not in reply.body
    assert "ZeroDivisionError: a secret" in capsys.readouterr().err
    for raw in (b"<script>x</script>\r\n\r\n", b"GET <script>x</script> HTTP/9.9\r\n\r\n"):
        reply = sent(server, raw)
        assert reply.status >= 400 and b"script" not in reply.body
        assert reply.headers["content-type"].startswith("application/json")


def test_junk_is_refused_and_the_server_goes_on(server):
    rng = random.Random(0)
    right = request(server, "length", "POST", b"12345")
    junk = (
        b"",
        b"\r\n", b"\0" * 100, b"GET /\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\n : x\r\n\r\n", right.replace(b"HTTP/1.1", b"HTTP/0.9"),
        right.replace(b"HTTP/1.1", b"HTTP/2.0"), right.replace(b" HTTP/1.1", b""),
    )  # fmt: skip
    replies = [sent(server, raw) for raw in junk]
    assert not [reply.status for reply in replies if 200 <= reply.status < 400]
    for _ in range(100):
        raw = bytearray(right)
        for _ in range(rng.randint(1, 4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        sent(server, bytes(raw))
    assert ask(server, "length", b"12345").json["length"] == 5


# -- time ------------------------------------------------------------------------------------------


def slowly(connection, raw, pause):
    """Send byte by byte until the other side has had enough; how long that took."""
    started = monotonic()
    try:
        for k in range(len(raw)):
            connection.sendall(raw[k : k + 1])
            sleep(pause)
    except OSError:
        pass
    return monotonic() - started


@pytest.mark.parametrize("part", ["head", "body", "nothing"])
def test_an_exchange_has_one_deadline_however_the_bytes_trickle(part):
    with running(Server({}, Answers().questions, seconds=1.0)) as server:
        head = request(server, "length", "POST", b"", Content_Length="1000")
        with connected(server) as connection:
            started = monotonic()
            if part == "head":
                slowly(connection, head[:-2] + b"X: " + b"y" * 1_000, 0.02)
            elif part == "body":
                connection.sendall(head)
                slowly(connection, b"z" * 1_000, 0.02)
            found = everything(connection)
            assert monotonic() - started < 15  # 20 s of bytes, a second allowed
        assert b" 200 " not in found
        assert ask(server, "length", b"1").status == 200


def test_what_takes_too_long_is_told_in_time():
    answers = Answers()
    with running(Server({}, answers.questions, seconds=2.0)) as server:
        reply = ask(server, "wait", b"a")
        assert reply.status == 503 and "did not come in time" in reply.json["error"]
        answers.gate.set()
        assert ask(server, "length", b"1").status == 200


def test_half_open_connections_hold_nobody_up(patient):
    """Twenty that have begun a request and do not go on: they would be waited for, 60 s each."""
    server, _ = patient
    with ExitStack() as stack:
        for k in range(20):
            connection = stack.enter_context(connected(server))
            connection.sendall(request(server, "length", "POST", b"12345")[: 10 * k])
        started = monotonic()
        assert ask(server, "length", b"1234").json["length"] == 4
        assert monotonic() - started < 20


def test_there_are_so_many_connections_and_no_more(patient):
    server, _ = patient
    with ExitStack() as stack:
        held = [stack.enter_context(connected(server)) for _ in range(CONNECTIONS)]
        for connection in held:
            connection.sendall(b"GET ")
        until = monotonic() + 20
        while server._free._value and monotonic() < until:
            sleep(0.01)
        assert sent(server, request(server, "run")).status == 0
    until = monotonic() + 20
    while not (found := sent(server, request(server, "run")).status) and monotonic() < until:
        sleep(0.05)
    assert found == 200


def test_one_at_a_time_behind_a_short_queue(patient):
    server, answers = patient
    replies = []

    def wait(k):
        replies.append(ask(server, "wait", f"{k}".encode()))

    threads = [Thread(target=wait, args=(k,)) for k in range(1 + WAITING)]
    for k, thread in enumerate(threads):
        thread.start()
        until = monotonic() + 20
        while (answers.now, server.worker._queue.qsize()) != (1, k) and monotonic() < until:
            sleep(0.005)
    reply = ask(server, "length", b"1")
    assert reply.status == 503 and "too many are waiting" in reply.json["error"]
    assert ask(server, "run").status == 200  # which nobody waits for
    answers.gate.set()
    for thread in threads:
        thread.join(30)
    assert sorted(r.json["waited"] for r in replies) == [str(k) for k in range(1 + WAITING)]
    assert answers.most == 1
    assert ask(server, "length", b"1").status == 200


def test_a_worker_leaves_out_what_nobody_waits_for():
    worker, gate, calls = Worker(4), Event(), []
    asking = [
        Thread(target=lambda: calls.append(worker.ask(lambda: gate.wait(30), monotonic() + 30)))
    ]
    asking[0].start()
    with pytest.raises(Busy, match="in time"):
        worker.ask(lambda: calls.append("too late"), monotonic() + 0.05)
    gate.set()
    asking[0].join(30)
    assert worker.ask(lambda: 7, monotonic() + 30) == 7 and calls == [True]
    with pytest.raises(TimeoutError):  # the call's own
        worker.ask(lambda: (_ for _ in ()).throw(TimeoutError), monotonic() + 30)
    worker.close()
    assert not worker._thread.is_alive()


def test_a_deadline_is_ten_seconds():
    """What the tests above shorten."""
    assert (serving.SECONDS, serving.SENDING) == (10.0, 0.1)
