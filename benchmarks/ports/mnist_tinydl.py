"""PyTorch's MNIST example (Net, Adadelta, nll_loss) in tinydl."""

import sys

from shared import Port, endless, mnist, show

import tinydl as td
from tinydl import nn, optim
from tinydl.console import command
from tinydl.data import Batches


class Net(nn.Module):
    def __init__(self):
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = td.relu(self.conv1(x))
        x = td.relu(self.conv2(x))
        x = self.dropout1(td.max_pool2d(x, 2))
        x = td.relu(self.fc1(x.flatten(1)))
        return td.log_softmax(self.fc2(self.dropout2(x)), axis=1)


def port(made_up: bool = False) -> Port:
    td.seed(0)
    x, y = mnist(made_up)
    loader = Batches(x, y, batch_size=64)
    batches = endless(loader)
    model = Net()
    optimizer = optim.AdaDelta(model.parameters(), lr=1.0, rho=0.9, eps=1e-6)

    def train(count: int) -> float:
        model.train()
        total = 0.0
        for _ in range(count):
            data, target = next(batches)
            optimizer.zero_grad()
            loss = nn.nll(model(data), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / count

    return Port(model.count_parameters(), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "mnist_tinydl"))
