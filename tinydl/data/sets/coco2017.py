"""COCO 2017: boxes of eighty kinds of things."""

from __future__ import annotations

from pathlib import Path

from ...doors import checked
from ...errors import ConfigError, FormatError
from ...quoting import quoted, shown
from ..download import locate
from ..formats.archives import members
from ..formats.coco import MAX_JSON, parse_coco
from ..record import DataFile, DataSet, Mirror
from ..types import Detections

COCO2017 = DataSet(
    name="coco2017",
    folder="coco2017",
    files=(
        DataFile(
            "annotations_trainval2017.zip",
            "113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
            252_907_541,
            mirrors=(Mirror("http://images.cocodataset.org/annotations/"),),
        ),
    ),
    classes=(),  # 80, named by the annotations
    records="118287 train + 5000 validation images (annotations only)",
    description="boxes of eighty kinds of things; the pictures (19 GB) are fetched by hand",
    source="https://cocodataset.org",
    licence="annotations CC BY 4.0; images from flickr under its terms of use",
    citation="T.-Y. Lin et al., Microsoft COCO: common objects in context, arXiv:1405.0312 (2014)",
)


@checked
def coco2017(part: str = "val2017", images: str | Path | None = None) -> Detections:
    """COCO 2017 (Lin et al. 2014, arXiv:1405.0312), 80 classes; part "train2017" or "val2017".

    The annotations are found in TINYDL_DATA/coco2017, else in the user cache, else downloaded (253
    MB). images: a folder or zip file with the pictures, which are not downloaded (val 0.8 GB, train
    19 GB); None reads only annotations. Errors of `read_coco`.
    """
    if part not in ("train2017", "val2017"):
        raise ConfigError(f"coco2017: part must be 'train2017' or 'val2017', got {quoted(part)}")
    dataset = COCO2017
    path = locate(dataset, dataset.files[0])
    wanted = f"annotations/instances_{part}.json"
    found = dict(members(path, wanted.__eq__, MAX_JSON, MAX_JSON))
    if wanted not in found:
        raise FormatError(f"coco: {shown(path)} has no {wanted}")
    return parse_coco(found[wanted], f"{path}: {wanted}", images, "coco2017")
