"""A Keras time series (LSTM, then GRU, on windows of share prices) in tinydl."""

import sys
from itertools import islice

from shared import Port, endless, show, stocks

import tinydl as td
from tinydl import nn, optim
from tinydl.console import command
from tinydl.data import Batches
from tinydl.train import fit

LENGTH = 60


def port(made_up: bool = False) -> Port:
    td.seed(0)
    batches = endless(Batches(stocks(made_up, LENGTH), batch_size=32))
    model = nn.Sequential(
        nn.LSTM(1, 64, return_sequences=True),
        nn.Dropout(0.2),
        nn.GRU(64, 32),
        nn.Dropout(0.2),
        nn.Linear(32, 1),
    )
    optimizer = optim.Adam(model.parameters())

    def train(count: int) -> float:
        history = fit(model, islice(batches, count), "mse", optimizer, epochs=1, progress=False)
        return history["loss"][-1]

    return Port(model.count_parameters(), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "stocks_tinydl"))
