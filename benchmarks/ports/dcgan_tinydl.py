"""PyTorch's DCGAN example in tinydl, for CIFAR-10's 32x32 pictures (ngf = ndf = 32)."""

import sys

from shared import Port, cifar, endless, show

import tinydl as td
from tinydl import nn, optim
from tinydl.console import command
from tinydl.data import Batches

NZ, NGF, NDF, SIZE = 100, 32, 32, 64


def first(shape, rng, dtype):
    """weights_init of the example: normal with standard deviation 0.02."""
    return nn.init.normal(shape, rng, dtype, std=0.02)


def up(inputs, outputs, stride=2, padding=1):
    return nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False, weight_init=first)


def down(inputs, outputs, stride=2, padding=1):
    return nn.Conv2d(inputs, outputs, 4, stride, padding, bias=False, weight_init=first)


def norm(channels):
    return nn.BatchNorm(channels, momentum=0.9, eps=1e-5)


def generator():
    return nn.Sequential(
        up(NZ, NGF * 4, 1, 0), norm(NGF * 4), nn.ReLU(),
        up(NGF * 4, NGF * 2), norm(NGF * 2), nn.ReLU(),
        up(NGF * 2, NGF), norm(NGF), nn.ReLU(),
        up(NGF, 3), nn.Tanh(),
    )  # fmt: skip


def discriminator():
    return nn.Sequential(
        down(3, NDF), nn.LeakyReLU(0.2),
        down(NDF, NDF * 2), norm(NDF * 2), nn.LeakyReLU(0.2),
        down(NDF * 2, NDF * 4), norm(NDF * 4), nn.LeakyReLU(0.2),
        down(NDF * 4, 1, 1, 0), nn.Flatten(), nn.Sigmoid(),
    )  # fmt: skip


def port(made_up: bool = False) -> Port:
    td.seed(0)
    batches = endless(Batches((cifar(made_up),), batch_size=SIZE, drop_last=True))
    netG, netD = generator(), discriminator()
    optimizerD = optim.Adam(netD.parameters(), lr=0.0002, beta1=0.5)
    optimizerG = optim.Adam(netG.parameters(), lr=0.0002, beta1=0.5)
    real, fake = td.ones(SIZE, 1), td.zeros(SIZE, 1)

    def train(count: int) -> float:
        """The mean of the discriminator's loss."""
        total = 0.0
        for _ in range(count):
            (pictures,) = next(batches)
            optimizerD.zero_grad()
            lossD = nn.bce(netD(pictures), real)
            lossD.backward()
            drawn = netG(td.randn(SIZE, 1, 1, NZ))
            lossF = nn.bce(netD(drawn.detach()), fake)
            lossF.backward()
            optimizerD.step()

            optimizerG.zero_grad()
            lossG = nn.bce(netD(drawn), real)
            lossG.backward()
            optimizerG.step()
            total += lossD.item() + lossF.item()
        return total / count

    return Port(netG.count_parameters() + netD.count_parameters(), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "dcgan_tinydl"))
