"""A peer for test_bench.py: numpy, off by a little in every cell."""

from tinydl.bench import peer_numpy


class WrongPeer(peer_numpy.NumpyPeer):
    def build(self, case, arrays):
        run, export = super().build(case, arrays)
        return run, lambda result: [1.01 * part for part in export(result)]


def open_peer(argument, threads):
    if argument == "raises":
        raise ImportError("No module named 'wrong'")
    return WrongPeer()
