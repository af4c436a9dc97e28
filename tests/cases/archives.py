"""Tiny files in the formats in which data sets are published, made by hand: bytes, no library."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib

import numpy as np


def tar(files, mode="w:gz"):
    """{name: content} as a tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def without(files, *names):
    return {name: data for name, data in files.items() if name not in names}


def idx(array):
    """uint8, packed."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


def png(pixels):
    """A picture of (H, W) grey or (H, W, 3) colour uint8 pixels."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, 2 * (pixels.ndim == 3), 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def pgm(pixels):
    return b"P5\n%d %d\n255\n" % pixels.shape[::-1] + pixels.tobytes()


def planes(x):
    """(N, H, W, 3) -> (N, 3 H W): red, green, blue."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def cifar_records(x, *labels):
    columns = [np.asarray(label, np.uint8)[:, None] for label in labels]
    return np.concatenate([*columns, planes(x)], axis=1).tobytes()


def voc_thing(name, box, difficult=0):
    corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    bounds = "".join(f"<{k}>{v}</{k}>" for k, v in corners)
    return (
        f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        f"<bndbox>{bounds}</bndbox></object>"
    )


def voc_annotation(*things, size="<size><width>40</width><height>30</height></size>"):
    return f"<annotation>{size}{''.join(things)}</annotation>".encode()


def ragged(rows):
    """An array of objects, as NumPy pickles it."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array
