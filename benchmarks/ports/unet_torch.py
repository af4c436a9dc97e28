"""A Keras U-Net (UpSampling2D, concatenate, 16 filters first) in PyTorch, on drawn shapes."""

import sys

import torch
import torch.nn.functional as F
from shared import Port, endless, shapes, show
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from tinydl.console import command

CLASSES = 4


def conv(inputs, filters, size, padding):
    layer = nn.Conv2d(inputs, filters, size, padding=padding)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return layer


class Double(nn.Module):
    """Two convolutions with ReLU."""

    def __init__(self, inputs, filters):
        super().__init__()
        self.first, self.second = conv(inputs, filters, 3, 1), conv(filters, filters, 3, 1)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))))


class Up(nn.Module):
    """Twice the size, a 2x2 convolution, the skipped pictures beside it, two convolutions."""

    def __init__(self, inputs, filters):
        super().__init__()
        self.upsample = nn.Upsample(scale_factor=2)
        self.pad = nn.ZeroPad2d((0, 1, 0, 1))  # what "same" is for a 2x2 kernel
        self.conv = conv(inputs, filters, 2, 0)
        self.joined = Double(2 * filters, filters)

    def forward(self, x, skipped):
        x = F.relu(self.conv(self.pad(self.upsample(x))))
        return self.joined(torch.cat([skipped, x], dim=1))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = Double(3, 16), Double(16, 32)
        self.down3, self.middle = Double(32, 64), Double(64, 128)
        self.up3, self.up2, self.up1 = Up(128, 64), Up(64, 32), Up(32, 16)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Conv2d(16, CLASSES, 1)

    def forward(self, x):
        x1 = self.down1(x)
        x2 = self.down2(F.max_pool2d(x1, 2))
        x3 = self.down3(F.max_pool2d(x2, 2))
        x = self.dropout(self.middle(F.max_pool2d(self.dropout(x3), 2)))
        x = self.up1(self.up2(self.up3(x, x3), x2), x1)
        return self.output(x)


def port(made_up: bool = False) -> Port:
    torch.manual_seed(0)
    x, classes = shapes(made_up)
    pictures = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    dataset = TensorDataset(pictures, torch.from_numpy(classes))
    batches = endless(DataLoader(dataset, batch_size=4, shuffle=True))
    model = UNet()
    optimizer, criterion = optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def train(count: int) -> float:
        model.train()
        total = 0.0
        for _ in range(count):
            picture, target = next(batches)
            optimizer.zero_grad()
            loss = criterion(model(picture), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / count

    return Port(sum(p.numel() for p in model.parameters()), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "unet_torch"))
