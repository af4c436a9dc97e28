"""CSV tables, ratings and prices: small files made here, and how they can be wrong."""

import gzip
import zipfile

import numpy as np
import pytest
from closeness import assert_close

from tinydl.data import (
    creditcard,
    movielens_100k,
    read_creditcard,
    read_csv,
    read_movielens_1m,
    read_movielens_100k,
    read_prices,
    scaled_windows,
    standardize,
    stocks,
)
from tinydl.data.sets.movielens import first_appearance
from tinydl.errors import ConfigError, FormatError, ShapeError
from tinydl.random import Generator

# -- CSV and payments ------------------------------------------------------------------------------

HEADER = ",".join(["Time", *(f"V{k}" for k in range(1, 29)), "Amount", "Class"])


def payments(rows, header=HEADER):
    return (header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)).encode()


def row(time, label):
    return [time, *(k / 7 for k in range(28)), 9.99, label]


def test_payments_plain_packed_and_quoted(tmp_path):
    path = tmp_path / "file.csv"
    quoted = payments([row(1, '"0"'), row(2.5, '"1"')], HEADER.replace("Time", '"Time"'))
    for data in (
        payments([row(1, 0), row(2.5, 1)]),
        gzip.compress(payments([row(1, 0), row(2.5, 1)])),
        quoted,
        payments([row(1, 0), row(2.5, 1)]).replace(b"\n", b"\r\n"),
    ):
        path.write_bytes(data)
        table = read_creditcard(path)
        assert table.x.shape == (2, 30) and table.x.dtype == np.float64
        assert table.y.tolist() == [0, 1] and table.y.dtype == np.int64
        assert table.column("Time").tolist() == [1, 2.5]
        assert table.column("V28").tolist() == [27 / 7] * 2
        assert table.column("Amount").tolist() == [9.99, 9.99]
    smaller = table.drop("Time", "V2")
    assert smaller.columns[:2] == ("V1", "V3") and smaller.x.shape == (2, 28)
    assert np.array_equal(smaller.column("V3"), table.column("V3"))
    assert table.to_samples().x.dtype == np.float32
    with pytest.raises(ConfigError, match="no column 'V99'"):
        table.drop("V99")


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "no or equal names"),
        (b"<html>404</html>", "not a table|has the columns"),
        (payments([]), "not a table of numbers"),
        (payments([row(1, 0)], HEADER.replace("V7,", "")), "fields, expected 30"),
        (payments([row(1, 0)], HEADER.replace("V7", "V8")), "equal names"),
        (payments([row(1, 0)], HEADER.replace("V7", "W7")), "has the columns"),
        (payments([row(1, 0)], HEADER.replace("Time,V1", "V1,Time")), "has the columns"),
        (payments([row(1, 0), row(1, 0)[:-1]]), "not a table of numbers"),
        (payments([row(1, 0), [*row(1, 0), 5]]), "not a table of numbers"),
        (payments([row("x", 0)]), "not a table of numbers"),
        (payments([row("", 0)]), "not a table of numbers"),
        (payments([row(1, 0), row("nan", 0)]), "not a table of numbers"),
        (payments([row("1e999", 0)]), "not finite"),
        (payments([row(1, 2)]), "Class other than 0 and 1"),
        (payments([row(1, 0.5)]), "Class other than 0 and 1"),
        (payments([row(1, 0)]) + b"\xff\xfe,", "not a table of numbers"),
        (b"\xff\xfe" + payments([row(1, 0)]), "not UTF-8"),
    ],
)
def test_payments_that_are_none(tmp_path, data, message):
    (tmp_path / "file.csv").write_bytes(data)
    with pytest.raises(FormatError, match=message):
        read_creditcard(tmp_path / "file.csv")


def test_a_large_csv_is_cut(tmp_path):
    (tmp_path / "bomb.csv").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))
    with pytest.raises(FormatError, match="more than 1000 bytes"):
        read_csv(tmp_path / "bomb.csv", 1000)
    with pytest.raises(ConfigError, match="edition must be one of full, subset, sample"):
        creditcard("half")


def test_standardize_uses_the_first_table_only():
    x = Generator(0).normal((50, 3), dtype=np.float64) * [1, 5, 0] + [0, 3, 7]
    other = np.array([[0.0, 3, 8]])
    scaled, moved = standardize(x, other)
    assert_close(scaled.mean(0), 0, 0, atol=1e-12)
    assert_close(scaled.std(0), [1, 1, 0], 1e-5)
    assert_close(moved, (other - x.mean(0)) / [x[:, 0].std(), x[:, 1].std(), 1], 1e-5)
    with pytest.raises(ShapeError, match="same D"):
        standardize(x, other[:, :2])


# -- ratings ---------------------------------------------------------------------------------------

DATA_100K = b"196\t242\t3\t881250949\n186\t302\t3\t891717742\n196\t302\t5\t878887116\n"
ITEM_100K = "242|Kolya (1996)|24-Jan-1997||http://x|0\n302|L\xe9on|1||y|0\n".encode("latin1")
DATA_1M = b"1::1193::5::978300760\n2::661::3::978302109\n1::661::4::978301968\n"
ITEM_1M = b"1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n7::Sabrina: a tale::Comedy\n"


def archive(path, **files):
    with zipfile.ZipFile(path, "w") as file:
        for name, data in files.items():
            file.writestr("ml/" + name.replace("_", "."), data)
    return path


def test_movielens_100k(tmp_path):
    path = archive(
        tmp_path / "a.zip", u_data=DATA_100K, u_item=ITEM_100K, u1_test=DATA_100K[-27:][3:]
    )
    ratings = read_movielens_100k(path)
    assert ratings.user_ids.tolist() == [196, 186] and ratings.item_ids.tolist() == [242, 302]
    assert ratings.users.tolist() == [0, 1, 0] and ratings.items.tolist() == [0, 1, 1]
    assert ratings.titles == ("Kolya (1996)", "L\xe9on") and len(ratings) == 3
    assert ratings.matrix().tolist() == [[3, 5], [0, 3]] and ratings.matrix().dtype == np.float32
    assert ratings.take(np.array([2])).matrix().tolist() == [[0, 5], [0, 0]]
    with pytest.raises(ConfigError, match=r"part must be one of u\.data"):
        movielens_100k("u9.base")


def test_an_official_part_keeps_the_numbering(tmp_path):
    test = b"186\t302\t3\t891717742\n196\t242\t3\t881250949\n"
    path = archive(tmp_path / "a.zip", u_data=DATA_100K, u_item=ITEM_100K, u1_test=test)
    part = read_movielens_100k(path, "u1.test")
    assert part.users.tolist() == [1, 0] and part.items.tolist() == [1, 0]
    assert part.matrix().shape == (2, 2)
    stranger = test.replace(b"196", b"197")
    path = archive(tmp_path / "b.zip", u_data=DATA_100K, u_item=ITEM_100K, u1_test=stranger)
    with pytest.raises(FormatError, match=r"user or film that u\.data lacks"):
        read_movielens_100k(path, "u1.test")


def test_movielens_1m(tmp_path):
    ratings = read_movielens_1m(
        archive(tmp_path / "a.zip", ratings_dat=DATA_1M, movies_dat=ITEM_1M)
    )
    assert len(ratings) == 3  # there is no header line to skip
    assert ratings.matrix().tolist() == [[5, 4], [0, 3]]
    assert ratings.titles == ("One Flew Over the Cuckoo's Nest (1975)", "")
    assert ratings.times.tolist() == [978300760, 978302109, 978301968]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1::1193::5\n",
        DATA_1M + b"1::2::3\n",
        DATA_1M.replace(b"::5::", b":5::"),
        DATA_1M.replace(b"::5::", b"::::5"),
        DATA_1M.replace(b"::5::", b"::6::"),
        DATA_1M.replace(b"::5::", b"::0::"),
        DATA_1M.replace(b"::5::", b"::4.5::"),
        DATA_1M.replace(b"::5::", b"::five::"),
        DATA_1M.replace(b"::", b"\t"),
        DATA_1M.replace(b"978300760", b"9" * 30),
    ],
)
def test_ratings_that_are_none(tmp_path, data):
    path = archive(tmp_path / "a.zip", ratings_dat=data, movies_dat=ITEM_1M)
    with pytest.raises(FormatError):
        read_movielens_1m(path)


def test_missing_members_and_odd_titles(tmp_path):
    with pytest.raises(FormatError, match=r"has no movies\.dat"):
        read_movielens_1m(archive(tmp_path / "a.zip", ratings_dat=DATA_1M))
    with pytest.raises(FormatError, match="line 2 of the films"):
        path = archive(tmp_path / "b.zip", ratings_dat=DATA_1M, movies_dat=ITEM_1M[:52] + b"x::y")
        read_movielens_1m(path)


def test_first_appearance():
    values = Generator(0).integers(0, 20, 100)
    distinct, place = first_appearance(values)
    assert distinct.tolist() == list(dict.fromkeys(values.tolist()))
    assert np.array_equal(distinct[place], values)


# -- prices ----------------------------------------------------------------------------------------

OLD = """Date,symbol,open,high,low,close,Adj Close,volume
1/29/1985,DJI,10,12,9,11,10.5,1000
12/3/1985,DJI,11,14,10,13,12.5,2000
1/2/1986,DJI,13,12,12.5,12.9,12.4,3000
"""
NEW = """Date,Open,High,Low,Close,Volume,Adj Close
1985-01-29,10,12,9,11,1000,10.5
1985-12-03,11,14,10,13,2000,12.5
1986-01-01,null,null,null,null,null,null
1986-01-02,13,12,12.5,12.9,3000,12.4
"""


def prices(tmp_path, text):
    path = tmp_path / "file.csv"
    path.write_bytes(text.encode())
    return read_prices(path)


def test_both_orders_of_columns_and_both_dates(tmp_path):
    old, new = prices(tmp_path, OLD), prices(tmp_path, NEW)
    assert (old.symbol, new.symbol) == ("DJI", "") and (old.skipped, new.skipped) == (0, 1)
    for name in ("dates", "open", "high", "low", "close", "adjusted_close", "volume"):
        assert np.array_equal(getattr(old, name), getattr(new, name)), name
    assert old.dates.astype(str).tolist() == ["1985-01-29", "1985-12-03", "1986-01-02"]
    assert old.adjusted_close.tolist() == [10.5, 12.5, 12.4]
    assert old.inconsistent().tolist() == [2]
    assert old.between("1985-01-30", "1985-12-03").close.tolist() == [13]
    assert len(old.between("1985-01-29", "1986-01-02")) == 3
    with pytest.raises(ConfigError, match="symbol must be one of DJI, GOOGL, TSLA"):
        stocks("MSFT")


def test_adjusted_close_falls_back(tmp_path):
    text = "\n".join(",".join(line.split(",")[:6]) for line in NEW.splitlines())
    assert prices(tmp_path, text).adjusted_close.tolist() == [11, 13, 12.9]


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("Date,", "Day,", "no column date"),
        ("high", "highest", "no column high"),
        ("symbol", "open", "column twice"),
        ("1/29/1985", "29.1.1985", "neither YYYY-MM-DD nor M/D/YYYY"),
        ("1/29/1985", "13/29/1985", "row 2"),
        ("1/29/1985", "2/30/1985", "row 2"),
        ("1/29/1985", "1/29/2085", "does not follow"),
        ("12/3/1985", "1/29/1985", "does not follow"),
        (",11,14,", ",11,", "row 3 has 7 of 8 fields"),
        (",11,14,", ",eleven,14,", "row 3: 'eleven' is no finite number"),
        (",11,14,", ",-11,14,", "row 3 has a price that is none"),
        (",11,14,", ",inf,14,", "row 3: 'inf' is no finite number"),
        ("12/3/1985,DJI", "12/3/1985,IBM", "of 2 symbols"),
        ("1/29/1985", '"1/29/1985', "no CSV text|row|rows"),
    ],
)
def test_prices_that_are_none(tmp_path, old, new, message):
    assert old in OLD
    with pytest.raises(FormatError, match=message):
        prices(tmp_path, OLD.replace(old, new, 1))


def test_empty_prices(tmp_path):
    for text in ("", OLD.splitlines()[0], "\0\0"):
        with pytest.raises(FormatError):
            prices(tmp_path, text)


def test_scaled_windows_divide_by_the_last_price():
    close = np.array([1.0, 2, 4, 5, 10, 8])
    x, y, last = scaled_windows(close, 3)
    assert x.shape == (3, 3, 1) and y.shape == (3, 1) and last.tolist() == [4, 5, 10]
    assert x[0, :, 0].tolist() == [0.25, 0.5, 1] and y[0, 0] == 1.25
    assert_close(y[:, 0] * last, close[3:], 1e-5)
    assert (x[:, -1] == 1).all()
