"""The guards of the suite: an unmarked test reaches neither the network nor an oracle."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import guards
import pytest
from support import oracle_module

TESTS = Path(__file__).resolve().parent
FAR = ("192.0.2.1", 80)  # RFC 5737: nobody has this address


@pytest.mark.parametrize(
    "call",
    [
        lambda: socket.create_connection(FAR, timeout=0.1),
        lambda: socket.socket().connect(FAR),
        lambda: socket.socket().connect_ex(FAR),
        lambda: socket.getaddrinfo("example.invalid", 80),
        lambda: socket.create_connection(("2001:db8::1", 80), timeout=0.1),
    ],
)
def test_the_network_is_out_of_reach(call):
    """Also where the code under test catches every error: the test fails when it ends."""
    with pytest.raises(pytest.fail.Exception, match="without the marker `network`"):
        call()
    assert len(guards.rules_of(frozenset())) == 1


def test_this_machine_is_within_reach():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()


def test_children_are_refused_at_once():
    code = "import urllib.request as u; u.urlopen('http://192.0.2.1/', timeout=20)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=15)
    assert "Connection refused" in done.stderr


def test_an_unmarked_test_has_no_oracle():
    with pytest.raises(pytest.fail.Exception, match="lacks the marker `oracle`"):
        oracle_module("torch")


@pytest.mark.oracle
def test_a_marked_one_has():
    assert oracle_module("json").loads("[1]") == [1]


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: path.stem)
def test_oracles_are_asked_for_in_one_way(path):
    """Through `oracle_module`; a module that does so as a whole is marked as a whole."""
    text = path.read_text()
    assert not re.search(r"^(import|from) (torch|onnx|onnxruntime)\b", text, re.MULTILINE)
    assert not re.search(r"importorskip\(\s*[\"'](torch|onnx|autograd)\b", text)
    if re.search(r"^\S.*oracle_module\(", text, re.MULTILINE):
        assert re.search(r"^pytestmark = .*\boracle\b", text, re.MULTILINE)
