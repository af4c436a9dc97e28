"""Catalogue entries of numbers in rows: ratings, card payments, share prices. Only literals."""

from __future__ import annotations

from .record import DataFile, DataSet, Mirror

_GROUPLENS = (
    Mirror("https://files.grouplens.org/datasets/movielens/"),
    Mirror("http://files.grouplens.org/datasets/movielens/"),
)
_HARPER = (
    "F. M. Harper, J. A. Konstan, The MovieLens datasets: history and context, ACM TiiS 5 (2015) "
    "19, doi:10.1145/2827872"
)
_GROUPLENS_LICENCE = (
    "GroupLens: research use with acknowledgement; no redistribution and no commercial use without "
    "permission"
)

_MOVIELENS_100K = DataSet(
    name="movielens_100k",
    folder="movielens",
    files=(
        DataFile(
            "ml-100k.zip",
            "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
            4_924_029,
            mirrors=_GROUPLENS,
        ),
    ),
    classes=(),
    records="100000 ratings of 1682 films by 943 users",
    description="film ratings of 1 to 5 stars, 1997-98",
    source="https://grouplens.org/datasets/movielens/100k/",
    licence=_GROUPLENS_LICENCE,
    citation=_HARPER,
)
_MOVIELENS_100K_REPACKED = DataSet(
    name="movielens_100k_repacked",
    folder="movielens",
    files=(
        DataFile(
            "ml-100k.zip",
            "d1c1ea86319fff9560fc5af6975bab5ab40b1309ff32ebe5c515455b674ecc7b",
            2_029_488,
        ),
    ),
    classes=(),
    records="100000 ratings of 1682 films by 943 users",
    description="film ratings of 1 to 5 stars, 1997-98",
    source="https://grouplens.org/datasets/movielens/100k/",
    licence=_GROUPLENS_LICENCE,
    citation=_HARPER,
    by_hand="it was packed for this project's tests; use movielens_100k, which can be downloaded",
    fidelity="complete ratings and tables; of the official splits only u1 and ua; packed anew",
)
_MOVIELENS_1M = DataSet(
    name="movielens_1m",
    folder="movielens",
    files=(
        DataFile(
            "ml-1m.zip",
            "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
            5_917_549,
            mirrors=_GROUPLENS,
        ),
    ),
    classes=(),
    records="1000209 ratings of 3706 films by 6040 users",
    description="film ratings of 1 to 5 stars, 2000-03",
    source="https://grouplens.org/datasets/movielens/1m/",
    licence=_GROUPLENS_LICENCE,
    citation=_HARPER,
)

_FRAUD_SOURCE = "https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud"
_FRAUD_LICENCE = "Open Database Licence (contents: Database Contents Licence)"
_FRAUD_CITATION = (
    "A. Dal Pozzolo, O. Caelen, R. Johnson, G. Bontempi, Calibrating probability with "
    "undersampling for unbalanced classification, CIDM (2015), doi:10.1109/SSCI.2015.33"
)
_CREDITCARD = DataSet(
    name="creditcard",
    folder="creditcard",
    files=(
        DataFile(
            "creditcard.csv",
            "76274b691b16a6c49d3f159c883398e03ccd6d1ee12d9d8ee38f4b4b98551a89",
            150_828_752,
            mirrors=(Mirror("https://storage.googleapis.com/download.tensorflow.org/data/"),),
        ),
    ),
    classes=("legitimate", "fraud"),
    records="284807 payments, 492 of them frauds (0.172 %)",
    description="card payments of two days: time, 28 principal components, amount",
    source=_FRAUD_SOURCE,
    licence=_FRAUD_LICENCE,
    citation=_FRAUD_CITATION,
)
_CREDITCARD_SUBSET = DataSet(
    name="creditcard_subset",
    folder="creditcard",
    files=(
        DataFile(
            "creditcard_subset.csv.gz",
            "794c6a3b16fc5904e1bbe3211420c39e3b0668dc777692ef78ea85b06a95a2c6",
            1_611_788,
        ),
    ),
    classes=("legitimate", "fraud"),
    records="6621 payments, 492 of them frauds (7.4 %)",
    description="a part of the credit-card set, sorted by time",
    source=_FRAUD_SOURCE,
    licence=_FRAUD_LICENCE,
    citation=_FRAUD_CITATION,
    by_hand="it was selected for this project's tests; use creditcard, which can be downloaded",
    fidelity=(
        "subset: all frauds but few legitimate payments; 7.4 % instead of 0.172 % are frauds, so "
        "precision does not compare with that on the full set"
    ),
)
_CREDITCARD_SAMPLE = DataSet(
    name="creditcard_sample",
    folder="creditcard",
    files=(
        DataFile(
            "creditcard_sample_5412.csv.gz",
            "aa9f25494e3208b19112d977b125eb1afb687946e9d52850b4c4f14801c64a81",
            1_322_814,
        ),
    ),
    classes=("legitimate", "fraud"),
    records="5412 payments, 492 of them frauds (9.1 %)",
    description="a smaller part of the credit-card set",
    source=_FRAUD_SOURCE,
    licence=_FRAUD_LICENCE,
    citation=_FRAUD_CITATION,
    by_hand="it was selected for this project's tests; use creditcard, which can be downloaded",
    fidelity=(
        "subset: all frauds and 4920 legitimate payments; 9.1 % instead of 0.172 % are frauds, so "
        "precision does not compare with that on the full set"
    ),
)

_STOCKS = DataSet(
    name="stocks",
    folder="stocks",
    files=(
        DataFile(
            "DJI.csv.gz",
            "64485e909f80ea55be10422d4fbe967a01d76c3604fbc7a6161ac5cc0eac20a2",
            192_304,
        ),
        DataFile(
            "GOOGL.csv.gz",
            "9f21d64140836ac75ace33ca0e882d7346dd58ca0d5582e7ba1386b3cf304328",
            86_900,
        ),
        DataFile(
            "TSLA.csv.gz",
            "c2c931ba069552de5740fc5e16f90c2a2f18b8fe41c61b53c33ec0a418e3e436",
            43_059,
        ),
    ),
    classes=(),
    records="8636, 3702 and 2227 trading days up to 2019-05-03",
    description="daily prices of the Dow Jones index, Alphabet and Tesla",
    source="https://finance.yahoo.com",
    licence="terms of Yahoo Finance: personal and research use",
    citation="Yahoo Finance, historical data of ^DJI, GOOGL and TSLA",
    by_hand="export a CSV file from the source and read it with tinydl.data.read_prices(path)",
    fidelity="as exported; the open, high and low of DJI on 2015-08-31 are scrambled",
)

TABLES = (
    _MOVIELENS_100K,
    _MOVIELENS_100K_REPACKED,
    _MOVIELENS_1M,
    _CREDITCARD,
    _CREDITCARD_SUBSET,
    _CREDITCARD_SAMPLE,
    _STOCKS,
)
