"""Keras files made without Keras: a configuration and arrays, as .keras and as .h5."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np


def layer(kind, module="keras.layers", name=None, **config):
    """An entry of "layers" in a Sequential model."""
    config = {"name": name or kind.lower(), **config}
    return {"class_name": kind, "module": module, "config": config}


def called(entry, *sources, old=False, **kwargs):
    """The entry in a functional model, called once with the outputs of these layers."""
    name = entry["config"]["name"]
    if not sources:
        nodes = []
    elif old:
        nodes = [[[source, 0, 0, kwargs] for source in sources]]
    else:
        refs = [{"class_name": "__keras_tensor__", "config": {"keras_history": [s, 0, 0]}}
                for s in sources]  # fmt: skip
        nodes = [{"args": [refs if len(refs) > 1 else refs[0]], "kwargs": kwargs}]
    return entry | {"name": name, "inbound_nodes": nodes}


def sequential(layers):
    return {"class_name": "Sequential", "module": "keras",
            "config": {"name": "s", "layers": layers}}  # fmt: skip


def functional(layers, inputs, outputs):
    ends = {
        "input_layers": [[n, 0, 0] for n in inputs],
        "output_layers": [[n, 0, 0] for n in outputs],
    }
    return {"class_name": "Functional", "module": "keras",
            "config": {"name": "f", "layers": layers, **ends}}  # fmt: skip


def archive(h5py, path, config, arrays, version="3.8.0"):
    """A .keras file; arrays: {place in model.weights.h5: array}."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_group("layers")
        for place, array in arrays.items():
            file[place] = array
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", json.dumps({"keras_version": version}))
        file.writestr("config.json", json.dumps(config))
        file.writestr("model.weights.h5", weights.getvalue())
    return path


def hdf5(h5py, path, config, weights, version="2.4.0"):
    """A .h5 file; weights: {layer: {name: array}}; config None: the weights alone."""
    with h5py.File(path, "w") as file:
        root = file
        file.attrs["keras_version"] = version
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
            root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name in weights]
        for name, arrays in weights.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = [n.encode() for n in arrays]
            for place, array in arrays.items():
                group[place] = np.asarray(array)
    return path
