"""Catalogue entries of labelled images: CIFAR, ORL faces, Omniglot. Only literals."""

from __future__ import annotations

from .record import DataFile, DataSet, Mirror

# Sizes and SHA-256 sums of files that were not at hand are those which TensorFlow Datasets and
# Keras publish; no mirror could be opened when this was written.
_TORONTO = (
    Mirror("https://www.cs.toronto.edu/~kriz/"),
    Mirror("https://cave.cs.toronto.edu/kriz/"),
)
_KRIZHEVSKY = (
    "A. Krizhevsky, Learning multiple layers of features from tiny images, technical report, "
    "University of Toronto (2009)"
)
_CIFAR_LICENCE = "no formal licence; research use with citation"
_CIFAR_SOURCE = "https://www.cs.toronto.edu/~kriz/cifar.html"
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
# Alphabetical, as the official fine_label_names.txt and coarse_label_names.txt.
CIFAR100_CLASSES = (
    *("apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle"),
    *("bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle"),
    *("caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch"),
    *("crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest"),
    *("fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard"),
    *("lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse"),
    *("mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck"),
    *("pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray"),
    *("road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail"),
    *("snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank"),
    *("telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle"),
    *("wardrobe", "whale", "willow_tree", "wolf", "woman", "worm"),
)
CIFAR100_COARSE_CLASSES = (
    *("aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables"),
    *("household_electrical_devices", "household_furniture", "insects", "large_carnivores"),
    *("large_man-made_outdoor_things", "large_natural_outdoor_scenes"),
    *("large_omnivores_and_herbivores", "medium_mammals", "non-insect_invertebrates", "people"),
    *("reptiles", "small_mammals", "trees", "vehicles_1", "vehicles_2"),
)

_CIFAR10 = DataSet(
    name="cifar10",
    folder="cifar10",
    files=(
        DataFile(
            "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170_052_171,
            mirrors=_TORONTO,
        ),
    ),
    classes=CIFAR10_CLASSES,
    records="50000 train + 10000 test",
    description="photographs of ten things, 32x32 colour, binary records",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)
_CIFAR10_PYTHON = DataSet(
    name="cifar10_python",
    folder="cifar10",
    files=(
        DataFile(
            "cifar-10-python.tar.gz",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            170_498_071,
            mirrors=(
                *_TORONTO,
                Mirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
            ),
        ),
    ),
    classes=CIFAR10_CLASSES,
    records="50000 train + 10000 test",
    description="CIFAR-10 as Python pickles (read without running them)",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)
_CIFAR10_SUBSET = DataSet(
    name="cifar10_subset",
    folder="cifar10",
    files=(
        DataFile(
            "data_batch_1.bin.gz",
            "2e59c1daf3bfd87ca04d1ac69028a7753e0fb8d22f14a06d6c26c50adaf01339",
            28_215_797,
        ),
        DataFile(
            "data_batch_2.bin.gz",
            "49439036bff271fe434e902335e567eac13d4be80a3b9d1543f4fca9e6b988c0",
            28_293_269,
        ),
        DataFile(
            "test_batch_5000.bin.gz",
            "da6550cbf25dac0388a7c0c245f230b2591b7ef92747fd7e879788c6bf91bcde",
            14_147_760,
        ),
    ),
    classes=CIFAR10_CLASSES,
    records="20000 train + 5000 test",
    description="a part of CIFAR-10 in its binary format",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
    by_hand="it was selected for this project's tests; use cifar10, which can be downloaded",
    fidelity=(
        "subset: 2000 training and 500 test images per class, pixels unchanged, own selection and "
        "order, so results do not compare with those on the 50000 images"
    ),
)
_CIFAR100 = DataSet(
    name="cifar100",
    folder="cifar100",
    files=(
        DataFile(
            "cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            168_513_733,
            mirrors=_TORONTO,
        ),
    ),
    classes=CIFAR100_CLASSES,
    records="50000 train + 10000 test",
    description="photographs of 100 things in 20 groups, 32x32 colour, binary records",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)
_CIFAR100_PYTHON = DataSet(
    name="cifar100_python",
    folder="cifar100",
    files=(
        DataFile(
            "cifar-100-python.tar.gz",
            "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            169_001_437,
            mirrors=(
                *_TORONTO,
                Mirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
            ),
        ),
    ),
    classes=CIFAR100_CLASSES,
    records="50000 train + 10000 test",
    description="CIFAR-100 as Python pickles (read without running them)",
    source=_CIFAR_SOURCE,
    licence=_CIFAR_LICENCE,
    citation=_KRIZHEVSKY,
)

_ORL_FACES = DataSet(
    name="orl_faces",
    folder="orl_faces",
    files=(
        DataFile(
            "orl_faces.zip",
            "3e76bc13fc66b11bef23b5d4ca71c436aad85b358dc07c857289bc348874c96b",
            3_772_752,
        ),
    ),
    classes=tuple(f"s{k}" for k in range(1, 41)),
    records="400: 10 of each of 40 people, no split of its own",
    description="faces, 112 high x 92 wide, 8-bit grey, PGM",
    source="https://cam-orl.co.uk/facedatabase.html",
    licence='free for research, credit "AT&T Laboratories Cambridge"',
    citation=(
        "F. Samaria, A. Harter, Parameterisation of a stochastic model for human face "
        "identification, IEEE Workshop on Applications of Computer Vision (1994) 138-142, "
        "doi:10.1109/ACV.1994.341300"
    ),
    by_hand=(
        "get att_faces.zip from the source and read it with tinydl.data.read_orl_faces(path); "
        "beware of copies with students' photos in place of s1 or s40"
    ),
    fidelity="the original PGM files, packed anew",
)

_OMNIGLOT_MIRRORS = (
    Mirror("https://github.com/brendenlake/omniglot/raw/master/python/"),
    Mirror("https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"),
)
_LAKE = (
    "B. Lake, R. Salakhutdinov, J. Tenenbaum, Human-level concept learning through probabilistic "
    "program induction, Science 350 (2015) 1332-1338, doi:10.1126/science.aab3050"
)
_OMNIGLOT_SMALL = DataSet(
    name="omniglot_small",
    folder="omniglot",
    files=(
        DataFile(
            "images_background_small1.zip",
            "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
            1_319_022,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
        DataFile(
            "images_background_small2.zip",
            "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
            1_580_917,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
    ),
    classes=(),  # 136 and 156 characters, named by the archives
    records="2720 + 3120 drawings of 136 and 156 characters",
    description="handwritten characters of 5 + 5 alphabets, 105x105 black and white",
    source="https://github.com/brendenlake/omniglot",
    licence="MIT",
    citation=_LAKE,
)
_OMNIGLOT_RUNS = DataSet(
    name="omniglot_runs",
    folder="omniglot",
    files=(
        DataFile(
            "all_runs.zip",
            "437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
            352_787,
            mirrors=tuple(Mirror(m.base + "one-shot-classification/") for m in _OMNIGLOT_MIRRORS),
        ),
    ),
    classes=(),
    records="20 runs of 20 training + 20 test drawings",
    description="the 20-way one-shot classification task of Omniglot",
    source="https://github.com/brendenlake/omniglot",
    licence="MIT",
    citation=_LAKE,
)
_OMNIGLOT = DataSet(
    name="omniglot",
    folder="omniglot",
    files=(
        DataFile(
            "images_background.zip",
            "ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640",
            9_464_212,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
        DataFile(
            "images_evaluation.zip",
            "1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee",
            6_462_886,
            mirrors=_OMNIGLOT_MIRRORS,
        ),
    ),
    classes=(),
    records="19280 + 13180 drawings of 964 and 659 characters",
    description="handwritten characters of 30 + 20 alphabets, 105x105 black and white",
    source="https://github.com/brendenlake/omniglot",
    licence="MIT",
    citation=_LAKE,
)

IMAGES = (
    _CIFAR10,
    _CIFAR10_PYTHON,
    _CIFAR10_SUBSET,
    _CIFAR100,
    _CIFAR100_PYTHON,
    _ORL_FACES,
    _OMNIGLOT_SMALL,
    _OMNIGLOT_RUNS,
    _OMNIGLOT,
)
