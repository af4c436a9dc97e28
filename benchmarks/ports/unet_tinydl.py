"""A Keras U-Net (UpSampling2D, concatenate, 16 filters first) in tinydl, on drawn shapes."""

import sys
from itertools import islice

from shared import Port, endless, shapes, show

import tinydl as td
from tinydl import nn, optim
from tinydl.console import command
from tinydl.data import Batches
from tinydl.train import fit

CLASSES = 4


class Double(nn.Module):
    """Two convolutions with ReLU."""

    def __init__(self, inputs, filters):
        self.first = nn.Conv2d(inputs, filters, 3, padding="same", weight_init="he_normal")
        self.second = nn.Conv2d(filters, filters, 3, padding="same", weight_init="he_normal")

    def forward(self, x):
        return td.relu(self.second(td.relu(self.first(x))))


class Up(nn.Module):
    """Twice the size, a 2x2 convolution, the skipped pictures beside it, two convolutions."""

    def __init__(self, inputs, filters):
        self.upsample = nn.Upsample(scale_factor=2)
        self.conv = nn.Conv2d(inputs, filters, 2, padding="same", weight_init="he_normal")
        self.joined = Double(2 * filters, filters)

    def forward(self, x, skipped):
        x = td.relu(self.conv(self.upsample(x)))
        return self.joined(td.concat([skipped, x], axis=-1))


class UNet(nn.Module):
    def __init__(self):
        self.down1, self.down2 = Double(3, 16), Double(16, 32)
        self.down3, self.middle = Double(32, 64), Double(64, 128)
        self.up3, self.up2, self.up1 = Up(128, 64), Up(64, 32), Up(32, 16)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Conv2d(16, CLASSES, 1)

    def forward(self, x):
        x1 = self.down1(x)
        x2 = self.down2(td.max_pool2d(x1, 2))
        x3 = self.down3(td.max_pool2d(x2, 2))
        x = self.dropout(self.middle(td.max_pool2d(self.dropout(x3), 2)))
        x = self.up1(self.up2(self.up3(x, x3), x2), x1)
        return self.output(x)


def port(made_up: bool = False) -> Port:
    td.seed(0)
    batches = endless(Batches(shapes(made_up), batch_size=4))
    model = UNet()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def train(count: int) -> float:
        some = islice(batches, count)
        history = fit(model, some, "cross_entropy", optimizer, epochs=1, progress=False)
        return history["loss"][-1]

    return Port(model.count_parameters(), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "unet_tinydl"))
