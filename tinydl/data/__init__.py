"""Data sets, splits, mini-batches, texts and images: NumPy arrays only, no Tensor, no device.

`sets/` has the data sets, each with record and loader in a file; `folders/` what a person has,
listed safely and read lazily; `formats/` what reads a file format; `augment/` random changes of
training samples; `synthetic/` made-up data. Beside them stand what they return (`types`), how files
are found (`record`, `download`, `catalog`, `inventory`) and what is done to data of any origin:
splits, batches, texts, sequences, boxes, masks, `prepare`.
"""

from typing import TYPE_CHECKING

from ..habits import asked as _asked
from ..habits import keras_loader as _keras_loader
from .augment.batch import ShiftFlip
from .augment.colour import Brightness, Contrast, CutOut, MixUp, Saturation
from .augment.steps import Compose, Crop, Each, Flip, Pad, Rotate, Sample, Shift, Zoom, transformed
from .augment.things import AugmentBoxes, AugmentMasks
from .batches import Batches, take
from .box_rows import half_size_rows, pad_rows, unpad_rows
from .byte_pairs import BytePairTokenizer
from .catalog import CATALOG, lookup
from .digit import prepare_digit
from .download import cache_folder, data_folder, locate, offline
from .folders.form import PictureForm
from .folders.images import image_folder
from .folders.looking import look
from .folders.pictures import Pictures
from .folders.sounds import AudioFolder, audio_folder
from .folders.texts import TextFolder, text_folder
from .formats.archives import Archive, read_bytes
from .formats.coco import read_coco
from .formats.idx import read_idx
from .formats.images import decode_image, read_image
from .formats.pgm import read_pgm
from .formats.pickles import read_pickle
from .formats.plain_text import read_text
from .formats.tables import read_csv
from .formats.voc import read_voc
from .inventory import fetch, list_datasets, verify
from .joined import Pieces, PieceSets, Strings, joined_spectra, joined_strings, joined_tracks
from .mask_planes import boxes_of_masks, pad_planes, rows_of_planes
from .pairs import CaptionParts, PairParts, Pairs, held_out_targets
from .prepare import fit_image, prepare_colour_image, prepare_image, standardize
from .record import DataFile, DataSet, Mirror
from .sequences import from_bits, one_hot, scaled_windows, stateful_batches, to_bits, windows
from .sets.bccd import bccd
from .sets.bundled import diabetes, digits, iris
from .sets.cifar import cifar10, cifar100, read_cifar_binary, read_cifar_python
from .sets.coco2017 import coco2017
from .sets.corpora import tiny_shakespeare, war_and_peace
from .sets.creditcard import creditcard, read_creditcard
from .sets.dialogue import dialogue, read_dialogue
from .sets.fsdd import Recordings, fsdd, read_fsdd
from .sets.imdb import imdb, imdb_keras, read_imdb_npz, read_imdb_tar, read_imdb_tsv
from .sets.mnist import fashion_mnist, mnist
from .sets.movielens import movielens_1m, movielens_100k, read_movielens_1m, read_movielens_100k
from .sets.omniglot import (
    Characters,
    OneShotRun,
    omniglot,
    omniglot_runs,
    read_omniglot,
    read_omniglot_runs,
)
from .sets.optdigits import optdigits, read_optdigits
from .sets.orl_faces import orl_faces, read_orl_faces
from .sets.pendigits import pendigits, read_pendigits
from .sets.semeion import read_semeion, semeion
from .sets.stocks import Prices, read_prices, stocks
from .sets.tatoeba import read_tatoeba, tatoeba
from .sets.voc2007 import voc2007
from .sound import (
    MovedSpectra,
    Waves,
    frames,
    log_mel,
    mel_filters,
    mu_law,
    mu_law_inverse,
    resample,
)
from .split import group_split, last_fraction, random_split, stratified_split, three_way_split
from .synthetic.captions import KINDS, CaptionedScenes, captioned_scenes
from .synthetic.clips import moving_digits
from .synthetic.dates import dates
from .synthetic.digits import synthetic_digits
from .synthetic.drawn_faces import KEYPOINTS, drawn_faces
from .synthetic.face_patches import face_patches
from .synthetic.factors import FactorPictures, factor_pictures
from .synthetic.gaussians import CorrelatedGaussians
from .synthetic.points import blobs, spirals, xor_points
from .synthetic.ring import covered_modes, gaussian_ring, ring_modes
from .synthetic.roads import roads
from .synthetic.sentences import (
    Sentences,
    number_name,
    opinions,
    spelled_numbers,
    tagged_sentences,
)
from .synthetic.series import copy_task, counting_ones, noisy_sine, random_text, uneven_waves
from .synthetic.shapes import Scenes, shapes
from .synthetic.sinusoids import Sinusoids, sinusoids
from .synthetic.stories import Stories, stories
from .synthetic.tables import random_payments, random_ratings, random_reviews
from .synthetic.worlds import MDP, chain_world, grid_world, random_mdp
from .text import CharacterTokenizer, WordTokenizer, pad_sequences, sequence_mask, split_words
from .trees import (
    LOGIC_LABELS,
    LOGIC_WORDS,
    Forest,
    Tree,
    logic_tree,
    pack_trees,
    parse_tree,
    read_trees,
)
from .two_kinds import TwoKinds, cropped_to_ink, sobel_edges
from .types import Dataset, Detections, Ratings, Regression, Reviews, Samples, Table
from .words import WordCorpus, near_counts, neighbours, subsampled, surroundings, word_corpus

__all__ = [
    "CATALOG",
    "KEYPOINTS",
    "KINDS",
    "LOGIC_LABELS",
    "LOGIC_WORDS",
    "MDP",
    "Archive",
    "AudioFolder",
    "AugmentBoxes",
    "AugmentMasks",
    "Batches",
    "Brightness",
    "BytePairTokenizer",
    "CaptionParts",
    "CaptionedScenes",
    "CharacterTokenizer",
    "Characters",
    "Compose",
    "Contrast",
    "CorrelatedGaussians",
    "Crop",
    "CutOut",
    "DataFile",
    "DataSet",
    "Dataset",
    "Detections",
    "Each",
    "FactorPictures",
    "Flip",
    "Forest",
    "Mirror",
    "MixUp",
    "MovedSpectra",
    "OneShotRun",
    "Pad",
    "PairParts",
    "Pairs",
    "PictureForm",
    "Pictures",
    "PieceSets",
    "Pieces",
    "Prices",
    "Ratings",
    "Recordings",
    "Regression",
    "Reviews",
    "Rotate",
    "Sample",
    "Samples",
    "Saturation",
    "Scenes",
    "Sentences",
    "Shift",
    "ShiftFlip",
    "Sinusoids",
    "Stories",
    "Strings",
    "Table",
    "TextFolder",
    "Tree",
    "TwoKinds",
    "Waves",
    "WordCorpus",
    "WordTokenizer",
    "Zoom",
    "audio_folder",
    "bccd",
    "blobs",
    "boxes_of_masks",
    "cache_folder",
    "captioned_scenes",
    "chain_world",
    "cifar10",
    "cifar100",
    "coco2017",
    "copy_task",
    "counting_ones",
    "covered_modes",
    "creditcard",
    "cropped_to_ink",
    "data_folder",
    "dates",
    "decode_image",
    "diabetes",
    "dialogue",
    "digits",
    "drawn_faces",
    "face_patches",
    "factor_pictures",
    "fashion_mnist",
    "fetch",
    "fit_image",
    "frames",
    "from_bits",
    "fsdd",
    "gaussian_ring",
    "grid_world",
    "group_split",
    "half_size_rows",
    "held_out_targets",
    "image_folder",
    "imdb",
    "imdb_keras",
    "iris",
    "joined_spectra",
    "joined_strings",
    "joined_tracks",
    "last_fraction",
    "list_datasets",
    "locate",
    "log_mel",
    "logic_tree",
    "look",
    "lookup",
    "mel_filters",
    "mnist",
    "movielens_1m",
    "movielens_100k",
    "moving_digits",
    "mu_law",
    "mu_law_inverse",
    "near_counts",
    "neighbours",
    "noisy_sine",
    "number_name",
    "offline",
    "omniglot",
    "omniglot_runs",
    "one_hot",
    "opinions",
    "optdigits",
    "orl_faces",
    "pack_trees",
    "pad_planes",
    "pad_rows",
    "pad_sequences",
    "parse_tree",
    "pendigits",
    "prepare_colour_image",
    "prepare_digit",
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
    "read_dialogue",
    "read_fsdd",
    "read_idx",
    "read_image",
    "read_imdb_npz",
    "read_imdb_tar",
    "read_imdb_tsv",
    "read_movielens_1m",
    "read_movielens_100k",
    "read_omniglot",
    "read_omniglot_runs",
    "read_optdigits",
    "read_orl_faces",
    "read_pendigits",
    "read_pgm",
    "read_pickle",
    "read_prices",
    "read_semeion",
    "read_tatoeba",
    "read_text",
    "read_trees",
    "read_voc",
    "resample",
    "ring_modes",
    "roads",
    "rows_of_planes",
    "scaled_windows",
    "semeion",
    "sequence_mask",
    "shapes",
    "sinusoids",
    "sobel_edges",
    "spelled_numbers",
    "spirals",
    "split_words",
    "standardize",
    "stateful_batches",
    "stocks",
    "stories",
    "stratified_split",
    "subsampled",
    "surroundings",
    "synthetic_digits",
    "tagged_sentences",
    "take",
    "tatoeba",
    "text_folder",
    "three_way_split",
    "tiny_shakespeare",
    "to_bits",
    "transformed",
    "uneven_waves",
    "unpad_rows",
    "verify",
    "voc2007",
    "war_and_peace",
    "windows",
    "word_corpus",
    "xor_points",
]

for _loader in (mnist, fashion_mnist, cifar10, cifar100):
    _keras_loader(_loader)

if not TYPE_CHECKING:  # for a checker every name would exist
    __getattr__ = _asked(__name__, "data")
