"""Tiny nets, one for each layer class and option of Keras, by which `load_keras` is compared with
Keras itself: ROWS = {name: function of the keras module that returns the layers, or a whole model}.
"""

from __future__ import annotations

import numpy as np

IMAGE, SEQUENCE, WORDS = (8, 7, 3), (6, 4), (6,)

#: (name of the row, shape of a sample, class, options) of one layer alone.
ONE_LAYER = [
    # -- dense and embedding
    *[(f"dense-{a}", (5,), "Dense", {"units": 4, "activation": a}) for a in (
        "relu", "sigmoid", "tanh", "softmax", "softplus", "softsign", "elu", "selu", "gelu", "silu",
        "exponential", "hard_sigmoid", "leaky_relu", "relu6", "log_softmax", "mish", "hard_silu",
        "celu", "log_sigmoid", "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink",
        "squareplus", "glu", "linear")],
    ("dense-no-bias", (5,), "Dense", {"units": 4, "use_bias": False}),
    ("dense-of-steps", SEQUENCE, "Dense", {"units": 3, "activation": "tanh"}),
    ("einsum", SEQUENCE, "EinsumDense", {
        "equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"}),
    ("einsum-heads", SEQUENCE, "EinsumDense", {
        "equation": "abc,cde->abde", "output_shape": (None, 2, 5), "bias_axes": "de",
        "activation": "relu"}),
    ("embedding", WORDS, "Embedding", {"input_dim": 9, "output_dim": 4}),
    # -- convolutions
    ("conv1d", SEQUENCE, "Conv1D", {"filters": 5, "kernel_size": 3, "activation": "relu"}),
    ("conv1d-same-stride", SEQUENCE, "Conv1D", {
        "filters": 5, "kernel_size": 3, "strides": 2, "padding": "same"}),
    ("conv1d-causal", SEQUENCE, "Conv1D", {
        "filters": 5, "kernel_size": 2, "dilation_rate": 2, "padding": "causal"}),
    ("conv1d-groups", SEQUENCE, "Conv1D", {"filters": 4, "kernel_size": 2, "groups": 2}),
    ("conv1d-first", SEQUENCE, "Conv1D", {
        "filters": 5, "kernel_size": 3, "data_format": "channels_first", "activation": "softmax"}),
    ("conv2d", IMAGE, "Conv2D", {"filters": 4, "kernel_size": 3}),
    ("conv2d-same-2", IMAGE, "Conv2D", {
        "filters": 4, "kernel_size": (3, 2), "strides": 2, "padding": "same"}),
    ("conv2d-same-3", IMAGE, "Conv2D", {
        "filters": 4, "kernel_size": 4, "strides": 3, "padding": "same"}),
    ("conv2d-dilation", IMAGE, "Conv2D", {"filters": 4, "kernel_size": 2, "dilation_rate": 2}),
    ("conv2d-groups", IMAGE, "Conv2D", {
        "filters": 6, "kernel_size": 3, "groups": 3, "use_bias": False}),
    ("conv2d-first", (3, 8, 7), "Conv2D", {
        "filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "relu",
        "data_format": "channels_first"}),
    ("depthwise", IMAGE, "DepthwiseConv2D", {
        "kernel_size": 3, "depth_multiplier": 2, "activation": "relu6"}),
    ("depthwise-same", IMAGE, "DepthwiseConv2D", {
        "kernel_size": 3, "strides": 2, "padding": "same"}),
    ("depthwise-first", (3, 8, 7), "DepthwiseConv2D", {
        "kernel_size": 2, "data_format": "channels_first"}),
    ("depthwise-1d", SEQUENCE, "DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}),
    ("separable", IMAGE, "SeparableConv2D", {
        "filters": 5, "kernel_size": 3, "depth_multiplier": 2}),
    ("separable-same", IMAGE, "SeparableConv2D", {
        "filters": 5, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False}),
    ("separable-1d", SEQUENCE, "SeparableConv1D", {
        "filters": 5, "kernel_size": 3, "padding": "same"}),
    *[(f"transposed-{p}-{k}-{s}", (4, 5, 3), "Conv2DTranspose", {
        "filters": 2, "kernel_size": k, "strides": s, "padding": p})
      for p in ("valid", "same") for k, s in ((3, 1), (3, 2), (4, 2), (2, 3), (5, 3), (2, 2))],
    ("transposed-output-padding", (4, 5, 3), "Conv2DTranspose", {
        "filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}),
    ("transposed-output-padding-valid", (4, 5, 3), "Conv2DTranspose", {
        "filters": 2, "kernel_size": 3, "strides": 3, "padding": "valid", "output_padding": 2}),
    ("transposed-dilation", (4, 5, 3), "Conv2DTranspose", {
        "filters": 2, "kernel_size": 3, "dilation_rate": 2, "padding": "valid"}),
    ("transposed-first", (3, 4, 5), "Conv2DTranspose", {
        "filters": 2, "kernel_size": 3, "strides": 2, "padding": "same",
        "data_format": "channels_first"}),
    ("transposed-1d", SEQUENCE, "Conv1DTranspose", {
        "filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "activation": "tanh"}),
    # -- pooling
    *[(f"{kind}-{p}-{z}-{s}", IMAGE, f"{kind}Pooling2D", {
        "pool_size": z, "strides": s, "padding": p})
      for kind in ("Max", "Average") for p in ("valid", "same") for z, s in ((2, None), (3, 2))
      if (kind, p, z) != ("Average", "same", 3)],  # where Keras differs between its backends
    ("max-first", (3, 8, 7), "MaxPooling2D", {"data_format": "channels_first"}),
    ("max-1d", SEQUENCE, "MaxPooling1D", {"pool_size": 2}),
    ("average-1d-first", SEQUENCE, "AveragePooling1D", {
        "pool_size": 2, "data_format": "channels_first"}),
    *[(f"global-{kind}-{n}d{'-first' * f}{'-kept' * k}", shape, f"Global{kind}Pooling{n}D", {
        "keepdims": k, "data_format": "channels_first" if f else "channels_last"})
      for kind in ("Max", "Average") for n, shape in ((1, SEQUENCE), (2, IMAGE))
      for f, k in ((False, False), (True, True), (False, True))],
    ("adaptive", IMAGE, "AdaptiveAveragePooling2D", {"output_size": (3, 2)}),
    ("adaptive-max-1d", SEQUENCE, "AdaptiveMaxPooling1D", {"output_size": 2}),
    # -- normalisation
    ("batch", IMAGE, "BatchNormalization", {}),
    ("batch-plain", (5,), "BatchNormalization", {"scale": False, "epsilon": 0.01}),
    ("batch-bare", (5,), "BatchNormalization", {"scale": False, "center": False}),
    ("batch-axis-1", (3, 8, 7), "BatchNormalization", {"axis": 1}),
    ("batch-axis-3", IMAGE, "BatchNormalization", {"axis": 3}),
    ("layer", IMAGE, "LayerNormalization", {}),
    ("layer-axes", IMAGE, "LayerNormalization", {"axis": [1, 2, 3]}),
    ("layer-axis-2", SEQUENCE, "LayerNormalization", {"axis": 2, "center": False}),
    ("layer-bare", SEQUENCE, "LayerNormalization", {"scale": False, "center": False}),
    ("group", (4, 4, 6), "GroupNormalization", {"groups": 3}),
    ("instance", (4, 4, 6), "GroupNormalization", {"groups": -1}),
    ("rms", SEQUENCE, "RMSNormalization", {}),
    ("unit", SEQUENCE, "UnitNormalization", {}),
    ("normalization-given", (3,), "Normalization", {
        "mean": [1.0, 2.0, 3.0], "variance": [2.0, 1.0, 3.0]}),
    ("normalization-inverted", (3,), "Normalization", {
        "mean": 1.0, "variance": 2.0, "invert": True}),
    ("normalization-stored", IMAGE, "Normalization", {}),
    ("normalization-axis-none", IMAGE, "Normalization", {"axis": None}),
    # -- activations as layers
    ("activation", (5,), "Activation", {"activation": "tanh"}),
    ("relu", (5,), "ReLU", {}),
    ("relu6", (5,), "ReLU", {"max_value": 6.0}),
    ("relu-bent", (5,), "ReLU", {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}),
    ("leaky", (5,), "LeakyReLU", {"negative_slope": 0.3}),
    ("elu", (5,), "ELU", {"alpha": 0.7}),
    ("prelu", IMAGE, "PReLU", {"shared_axes": [1, 2]}),
    ("prelu-full", (5,), "PReLU", {}),
    ("softmax", SEQUENCE, "Softmax", {"axis": 1}),
    # -- shapes
    ("flatten", IMAGE, "Flatten", {}),
    ("flatten-first", (3, 8, 7), "Flatten", {"data_format": "channels_first"}),
    ("reshape", IMAGE, "Reshape", {"target_shape": (-1, 6)}),
    ("permute", IMAGE, "Permute", {"dims": (3, 1, 2)}),
    ("repeat", (5,), "RepeatVector", {"n": 3}),
    ("pad-1d", SEQUENCE, "ZeroPadding1D", {"padding": (1, 2)}),
    ("pad-2d", IMAGE, "ZeroPadding2D", {"padding": ((1, 2), (0, 3))}),
    ("pad-2d-first", (3, 8, 7), "ZeroPadding2D", {
        "padding": 2, "data_format": "channels_first"}),
    ("pad-3d", (2, 3, 4, 2), "ZeroPadding3D", {"padding": (1, 0, 2)}),
    ("crop-1d", SEQUENCE, "Cropping1D", {"cropping": (1, 2)}),
    ("crop-2d", IMAGE, "Cropping2D", {"cropping": ((1, 2), (0, 3))}),
    ("crop-2d-first", (3, 8, 7), "Cropping2D", {
        "cropping": 1, "data_format": "channels_first"}),
    ("crop-3d", (4, 3, 4, 2), "Cropping3D", {"cropping": ((1, 2), (0, 1), (1, 0))}),
    ("up-1d", SEQUENCE, "UpSampling1D", {"size": 3}),
    ("up-2d", IMAGE, "UpSampling2D", {"size": (2, 3)}),
    ("up-2d-bilinear", IMAGE, "UpSampling2D", {"size": 2, "interpolation": "bilinear"}),
    ("up-2d-first", (3, 8, 7), "UpSampling2D", {"data_format": "channels_first"}),
    ("up-3d", (2, 3, 4, 2), "UpSampling3D", {"size": 2}),
    ("resizing", IMAGE, "Resizing", {"height": 5, "width": 11}),
    ("center-crop", IMAGE, "CenterCrop", {"height": 4, "width": 4}),
    ("rescaling", IMAGE, "Rescaling", {"scale": 1 / 255, "offset": -0.5}),
    # -- what acts in training only
    ("dropout", (5,), "Dropout", {"rate": 0.5}),
    ("spatial-dropout", IMAGE, "SpatialDropout2D", {"rate": 0.5}),
    ("noise", (5,), "GaussianNoise", {"stddev": 0.5}),
    ("gaussian-dropout", (5,), "GaussianDropout", {"rate": 0.5}),
    ("random-flip", IMAGE, "RandomFlip", {}),
    ("identity", (5,), "Identity", {}),
    ("activity", (5,), "ActivityRegularization", {"l2": 0.1}),
    # -- recurrent
    *[(f"{kind}{name}", SEQUENCE, kind, {"units": 3, **options})
      for kind in ("SimpleRNN", "LSTM", "GRU") for name, options in (
        ("", {}), ("-sequences", {"return_sequences": True}), ("-no-bias", {"use_bias": False}),
        ("-backwards", {"go_backwards": True, "return_sequences": True}),
        ("-relu", {"activation": "relu"}))],
    ("GRU-reset-before", SEQUENCE, "GRU", {"units": 3, "reset_after": False}),
    ("LSTM-hard", SEQUENCE, "LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid"}),
    ("GRU-hard", SEQUENCE, "GRU", {
        "units": 3, "recurrent_activation": "hard_sigmoid", "reset_after": False}),
]  # fmt: skip


def _one(shape, kind, options):
    def make(k):
        return k.Sequential([k.layers.Input(shape), getattr(k.layers, kind)(**options)])

    return make


def _bidirectional(merge, sequences, inner="LSTM"):
    def make(k):
        layer = getattr(k.layers, inner)(3, return_sequences=sequences)
        wrapped = k.layers.Bidirectional(layer, merge_mode=merge)
        x = k.Input(SEQUENCE)
        return k.Model(x, wrapped(x))

    return make


def _masked(*kinds):
    """An Embedding that masks, under layers that use or hand on its mask."""

    def make(k):
        layers = [k.layers.Input(WORDS, dtype="int32"), k.layers.Embedding(9, 4, mask_zero=True)]
        return k.Sequential([*layers, *[getattr(k.layers, n)(**o) for n, o in kinds]])

    return make


def bidirectional_masked(k):
    layers = k.layers
    return k.Sequential([
        layers.Input(WORDS, dtype="int32"), layers.Embedding(9, 4, mask_zero=True),
        layers.Bidirectional(layers.GRU(3, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(4, activation="relu")),
        layers.Bidirectional(layers.LSTM(3), merge_mode="ave"),
    ])  # fmt: skip


def masking(k):
    layers = k.layers
    return k.Sequential([
        layers.Input(SEQUENCE), layers.Masking(mask_value=0.5),
        layers.LSTM(3, return_sequences=True), layers.Dropout(0.1), layers.SimpleRNN(2),
    ])  # fmt: skip


def merges(k):
    """Every layer of several inputs, with different numbers of axes too."""
    layers = k.layers
    a, b = k.Input(SEQUENCE), k.Input(SEQUENCE)
    small = layers.Dense(4)(layers.GlobalAveragePooling1D()(b))
    found = [getattr(layers, n)()([a, b]) for n in (
        "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")]  # fmt: skip
    found += [layers.Concatenate()([a, b]), layers.Concatenate(axis=1)([a, b, a])]
    found += [layers.Dot(axes=2)([a, b]), layers.Dot(axes=(1, 1), normalize=True)([a, b])]
    found += [layers.Dot(axes=1)([small, small]), layers.Dot(axes=-1, normalize=True)([a, small])]
    found += [layers.Add()([a, small])]
    return k.Model([a, b], found)


def shared(k):
    """One layer and one model called several times; a model inside a model inside a model."""
    layers = k.layers
    inner = k.Sequential([layers.Input((4,)), layers.Dense(3, activation="tanh")], name="inner")
    p, q = k.Input((4,)), k.Input((4,))
    tower = k.Model([p, q], [layers.Add()([inner(p), inner(q)]), inner(p)], name="tower")
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    dense = layers.Dense(4)
    one, two = tower([dense(a), b]), tower([b, dense(b)])
    norm = layers.BatchNormalization()
    return k.Model([a, b], [norm(layers.Concatenate()([*one, *two])), two[1]])


def frozen_inside(k):
    """What is not trained stands last in .h5, from the inside of models too."""
    layers = k.layers
    base = k.Sequential([
        layers.Input((6, 6, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(),
        layers.Conv2D(4, 3), layers.BatchNormalization(),
    ], name="base")  # fmt: skip
    base.layers[0].trainable = False
    x = k.Input((6, 6, 3))
    y = layers.Dense(2)(layers.Flatten()(base(x, training=False)))
    return k.Model(x, y)


def two_outputs_by_name(k):
    x = k.Input((4,), name="x")
    outputs = {"first": k.layers.Dense(2)(x), "second": k.layers.Dense(3)(x)}
    return k.Model({"x": x}, outputs)


def states(k):
    """Encoder and decoder: a last state handed on, as in the books' translation nets."""
    layers = k.layers
    source, target = k.Input((None, 4)), k.Input((None, 3))
    _, h, c = layers.LSTM(5, return_state=True)(source)
    y = layers.LSTM(5, return_sequences=True)(target, initial_state=[h, c])
    z, state = layers.GRU(5, return_sequences=True, return_state=True)(y, initial_state=h)
    both = layers.Bidirectional(layers.LSTM(2, return_state=True))(y)
    return k.Model([source, target], [layers.Dense(3, activation="softmax")(z), state, *both])


def distributed(k):
    """TimeDistributed of a convolution and of a whole model."""
    layers = k.layers
    inner = k.Sequential([layers.Input((3, 3, 2)), layers.Flatten(), layers.Dense(3)])
    return k.Sequential([
        layers.Input((4, 5, 5, 2)),
        layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu")),
        layers.TimeDistributed(inner), layers.LSTM(2),
    ])  # fmt: skip


def activations_as_layers(k):
    layers = k.layers
    return k.Sequential([
        layers.Input((5,)), layers.Dense(4, activation=layers.LeakyReLU(negative_slope=0.2)),
        layers.Activation("hard_sigmoid"), layers.Dense(3, activation=k.activations.gelu),
    ])  # fmt: skip


def residual(k):
    """The book's kind of net, with names that are no Python names."""
    layers = k.layers
    x = k.Input((8, 8, 3), name="in-put")
    y = layers.Conv2D(4, 3, padding="same", name="block1-conv")(x)
    y = layers.BatchNormalization(name="training")(y)
    y = layers.ReLU()(y)
    z = layers.SeparableConv2D(4, 3, padding="same", name="forward")(y)
    y = layers.Add()([y, z])
    y = layers.MaxPooling2D()(y)
    return k.Model(x, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(y)))


def operations(k):
    """What is written between layers: numbers, slices, functions of keras.ops."""
    ops = k.ops
    x, y = k.Input((4, 6)), k.Input((4, 6))
    z = (1.0 - (x + y) * 2.0) / 3.0
    z = ops.relu(-z)[:, 1:, :] + k.layers.Add()([x, y])[:, -1:]
    z = ops.concatenate([z, ops.expand_dims(z[:, -1], 1)], axis=1)
    z = ops.mean(z, axis=1, keepdims=True)
    z = ops.transpose(ops.reshape(z, (-1, 3, 2)), (0, 2, 1))
    z = ops.sqrt(ops.softmax(ops.matmul(z, ops.transpose(z, (0, 2, 1))))) ** 2
    return k.Model([x, y], ops.stack([ops.sum(z, axis=-1), ops.clip(z[..., 0], 0.2, 0.6)], axis=1))


def attention(k):
    """Heads, with a size of their own, of named arguments and with weights handed out."""
    layers = k.layers
    x, y = k.Input((5, 6)), k.Input((4, 6))
    heads = layers.MultiHeadAttention(2, 5)
    z, weights = heads(x, y, return_attention_scores=True)
    z = layers.LayerNormalization()(layers.Add()([x, z]))
    z = layers.MultiHeadAttention(2, 3, value_dim=4, use_bias=False)(
        query=z, value=y, key=y, use_causal_mask=True
    )
    one = layers.Attention(use_scale=True)([x, y])
    two = layers.AdditiveAttention()([x, y, y])
    return k.Model([x, y], [z, weights, one, two])


def attention_masked(k):
    layers = k.layers
    x = k.Input(WORDS, dtype="int32")
    e = layers.Embedding(9, 4, mask_zero=True)(x)
    y = layers.Add()([e, layers.MultiHeadAttention(2, 4)(e, e)])
    z = layers.Attention()([e, y])
    return k.Model(x, [layers.LSTM(3)(y), layers.GlobalAveragePooling1D()(z)])


#: {name: function of keras}. Each is written as .keras and as .h5.
ROWS = {name: _one(shape, kind, options) for name, shape, kind, options in ONE_LAYER}
ROWS |= {
    f"both-ways-{m}{'-sequences' * s}": _bidirectional(m, s)
    for m in ("concat", "sum", "ave", "mul", None)
    for s in (False, True)
}
ROWS["both-ways-gru"] = _bidirectional("concat", True, "GRU")
ROWS["both-ways-rnn"] = _bidirectional("sum", True, "SimpleRNN")
ROWS |= {
    f"masked-{kind}-{i}": _masked(*first, (kind, {"units": 3}))
    for kind in ("SimpleRNN", "LSTM", "GRU")
    for i, first in enumerate((
        [],
        [("Dense", {"units": 4, "activation": "relu"}), ("LayerNormalization", {})],
        [("LSTM", {"units": 4, "return_sequences": True})],
        [("GRU", {"units": 4, "return_sequences": True, "go_backwards": True})],
        [("Conv1D", {"filters": 4, "kernel_size": 2})],
    ))
}  # fmt: skip
ROWS["masked-mean"] = _masked(("GlobalAveragePooling1D", {}))
ROWS["masked-states"] = _masked(("LSTM", {"units": 3, "return_sequences": True}))
ROWS |= {
    f.__name__: f
    for f in (
        bidirectional_masked, masking, merges, shared, frozen_inside, two_outputs_by_name, states,
        distributed, activations_as_layers, residual, operations, attention, attention_masked,
    )
}  # fmt: skip


def inputs_of(model, rng):
    """Numbers for every input of a Keras model: small integers for words, normal ones else."""
    found = []
    for x in model.inputs:
        shape = (3, *[n or 5 for n in x.shape[1:]])
        words = "int" in str(x.dtype) or type(model.layers[0]).__name__ == "Embedding"
        if words:
            array = rng.integers(0, 9, shape).astype(np.int32)
            array[:, 4:] = 0
        else:
            array = rng.normal(size=shape).astype(np.float32)
        found.append(array)
    if model.layers and type(model.layers[0]).__name__ == "Masking":
        found[0][1:, 4:] = 0.5
    return found


def randomised(model, rng):
    """Every weight drawn anew, so that none is at a value that hides an error."""
    for variable in model.weights:
        values = rng.uniform(0.2, 1.0, variable.shape)
        if "kernel" in variable.path or "embeddings" in variable.path:
            values = rng.normal(size=variable.shape) * 0.5
        if variable.dtype.startswith("float"):
            variable.assign(values.astype(np.float32))
    return model
