"""PASCAL VOC 2007: photographs with boxes of twenty kinds of things."""

from __future__ import annotations

from ...doors import checked
from ...errors import ConfigError
from ...quoting import quoted
from ..download import locate
from ..formats.voc import read_voc
from ..record import DataFile, DataSet, Mirror
from ..types import Detections

_PASCAL = (
    Mirror("http://host.robots.ox.ac.uk/pascal/VOC/voc2007/"),
    Mirror("http://pjreddie.com/media/files/"),
)

VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)

VOC2007 = DataSet(
    name="voc2007",
    folder="voc2007",
    files=(
        DataFile(
            "VOCtrainval_06-Nov-2007.tar",
            "7d8cd951101b0957ddfd7a530bdc8a94f06121cfc1e511bb5937e973020c7508",
            460_032_000,
            mirrors=_PASCAL,
        ),
        DataFile(
            "VOCtest_06-Nov-2007.tar",
            "6836888e2e01dca84577a849d339fa4f73e1e4f135d312430c4856b5609b4892",
            451_020_800,
            mirrors=_PASCAL,
        ),
    ),
    classes=VOC_CLASSES,
    records="5011 train and validation + 4952 test images",
    description="photographs with boxes of twenty kinds of things, VOC XML",
    source="http://host.robots.ox.ac.uk/pascal/VOC/voc2007/",
    licence="images from flickr under its terms of use; see the source",
    citation=(
        "M. Everingham, L. Van Gool, C. Williams, J. Winn, A. Zisserman, The PASCAL visual object "
        "classes (VOC) challenge, IJCV 88 (2010) 303-338, doi:10.1007/s11263-009-0275-4"
    ),
)


@checked
def voc2007(part: str = "trainval") -> Detections:
    """PASCAL VOC 2007 (Everingham et al. 2010): 20 classes; part "trainval" (5011) or "test"
    (4952).

    Coordinates are the official ones less 1 at the left and top, which makes the inclusive pixel
    range that starts at 1 the half-open range of this module. Found in TINYDL_DATA/voc2007, else in
    the user cache, else downloaded (450 MB each).
    """
    dataset = VOC2007
    files = {"trainval": dataset.files[0], "test": dataset.files[1]}
    if part not in files:
        raise ConfigError(f"voc2007: part must be 'trainval' or 'test', got {quoted(part)}")
    return read_voc(locate(dataset, files[part]), dataset.classes, "voc2007", one_based=True)
