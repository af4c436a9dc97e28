"""Keras' bidirectional LSTM on IMDb (imdb_bidirectional_lstm) in PyTorch."""

import sys

import torch
from shared import Port, endless, imdb, show
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from tinydl.console import command

WORDS, LENGTH = 20_000, 100


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, 128)
        self.lstm = nn.LSTM(128, 64, batch_first=True, bidirectional=True)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_hh"):  # Keras has one bias: the second stays zero
                nn.init.zeros_(parameter)
                parameter.requires_grad_(False)
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(128, 1)

    def forward(self, x):
        _, (last, _) = self.lstm(self.embedding(x))
        both = torch.cat([last[0], last[1]], dim=1)
        return torch.sigmoid(self.output(self.dropout(both)))


def port(made_up: bool = False) -> Port:
    torch.manual_seed(0)
    x, y = imdb(made_up, WORDS, LENGTH)
    dataset = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    batches = endless(DataLoader(dataset, batch_size=32, shuffle=True))
    model = Classifier()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer, criterion = optim.Adam(trained), nn.BCELoss()

    def train(count: int) -> float:
        model.train()
        total = 0.0
        for _ in range(count):
            words, target = next(batches)
            optimizer.zero_grad()
            loss = criterion(model(words), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / count

    return Port(sum(p.numel() for p in trained), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "imdb_torch"))
