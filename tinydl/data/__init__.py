"""Data sets, splits, mini-batches, texts and images: NumPy arrays only, no Tensor, no device."""

from .archives import Archive, read_bytes
from .augment import (
    Compose,
    Crop,
    Each,
    Flip,
    Pad,
    Rotate,
    Sample,
    Shift,
    Zoom,
    boxes_of_masks,
    transformed,
)
from .augment_batch import ShiftFlip
from .augment_colour import Brightness, Contrast, CutOut, MixUp, Saturation
from .batches import Batches, take
from .box_rows import AugmentBoxes, half_size_rows, pad_rows, unpad_rows
from .catalog import CATALOG, lookup
from .cifar import cifar10, cifar100, read_cifar_binary, read_cifar_python
from .coco import coco2017, read_coco
from .corpora import read_text, tiny_shakespeare, war_and_peace
from .datasets import Dataset, Samples, digits, fashion_mnist, mnist
from .detection import Detections, bccd, read_voc, voc2007
from .download import cache_folder, data_folder, fetch, list_datasets, locate, offline, verify
from .drawn_faces import KEYPOINTS, drawn_faces
from .face_patches import face_patches
from .faces import orl_faces, read_orl_faces, read_pgm
from .idx import read_idx
from .images import (
    decode_image,
    fit_image,
    prepare_colour_image,
    prepare_image,
    read_image,
)
from .mask_planes import AugmentMasks, pad_planes, rows_of_planes
from .omniglot import (
    Characters,
    OneShotRun,
    omniglot,
    omniglot_runs,
    read_omniglot,
    read_omniglot_runs,
)
from .pickles import read_pickle
from .ratings import Ratings, movielens_1m, movielens_100k, read_movielens_1m, read_movielens_100k
from .record import DataFile, DataSet, Mirror
from .reviews import (
    Reviews,
    imdb,
    imdb_keras,
    read_imdb_npz,
    read_imdb_tar,
    read_imdb_tsv,
)
from .roads import roads
from .sequences import (
    copy_task,
    counting_ones,
    from_bits,
    noisy_sine,
    one_hot,
    random_text,
    stateful_batches,
    to_bits,
    windows,
)
from .shapes import Scenes, shapes
from .small_tables import Regression, diabetes, iris, xor_points
from .split import last_fraction, random_split, stratified_split, three_way_split
from .stocks import Prices, read_prices, scaled_windows, stocks
from .synthetic import blobs, spirals, synthetic_digits
from .synthetic_tables import random_payments, random_ratings, random_reviews
from .tables import Table, creditcard, read_creditcard, read_csv, standardize
from .text import CharacterTokenizer, WordTokenizer, pad_sequences, sequence_mask, split_words
from .worlds import MDP, chain_world, grid_world, random_mdp

__all__ = [
    "CATALOG",
    "KEYPOINTS",
    "MDP",
    "Archive",
    "AugmentBoxes",
    "AugmentMasks",
    "Batches",
    "Brightness",
    "CharacterTokenizer",
    "Characters",
    "Compose",
    "Contrast",
    "Crop",
    "CutOut",
    "DataFile",
    "DataSet",
    "Dataset",
    "Detections",
    "Each",
    "Flip",
    "Mirror",
    "MixUp",
    "OneShotRun",
    "Pad",
    "Prices",
    "Ratings",
    "Regression",
    "Reviews",
    "Rotate",
    "Sample",
    "Samples",
    "Saturation",
    "Scenes",
    "Shift",
    "ShiftFlip",
    "Table",
    "WordTokenizer",
    "Zoom",
    "bccd",
    "blobs",
    "boxes_of_masks",
    "cache_folder",
    "chain_world",
    "cifar10",
    "cifar100",
    "coco2017",
    "copy_task",
    "counting_ones",
    "creditcard",
    "data_folder",
    "decode_image",
    "diabetes",
    "digits",
    "drawn_faces",
    "face_patches",
    "fashion_mnist",
    "fetch",
    "fit_image",
    "from_bits",
    "grid_world",
    "half_size_rows",
    "imdb",
    "imdb_keras",
    "iris",
    "last_fraction",
    "list_datasets",
    "locate",
    "lookup",
    "mnist",
    "movielens_1m",
    "movielens_100k",
    "noisy_sine",
    "offline",
    "omniglot",
    "omniglot_runs",
    "one_hot",
    "orl_faces",
    "pad_planes",
    "pad_rows",
    "pad_sequences",
    "prepare_colour_image",
    "prepare_image",
    "random_mdp",
    "random_payments",
    "random_ratings",
    "random_reviews",
    "random_split",
    "random_text",
    "read_bytes",
    "read_cifar_binary",
    "read_cifar_python",
    "read_coco",
    "read_creditcard",
    "read_csv",
    "read_idx",
    "read_image",
    "read_imdb_npz",
    "read_imdb_tar",
    "read_imdb_tsv",
    "read_movielens_1m",
    "read_movielens_100k",
    "read_omniglot",
    "read_omniglot_runs",
    "read_orl_faces",
    "read_pgm",
    "read_pickle",
    "read_prices",
    "read_text",
    "read_voc",
    "roads",
    "rows_of_planes",
    "scaled_windows",
    "sequence_mask",
    "shapes",
    "spirals",
    "split_words",
    "standardize",
    "stateful_batches",
    "stocks",
    "stratified_split",
    "synthetic_digits",
    "take",
    "three_way_split",
    "tiny_shakespeare",
    "to_bits",
    "transformed",
    "unpad_rows",
    "verify",
    "voc2007",
    "war_and_peace",
    "windows",
    "xor_points",
]
