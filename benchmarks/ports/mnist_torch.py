"""PyTorch's MNIST example: two convolutions, two linear layers, Adadelta, nll_loss."""

import sys

import torch
import torch.nn.functional as F
from shared import Port, endless, mnist, show
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from tinydl.console import command


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = self.dropout1(F.max_pool2d(x, 2))
        x = F.relu(self.fc1(torch.flatten(x, 1)))
        return F.log_softmax(self.fc2(self.dropout2(x)), dim=1)


def port(made_up: bool = False) -> Port:
    torch.manual_seed(0)
    x, y = mnist(made_up)
    pictures = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    dataset = TensorDataset(pictures, torch.from_numpy(y))
    batches = endless(DataLoader(dataset, batch_size=64, shuffle=True))
    model = Net()
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)

    def train(count: int) -> float:
        model.train()
        total = 0.0
        for _ in range(count):
            data, target = next(batches)
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / count

    return Port(sum(p.numel() for p in model.parameters()), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "mnist_torch"))
