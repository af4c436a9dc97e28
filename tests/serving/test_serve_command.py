"""`tinydl serve RUN` as one starts and ends it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import tinydl

ROOT = Path(tinydl.__file__).resolve().parents[1]


def test_it_prints_an_address_answers_there_and_ends_by_ctrl_c(tmp_path):
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    process = subprocess.Popen(
        [sys.executable, "-m", "tinydl", "serve", "synthetic-digits", "--json"],
        env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        text = ""
        while not text.endswith("}\n"):
            text += process.stdout.readline()
        told = json.loads(text)
        assert told["run"] == "synthetic-digits" and told["asks"] == ["picture", "drawing"]
        open_ = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        with open_(told["url"], timeout=30) as reply:
            assert b"<title>tinydl serve</title>" in reply.read()
        ink = bytes([255]) * 78_400
        asking = urllib.request.Request(
            told["url"] + "drawing", ink, {"Content-Type": "application/octet-stream"}
        )
        with open_(asking, timeout=30) as reply:
            assert len(json.load(reply)["bars"]) == 10
        process.send_signal(signal.SIGINT)
        left, errors = process.communicate(timeout=30)
        assert process.returncode == 130 and left == ""
        assert told["url"] in errors and errors.endswith("tinydl: interrupted\n")
    finally:
        process.kill()
        process.communicate()
