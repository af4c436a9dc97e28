"""PyTorch's DCGAN example, for CIFAR-10's 32x32 pictures (ngf = ndf = 32)."""

import sys

import torch
from shared import Port, cifar, endless, show
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from tinydl.console import command

NZ, NGF, NDF, SIZE = 100, 32, 32, 64


def weights_init(layer):
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)


def up(inputs, outputs, stride=2, padding=1):
    return nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)


def down(inputs, outputs, stride=2, padding=1):
    return nn.Conv2d(inputs, outputs, 4, stride, padding, bias=False)


def generator():
    return nn.Sequential(
        up(NZ, NGF * 4, 1, 0), nn.BatchNorm2d(NGF * 4), nn.ReLU(True),
        up(NGF * 4, NGF * 2), nn.BatchNorm2d(NGF * 2), nn.ReLU(True),
        up(NGF * 2, NGF), nn.BatchNorm2d(NGF), nn.ReLU(True),
        up(NGF, 3), nn.Tanh(),
    )  # fmt: skip


def discriminator():
    return nn.Sequential(
        down(3, NDF), nn.LeakyReLU(0.2, inplace=True),
        down(NDF, NDF * 2), nn.BatchNorm2d(NDF * 2), nn.LeakyReLU(0.2, inplace=True),
        down(NDF * 2, NDF * 4), nn.BatchNorm2d(NDF * 4), nn.LeakyReLU(0.2, inplace=True),
        down(NDF * 4, 1, 1, 0), nn.Flatten(), nn.Sigmoid(),
    )  # fmt: skip


def port(made_up: bool = False) -> Port:
    torch.manual_seed(0)
    pictures = torch.from_numpy(cifar(made_up)).permute(0, 3, 1, 2).contiguous()
    loader = DataLoader(TensorDataset(pictures), batch_size=SIZE, shuffle=True, drop_last=True)
    batches = endless(loader)
    netG, netD = generator().apply(weights_init), discriminator().apply(weights_init)
    criterion = nn.BCELoss()
    optimizerD = optim.Adam(netD.parameters(), lr=0.0002, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=0.0002, betas=(0.5, 0.999))
    real, fake = torch.ones(SIZE, 1), torch.zeros(SIZE, 1)

    def train(count: int) -> float:
        """The mean of the discriminator's loss."""
        total = 0.0
        for _ in range(count):
            (pictures,) = next(batches)
            netD.zero_grad()
            lossD = criterion(netD(pictures), real)
            lossD.backward()
            drawn = netG(torch.randn(SIZE, NZ, 1, 1))
            lossF = criterion(netD(drawn.detach()), fake)
            lossF.backward()
            optimizerD.step()

            netG.zero_grad()
            lossG = criterion(netD(drawn), real)
            lossG.backward()
            optimizerG.step()
            total += lossD.item() + lossF.item()
        return total / count

    both = [*netG.parameters(), *netD.parameters()]
    return Port(sum(p.numel() for p in both), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "dcgan_torch"))
