"""Card payments, a few of them frauds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...doors import checked
from ...errors import ConfigError, FormatError
from ...foreign import reader
from ...quoting import quoted, shown
from ..download import locate
from ..formats.tables import read_csv
from ..record import DataFile, DataSet, Mirror
from ..types import Table

_FRAUD_SOURCE = "https://www.kaggle.com/datasets/mlg-ulb/creditcardfraud"
_FRAUD_LICENCE = "Open Database Licence (contents: Database Contents Licence)"

_FRAUD_CITATION = (
    "A. Dal Pozzolo, O. Caelen, R. Johnson, G. Bontempi, Calibrating probability with "
    "undersampling for unbalanced classification, CIDM (2015), doi:10.1109/SSCI.2015.33"
)

CREDITCARD = DataSet(
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

CREDITCARD_SUBSET = DataSet(
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

CREDITCARD_SAMPLE = DataSet(
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

PAYMENT_COLUMNS = ("Time", *(f"V{k}" for k in range(1, 29)), "Amount")


@checked
def creditcard(edition: str = "full") -> Table:
    """Card payments, 492 of them frauds (Dal Pozzolo et al. 2015): x (N, 30), y 1 for a fraud.

    Columns Time (seconds), V1 ... V28 (principal components, not scaled to unit variance), Amount.
    edition: "full" (N 284807, 0.172 % frauds, 151 MB), "subset" (6621, 7.4 %) or "sample" (5412,
    9.1 %): in the last two the legitimate payments are a selection, so precision means another
    thing. Found in TINYDL_DATA/creditcard, else in the user cache, else (only "full") downloaded.
    Raises DataError when it cannot be had, FormatError for a damaged file.
    """
    entries = {"full": CREDITCARD, "subset": CREDITCARD_SUBSET, "sample": CREDITCARD_SAMPLE}
    if edition not in entries:
        raise ConfigError(
            f"creditcard: edition must be one of {', '.join(entries)}, got {quoted(edition)}"
        )
    dataset = entries[edition]
    return read_creditcard(locate(dataset, dataset.files[0]), dataset.name)


@reader("creditcard")
def read_creditcard(path: str | Path, name: str = "creditcard") -> Table:
    """The payments in a CSV file (gzip or not) with the columns Time, V1 ... V28, Amount, Class."""
    columns, values = read_csv(path)
    if columns != (*PAYMENT_COLUMNS, "Class"):
        raise FormatError(
            f"creditcard: {shown(path)} has the columns {quoted(columns, 200)}, not Time ... Class"
        )
    y = values[:, -1]
    if not np.isin(y, (0, 1)).all():
        raise FormatError(f"creditcard: {shown(path)} has a Class other than 0 and 1")
    x = np.ascontiguousarray(values[:, :-1])
    return Table(name, PAYMENT_COLUMNS, x, y.astype(np.int64), CREDITCARD.classes)
