"""benchmarks/scaling.py: the formulas against a ring that is played step by step."""

from pathlib import Path

import pytest
from support import script

scaling = script(Path(__file__).parents[2] / "benchmarks" / "scaling.py")
NETWORK = scaling.Network("n", 1e-5, 1e-9)
STEP = scaling.Step("net", 32, 0.1, 0.06, 0.001, (4_000, 900_000, 2_000_000, 60_000))


@pytest.mark.parametrize("ranks", [2, 3, 8])
def test_the_ring_is_so_many_messages_behind_each_other(ranks):
    """Played: chunk r begins at rank r and is summed round the ring, then handed round."""
    chunks, seconds = [[{r} for _ in range(ranks)] for r in range(ranks)], 0.0
    while any(chunk != set(range(ranks)) for row in chunks for chunk in row):
        turn = round(seconds)  # whole turns so far
        before = [[set(c) for c in row] for row in chunks]
        for r in range(ranks):
            k = (r - turn) % ranks
            chunks[(r + 1) % ranks][k] |= before[r][k]
        seconds += 1
    size = 6e6
    expected = seconds * (NETWORK.latency + size / ranks * NETWORK.per_byte)
    assert NETWORK.allreduce(ranks, size) == pytest.approx(expected)


def test_one_rank_loses_nothing_and_overlap_never_more():
    assert STEP.efficiency(NETWORK, 1, False) == 1
    for ranks in scaling.RANKS:
        plain, hidden = (STEP.efficiency(NETWORK, ranks, overlap) for overlap in (False, True))
        assert 0 < plain < 1 and (hidden > plain or ranks > 200)
    plain = STEP.seconds / (STEP.seconds + 0.001 + NETWORK.allreduce(4, STEP.size))
    assert STEP.efficiency(NETWORK, 4, False) == pytest.approx(plain)


def test_what_is_sent_behind_the_end_is_the_last_bucket():
    """A network that is fast enough hides all but the bucket with the first layer's gradient."""
    fast = scaling.Network("fast", 1e-7, 1e-12)
    assert STEP.exposed(fast, 4) == pytest.approx(fast.allreduce(4, 904_000))
    slow = scaling.Network("slow", 0, 1e-6)  # the wire is never idle from its first bucket on
    begins = STEP.back * 2 / 4  # two layers of four fill the first
    sent = slow.allreduce(4, 2_060_000) + slow.allreduce(4, 904_000)
    assert STEP.exposed(slow, 4) == pytest.approx(begins + sent - STEP.back)


def test_latency_and_bandwidth_come_back():
    seconds = {size: NETWORK.allreduce(2, size) for size in scaling.BYTES}
    found = scaling.fitted(seconds)
    assert found.latency == pytest.approx(1e-5) and found.per_byte == pytest.approx(1e-9)


def test_what_is_written_is_the_tables_and_a_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "RESULTS", tmp_path)
    pytest.importorskip("matplotlib")
    check = scaling.checks_of([STEP], NETWORK, {"net": 0.11})
    table = scaling.table_of([STEP], (NETWORK, *scaling.WIRES))
    scaling.write(NETWORK, {64: 1e-5}, check, table)
    scaling.drawn([STEP], (NETWORK, *scaling.WIRES), tmp_path / "scaling.png")
    text = (tmp_path / "scaling.md").read_text()
    assert "| net | 32 |" in text and "| network | overlap | 2 | 4 |" in text
    assert (tmp_path / "scaling.png").stat().st_size > 2000
