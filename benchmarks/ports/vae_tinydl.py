"""PyTorch's VAE example (784-400-20-400-784 on MNIST) in tinydl."""

import sys

from shared import Port, endless, mnist, show

import tinydl as td
from tinydl import nn, optim
from tinydl.console import command
from tinydl.data import Batches


class VAE(nn.Module):
    def __init__(self):
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def encode(self, x):
        h1 = td.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = td.exp(0.5 * logvar)
        return mu + td.randn(*std.shape) * std

    def decode(self, z):
        return td.sigmoid(self.fc4(td.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = nn.bce(recon_x, x, reduction="sum")
    KLD = -0.5 * (1 + logvar - mu**2 - td.exp(logvar)).sum()
    return BCE + KLD


def port(made_up: bool = False) -> Port:
    td.seed(0)
    x, _ = mnist(made_up)
    batches = endless(Batches((x.reshape(-1, 784),), batch_size=128))
    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def train(count: int) -> float:
        model.train()
        total, samples = 0.0, 0
        for _ in range(count):
            (data,) = next(batches)
            data = td.tensor(data)
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(data)
            loss = loss_function(recon_batch, data, mu, logvar)
            loss.backward()
            optimizer.step()
            total += loss.item()
            samples += len(data)
        return total / samples

    return Port(model.count_parameters(), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "vae_tinydl"))
