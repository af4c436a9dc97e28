"""Damaged files of Keras and PyTorch: each is imported as it was, or refused with an error of
tinydl, within 10 seconds of processor time.

    PYTHONPATH=tests python -m fuzz.imported_files --inputs 20000 --seed 1

The files are small ones made here, mutated as fuzz.mutations does; two of three times a field of
the configuration, a stored array or an entry of the header is changed instead, so that what is read
is a file of that kind. No more memory than 8 GiB is there, so that a lie about sizes shows.
"""

from __future__ import annotations

import argparse
import copy
import faulthandler
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from interop.keras_files import archive, called, functional, hdf5, layer, sequential

import tinydl as td
from fuzz.mutations import MUTATIONS
from tinydl import nn
from tinydl.errors import TinydlError
from tinydl.interop.keras import stored

SECONDS = 10
MEMORY = 8 << 30
ODD = (0, -1, 1, 2, 3, 7, 1.5, 1 << 20, -(1 << 20), 1 << 62, None, True, "x", [], {}, [None], 1e300)
KINDS = ("Dense", "Conv2D", "LSTM", "Lambda", "Add", "Bidirectional", "Sequential", "Flatten",
         "Reshape", "BatchNormalization", "Dot", "GRU", "InputLayer", "UpSampling2D")  # fmt: skip


def images(rng):
    """(configuration, arrays) of a functional net with a branch, for .keras."""
    conv = {"kernel_size": [3, 3], "strides": [2, 2], "padding": "same", "activation": "relu"}
    layers = [
        called(layer("InputLayer", name="x", batch_shape=[None, 8, 8, 3])),
        called(layer("Conv2D", name="a", filters=4, **conv), "x"),
        called(layer("BatchNormalization", name="n", axis=-1), "a"),
        called(layer("SeparableConv2D", name="s", filters=4, kernel_size=3, padding="same"), "n"),
        called(layer("Add", name="p"), "n", "s"),
        called(layer("MaxPooling2D", name="m", pool_size=[2, 2]), "p"),
        called(layer("Conv2DTranspose", name="t", filters=2, kernel_size=2, strides=2), "m"),
        called(layer("ZeroPadding2D", name="z", padding=[[1, 0], [0, 1]]), "t"),
        called(layer("Flatten", name="f"), "z"),
        called(layer("Dense", name="d", units=3, activation="softmax"), "f"),
    ]
    shapes = {
        "conv2d": [(3, 3, 3, 4), (4,)], "batch_normalization": [(4,)] * 4,
        "separable_conv2d": [(3, 3, 4, 1), (1, 1, 4, 4), (4,)],
        "conv2d_transpose": [(2, 2, 2, 4), (2,)], "dense": [(50, 3), (3,)],
    }  # fmt: skip
    arrays = {f"layers/{n}/vars/{k}": rng.random(s, np.float32)
              for n, found in shapes.items() for k, s in enumerate(found)}  # fmt: skip
    return functional(layers, ["x"], ["d"]), arrays


def words(rng):
    """(configuration, weights by layers) of a Sequential with masks and gates, for .h5."""
    lstm = layer("LSTM", name="l", units=2, return_sequences=True)
    layers = [
        layer("Embedding", name="e", input_dim=9, output_dim=4, mask_zero=True,
              batch_input_shape=[None, 6]),
        layer("Bidirectional", name="b", layer=lstm, merge_mode="concat"),
        layer("TimeDistributed", name="t", layer=layer("Dense", name="i", units=3)),
        layer("GRU", name="g", units=2, reset_after=True, recurrent_activation="hard_sigmoid"),
        layer("LayerNormalization", name="n"), layer("Dense", name="d", units=2),
    ]  # fmt: skip
    both = {f"b/{way}/{n}:0": s for way in ("forward_l", "backward_l") for n, s in (
        ("kernel", (4, 8)), ("recurrent_kernel", (2, 8)), ("bias", (8,)))}  # fmt: skip
    shapes = {
        "e": {"e/embeddings:0": (9, 4)}, "b": both,
        "t": {"t/kernel:0": (4, 3), "t/bias:0": (3,)},
        "g": {"g/kernel:0": (3, 6), "g/recurrent_kernel:0": (2, 6), "g/bias:0": (2, 6)},
        "n": {"n/gamma:0": (2,), "n/beta:0": (2,)}, "d": {"d/kernel:0": (2, 2), "d/bias:0": (2,)},
    }  # fmt: skip
    weights = {n: {p: rng.random(s, np.float32) for p, s in found.items()}
               for n, found in shapes.items()}  # fmt: skip
    return sequential(layers), weights


def towers(rng):
    """(configuration, weights) of a model in a model, called twice, in Keras 2's writing."""
    inner = functional(
        [called(layer("InputLayer", name="u", batch_input_shape=[None, 4]), old=True),
         called(layer("Dense", name="v", units=4), "u", old=True)], ["u"], ["v"],
    )  # fmt: skip
    inner |= {"name": "w"}
    inner["config"]["name"] = "w"
    twice = inner | {"inbound_nodes": [[["x", 0, 0, {}]], [["y", 0, 0, {}]]]}
    layers = [
        called(layer("InputLayer", name="x", batch_input_shape=[None, 4]), old=True),
        called(layer("InputLayer", name="y", batch_input_shape=[None, 4]), old=True), twice,
        called(layer("Concatenate", name="c", axis=-1), "w", "w", old=True),
        called(layer("Reshape", name="r", target_shape=[2, -1]), "c", old=True),
        called(layer("Dot", name="q", axes=[1, 1]), "r", "r", old=True),
    ]  # fmt: skip
    layers[3]["inbound_nodes"] = [[["w", 1, 0, {}], ["w", 2, 0, {}]]]
    weights = {"w": {"v/kernel:0": rng.random((4, 4), np.float32), "v/bias:0": np.ones(4, "f4")}}
    return functional(layers, ["x", "y"], ["q"]), weights


def fields(value):
    """(container, key) of every place in nested JSON."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        found.append((value, key))
        if isinstance(item, dict | list):
            found += fields(item)
    return found


def changed(config, rng):
    """The same with one or two fields odd, missing, doubled or of another class."""
    config = copy.deepcopy(config)
    for _ in range(rng.choice((1, 1, 2))):
        places = fields(config)
        if not places:
            break
        container, key = rng.choice(places)
        how = rng.randrange(6)
        if how == 0 and isinstance(container, dict):
            del container[key]
        elif how == 1 and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        elif how == 2:
            other, place = rng.choice(places)
            container[key] = copy.deepcopy(other[place])
        elif how == 3:
            container, key = rng.choice(
                [p for p in places if p[1] == "class_name"] or [(container, key)]
            )
            container[key] = rng.choice(KINDS)
        else:
            container[key] = rng.choice(ODD)
    return config


def other_arrays(arrays, rng):
    """The same with one array of another shape, type or content, or without it."""
    arrays = dict(arrays)
    name = rng.choice(list(arrays))
    a = np.asarray(arrays[name])
    found = rng.choice((
        a.T, a[:0], a.reshape(-1), a[None], a.astype("f8"), a.astype("f2"), a.astype("i4"),
        np.float32(1), a * np.nan, np.array([b"text"]), a[..., :1], np.ones((70, 70), "f4"), None,
    ))  # fmt: skip
    if found is None:
        del arrays[name]
    else:
        arrays[name] = found
    return arrays


def torch_file(rng, path, damage):
    """A state_dict as safetensors, perhaps with a header that lies, or as .npz."""
    numbers = np.random.default_rng(0)
    shapes = {
        "0.weight": (4, 3), "0.bias": (4,), "1.weight_ih_l0": (6, 4), "1.weight_hh_l0": (6, 2),
        "1.bias_ih_l0": (6,), "1.bias_hh_l0": (6,),
    }  # fmt: skip
    arrays = {n: numbers.random(s, np.float32) for n, s in shapes.items()}
    arrays = other_arrays(arrays, rng) if damage and rng.random() < 0.3 else arrays
    arrays = {n: a for n, a in arrays.items() if np.asarray(a).dtype.kind != "S"}
    if rng.random() < 0.4:
        target = io.BytesIO()
        np.savez(target, **arrays)
        return target.getvalue()
    td.save(arrays, path)
    content = path.read_bytes()
    if damage:
        size = int.from_bytes(content[:8], "little")
        header = changed(json.loads(content[8 : 8 + size]), rng)
        told = json.dumps(header).encode()
        content = len(told).to_bytes(8, "little") + told + content[8 + size :]
    return content


def write(kind, rng, path, damage):
    """The bytes of a file of a kind, whole or with a field changed."""
    import h5py

    numbers = np.random.default_rng(0)
    if kind == "torch":
        return torch_file(rng, path, damage)
    config, weights = {"images": images, "words": words, "towers": towers}[kind](numbers)
    if damage and rng.random() < 0.3:
        key = rng.choice(list(weights))
        if kind == "images":
            weights = other_arrays(weights, rng)
        else:
            weights = weights | {key: other_arrays(weights[key], rng)}
    elif damage:
        config = changed(config, rng)
    target = io.BytesIO()
    (archive if kind == "images" else hdf5)(h5py, target, config, weights)
    return target.getvalue()


def judged(kind, path):
    """ "computed" and the like; a foreign exception goes through."""
    try:
        if kind == "torch":
            net = nn.Sequential(nn.Linear(3, 4), nn.GRU(4, 2))
            td.load_torch(path, net)
            return "computed"
        net = td.load_keras(path)
    except TinydlError as error:
        if len(str(error)) > 1500:
            raise ValueError(f"a message of {len(str(error))} characters") from error
        return "refused"
    arrays = []
    for wire in net.inputs.values():
        shape = [2 if n is None else n for n in wire.shape or (2, 4)]
        if np.prod(shape, dtype=float) > 1e5 or min(shape) < 1:
            return "not called"
        arrays.append(np.ones(shape, "i4" if kind == "words" else "f4"))
    try:
        with td.no_grad():
            net(*arrays)
    except TinydlError:
        return "refused at the call"
    return "computed"


@contextmanager
def little_memory():
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard < 0 else min(MEMORY, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    names, counts, faults = sorted(MUTATIONS), Counter(), 0
    with tempfile.TemporaryDirectory() as folder, td.use_backend("cpu"), little_memory():
        for k in range(given.inputs):
            rng = random.Random(given.seed * 1_000_003 + k)
            kind = rng.choice(("images", "words", "towers", "torch"))
            path = Path(folder) / ("w.safetensors" if kind == "torch" else "m.keras")
            how = rng.choice(names) if k % 3 == 0 else "a field"
            stored.APART = how != "a field"  # what h5py wrote can be read in this process
            content = write(kind, rng, path, how == "a field")
            path.write_bytes(content if how == "a field" else MUTATIONS[how](content, rng))
            faulthandler.dump_traceback_later(30 * SECONDS, exit=True, file=sys.__stderr__)
            start = time.process_time()  # the machine may have other work
            try:
                counts[f"{'torch' if kind == 'torch' else 'keras'}: {judged(kind, path)}"] += 1
            except Exception as error:
                faults += 1
                print(f"FAULT {k} ({kind}, {how}): {type(error).__name__}: {error}")
            if time.process_time() - start > SECONDS:
                faults += 1
                print(f"FAULT {k} ({kind}, {how}): took {time.process_time() - start:.1f} s")
            faulthandler.cancel_dump_traceback_later()
    stored.APART = True
    print(f"{given.inputs} damaged files: {dict(sorted(counts.items()))}, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
