"""Share prices: Liu and Mehta 2019, chapter 6, beside the price of the day before."""

from __future__ import annotations

from ..baselines import mean_return, persistence
from ..experiment.card import Recipe, Target
from ..models import StockGRU
from ..nn import mse
from ..optim import RMSprop
from ..programs.forecasting import Forecasting
from ..programs.supervised import warmed_cosine
from .liu2019 import BOOK
from .patterns import CHAPTER

GRU_DJIA = Recipe(
    name="gru-djia",
    title="the next close of the Dow Jones from the last ten: is it better than the last one?",
    book=BOOK,
    chapter=CHAPTER,
    dataset="djia_2001_2017",
    parameters=198_401,
    program=Forecasting(
        model=StockGRU,
        architecture={},
        input_shape=(10, 1),
        optimizer=RMSprop,
        optimizer_settings={"lr": 0.002},
        batch_size=50,
        schedule=warmed_cosine,
        loss=mse,
    ),
    epochs=30,
    time_budget=180,
    seeds=3,
    targets={"r2_returns": Target(near=0.0, within=0.05, share=False)},
    baselines=(persistence, mean_return),
    not_beaten=(persistence, mean_return),
    errors=(
        "The book calls its forecast quite accurate and puts nothing beside it. Its best printed "
        "validation loss, 5.2e-5 of the squared last price, is what the price of the day before "
        "reaches (5.3e-5); its training loss is worse than that.",
        "The rate is 0.006 in the text and 0.0006 in the listing.",
        "The test part stops the training and chooses the weights: it is no test part any more. "
        "Here neither.",
        "The table of windows repeats an index in its last row, and two rows of the scaled one are "
        "divided by another price than the window's last.",
    ),
    notes=(
        "4,276 closes from 2001 to 2017. R2 on prices is high for anyone who repeats the last "
        "price; R2 on returns says what was foretold. `tinydl evaluate RUN` draws the conclusion "
        "from the figures.",
        "30 epochs of batches of 50, at a rate that falls from 0.002 to 0; the book: 242 of 100 at "
        "0.0006, stopped by the test part.",
    ),
    fast={"epochs": 4, "baselines": (persistence,), "not_beaten": (persistence,)},
)
