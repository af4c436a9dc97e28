"""VOC XML and COCO JSON: what they say, and what a hostile file cannot do."""

import copy
import io
import json
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from cases.archives import tar, zipped
from cases.archives import voc_annotation as annotation
from cases.archives import voc_thing as thing
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl.data import read_coco, read_voc
from tinydl.data.formats.voc import parse_xml
from tinydl.errors import ConfigError, FormatError

Image = pytest.importorskip("PIL.Image", reason="needs Pillow (the extra `data`)")


def picture(width, height, grey=False):
    stream = io.BytesIO()
    Image.new("L" if grey else "RGB", (width, height)).save(stream, "JPEG")
    return stream.getvalue()


VOC = {
    "V/Annotations/a.xml": annotation(thing("dog", (1, 2, 11, 22)), thing("cat", (3, 3, 3, 9))),
    "V/Annotations/b.xml": annotation(thing("cat", (5.5, 6, 7, 8), 1), thing("dog", (9, 9, 8, 10))),
    "V/Annotations/c.xml": annotation(),
    "V/JPEGImages/a.jpg": picture(40, 30),
    "V/JPEGImages/b.jpg": picture(40, 30, grey=True),
    "V/JPEGImages/c.jpg": picture(41, 30),
    "V/ImageSets/Main/train.txt": b"b\na\n",
    "V/ImageSets/Main/dog_train.txt": b"b 1\na -1\n",
    "V/ImageSets/Main/lost.txt": b"a\nz\n",
    "V/SegmentationClass/a.png": b"not read",
}


def make(tmp_path, kind, files):
    path = tmp_path / f"set-{kind}"
    if kind == "folder":
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    else:
        path.write_bytes(zipped(files) if kind == "zip" else tar(files, "w"))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_voc(tmp_path, kind):
    data = read_voc(make(tmp_path, kind, VOC))
    assert data.ids == ("a", "b", "c") and data.classes == ("cat", "dog") and len(data) == 3
    assert data.sizes.tolist() == [[30, 40]] * 3
    assert [b.tolist() for b in data.boxes] == [[[1, 2, 11, 22]], [[5.5, 6, 7, 8]], []]
    assert data.boxes[2].shape == (0, 4) and data.boxes[2].dtype == np.float32
    assert [label.tolist() for label in data.labels] == [[1], [0], []]
    assert [flags.tolist() for flags in data.ignore] == [[False], [True], []]
    assert data.skipped == 2
    assert data.splits == {"train": ("b", "a"), "lost": ("a", "z")}
    assert data.image(0).shape == (30, 40, 3) and data.image(1).shape == (30, 40, 3)
    with pytest.raises(FormatError, match=r"c\.jpg is \(30, 41\), annotated as \[30 40\]"):
        data.image(2)
    part = data.part("train")
    assert part.ids == ("b", "a") and part.boxes[1].tolist() == [[1, 2, 11, 22]]
    assert part.image(1).shape == (30, 40, 3) and part.members[1].endswith("a.jpg")
    with pytest.raises(ConfigError, match="no split 'test', there are"):
        data.part("test")
    with pytest.raises(FormatError, match="names 'z', which is not there"):
        data.part("lost")


def test_voc_coordinates_from_one(tmp_path):
    data = read_voc(make(tmp_path, "zip", VOC), one_based=True)
    # A box from pixel 3 to pixel 3 is one pixel wide here, and is no longer skipped.
    assert data.boxes[0].tolist() == [[0, 1, 11, 22], [2, 2, 3, 9]] and data.skipped == 1


@pytest.mark.parametrize(
    "xml, message",
    [
        (annotation(size=""), "has no <size><width>"),
        (annotation(size="<size><width>40</width></size>"), "has no <size><height>"),
        (annotation(size="<size><width>0</width><height>3</height></size>"), "a size of 0"),
        (annotation(size="<size><width>1e9</width><height>3</height></size>"), "is '1e9'"),
        (annotation(size="<size><width>forty</width><height>3</height></size>"), "is 'forty'"),
        (annotation("<object><name>dog</name></object>"), "has no <bndbox><xmin>"),
        (annotation(thing("dog", (1, 2, "nan", 4))), "is 'nan'"),
        (annotation(thing("dog", (1, 2, "inf", 4))), "is 'inf'"),
        (annotation(thing("cow", (1, 2, 3, 4))), "unknown class 'cow'"),
        (annotation(thing("", (1, 2, 3, 4))), "unknown class ''"),
        (b"", "not well-formed"),
        (b"<annotation>", "not well-formed"),
        (b"<a></b>", "not well-formed"),
        (b"\xff\xfe\x00", "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "not well-formed"),
        (b"<a>" * 60 + b"</a>" * 60, "nested deeper than 50"),
        (b"<a>" + b"x" * (1 << 20) + b"</a>", "more than 1048576"),
        (b"<!DOCTYPE a><a/>", "document type"),
    ],
)
def test_voc_that_is_none(tmp_path, xml, message):
    path = make(tmp_path, "zip", VOC | {"V/Annotations/a.xml": xml})
    with pytest.raises(FormatError, match=message) as error:
        read_voc(path, ("cat", "dog"))
    assert (
        "a.xml" in str(error.value)
        or "V/Annotations" in str(error.value)
        or ": a" in str(error.value)
    )


def test_voc_without_a_picture_or_annotations(tmp_path):
    files = {k: v for k, v in VOC.items() if not k.endswith("b.jpg")}
    with pytest.raises(FormatError, match="no picture for the annotation b"):
        read_voc(make(tmp_path, "zip", files))
    with pytest.raises(FormatError, match="has no Annotations"):
        read_voc(make(tmp_path, "zip", {"x": b""}))
    with pytest.raises(FormatError, match="leaves the archive"):
        read_voc(make(tmp_path, "zip", VOC | {"../V/Annotations/d.xml": annotation()}))


def test_damaged_annotations_of_voc_are_named_and_passed_over(tmp_path):
    bad = {"V/Annotations/a.xml": b"<annotation>", "V/Annotations/b.xml": annotation(size="")}
    more = {"V/Annotations/d.xml": annotation(thing("cow", (1, 2, 3, 4)))}
    path, damaged = make(tmp_path, "zip", VOC | bad | more), []
    data = read_voc(path, damaged=damaged)
    assert data.ids == ("c",) and data.classes == () and data.members == ("V/JPEGImages/c.jpg",)
    assert [file[-5:] for file, _ in damaged] == ["a.xml", "b.xml", "d.xml"]
    said = [text for _, text in damaged]
    assert said[0].startswith("xml: is not well-formed") and str(tmp_path) not in "".join(said)
    assert said[1:] == ["voc: has no <size><width>", "voc: has no picture for the annotation d"]
    with pytest.raises(FormatError, match="none of the annotations"):
        read_voc(make(tmp_path, "tar", VOC | {f"V/Annotations/{k}.xml": b"" for k in "abc"}),
                 damaged=damaged)  # fmt: skip
    assert len(damaged) == 6


def test_entities_neither_expand_nor_read_files(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    laughs = "".join(
        f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' if k else '<!ENTITY l0 "ha">' for k in range(12)
    )
    for text in (
        f"<!DOCTYPE a [{laughs}]><a>&l11;</a>",
        f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]><a>&x;</a>',
        f'<!DOCTYPE a SYSTEM "file://{secret}"><a/>',
        '<!DOCTYPE a [<!ENTITY % p "x"> %p;]><a/>',
    ):
        tracemalloc.start()
        with pytest.raises(FormatError, match="document type") as error:
            parse_xml(text.encode(), "x")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000 and "secret" not in str(error.value)
        tracemalloc.stop()
    with pytest.raises(FormatError, match="not well-formed"):
        parse_xml(b"<a>&undefined;</a>", "x")
    assert parse_xml(b"<a>&lt;&amp;&#65;</a>", "x").text == "<&A"


# -- COCO ------------------------------------------------------------------------------------------

COCO = {
    "images": [
        {"id": 7, "file_name": "b.jpg", "width": 40, "height": 30},
        {"id": 3, "file_name": "a.jpg", "width": 20, "height": 10},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 2.5, 10, 20], "iscrowd": 0},
        {"id": 2, "image_id": 7, "category_id": 5, "bbox": [0, 0, 4, 4], "iscrowd": 1},
        {"id": 3, "image_id": 7, "category_id": 5, "bbox": [0, 0, 0, 4]},
    ],
    "categories": [{"id": 90, "name": "toothbrush"}, {"id": 5, "name": "dog"}],
}


def coco(tmp_path, content, **options):
    path = tmp_path / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_coco(path, **options)


def test_coco(tmp_path):
    data = coco(tmp_path, COCO)
    assert data.classes == ("dog", "toothbrush") and data.ids == ("a.jpg", "b.jpg")
    assert data.sizes.tolist() == [[10, 20], [30, 40]]
    assert data.boxes[0].shape == (0, 4)
    assert data.boxes[1].tolist() == [[1, 2.5, 11, 22.5], [0, 0, 4, 4]]
    assert data.labels[1].tolist() == [1, 0] and data.ignore[1].tolist() == [False, True]
    assert data.skipped == 1
    with pytest.raises(ConfigError, match="only annotations"):
        data.image(0)


@pytest.mark.parametrize("kind, folder", [("folder", ""), ("zip", "val2017/")])
def test_coco_with_pictures(tmp_path, kind, folder):
    files = {f"{folder}a.jpg": picture(20, 10), f"{folder}b.jpg": picture(40, 30, grey=True)}
    images = make(tmp_path, kind, files)
    data = coco(tmp_path, COCO, images=images)
    assert data.image(0).shape == (10, 20, 3) and data.image(1).shape == (30, 40, 3)
    images = make(tmp_path / "other", kind, {f"{folder}a.jpg": b""}) if kind == "folder" else images
    missing = copy.deepcopy(COCO)
    missing["images"][0]["file_name"] = "z.jpg"
    with pytest.raises(FormatError, match="lacks pictures"):
        coco(tmp_path, missing, images=images)


def changed(*path, value):
    content = copy.deepcopy(COCO)
    target = content
    for key in path[:-1]:
        target = target[key]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return content


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1, 2",
        "[]",
        "3",
        "[" * 100_000,
        changed("images", value=None),
        changed("images", value=[]),
        changed("images", value={}),
        changed("images", 0, "width", value=None),
        changed("images", 0, "width", value=0),
        changed("images", 0, "width", value="40"),
        changed("images", 0, "width", value=10**30),
        changed("images", 0, "file_name", value=5),
        changed("images", 0, "file_name", value="../../etc/passwd"),
        changed("images", 0, "file_name", value="/etc/passwd"),
        changed("images", 0, "id", value=3),
        changed("images", 0, "id", value=[1]),
        changed("annotations", 0, "bbox", value=None),
        changed("annotations", 0, "bbox", value=[1, 2, 3]),
        changed("annotations", 0, "bbox", value=[1, 2, 3, "4"]),
        changed("annotations", 0, "bbox", value=[1, 2, 3, float("nan")]),
        changed("annotations", 0, "bbox", value=[1, 2, 3, float("inf")]),
        changed("annotations", 0, "bbox", value="1234"),
        changed("annotations", 0, "image_id", value=8),
        changed("annotations", 0, "category_id", value=6),
        changed("categories", 0, "id", value=5),
        changed("categories", 0, "name", value=None),
    ],
)
def test_coco_that_is_none(tmp_path, content):
    with pytest.raises(FormatError, match="coco: ") as error:
        coco(tmp_path, content)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


def test_damaged_entries_of_coco_are_named_and_passed_over(tmp_path):
    files = {"a.jpg": picture(20, 10), "b.jpg": picture(40, 30)}
    images = make(tmp_path, "folder", files)
    for key, value, said in [("bbox", [1, 2, 3], "not four numbers"), ("bbox", None, "KeyError"),
                             ("iscrowd", "1", "not 0 or 1")]:  # fmt: skip
        damaged = []
        data = coco(
            tmp_path, changed("annotations", 0, key, value=value), images=images, damaged=damaged
        )
        assert data.ids == ("a.jpg",) and data.boxes[0].shape == (0, 4), key
        ((file, told),) = damaged
        assert file == "b.jpg" and said in told and str(tmp_path) not in told
    content = changed("annotations", 0, "image_id", value=8)
    content["images"] += [{"id": 70, "file_name": "z.jpg", "height": 3, "width": 3},
                          {"id": 71, "file_name": "../b.jpg", "height": 3, "width": 3}]  # fmt: skip
    damaged = []
    data = coco(tmp_path, content, images=images, damaged=damaged)
    assert data.ids == ("a.jpg", "b.jpg") and data.image(1).shape == (30, 40, 3)
    assert [text for _, text in damaged] == [
        "coco: the file name '../b.jpg' leaves the folder",
        "coco: annotation 1 refers to nothing",
        "coco: is not there",
    ]
    assert damaged[1][0].endswith("instances.json") and damaged[2][0] == "z.jpg"
    with pytest.raises(FormatError, match="none of the pictures"):
        coco(tmp_path, COCO, images=make(tmp_path / "o", "folder", {"x.jpg": b""}), damaged=damaged)


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "bbox", "name", "file_name"]), inner, max_size=3
            )
        ),
        max_leaves=10,
    ),
    st.sampled_from(["images", "annotations", "categories"]),
)
def test_any_json_is_a_set_or_a_format_error(tmp_path_factory, value, key):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(COCO | {key: value}))
    with suppress(FormatError):
        assert len(read_coco(path)) >= 1
