"""PyTorch's VAE example: 784-400-20-400-784 on MNIST."""

import sys

import torch
import torch.nn.functional as F
from shared import Port, endless, mnist, show
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from tinydl.console import command


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x, reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


def port(made_up: bool = False) -> Port:
    torch.manual_seed(0)
    x, _ = mnist(made_up)
    dataset = TensorDataset(torch.from_numpy(x).reshape(len(x), 784))
    batches = endless(DataLoader(dataset, batch_size=128, shuffle=True))
    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def train(count: int) -> float:
        model.train()
        total, samples = 0.0, 0
        for _ in range(count):
            (data,) = next(batches)
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(data)
            loss = loss_function(recon_batch, data, mu, logvar)
            loss.backward()
            optimizer.step()
            total += loss.item()
            samples += len(data)
        return total / samples

    return Port(sum(p.numel() for p in model.parameters()), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "vae_torch"))
