"""Layer 8: the books' models, one file per model, by family."""

from .convolutional.digits_cnn import DigitsCNN
from .feedforward.mlp import MLP
from .feedforward.softmax_regression import SoftmaxRegression
from .recurrent.row_rnn import RowRNN

__all__ = ["MLP", "DigitsCNN", "RowRNN", "SoftmaxRegression"]
