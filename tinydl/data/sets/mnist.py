"""MNIST and Fashion-MNIST: 28x28 grey pictures of ten classes, in idx files. Pixels as stored."""

from __future__ import annotations

import numpy as np

from ...doors import checked
from ..download import locate
from ..formats.idx import read_idx
from ..record import DataFile, DataSet, Mirror
from ..types import Dataset

# No mirror could be opened when this was written (a machine without internet): the addresses are
# those that the data sets' own pages and the common frameworks name; the SHA-256 sums were taken
# from files that agree with the published MD5 sums.
_MNIST_MIRRORS = (
    Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
    Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
    Mirror("http://yann.lecun.com/exdb/mnist/"),
)

_FASHION_MIRRORS = (
    Mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
    Mirror("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"),
)

MNIST = DataSet(
    name="mnist",
    folder="mnist",
    files=(
        DataFile(
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
            (60000, 28, 28),
            _MNIST_MIRRORS,
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
            (60000,),
            _MNIST_MIRRORS,
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
            (10000, 28, 28),
            _MNIST_MIRRORS,
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
            (10000,),
            _MNIST_MIRRORS,
        ),
    ),
    classes=tuple("0123456789"),
    records="60000 train + 10000 test",
    description="handwritten digits, 28x28 grey, white ink on black",
    source="http://yann.lecun.com/exdb/mnist/",
    licence="commonly stated as CC BY-SA 3.0",
    citation=(
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document "
        "recognition, Proceedings of the IEEE 86 (1998) 2278-2324, doi:10.1109/5.726791"
    ),
)

FASHION_MNIST = DataSet(
    name="fashion_mnist",
    folder="fashion-mnist",
    files=(
        DataFile(
            "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            26_421_880,
            (60000, 28, 28),
            _FASHION_MIRRORS,
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            29_515,
            (60000,),
            _FASHION_MIRRORS,
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            4_422_102,
            (10000, 28, 28),
            _FASHION_MIRRORS,
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            5_148,
            (10000,),
            _FASHION_MIRRORS,
        ),
    ),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    records="60000 train + 10000 test",
    description="photographs of clothing, 28x28 grey, same format as MNIST",
    source="https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT",
    citation="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747 (2017)",
)


@checked
def mnist() -> Dataset:
    """MNIST (LeCun, Bottou, Bengio, Haffner 1998): x uint8 (60000 and 10000, 28, 28), ink high.

    Found in TINYDL_DATA/mnist, else in the user cache, else downloaded there (12 MB). Raises
    DataError when it cannot be had, FormatError for a damaged file.
    """
    return _load_idx(MNIST)


@checked
def fashion_mnist() -> Dataset:
    """Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747): shapes and errors of `mnist`.

    Found in TINYDL_DATA/fashion-mnist, else in the user cache, else downloaded there (31 MB).
    """
    return _load_idx(FASHION_MNIST)


def _load_idx(dataset: DataSet) -> Dataset:
    # The catalogue lists train images, train labels, test images, test labels.
    x_train, y_train, x_test, y_test = (
        read_idx(locate(dataset, file), shape=file.shape) for file in dataset.files
    )
    return Dataset(
        dataset.name,
        x_train,
        y_train.astype(np.int64),
        x_test,
        y_test.astype(np.int64),
        dataset.classes,
    )
