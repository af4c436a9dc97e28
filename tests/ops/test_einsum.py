"""einsum and gram_matrix: what is refused, and the number of products."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor, instruments, ops
from tinydl.errors import DTypeError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def tensors(*shapes):
    return [Tensor(np.random.default_rng(i).normal(size=s)) for i, s in enumerate(shapes)]


def test_a_pair_is_one_product():
    names = []
    with instruments.watching(lambda function, *_: names.append(function.name)):
        y = ops.einsum("bqhd,bkhd->bhqk", *tensors((2, 3, 4, 5), (2, 6, 4, 5)))
    assert y.shape == (2, 4, 3, 6) and names.count("matmul") == 1


def test_agrees_with_numpy_in_both_orders():
    a, b, c = tensors((2, 3), (3, 4), (4, 2))
    want = np.einsum("ij,jk,ki->", a.numpy(), b.numpy(), c.numpy())
    assert ops.einsum("ij,jk,ki->", a, b, c).item() == pytest.approx(want)
    assert_close(ops.einsum("ij -> ji", a).numpy(), a.numpy().T, 1e-5)


@pytest.mark.parametrize(
    "subscripts, shapes",
    [
        ("ij,jk", ((2, 3), (3, 4))),
        ("ba", ((2, 3),)),
        ("bA,aB", ((2, 3), (4, 5))),  # capitals first
        ("ii", ((3, 3),)),
        ("iij,jkk->ik", ((2, 2, 3), (3, 4, 4))),
        ("iii->i", ((3, 3, 3),)),
        ("...ij,...jk", ((2, 1, 3, 4), (6, 4, 5))),
        ("i...j->...", ((2, 3, 4, 5),)),
        ("i...,...", ((2, 3), (1,))),
        ("...,...->...", ((2, 1), (3,))),
        ("...ii->...i", ((2, 3, 3),)),
        ("...->...", ((2, 3),)),
        ("...i->i", ((3,),)),  # of no axes
    ],
)
def test_dots_repeated_letters_and_results_left_out_as_numpy(subscripts, shapes):
    operands = tensors(*shapes)
    want = np.einsum(subscripts, *[t.numpy() for t in operands])
    assert_close(ops.einsum(subscripts, *operands).numpy(), want, 1e-12)


def test_empty_sums():
    assert ops.einsum("ij,jk->ik", *tensors((2, 0), (0, 3))).tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize(
    "subscripts, shapes, words",
    [
        ("i1->i", ((2, 3),), "must read like"),
        ("i..j->i", ((2, 3),), "must read like"),
        ("...i...->...", ((2, 3),), "must read like"),
        ("ii->i", ((2, 3),), "'i' of 'ii->i' has the sizes 2 and 3"),
        ("ij->ii", ((2, 2),), "a letter is repeated in the result"),
        ("...i->i", ((2, 3),), r"loses the 1 axes of '\.\.\.'; write them in the result"),
        ("...ijk->...", ((2, 3),), r"more letters than there are axes: \(2, 3\)"),
        ("...,...->...", ((2,), (3,)), r"axis -1 of '...' of .* has the sizes 2 and 3"),
        ("i->...i", ((2,), (3,)), "names 1 operands, got 2"),
        ("ij,jk->ik", ((2, 3),), "names 2 operands, got 1"),
        ("ij->ik", ((2, 3),), "letters in the result that no operand has"),
        ("ij->i", ((2, 3, 4),), r"'ij' of 'ij->i' for a tensor of shape \(2, 3, 4\)"),
        ("ij,jk->ik", ((2, 3), (4, 5)), "'j' of 'ij,jk->ik' has the sizes 3 and 4"),
    ],
)
def test_errors(subscripts, shapes, words):
    with pytest.raises(ShapeError, match=words):
        ops.einsum(subscripts, *tensors(*shapes))


def test_integers_are_summed_and_bool_is_refused():
    assert ops.einsum("i,i->", Tensor([1, 2]), Tensor([3, 4])).item() == 11
    with pytest.raises(
        DTypeError, match="matmul: needs two tensors of one float type, or of one i"
    ):
        ops.einsum("i,i->", Tensor([True]), Tensor([True]))


def test_gram_matrix_sums_over_the_positions():
    (x,) = tensors((2, 3, 4, 5))
    f = x.numpy().reshape(2, 12, 5)
    assert_close(ops.gram_matrix(x).numpy(), np.swapaxes(f, 1, 2) @ f, 1e-5)
    with pytest.raises(ShapeError, match="gram_matrix: needs"):
        ops.gram_matrix(Tensor([1.0]))
