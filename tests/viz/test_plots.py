"""What is drawn: every plot's artists carry the data that were given."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl as td
from tinydl import viz
from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import roc_auc
from tinydl.nn import Linear, Sequential
from tinydl.train import History

pytest.importorskip("matplotlib")
RNG = np.random.default_rng(0)


def panels(figure):
    """The axes that show something, without colour bars."""
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def pictures(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in panels(figure)]


def legend_texts(owner):
    return [text.get_text() for text in owner.get_legend().get_texts()]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_bands_show_mean_smallest_and_largest(tmp_path):
    rows = RNG.normal(size=(4, 6))
    (axes,) = panels(viz.plot_bands({"one": rows, "other": rows + 3}, tmp_path / "bands.png"))
    assert legend_texts(axes) == ["one", "other"] and (tmp_path / "bands.png").exists()
    assert_close(axes.lines[0].get_ydata(), rows.mean(axis=0), 1e-12)
    edge = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert edge.min() == rows.min() and edge.max() == rows.max()
    with pytest.raises(ShapeError, match=r"one must be \(seeds, epochs\), got \(4,\)"):
        viz.plot_bands({"one": np.ones(4)})
    with pytest.raises(ConfigError, match="needs 1 to 5 named courses"):
        viz.plot_bands({})


def test_curves_show_training_and_validation():
    rows = [{"epoch": e, "loss": 1 / e, "val_loss": 2 / e, "accuracy": e / 9} for e in (1, 2, 3)]
    loss, accuracy = panels(viz.plot_curves(History(rows)))
    assert (loss.get_title(), accuracy.get_title()) == ("loss", "accuracy")
    assert legend_texts(loss) == ["training", "validation"]
    assert legend_texts(accuracy) == ["training"]
    assert_close(loss.lines[0].get_xydata(), [[1, 1], [2, 1 / 2], [3, 1 / 3]], 1e-7)
    assert_close(loss.lines[1].get_ydata(), [2, 1, 2 / 3], 1e-7)


def test_a_grid_is_on_one_scale_and_has_its_titles():
    images = np.arange(3 * 4 * 8).reshape(3, 4, 8)
    figure = viz.image_grid(images, columns=2, titles=["a", "b", "c"])
    for drawn, image in zip(pictures(figure), images, strict=True):
        np.testing.assert_array_equal(drawn, image)
    assert all(axes.images[0].get_clim() == (0, 95) for axes in figure.axes)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c"]
    assert tuple(figure.get_size_inches()) == pytest.approx((2.0, 1.4))  # flat images, flat tiles


def test_filters_of_one_channel():
    weight = RNG.normal(size=(3, 3, 1, 5))
    figure = viz.plot_filters(weight, most=4)
    for f, drawn in enumerate(pictures(figure)):
        np.testing.assert_array_equal(drawn, weight[:, :, 0, f])
    largest = np.abs(weight[..., :4]).max()
    assert len(figure.axes) == 4
    assert figure.axes[0].images[0].get_clim() == (-largest, largest)  # 0 is white


def test_filters_of_several_channels_and_of_colour():
    weight = RNG.normal(size=(3, 2, 4, 2))
    figure = viz.plot_filters(weight)
    assert [a.get_title() for a in figure.axes] == [f"{f}: {c}" for f in (0, 1) for c in range(4)]
    np.testing.assert_array_equal(pictures(figure)[6], weight[:, :, 2, 1])
    weight = RNG.normal(size=(3, 3, 3, 2))
    weight[..., 1] = 7.0  # a constant filter is black, not a division by 0
    first, second = pictures(viz.plot_filters(weight))
    low, high = weight[..., 0].min(), weight[..., 0].max()
    assert_close(first, (weight[..., 0] - low) / (high - low), 1e-7)
    assert (second == 0).all()
    with pytest.raises(ShapeError, match="needs \\(KH, KW, C, F\\)"):
        viz.plot_filters(np.ones((3, 3)))


def test_activations():
    maps = RNG.normal(size=(1, 5, 6, 3))
    figure = viz.plot_activations(maps, most=2)
    np.testing.assert_array_equal(pictures(figure)[1], maps[0, :, :, 1])
    assert len(figure.axes) == 2
    shown = maps[0, :, :, :2]
    assert figure.axes[0].images[0].get_clim() == (shown.min(), shown.max())
    with pytest.raises(ShapeError, match="of one image"):
        viz.plot_activations(np.ones((2, 5, 6, 3)))


def test_confusion_matrix():
    matrix = np.array([[8, 2, 0], [0, 5, 0], [0, 0, 0]])
    (axes,) = panels(viz.plot_confusion(matrix, names=["cat", "dog", "emu"]))
    assert_close(axes.images[0].get_array(), [[0.8, 0.2, 0], [0, 1, 0], [0, 0, 0]], 1e-7)
    found = {text.get_position(): text.get_text() for text in axes.texts}
    assert found == {(0, 0): "8", (1, 0): "2", (1, 1): "5"}  # x is the predicted class
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert ticks(axes.xaxis) == ticks(axes.yaxis) == ["cat", "dog", "emu"]
    assert [t.get_color() for t in axes.texts] == ["white", "#1f2933", "white"]
    with pytest.raises(ShapeError, match="2 names for 3 classes"):
        viz.plot_confusion(matrix, names=["a", "b"])
    with pytest.raises(ShapeError, match="needs \\(C, C\\)"):
        viz.plot_confusion(np.ones((2, 3)))


LABELS = np.array([0, 0, 1, 1, 1])
GOOD, BAD = np.array([0.1, 0.4, 0.35, 0.8, 0.9]), np.array([0.9, 0.2, 0.3, 0.1, 0.5])


def test_roc_curves():
    (axes,) = panels(viz.plot_roc(LABELS, {"good": GOOD, "bad": BAD}))
    expected = [
        f"good (area {roc_auc(LABELS, GOOD):.3f})", f"bad (area {roc_auc(LABELS, BAD):.3f})"
    ]  # fmt: skip
    assert legend_texts(axes) == expected and expected[0] == "good (area 0.833)"
    assert_close(
        axes.lines[0].get_xydata(),
        [[0, 0], [0, 1 / 3], [0, 2 / 3], [0.5, 2 / 3], [0.5, 1], [1, 1]],
        1e-7,
    )
    assert_close(axes.lines[2].get_xydata(), [[0, 0], [1, 1]], 1e-7)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("false positive rate", "true positive rate")


def test_precision_recall_curves():
    (axes,) = panels(viz.plot_precision_recall(LABELS, GOOD))
    assert legend_texts(axes) == ["(average 0.917)"]  # (1 + 1 + 3/4) / 3
    line, base = axes.lines
    assert_close(
        line.get_xydata(),
        [[1, 3 / 5], [1, 3 / 4], [2 / 3, 2 / 3], [2 / 3, 1], [1 / 3, 1], [0, 1]],
        1e-7,
    )
    assert line.get_drawstyle() == "steps-post" and base.get_ydata()[0] == 3 / 5
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("recall", "precision")


def test_thresholds_stand_over_the_precision_and_recall_that_they_give():
    (axes,) = panels(viz.plot_thresholds(LABELS, GOOD, threshold=0.5))
    precision, recall, mark = axes.lines
    assert legend_texts(axes) == ["precision", "recall"] and axes.get_xscale() == "log"
    for (limit, p), (same, r) in zip(precision.get_xydata(), recall.get_xydata(), strict=True):
        found = np.array(GOOD) >= limit
        assert limit == same and p == np.mean(np.array(LABELS)[found])
        assert r == np.sum(np.array(LABELS)[found]) / np.sum(LABELS)
    assert mark.get_xdata()[0] == 0.5
    with pytest.raises(ConfigError, match="scores must be > 0"):
        viz.plot_thresholds(np.array([0, 1]), np.array([0.0, 1.0]))


def test_histograms():
    arrays = {"w": np.array([[0.0, 0.0], [1.0, np.nan]]), "b": np.full(3, np.inf)}
    w, b = panels(viz.plot_histograms(arrays, bins=2))
    assert [patch.get_height() for patch in w.patches] == [2, 1] and len(b.patches) == 0
    assert w.get_title() == "w\nmean 0.33, std 0.47, 1 not finite"
    assert b.get_title() == "b, 3 not finite"
    with pytest.raises(ShapeError, match="empty: \\['x'\\]"):
        viz.plot_histograms({"x": np.ones((0, 2))})


def test_weights_and_gradients_of_a_model():
    model = Sequential(Linear(2, 3), Linear(3, 1))
    names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert list(viz.weights_of(model)) == names
    with pytest.raises(ConfigError, match="call backward"):
        viz.gradients_of(model)
    model[0].freeze()
    model(td.ones((4, 2))).sum().backward()
    assert list(viz.gradients_of(model)) == names[2:]
    np.testing.assert_array_equal(viz.gradients_of(model)["layers.1.bias"], [4])


def decode(codes):
    """Images (N, 2, 2) whose pixels are z0, z1, z0, z1."""
    return np.tile(codes[:, None, :2], (1, 2, 1))


def test_a_traversal_changes_one_number_per_row():
    figure = viz.plot_traversal(decode, np.array([5.0, 6.0]), values=(-1, 0, 2))
    found = np.array(pictures(figure))[:, 0].reshape(2, 3, 2)
    np.testing.assert_array_equal(found[0], [[-1, 6], [0, 6], [2, 6]])
    np.testing.assert_array_equal(found[1], [[5, -1], [5, 0], [5, 2]])
    assert [a.get_title() for a in figure.axes][:4] == ["z0 = -1", "z0 = 0", "z0 = 2", "z1 = -1"]
    assert len(viz.plot_traversal(decode, np.zeros(4), dims=[1]).axes) == 7
    with pytest.raises(ShapeError, match=r"dims \[2\] are not in a code of 2"):
        viz.plot_traversal(decode, np.zeros(2), dims=[2])


def test_the_plane_has_z0_to_the_right_and_z1_up():
    (axes,) = panels(viz.plot_plane(decode, reach=1.0, steps=3))
    canvas = np.asarray(axes.images[0].get_array())
    np.testing.assert_array_equal(canvas[0], [-1, 1, 0, 1, 1, 1])  # (z0, z1) of the top row
    np.testing.assert_array_equal(canvas[5], [-1, -1, 0, -1, 1, -1])
    assert axes.images[0].get_extent() == [-1.5, 1.5, -1.5, 1.5]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z0", "z1")


def test_codes_by_label():
    codes = RNG.normal(size=(6, 2))
    figure = viz.plot_codes(codes, np.array([3, 3, 1, 1, 1, 7]))
    one, three, seven = figure.axes[0].collections
    assert_close(one.get_offsets(), codes[2:5], 1e-7)
    assert (one.get_label(), three.get_label(), seven.get_label()) == ("1", "3", "7")
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["1", "3", "7"]
    assert viz.plot_codes(codes).legends == []
    with pytest.raises(ShapeError, match="needs codes"):
        viz.plot_codes(codes, np.zeros(5))


def test_attention_maps():
    weights = RNG.uniform(size=(2, 3, 4))
    figure = viz.plot_attention(weights, queries=["a", "b", "c"], keys=["the", "cat", "sat", "."])
    first, second = panels(figure)
    np.testing.assert_array_equal(second.images[0].get_array(), weights[1])
    assert (first.get_title(), second.get_title()) == ("head 0", "head 1")
    assert ticks(first.yaxis) == ["a", "b", "c"]
    assert ticks(second.xaxis) == ["the", "cat", "sat", "."]
    assert second.images[0].get_clim() == (0, weights.max())
    assert panels(viz.plot_attention(weights[0]))[0].get_title() == ""
    with pytest.raises(ShapeError, match="3 keys for weights"):
        viz.plot_attention(weights, keys=["a", "b", "c"])


def test_boxes_are_where_they_belong_with_name_and_score():
    boxes, labels, scores = np.array([[1, 2, 4, 8], [0, 0, 6, 5]]), [1, 0], [0.871, 0.5]
    figure = viz.plot_boxes(
        np.zeros((10, 6, 3)), boxes, labels=labels, scores=scores, names=["cat", "dog"]
    )
    (axes,) = panels(figure)
    corners = [(p.get_x(), p.get_y(), p.get_width(), p.get_height()) for p in axes.patches]
    assert corners == [(1, 2, 3, 6), (0, 0, 6, 5)]
    assert [t.get_text() for t in axes.texts] == ["dog 0.87", "cat 0.50"]
    assert axes.texts[0].get_position() == (1, 2)
    assert axes.patches[0].get_edgecolor() != axes.patches[1].get_edgecolor()
    assert axes.images[0].get_extent() == [0, 6, 10, 0]  # (0, 0, W, H) is the whole image
    plain = viz.plot_boxes(np.zeros((10, 6)), np.zeros((0, 4))).axes[0]
    assert len(plain.patches) == len(plain.texts) == 0
    assert [t.get_text() for t in viz.plot_boxes(np.zeros((9, 9, 1)), boxes).axes[0].texts] == []
    with pytest.raises(ShapeError, match=r"\(1,\) scores for 2 boxes"):
        viz.plot_boxes(np.zeros((9, 9)), boxes, scores=[1.0])
    with pytest.raises(ShapeError, match="image must be"):
        viz.plot_boxes(np.zeros((9, 9, 2)), boxes)


def test_masks_cover_their_pixels():
    image, classes = np.zeros((2, 3, 3), np.uint8), np.array([[0, 2, 2], [1, 0, 2]])
    figure = viz.plot_masks(image, classes, names=["nothing", "cell", "nucleus"])
    _, cell, nucleus = figure.axes[0].images
    np.testing.assert_array_equal(np.asarray(cell.get_array())[..., 3] > 0, classes == 1)
    np.testing.assert_array_equal(np.asarray(nucleus.get_array())[..., 3] > 0, classes == 2)
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["cell", "nucleus"]
    objects = np.stack([classes == 0, classes == 2])
    figure = viz.plot_masks(image, objects)
    assert len(figure.axes[0].images) == 3
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["0", "1"]
    assert len(viz.plot_masks(image, classes, background=None).axes[0].images) == 4
    with pytest.raises(ShapeError, match="masks must be"):
        viz.plot_masks(image, np.zeros((3, 2), int))


def test_a_path_makes_a_file_and_none_makes_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    viz.plot_attention(np.ones((2, 2)))
    assert list(tmp_path.iterdir()) == []
    viz.plot_attention(np.ones((2, 2)), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_images_epoch_by_epoch_and_the_run_is_the_same_as_without(tmp_path):
    from tinydl.nn import mse
    from tinydl.optim import SGD
    from tinydl.train import fit

    def sample(model):
        assert not model.training and not td.is_recording()
        return model(td.uniform((3, 4))).numpy().reshape(3, 2, 2)

    def trained(callbacks):
        td.seed(0)
        model = Sequential(Linear(4, 4), td.nn.Dropout(0.5))
        data = [(np.ones((4, 4), np.float32), np.zeros((4, 4), np.float32))] * 2
        fit(model, data, mse, SGD(model.parameters(), lr=0.1), 4, callbacks=callbacks)
        return model[0].weight.numpy()

    writer = viz.WriteImages(tmp_path / "seen", sample, every=2, columns=3)
    np.testing.assert_array_equal(trained([writer]), trained([]))
    names = sorted(f.name for f in (tmp_path / "seen").iterdir())
    assert names == ["epoch-0002.png", "epoch-0004.png"]
    with pytest.raises(ConfigError, match="every must be >= 1"):
        viz.WriteImages(tmp_path, sample, every=0)
