"""BCCD: blood cells with boxes."""

from __future__ import annotations

from ...doors import checked
from ..download import locate
from ..formats.voc import read_voc
from ..record import DataFile, DataSet
from ..types import Detections

BCCD = DataSet(
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


@checked
def bccd() -> Detections:
    """Blood cells (Shenggan 2017, MIT): 364 pictures 640x480, classes Platelets, RBC, WBC.

    4886 boxes after two without area were skipped; splits train 205, val 87, test 72. Found in
    TINYDL_DATA/detection or in the user cache; DataError otherwise.
    """
    return read_voc(locate(BCCD, BCCD.files[0]), BCCD.classes, "bccd")
