"""Catalogue entries of pictures with boxes: BCCD, PASCAL VOC 2007, COCO 2017. Only literals."""

from __future__ import annotations

from .record import DataFile, DataSet, Mirror

_PASCAL = (
    Mirror("http://host.robots.ox.ac.uk/pascal/VOC/voc2007/"),
    Mirror("http://pjreddie.com/media/files/"),
)
VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)

_BCCD = DataSet(
    name="bccd",
    folder="detection",
    files=(
        DataFile(
            "bccd.zip",
            "3bca1a6775ff76f08a125abbe03ded560f77bb6e866adc658a14451ae3b1a6c3",
            7_868_951,
        ),
    ),
    classes=("Platelets", "RBC", "WBC"),
    records="364 images with 4888 boxes (2 without area); 205 train, 87 val, 72 test",
    description="blood cells under the microscope, 640x480 colour JPEG, VOC XML",
    source="https://github.com/Shenggan/BCCD_Dataset",
    licence="MIT",
    citation="Shenggan, BCCD Dataset (2017), https://github.com/Shenggan/BCCD_Dataset",
    by_hand="clone the source and read its folder BCCD with tinydl.data.read_voc(path)",
    fidelity="the original pictures and XML files, packed anew",
)
_VOC2007 = DataSet(
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
_COCO2017 = DataSet(
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

DETECTION = (_BCCD, _VOC2007, _COCO2017)
