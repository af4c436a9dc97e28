"""Finding and downloading files, against a local HTTP server that misbehaves on request."""

import builtins
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tinydl.data import catalog, download, inventory
from tinydl.data.catalog import CATALOG
from tinydl.data.record import DataFile, DataSet, Mirror
from tinydl.errors import ConfigError, DataError

pytest.importorskip("filelock", reason="needs filelock (the extra `data`)")

BODY = bytes(range(256)) * 2000
NAME = "file.gz"


class Handler(BaseHTTPRequestHandler):
    """/good/ serves BODY; every other folder is one way to fail."""

    def do_GET(self):
        kind = self.path.split("/")[1]
        with self.server.lock:
            self.server.requests.append((kind, self.headers["User-Agent"]))
        # The client may have been killed or have seen enough.
        with suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, kind)()

    def good(self):
        self.body(BODY)

    def late(self):
        time.sleep(0.5)
        self.body(BODY)

    def missing(self):
        self.send_error(404)

    def forbidden(self):
        self.send_error(403)

    def busy(self):
        self.send_error(503)

    def truncated(self):
        self.body(BODY[:1000], len(BODY))

    def short(self):
        self.body(BODY[:-1])

    def long(self):
        self.body(BODY + b"x")

    def wrong(self):
        self.body(BODY[:-1] + b"x")

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.stopping.is_set():
            self.wfile.write(BODY)
            self.server.sent += len(BODY)

    def stalled(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[: len(BODY) // 2])
        self.wfile.flush()
        self.server.half_sent.set()
        self.server.stopping.wait(30)

    def dripping(self):
        self.send_response(200)
        self.end_headers()
        for k in range(300):
            if self.server.stopping.wait(0.02):
                return
            self.wfile.write(BODY[k : k + 1])
            self.wfile.flush()

    def nonsense(self):
        self.wfile.write(b"this is not HTTP\r\n\r\n")

    def moved(self):
        self.send_response(302)
        self.send_header("Location", f"/good/{NAME}")
        self.end_headers()

    def loop(self):
        self.send_response(302)
        self.send_header("Location", f"/loop/{NAME}")
        self.end_headers()

    def body(self, data, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.lock, http.requests, http.sent = threading.Lock(), [], 0
        http.stopping, http.half_sent = threading.Event(), threading.Event()
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield http
        http.stopping.set()
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folders(monkeypatch, tmp_path):
    for name in ("TINYDL_DATA", "TINYDL_OFFLINE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TINYDL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


def base(server, kind):
    return f"http://127.0.0.1:{server.server_address[1]}/{kind}/"


def tiny(server, *kinds):
    mirrors = tuple(Mirror(base(server, kind)) for kind in kinds)
    file = DataFile(NAME, hashlib.sha256(BODY).hexdigest(), len(BODY), (1,), mirrors)
    return DataSet("tiny", "tiny-folder", (file,), (), "", "", "", "", "")


def locate(dataset):
    return download.locate(dataset, dataset.files[0])


def kinds(server):
    return [kind for kind, _ in server.requests]


def left_behind(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock")


def test_a_download_lands_in_the_cache_once(server, folders):
    path = locate(tiny(server, "good"))
    assert path == folders / "cache" / "tiny-folder" / NAME
    assert path.read_bytes() == BODY
    assert locate(tiny(server, "good")) == path
    assert server.requests == [("good", "tinydl")]  # some servers refuse Python's own name
    assert left_behind(folders) == [NAME]


def test_redirects_are_followed(server):
    assert locate(tiny(server, "moved")).read_bytes() == BODY


FAILURES = {
    "missing": "HTTP 404",
    "forbidden": "HTTP 403",
    "busy": "HTTP 503",
    "truncated": f"truncated, 1000 of {len(BODY)} bytes",
    "short": f"truncated, {len(BODY) - 1} of",
    "long": "more than the",
    "wrong": "wrong SHA-256",
    "endless": "more than the",
    "nonsense": "BadStatusLine",
    "loop": "HTTP 302",
}


@pytest.mark.parametrize("kind", FAILURES)
def test_the_next_mirror_is_tried(server, folders, kind):
    assert locate(tiny(server, kind, "good")).read_bytes() == BODY
    assert kinds(server)[0] == kind and kinds(server)[-1] == "good"
    assert left_behind(folders) == [NAME]


def test_when_all_fail_every_address_and_reason_is_listed(server, folders):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # bound but not listening: refused
    dataset = tiny(server, *FAILURES)
    file = dataset.files[0]
    nobody = Mirror(f"http://127.0.0.1:{closed.getsockname()[1]}/x/")
    unknown = Mirror("gopher://127.0.0.1/")
    file = DataFile(file.name, file.sha256, file.size, (1,), (*file.mirrors, nobody, unknown))
    with closed, pytest.raises(DataError) as error:
        download.locate(dataset, file)
    message = str(error.value)
    for kind, reason in FAILURES.items():
        assert re.search(re.escape(f"{base(server, kind)}{NAME}: ") + f"[^;]*{reason}", message)
    assert re.search(re.escape(nobody.base) + "[^;]*refused", message)
    assert re.search(re.escape(unknown.base) + "[^;]*unknown url type", message)
    assert str(folders / "cache" / "tiny-folder") in message
    assert left_behind(folders) == []


def test_an_endless_answer_is_cut_at_the_known_size(server):
    with pytest.raises(DataError, match="more than the"):
        locate(tiny(server, "endless"))
    # What the sockets buffer, not what the server would have sent.
    assert server.sent < len(BODY) + 20_000_000


def test_a_server_that_falls_silent_or_drips(server, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    monkeypatch.setattr(download, "MINIMUM_RATE", 10 * len(BODY))
    started = time.monotonic()
    with pytest.raises(DataError, match=r"(?s)stalled/.*timed out.*dripping/.*slower than"):
        locate(tiny(server, "stalled", "dripping"))
    assert time.monotonic() - started < 5


def test_the_users_folder_comes_first_and_is_never_written(server, folders, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(folders / "mine"))
    dataset = tiny(server, "good")
    cached = locate(dataset)
    assert cached.is_relative_to(folders / "cache") and not (folders / "mine").exists()
    mine = folders / "mine" / "tiny-folder" / NAME
    mine.parent.mkdir(parents=True)
    mine.write_bytes(BODY)
    assert locate(dataset) == mine
    mine.write_bytes(BODY[:-1] + b"x")
    with pytest.raises(DataError, match=f"{NAME} is not the original file: SHA-256"):
        locate(dataset)
    mine.write_bytes(BODY[:-1])
    with pytest.raises(DataError, match=f"{len(BODY) - 1} bytes instead of {len(BODY)}"):
        locate(dataset)
    assert kinds(server) == ["good"]


def test_a_damaged_cache_entry_is_replaced(server):
    path = locate(tiny(server, "good"))
    for damage in (BODY[:-1] + b"x", BODY[:100], b""):
        path.write_bytes(damage)
        assert locate(tiny(server, "good")).read_bytes() == BODY
    assert kinds(server) == ["good"] * 4


def test_offline_names_file_folders_and_command(server, folders, monkeypatch):
    monkeypatch.setenv("TINYDL_OFFLINE", "1")
    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("opened a socket"))
    with pytest.raises(DataError) as error:
        locate(tiny(server, "good"))
    cache = folders / "cache" / "tiny-folder"
    for part in (NAME, str(cache), "TINYDL_OFFLINE", "`tinydl data fetch tiny`"):
        assert part in str(error.value)
    monkeypatch.setenv("TINYDL_DATA", str(folders / "mine"))
    with pytest.raises(DataError) as error:
        locate(tiny(server, "good"))
    for part in (str(folders / "mine" / "tiny-folder"), "(TINYDL_DATA)", str(cache)):
        assert part in str(error.value)
    assert "\n" not in str(error.value)
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(b"damaged")
    with pytest.raises(DataError, match="there but damaged"):
        locate(tiny(server, "good"))
    (cache / NAME).write_bytes(BODY)
    assert locate(tiny(server, "good")) == cache / NAME
    assert server.requests == []


def test_offline_zero_means_online(server, monkeypatch):
    monkeypatch.setenv("TINYDL_OFFLINE", "0")
    assert not download.offline()
    assert locate(tiny(server, "good")).is_file()


def test_the_cache_folder(monkeypatch, folders):
    assert download.cache_folder() == folders / "cache"
    monkeypatch.delenv("TINYDL_CACHE")
    monkeypatch.setenv("HOME", "/home/someone")
    assert str(download.cache_folder()) == "/home/someone/.cache/tinydl"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert str(download.cache_folder()) == "/elsewhere/tinydl"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored by the XDG specification
    assert str(download.cache_folder()) == "/home/someone/.cache/tinydl"


def test_a_cache_that_cannot_be_written(server, folders, monkeypatch):
    (folders / "a-file").write_text("")
    monkeypatch.setenv("TINYDL_CACHE", str(folders / "a-file"))
    with pytest.raises(DataError, match=r"cannot write .*TINYDL_CACHE names another folder"):
        locate(tiny(server, "good"))
    assert server.requests == []


CHILD = """
import sys
from tinydl.data import download
from tinydl.data.record import DataFile, DataSet, Mirror
url, sha256, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
file = DataFile("file.gz", sha256, size, (1,), (Mirror(url),))
dataset = DataSet("tiny", "tiny-folder", (file,), (), "", "", "", "", "")
{before}
print("ready", flush=True)
sys.stdin.readline()
try:
    print(download.locate(dataset, file), flush=True)
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""


def child(server, kind, before=""):
    program = textwrap.dedent(CHILD).format(before=before)
    arguments = [base(server, kind), hashlib.sha256(BODY).hexdigest(), str(len(BODY))]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_download_once(server, folders):
    processes = [child(server, "late") for _ in range(2)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60) for process in processes]
    path = folders / "cache" / "tiny-folder" / NAME
    assert answers == [(f"{path}\n", "")] * 2
    assert path.read_bytes() == BODY
    assert kinds(server) == ["late"]
    assert left_behind(folders) == [NAME]


def test_a_process_killed_half_way_leaves_no_file(server, folders):
    process = child(server, "stalled")
    process.stdin.write("go\n")
    process.stdin.flush()
    assert server.half_sent.wait(30)
    folder = folders / "cache" / "tiny-folder"
    deadline = time.monotonic() + 30
    while not any(p.stat().st_size for p in folder.glob(".*.part")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert not (folder / NAME).exists()
    assert len(left_behind(folders)) == 1 and left_behind(folders)[0].endswith(".part")
    assert locate(tiny(server, "good")).read_bytes() == BODY  # the lock died with its owner
    assert left_behind(folders) == [NAME]  # and the rest was swept up


@pytest.mark.skipif(os.name != "posix", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_is_not_blamed_on_the_mirror(server, folders):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    process = child(server, "good", before=limit)
    out, err = process.communicate("go\n", timeout=60)
    assert out.startswith("DataError data: cannot write ") and err == ""
    assert left_behind(folders) == []


def test_waiting_for_another_process_ends(server, folders, monkeypatch):
    import filelock

    monkeypatch.setattr(download, "LOCK_TIMEOUT", 0.1)
    folder = folders / "cache" / "tiny-folder"
    folder.mkdir(parents=True)
    with filelock.FileLock(folder / f".{NAME}.lock"), pytest.raises(DataError, match="waited"):
        locate(tiny(server, "good"))
    assert server.requests == []


def test_without_filelock_one_sentence_says_what_to_install(server, monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest):
        if name == "filelock":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DataError, match=r'needs filelock: pip install "\.\[data\]"'):
        locate(tiny(server, "good"))


def test_without_tqdm_the_download_is_silent(server, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert locate(tiny(server, "good")).is_file()
    assert capsys.readouterr() == ("", "")


def test_fetch_and_verify_rows(server, folders, monkeypatch):
    dataset = tiny(server, "missing", "good", "wrong")
    monkeypatch.setitem(CATALOG, "tiny", dataset)
    path = str(folders / "cache" / "tiny-folder" / NAME)
    row = {"name": "tiny", "file": NAME, "path": path}
    absent = row | {"status": "missing", "detail": "run: tinydl data fetch tiny"}
    assert inventory.verify("tiny") == [absent]
    assert server.requests == []
    assert inventory.fetch("tiny") == [row | {"status": "ok", "detail": ""}]
    assert inventory.verify("tiny") == [row | {"status": "ok", "detail": ""}]
    assert kinds(server) == ["missing", "good"]
    online = inventory.verify("tiny", online=True)
    assert [r["status"] for r in online] == ["ok", "failed", "ok", "failed"]
    assert [r["path"] for r in online[1:]] == [
        mirror.base + NAME for mirror in dataset.files[0].mirrors
    ]
    assert online[1]["detail"].startswith("HTTP 404")
    assert online[2]["detail"] == "could not be opened when catalogued"
    assert online[3]["detail"].startswith("wrong SHA-256")
    (folders / "cache" / "tiny-folder" / NAME).write_bytes(BODY[:-1] + b"x")
    assert inventory.verify("tiny")[0]["status"] == "wrong"
    monkeypatch.setenv("TINYDL_OFFLINE", "1")
    with pytest.raises(DataError, match="needs a network"):
        inventory.verify("tiny", online=True)


def test_two_editions_of_one_file_name(server, folders, monkeypatch):
    other = DataFile(NAME, hashlib.sha256(b"repacked").hexdigest(), 8, (), ())
    monkeypatch.setitem(CATALOG, "tiny", tiny(server, "good"))
    monkeypatch.setitem(
        CATALOG, "second", DataSet("second", "tiny-folder", (other,), (), "", "", "", "", "")
    )
    path = folders / "cache" / "tiny-folder" / NAME
    path.parent.mkdir(parents=True)
    for content, statuses in (
        (b"repacked", ("missing", "ok")),
        (BODY, ("ok", "missing")),
        (b"repacker", ("missing", "wrong")),
        (b"neither", ("wrong", "wrong")),
    ):
        path.write_bytes(content)
        rows = [inventory.verify(name)[0] for name in ("tiny", "second")]
        assert tuple(row["status"] for row in rows) == statuses
    assert inventory.verify("tiny")[0]["detail"].endswith(f"instead of {len(BODY)}")


def test_unknown_names():
    with pytest.raises(
        ConfigError, match="unknown data set 'nothing', known are digits, optdigits, mnist"
    ):
        inventory.fetch("nothing")
    with pytest.raises(ConfigError, match=r"mnist has no file 'x', it has train-images"):
        catalog.lookup("mnist").file("x")


def test_what_cannot_be_downloaded_says_so(server, folders, monkeypatch):
    dataset = tiny(server)  # no mirror
    dataset = DataSet(*[getattr(dataset, f) for f in DataSet.__slots__[:9]], by_hand="ask somebody")
    monkeypatch.setitem(CATALOG, "tiny", dataset)
    for setting in ("0", "1"):
        monkeypatch.setenv("TINYDL_OFFLINE", setting)
        with pytest.raises(
            DataError, match=r"cannot be downloaded: ask somebody \(source: "
        ) as error:
            locate(dataset)
        assert str(folders / "cache" / "tiny-folder") in str(error.value)
    assert inventory.verify("tiny")[0]["detail"] == "no download: ask somebody"
    path = folders / "cache" / "tiny-folder" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY)
    assert locate(dataset) == path and server.requests == []


def test_the_first_edition_that_is_there(server, folders):
    other = DataFile("other.gz", hashlib.sha256(b"other").hexdigest(), 5, (), ())
    first = tiny(server, "good")
    again = DataFile("again.gz", hashlib.sha256(b"again").hexdigest(), 5, (), ())
    second = DataSet("second", "tiny-folder", (other, again), (), "", "", "", "", "")
    assert download.first_present(first, second) is first
    folder = folders / "cache" / "tiny-folder"
    folder.mkdir(parents=True)
    (folder / "other.gz").write_bytes(b"other")
    assert download.first_present(first, second) is first  # half of it is not enough
    (folder / "again.gz").write_bytes(b"again")
    assert download.first_present(first, second) is second
    (folder / NAME).write_bytes(BODY[:-1])  # a wrong size does not count
    assert download.first_present(first, second) is second
    (folder / NAME).write_bytes(BODY)
    assert download.first_present(first, second) is first


def test_import_loads_no_network_and_no_extra():
    program = (
        "import sys, tinydl.data\n"
        "heavy = {'urllib.request', 'http.client', 'ssl', 'filelock', 'tqdm', 'PIL', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
