"""A Keras time series (LSTM, then GRU, on windows of share prices) in PyTorch."""

import sys

import torch
from shared import Port, endless, show, stocks
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from tinydl.console import command

LENGTH = 60


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 64, batch_first=True)
        nn.init.zeros_(self.lstm.bias_hh_l0)  # Keras' LSTM has one bias: the second stays zero
        self.lstm.bias_hh_l0.requires_grad_(False)
        self.gru = nn.GRU(64, 32, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(32, 1)

    def forward(self, x):
        states, _ = self.lstm(x)
        _, last = self.gru(self.dropout(states))
        return self.output(self.dropout(last[0]))


def port(made_up: bool = False) -> Port:
    torch.manual_seed(0)
    x, y = stocks(made_up, LENGTH)
    dataset = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    batches = endless(DataLoader(dataset, batch_size=32, shuffle=True))
    model = Forecaster()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer, criterion = optim.Adam(trained), nn.MSELoss()

    def train(count: int) -> float:
        model.train()
        total = 0.0
        for _ in range(count):
            window, target = next(batches)
            optimizer.zero_grad()
            loss = criterion(model(window), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / count

    return Port(sum(p.numel() for p in trained), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "stocks_torch"))
