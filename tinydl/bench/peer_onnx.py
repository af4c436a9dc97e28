"""Runtimes of ONNX files: onnxruntime and OpenVINO, given what `td.save_onnx` writes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..interop import save_onnx
from .cases import Case
from .deployed import deployed, foreign_file
from .peer_tinydl import Cell

Run = Callable[[], np.ndarray]


def open_peer(argument: str, threads: int) -> OnnxPeer:
    """The worker's peer; `argument` is "onnxruntime" or "openvino"."""
    import_module("onnx")  # writes the files
    return {"onnxruntime": OnnxRuntime, "openvino": OpenVino}[argument](threads)


class OnnxPeer:
    """Has the compiled networks and the files of others only: `build` as in `peer_tinydl.py`."""

    version: str

    def build(self, case: Case, arrays: dict[str, np.ndarray]) -> Cell | None:
        """`run` and `export` of one cell, or None."""
        network, _, what = case.kind.rpartition("_")
        if what == "imported":
            return self.opened(foreign_file(case), arrays["x"]), lambda y: [np.array(y)]
        if what != "compiled":
            return None
        with TemporaryDirectory() as folder:
            path = Path(folder, "network.onnx")
            save_onnx(deployed(network, arrays), path, arrays["x"])
            return self.opened(path, arrays["x"]), lambda y: [np.array(y)]

    def opened(self, path: Path, x: np.ndarray) -> Run:
        """One request."""
        raise NotImplementedError


class OnnxRuntime(OnnxPeer):
    def __init__(self, threads: int) -> None:
        self.library: Any = import_module("onnxruntime")
        self.threads = threads
        self.version = f"onnxruntime {self.library.__version__}"

    def opened(self, path: Path, x: np.ndarray) -> Run:
        options = self.library.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        session = self.library.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        name = session.get_inputs()[0].name
        return lambda: session.run(None, {name: x})[0]


class OpenVino(OnnxPeer):
    def __init__(self, threads: int) -> None:
        self.library: Any = import_module("openvino")
        self.settings = {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }  # fmt: skip
        self.version = f"openvino {self.library.__version__.partition('-')[0]}"

    def opened(self, path: Path, x: np.ndarray) -> Run:
        core = self.library.Core()
        model = core.read_model(str(path))
        model.reshape({model.inputs[0]: list(x.shape)})  # as fixed as ours
        request = core.compile_model(model, "CPU", self.settings).create_infer_request()

        def run() -> np.ndarray:
            request.infer([x], share_inputs=True)
            return request.get_output_tensor(0).data

        return run
