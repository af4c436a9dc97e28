"""Damaged ONNX files: each is imported as it was, or refused with an error of tinydl, within 10
seconds of processor time.

    PYTHONPATH=tests python -m fuzz.onnx_files --inputs 20000 --seed 1

The files are small graphs made here, of several operators, mutated as fuzz.mutations does; every
fourth time a field of the graph is changed instead, so that what is read is a graph.
"""

from __future__ import annotations

import argparse
import faulthandler
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from interop.onnx_files import graph_file

import tinydl as td
from fuzz.mutations import MUTATIONS
from tinydl.errors import TinydlError

SECONDS = 10
ODD = (0, -1, 1, 2, 3, 7, 1 << 20, -(1 << 20), (1 << 62), -(1 << 62))


def subjects(onnx, folder):
    """(content, inputs) of some graphs that between them ask every part of the reader."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.normal(size=shape).astype(np.float32)

    x = {"x": ("N", 3, 8, 8)}
    graphs = {
        "images": ([
            ("Conv", ["x", "w", "b"], ["a"], {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
            ("BatchNormalization", ["a", "b", "b", "b", "v"], ["n"], {}),
            ("Clip", ["n", "low", "high"], ["c"], {}),
            ("MaxPool", ["c"], ["p"], {"kernel_shape": [2, 2], "ceil_mode": 1}),
            ("Resize", ["p", "", "scales"], ["r"], {"mode": "linear"}),
            ("Pad", ["r", "widths"], ["q"], {"mode": "reflect"}),
            ("GlobalAveragePool", ["q"], ["g"], {}),
            ("Flatten", ["g"], ["y"], {"axis": 1}),
        ], x, {"w": normal(4, 3, 3, 3), "b": normal(4), "v": np.ones(4, np.float32),
               "low": np.float32(-1), "high": np.float32(1),
               "scales": np.array([1, 1, 2, 1.5], np.float32),
               "widths": np.array([0, 0, 1, 1, 0, 0, 1, 0])}),
        "shapes": ([
            ("Shape", ["x"], ["s"], {}),
            ("Gather", ["s", "i"], ["n"], {"axis": 0}),
            ("Concat", ["n", "rest"], ["t"], {"axis": 0}),
            ("Reshape", ["x", "t"], ["f"], {}),
            ("Slice", ["f", "start", "end", "axes", "step"], ["c"], {}),
            ("ConstantOfShape", ["size"], ["k"], {}),
            ("Expand", ["k", "wide"], ["e"], {}),
            ("Tile", ["e", "times"], ["l"], {}),
            ("ReduceSum", ["l", "axes"], ["z"], {"keepdims": 0}),
            ("MatMul", ["c", "m"], ["h"], {}),
            ("Add", ["h", "z"], ["y"], {}),
        ], x, {"i": np.array([0]), "rest": np.array([-1]), "start": np.array([0]),
               "end": np.array([10]), "axes": np.array([1]), "step": np.array([2]),
               "size": np.array([1, 2]), "wide": np.array([3, 2]), "times": np.array([1, 2]),
               "m": normal(5, 3)}),
        "steps": ([
            ("Reshape", ["x", "t"], ["r"], {}),
            ("LSTM", ["r", "w", "u", "b"], ["o", "h", "c"], {"hidden_size": 2}),
            ("TopK", ["h", "k"], ["v", "p"], {"axis": -1}),
            ("Softmax", ["v"], ["y"], {"axis": -1}),
        ], x, {"t": np.array([8, -1, 8]), "w": normal(1, 8, 8), "u": normal(1, 8, 2),
               "b": normal(1, 16), "k": np.array([2])}),
    }  # fmt: skip
    found = []
    for name, (nodes, inputs, constants) in graphs.items():
        path = graph_file(onnx, folder / f"{name}.onnx", nodes, inputs, {"y": None}, constants)
        found.append(path.read_bytes())
    return found


def changed(onnx, content, rng):
    """The graph with one or two of its fields set to something odd."""
    model = onnx.load_model_from_string(content)
    for _ in range(rng.choice((1, 1, 2))):
        node = rng.choice(model.graph.node)
        what = rng.randrange(7)
        tensor = rng.choice(model.graph.initializer)
        if what == 0 and node.attribute:
            attribute = rng.choice(node.attribute)
            attribute.i = rng.choice(ODD)
            if attribute.ints:
                attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(ODD)
        elif what == 1 and node.input:
            other = rng.choice([*model.graph.node[0].input, *node.output, "", "nothing"])
            node.input[rng.randrange(len(node.input))] = other
        elif what == 2:
            node.op_type = rng.choice(["Add", "Reshape", "If", "Conv", "Loop", "Slice", "Range"])
        elif what == 3 and tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(ODD)
        elif what == 4:
            tensor.data_type = rng.choice((0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 14, 16, 99))
        elif what == 5 and tensor.data_type == onnx.TensorProto.INT64:
            size = len(tensor.raw_data) // 8
            tensor.raw_data = np.array([rng.choice(ODD) for _ in range(size)]).tobytes()
        else:
            model.opset_import[0].version = rng.choice((0, 1, 5, 6, 7, 9, 10, 12, 13, 18, 30, -4))
    return model.SerializeToString()


def judged(path, x):
    """ "as it was"-like outcomes by name; a foreign exception goes through."""
    try:
        net = td.load_onnx(path)
    except TinydlError:
        return "refused"
    try:
        with td.no_grad():
            net(x)
    except TinydlError:
        return "refused at the call"
    return "computed"


def main(arguments=None):
    import onnx

    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    names, counts, faults = sorted(MUTATIONS), Counter(), 0
    x = np.random.default_rng(1).normal(size=(2, 3, 8, 8)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder, td.use_backend("cpu"):
        contents = subjects(onnx, Path(folder))
        path = Path(folder) / "m.onnx"
        for k in range(given.inputs):
            rng = random.Random(given.seed * 1_000_003 + k)
            content = rng.choice(contents)
            how = rng.choice(names) if k % 4 else "a field"
            path.write_bytes(MUTATIONS[how](content, rng) if k % 4 else changed(onnx, content, rng))
            faulthandler.dump_traceback_later(6 * SECONDS, exit=True, file=sys.__stderr__)
            start = time.process_time()  # the machine may have other work
            try:
                counts[judged(path, x)] += 1
            except Exception as error:
                faults += 1
                print(f"FAULT {k} ({how}): {type(error).__name__}: {error}")
            if time.process_time() - start > SECONDS:
                faults += 1
                print(f"FAULT {k} ({how}): took {time.process_time() - start:.1f} s")
            faulthandler.cancel_dump_traceback_later()
    print(f"{given.inputs} damaged files: {dict(counts)}, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
