"""Keras' bidirectional LSTM on IMDb (imdb_bidirectional_lstm) in tinydl."""

import sys
from itertools import islice

from shared import Port, endless, imdb, show

import tinydl as td
from tinydl import nn, optim
from tinydl.console import command
from tinydl.data import Batches
from tinydl.train import fit

WORDS, LENGTH = 20_000, 100


def port(made_up: bool = False) -> Port:
    td.seed(0)
    batches = endless(Batches(imdb(made_up, WORDS, LENGTH), batch_size=32))
    model = nn.Sequential(
        nn.Embedding(WORDS, 128),
        nn.Bidirectional(nn.LSTM(128, 64)),
        nn.Dropout(0.5),
        nn.Linear(128, 1),
        nn.Sigmoid(),
    )
    optimizer = optim.Adam(model.parameters())

    def train(count: int) -> float:
        history = fit(model, islice(batches, count), "bce", optimizer, epochs=1, progress=False)
        return history["loss"][-1]

    return Port(model.count_parameters(), batches, train)


if __name__ == "__main__":
    sys.exit(command(lambda: show(port), "imdb_tinydl"))
