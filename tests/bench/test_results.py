"""What `tinydl bench --out` writes, from rows made by hand; and the optional libraries' cells."""

import json
from importlib import import_module

import numpy as np
import pytest
from support import oracle_module

from tinydl.bench import CASES, PEERS
from tinydl.bench.harness import TOLERANCE
from tinydl.bench.inputs import inputs
from tinydl.bench.results import markdown, write_results
from tinydl.bench.worker import difference


def a_row(name, threads=1, **changes):
    row = {
        "name": name, "group": "conv", "threads": threads, "seconds": 0.002, "gflops": 50.0,
        "gbps": None, "peak_share": 0.5, "best_peer": "torch", "ratio": 1.5, "spread": [1.4, 1.7],
        "peers": {"numpy": {"seconds": 0.009, "ratio": 4.5},
                  "torch": {"seconds": 0.003, "ratio": 1.5}},
        "versions": {"tinydl": "tinydl 1", "torch": "torch 2"}, "machine": "M", "level": "avx2",
        "date": "2026-01-02T03:04:05", "commit": "abc",
    }  # fmt: skip
    return row | changes


def test_the_table():
    text = markdown([a_row("one"), a_row("two", 2, gflops=None, gbps=7.25, peak_share=None)])
    assert "| one | 2 | 50.0 GFLOP/s | 50 % | 9 | **3** | 1.50 (1.40-1.70) |" in text
    assert "| two | 2 | 7.2 GB/s |  | 9 | **3** | 1.50 (1.40-1.70) |" in text
    assert "## conv, 1 thread\n" in text and "## conv, 2 threads\n" in text
    assert "M, avx2; tinydl 1; torch 2; commit abc, 2026-01-02" in text


def test_a_cell_without_a_peer_or_a_result():
    nothing = {"best_peer": None, "ratio": None, "spread": None}
    alone = a_row("alone", peers={}, **nothing)
    failed = a_row("failed", peers={}, seconds=None, gflops=None, peak_share=None, **nothing)
    text = markdown([alone, failed])
    assert "| alone | 2 | 50.0 GFLOP/s | 50 % | - |" in text
    assert "| failed | - |  |  | - |" in text


def test_later_rows_replace_earlier_ones(tmp_path):
    pytest.importorskip("matplotlib")
    write_results([a_row("one"), a_row("two")], tmp_path)
    paths = write_results([a_row("two", ratio=9.0), a_row("one", 2)], tmp_path)
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert [(r["name"], r["threads"], r["ratio"]) for r in rows] == [
        ("one", 1, 1.5), ("two", 1, 9.0), ("one", 2, 1.5)
    ]  # fmt: skip
    assert {p.name for p in paths} == {
        "bench.json", "bench.md", "bench_conv_1.png", "bench_conv_2.png"
    }  # fmt: skip
    assert all(p.stat().st_size > 0 for p in paths)


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
@pytest.mark.parametrize("kind", ["matmul", "softmax_ce_backward", "conv_backward", "mlp_step"])
def test_optional_peers_agree_with_the_reference(name, kind):
    pytest.importorskip(name)
    case = min((c for c in CASES if c.kind == kind), key=lambda c: (c.flops, c.traffic))
    found = []
    for spec in ("tinydl.bench.peer_tinydl:numpy", PEERS[name]):
        module, _, argument = spec.partition(":")
        run, export = import_module(module).open_peer(argument, 1).build(case, inputs(case))
        found.append([np.asarray(a) for a in export(run())])
    assert difference(found[1], found[0]) < TOLERANCE


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_runtimes_of_onnx_files_agree_with_the_reference(name):
    """LeNet has convolutions, pools and products, and a flattening of channels that stand last."""
    pytest.importorskip(name, reason="a peer of the extra `bench`")
    oracle_module("onnx")
    case = next(c for c in CASES if c.name == "lenet compiled N1")
    found = []
    for spec in ("tinydl.bench.peer_tinydl:numpy", "tinydl.bench.peer_tinydl:cpu", PEERS[name]):
        module, _, argument = spec.partition(":")
        run, export = import_module(module).open_peer(argument, 1).build(case, inputs(case))
        found.append([np.asarray(a) for a in export(run())])
    assert difference(found[1], found[0]) < TOLERANCE and difference(found[2], found[0]) < TOLERANCE
    absent = next(c for c in CASES if c.kind == "matmul")
    assert import_module("tinydl.bench.peer_onnx").open_peer(name, 1).build(absent, {}) is None
