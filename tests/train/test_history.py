"""History: columns, and CSV files that give back exactly what was written."""

import math

import pytest

from tinydl.errors import ConfigError, FormatError
from tinydl.train import History

ROWS = [
    {"epoch": 1, "loss": 0.1 + 0.2, "accuracy": 1 / 3},
    {"epoch": 2, "loss": float("nan"), "accuracy": 1e-300, "val_loss": 2.0},
]


def test_columns_rows_and_last():
    history = History(ROWS)
    assert history.columns == ["epoch", "loss", "accuracy", "val_loss"]
    assert history["epoch"] == [1, 2]
    assert math.isnan(history["val_loss"][0]) and history["val_loss"][1] == 2.0
    assert history.last == ROWS[1] and len(history) == 2
    assert History().last == {} and History()["loss"] == []
    with pytest.raises(ConfigError, match="no column 'lost', there are epoch, loss"):
        history["lost"]


def test_csv_gives_back_the_same_bits(tmp_path):
    path = tmp_path / "history.csv"
    History(ROWS).to_csv(path)
    assert path.read_text().splitlines()[0] == "epoch,loss,accuracy,val_loss"
    again = History.from_csv(path)
    assert repr(again.rows) == repr(History(ROWS).rows)
    assert [p.name for p in tmp_path.iterdir()] == ["history.csv"]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "history.csv"
    for content in (b"a,b\n1,x\n", b"\xff\xfe\x00", b'a,b\n"1,2'):
        path.write_bytes(content)
        with pytest.raises(FormatError, match="not a history file"):
            History.from_csv(path)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2,3\n", b"a,b\n1\n", b"a,a\n1,2\n", b"a\n1_0\n", b"a\n+1\n", b"a\n 1\n", b"",
        "a\n\u0661\n".encode(), b"a\nTrue\n", b"a\n0x1\n", b"a\n" + b"9" * 400 + b"\n", b"a\n\n",
        b"\x1b[2J\n1\n",
    ],
)  # fmt: skip
def test_only_what_is_written_is_read(tmp_path, content):
    (tmp_path / "history.csv").write_bytes(content)
    with pytest.raises(FormatError, match=r"history: .* is not a history file") as error:
        History.from_csv(tmp_path / "history.csv")
    assert str(error.value).isprintable()
