"""The data sets that tinydl knows, collected from their files in `sets/`: one line each.

Sizes and SHA-256 sums are of files that agree with the published MD5 sums; those of files that were
not at hand are what TensorFlow Datasets and Keras publish.
"""

from __future__ import annotations

from ..errors import ConfigError
from ..quoting import quoted
from .record import DataSet
from .sets import (
    bccd,
    bundled,
    cifar,
    coco2017,
    corpora,
    creditcard,
    dialogue,
    fsdd,
    imdb,
    mnist,
    movielens,
    omniglot,
    optdigits,
    orl_faces,
    pendigits,
    semeion,
    stocks,
    tatoeba,
    voc2007,
)

#: In the order of `tinydl data list`.
CATALOG: dict[str, DataSet] = {
    entry.name: entry
    for entry in (
        bundled.DIGITS,
        optdigits.OPTDIGITS,
        mnist.MNIST,
        mnist.FASHION_MNIST,
        cifar.CIFAR10,
        cifar.CIFAR10_PYTHON,
        cifar.CIFAR10_SUBSET,
        cifar.CIFAR100,
        cifar.CIFAR100_PYTHON,
        semeion.SEMEION,
        pendigits.PENDIGITS,
        orl_faces.ORL_FACES,
        omniglot.OMNIGLOT_SMALL,
        omniglot.OMNIGLOT_RUNS,
        omniglot.OMNIGLOT,
        bccd.BCCD,
        voc2007.VOC2007,
        coco2017.COCO2017,
        movielens.MOVIELENS_100K,
        movielens.MOVIELENS_100K_REPACKED,
        movielens.MOVIELENS_1M,
        fsdd.FSDD,
        creditcard.CREDITCARD,
        creditcard.CREDITCARD_SUBSET,
        creditcard.CREDITCARD_SAMPLE,
        stocks.STOCKS,
        imdb.IMDB,
        imdb.IMDB_TSV,
        imdb.IMDB_KERAS,
        corpora.TINY_SHAKESPEARE,
        corpora.TINY_SHAKESPEARE_PACKED,
        corpora.WAR_AND_PEACE,
        tatoeba.TATOEBA,
        dialogue.DIALOGUE,
    )
}


def lookup(name: str) -> DataSet:
    """The entry called `name`; ConfigError lists the known ones."""
    if not isinstance(name, str) or name not in CATALOG:
        raise ConfigError(f"data: unknown data set {quoted(name)}, known are {', '.join(CATALOG)}")
    return CATALOG[name]
