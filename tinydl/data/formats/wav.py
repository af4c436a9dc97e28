"""Sound in RIFF/WAVE files: 16-bit PCM, one channel; read and written without a library."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ...errors import FormatError
from ...files import write_atomically
from ...foreign import reader
from ...quoting import shown

PCM, BITS = 1, 16
_FORMAT = struct.Struct("<HHIIHH")  # kind, channels, rate, bytes a second, bytes a frame, bits


@reader("wav", called="name")
def decode_wav(data: bytes, name: str) -> tuple[int, np.ndarray]:
    """(samples a second, samples (T,) int16) of a WAVE file's bytes.

    Chunks other than "fmt " and "data" are passed over. FormatError for anything but 16-bit PCM
    of one channel, a chunk beyond the end, or half a sample.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise FormatError(f"wav: {shown(name)} does not begin like a WAVE file")
    rate, place = 0, 12
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        body = data[place + 8 : place + 8 + size]
        if len(body) != size:
            raise FormatError(f"wav: {shown(name)} ends within a chunk of {size} bytes")
        if kind == b"fmt ":
            rate = _rate(body, name)
        elif kind == b"data":
            if not rate or size % 2:
                raise FormatError(f"wav: {shown(name)} has {size} bytes of sound, rate {rate}")
            return rate, np.frombuffer(body, "<i2").astype(np.int16)
        place += 8 + size + size % 2  # chunks begin at even places
    raise FormatError(f"wav: {shown(name)} holds no sound")


def _rate(body: bytes, name: str) -> int:
    if len(body) < _FORMAT.size:
        raise FormatError(f"wav: {shown(name)} has a format chunk of {len(body)} bytes")
    kind, channels, rate, _, _, bits = _FORMAT.unpack_from(body)
    if (kind, channels, bits) != (PCM, 1, BITS) or rate == 0:
        raise FormatError(
            f"wav: {shown(name)} is of kind {kind}, {channels} channels, {bits} bits, rate {rate}; "
            "16-bit PCM of one channel is read"
        )
    return rate


def encode_wav(samples: np.ndarray, rate: int) -> bytes:
    """The bytes of a WAVE file: samples (T,) in -1 ... 1, cut off outside, become 16 bits."""
    body = (np.clip(samples, -1, 1) * 32_767).round().astype("<i2").tobytes()
    head = _FORMAT.pack(PCM, 1, rate, 2 * rate, 2, BITS)
    size = 4 + 8 + len(head) + 8 + len(body)
    return b"".join(
        (b"RIFF", struct.pack("<I", size), b"WAVE", b"fmt ", struct.pack("<I", len(head)), head,
         b"data", struct.pack("<I", len(body)), body)
    )  # fmt: skip


def write_wav(path: str | Path, samples: np.ndarray, rate: int) -> None:
    """`encode_wav` into a file, whole or not at all."""
    write_atomically(Path(path), encode_wav(samples, rate))
