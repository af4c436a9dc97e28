"""The ONNX files of others in `data/models`, with what onnxruntime answered; small graphs made
here."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

#: File, arrays beside it, and how far float32 may be from float32 (basic-pitch: it takes the
#: logarithm of powers near 1e-10, where another order of summing shows in the third digit).
FILES = {
    "onnx-mnist/model.onnx": ("onnx-mnist/test_data_0.npz", 1e-4),
    "onnx-mnist/model-opset8-derived.onnx": ("onnx-mnist/test_data_1.npz", 1e-4),
    "keras-onnx-mnist/onnx_mnist.onnx": ("keras-onnx-mnist/reference_io.npz", 1e-4),
    "dnsmos/model_v8.onnx": ("dnsmos/reference_io.npz", 1e-4),
    "ppocr-cls/ch_ppocr_mobile_v2.0_cls_infer.onnx": ("ppocr-cls/reference_io.npz", 1e-4),
    "basic-pitch/nmp.onnx": ("basic-pitch/reference_io.npz", 2e-3),
    "silero-vad/silero_vad_16k_sequence.onnx": ("silero-vad/reference_io.npz", 1e-4),
    "sklearn-digits/mlp.onnx": ("sklearn-digits/mlp_reference_io.npz", 1e-4),
    "torch-export/bilstm_tagger_dynamo.onnx": ("torch-export/bilstm_tagger_reference_io.npz", 1e-4),
    "torch-export/bilstm_tagger_torchscript.onnx": (
        "torch-export/bilstm_tagger_reference_io.npz",
        1e-4,
    ),
    "torch-export/sepres_dynamo.onnx": ("torch-export/sepres_reference_io.npz", 1e-4),
    "torch-export/sepres_torchscript.onnx": ("torch-export/sepres_reference_io.npz", 1e-4),
}


def reference(folder: Path, file: str, net) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(inputs, outputs) in the order of the graph."""
    arrays = np.load(folder / FILES[file][0])
    if "test_data" in FILES[file][0]:
        return [arrays["inputs"][:, None]], [arrays["outputs"]]
    if "keras-onnx" in file:
        return [arrays["input"]], [arrays["dense_1"]]
    return (
        [_named(arrays, "in_", name) for name in net.inputs],
        [_named(arrays, "out_", name) for name in net.outputs],
    )


def _named(arrays, prefix, name):
    plain = prefix + re.sub(r"[^\w.]", "_", name)
    return arrays[plain if plain in arrays else prefix + re.sub(r"\W", "_", name)]


def graph_file(onnx, path, nodes, inputs, outputs, constants=(), opset=17, domain=""):
    """Write nodes [(type, inputs, outputs, attributes)] as an ONNX file.

    inputs, outputs: {name: shape, or (shape, type)}; constants: {name: array}."""
    helper, of = onnx.helper, onnx.numpy_helper.from_array

    def wires(described):
        found = []
        for name, shape in described.items():
            kind = onnx.TensorProto.FLOAT
            if shape and isinstance(shape[0], tuple | list):
                shape, kind = shape[0], getattr(onnx.TensorProto, shape[1])
            found.append(helper.make_tensor_value_info(name, kind, shape))
        return found

    made = [
        helper.make_node(kind, takes, gives, name=f"n{i}", domain=domain, **attributes)
        for i, (kind, takes, gives, attributes) in enumerate(nodes)
    ]
    stored = [of(np.asarray(a), name) for name, a in dict(constants).items()]
    graph = helper.make_graph(made, "g", wires(inputs), wires(outputs), stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    Path(path).write_bytes(model.SerializeToString())
    return path
