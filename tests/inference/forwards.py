"""What the tests of inference share."""

import numpy as np

import tinydl as td
from tinydl import nn

RNG = np.random.default_rng(0)


def numbers(*shape):
    return td.tensor(RNG.standard_normal(shape).astype(np.float32))


class Net(nn.Module):
    """A module of one function, with parameters and layers as attributes."""

    def __init__(self, function, **members):
        self.function = function
        for name, member in members.items():
            setattr(self, name, member)

    def forward(self, *x):
        return self.function(self, *x)
