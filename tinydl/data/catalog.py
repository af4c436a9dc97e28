"""The data sets that tinydl knows: files, sizes, SHA-256, addresses, licences. Only literals.

Digits and clothes are here; the rest lies in records_<what>.py by kind.
"""

from __future__ import annotations

from ..errors import ConfigError
from .record import DataFile, DataSet, Mirror
from .records_detection import DETECTION
from .records_images import IMAGES
from .records_tables import TABLES
from .records_text import TEXTS

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

_MNIST = DataSet(
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

_FASHION_MNIST = DataSet(
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

_DIGITS = DataSet(
    name="digits",
    folder="",
    files=(),  # inside the scikit-learn package: nothing to download, no network
    classes=tuple("0123456789"),
    records="1797, no split of its own",
    description="handwritten digits, 8x8, values 0..16, shipped inside scikit-learn",
    source="https://archive.ics.uci.edu/dataset/80 (its test part, as scikit-learn's load_digits)",
    licence="CC BY 4.0 (UCI); scikit-learn itself BSD-3-Clause",
    citation=(
        "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
        "Repository (1998), doi:10.24432/C50P49"
    ),
)

CATALOG: dict[str, DataSet] = {
    entry.name: entry
    for entry in (_DIGITS, _MNIST, _FASHION_MNIST, *IMAGES, *DETECTION, *TABLES, *TEXTS)
}


def lookup(name: str) -> DataSet:
    """The entry called `name`; ConfigError lists the known ones."""
    if name not in CATALOG:
        raise ConfigError(f"data: unknown data set {name!r}, known are {', '.join(CATALOG)}")
    return CATALOG[name]
