"""The networks of the bench as they are deployed: modules in evaluation, whose batch norms have
their stored moments, and files that others wrote. What `compile`, and the peers that read ONNX
files, are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import ops
from ..data.download import data_folder
from ..errors import ConfigError
from ..nn import Buffer, Module, Parameter
from .cases import Case
from .networks import NETWORKS, Parameters, is_parameter
from .peer_tinydl import Layers


class _Stored(Layers):
    """The layers with moments that are stored: the mean 0.1, the variance 1.1 of each channel."""

    def __init__(self, moments: Mapping[int, tuple[Buffer, Buffer]]) -> None:
        self.moments = moments

    def batch_norm(self, x: Any, scale: Any, shift: Any) -> Any:  # type: ignore[override]
        mean, variance = self.moments[x.shape[-1]]
        return ops.batch_norm(x, scale, shift, mean=mean, variance=variance)


class Deployed(Module):
    """A network of networks.py with these parameters."""

    def __init__(self, network: str, arrays: Mapping[str, np.ndarray]) -> None:
        self.network = network
        self.stored = {name: Parameter(array) for name, array in arrays.items()}
        sizes = sorted({len(a) for name, a in arrays.items() if name[0] == "g"})
        self.means = [Buffer(np.full(n, 0.1, np.float32)) for n in sizes]
        self.variances = [Buffer(np.full(n, 1.1, np.float32)) for n in sizes]
        self.eval()

    def forward(self, x: Any) -> Any:
        pairs = zip(self.means, self.variances, strict=True)
        layers = _Stored({len(mean): (mean, variance) for mean, variance in pairs})
        return NETWORKS[self.network].forward(layers, x, Parameters(self.stored))


def deployed(network: str, arrays: Mapping[str, np.ndarray]) -> Deployed:
    """The network of a cell with these inputs."""
    return Deployed(network, {name: a for name, a in arrays.items() if is_parameter(name)})


def foreign_file(case: Case) -> Path:
    """The file of a cell of the group `imported`; ConfigError where it is not at hand."""
    name, home = case.kind.removesuffix("_imported"), data_folder()
    path = Path() if home is None else home / "models" / name
    if not path.is_file():
        raise ConfigError(f"bench: models/{name} is not below TINYDL_DATA")
    return path
