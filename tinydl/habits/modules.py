"""What users of other libraries type, and what is typed here: names of modules.

A row is `typed | whose | here | remark`. whose: P PyTorch (with torchvision), K Keras and
TensorFlow, N NumPy and scikit-learn. here: Python that runs (`tests/habits` runs every row, with a
tensor `x`, a `model`, ...), empty where there is nothing of the kind; then the remark says why.
`init` is `nn.init`.
"""

NAMES = """
td.concatenate | N | td.concat([x, x], axis=0)
td.hstack | N | td.concat([x, x], axis=1)
td.vstack | N | td.concat([x, x], axis=0)
td.chunk | P | td.split(x, sections=2, axis=0)
td.flatten | P | x.flatten(1)
td.ravel | N | x.ravel()
td.t | P | x.T
td.moveaxis | N | images.permute(0, 3, 1, 2) | every axis is named
td.movedim | P | images.permute(0, 3, 1, 2) | every axis is named
td.narrow | P | x[:, 1:3]
td.select | P | x[:, 1]
td.masked_select | P | x[x > 0.5]
td.index_select | P | td.take(x, indices, axis=1)
td.diag_embed | P | td.diag(x[0]) | of one vector
td.repeat_interleave | P | td.repeat(x, repeats=2, axis=0)
td.flatnonzero | N | td.nonzero(x.ravel(), as_tuple=True)[0]
td.bucketize | P | td.searchsorted(x[0], x)
td.digitize | N | td.searchsorted(x[0], x, side="right")
td.scatter | P | td.put_along_axis(x, labels[:, None], 0.0, axis=1)
td.index_add | P | td.index_put(x, [0, 0], 1.0, accumulate=True)
td.index_copy | P | td.index_put(x, [1, 0], 0.5)
td.mm | P | x @ x.T
td.bmm | P | sequences @ sequences.swapaxes(1, 2)
td.mv | P | x @ x[0]
td.dot | P | x[0] @ x[1]
td.inner | N | x[0] @ x[1]
td.outer | P | td.einsum("i,j->ij", x[0], x[1])
td.tensordot | P | td.einsum("ij,kj->ik", x, x)
td.addmm | P | td.linear(x, weight, bias)
td.array | N | td.tensor(array)
td.asarray | N | td.tensor(array)
td.as_tensor | P | td.tensor(array)
td.from_numpy | P | td.tensor(array) | the values are copied
td.constant | K | td.tensor(array)
td.convert_to_tensor | K | td.tensor(array)
td.Variable | K | td.tensor([1.0, 2.0], requires_grad=True)
td.FloatTensor | P | td.tensor(array, dtype="float32")
td.LongTensor | P | td.tensor(array, dtype="int64")
td.float32 | P | td.tensor(array, dtype="float32") | element types are strings, or NumPy's
td.float64 | P | td.tensor(array, dtype="float64") | element types are strings, or NumPy's
td.float | P | td.tensor(array, dtype="float32") | element types are strings, or NumPy's
td.double | P | td.tensor(array, dtype="float64") | element types are strings, or NumPy's
td.float16 | P | | there is no half precision yet: float32, float64, int32, int64, uint8, bool
td.bfloat16 | P | | there is no half precision yet: float32, float64, int32, int64, uint8, bool
td.int32 | P | td.tensor(array, dtype="int32") | element types are strings, or NumPy's
td.int64 | P | td.tensor(array, dtype="int64") | element types are strings, or NumPy's
td.long | P | td.tensor(array, dtype="int64") | element types are strings, or NumPy's
td.uint8 | P | td.tensor(array, dtype="uint8") | element types are strings, or NumPy's
td.bool | P | td.tensor(array, dtype="bool") | element types are strings, or NumPy's
td.cast | K | x.astype("float64")
td.empty | P | td.zeros((2, 3))
td.empty_like | P | td.zeros(x.shape)
td.full_like | P | td.full(x.shape, 0.5)
td.randn_like | P | td.normal(x.shape)
td.rand_like | P | td.uniform(x.shape)
td.randint | P | td.tensor(rng.integers(0, 10, (2, 3))) | rng = td.Generator(0)
td.randperm | P | rng.permutation(10)
td.distributions | P | td.multinomial(probabilities, 1)
    | Categorical(probs).sample(); td.normal and td.uniform draw the others
td.set_random_seed | K | td.seed(0)
td.get_rng_state | P | rng.state_dict() | of a td.Generator; nn.Dropout and data.Batches take one
td.set_rng_state | P | rng.load_state_dict(rng.state_dict())
td.is_tensor | P | isinstance(x, td.Tensor)
td.numel | P | x.numel()
td.eq | P | x == x
td.ne | P | x != x
td.gt | P | x > x
td.ge | P | x >= x
td.lt | P | x < x
td.le | P | x <= x
td.sub | P | x - x
td.mul | P | x * x
td.div | P | x / x
td.true_divide | P | x / x
td.neg | P | -x
td.pow | P | x ** 2
td.reciprocal | P | 1 / x
td.exp2 | P | 2 ** x
td.amax | P | x.max(axis=1)
td.amin | P | x.min(axis=1)
td.reduce_sum | K | x.sum(axis=1)
td.reduce_mean | K | x.mean(axis=1)
td.reduce_max | K | x.max(axis=1)
td.std_mean | P | x.std(axis=1), x.mean(axis=1)
td.var_mean | P | x.var(axis=1), x.mean(axis=1)
td.interpolate | P | td.resize(images, scale_factor=2)
td.math | K | td.log(x)
td.silu | P | td.swish(x)
td.hardswish | P | td.hard_swish(x)
td.hardtanh | P | td.hard_tanh(x)
td.logsigmoid | P | td.log_sigmoid(x)
td.autograd | P | td.grad(leaf.sum(), [leaf])
td.GradientTape | K | td.grad(leaf.sum(), [leaf]) | leaves are watched
td.vjp | P | td.grad(leaf.sum(), [leaf]) | grad(y, x, u) is u J
td.jacrev | P | td.jacobian(td.tanh, x)
td.jacfwd | P | td.jacobian(td.tanh, x)
td.func | P | td.jacobian(td.tanh, x) | and td.hessian, td.jvp, td.hvp
td.vmap | P | | operations broadcast over leading axes; of gradients: td.per_sample_gradients
td.inference_mode | P | td.no_grad()
td.set_grad_enabled | P | td.no_grad()
td.is_grad_enabled | P | td.is_recording()
td.checkpoint | P | td.recompute(model, x)
td.jit | P | td.compile(model, x) | for inference
td.function | K | td.compile(model, x) | for inference
td.device | P | x.to("cpu") | backends are named by strings: "cpu", "numpy", "opencl"
td.cuda | P | x.to("cpu") | backends are "cpu", "numpy" and, for a GPU, "opencl"
td.set_default_device | P | td.set_default_backend("cpu")
td.set_num_threads | P | | the environment variable OMP_NUM_THREADS says how many
td.use_deterministic_algorithms | P | | nothing to ask for: every run gives the same bits
td.set_default_dtype | P | td.zeros((2, 3), dtype="float64") | lists become float32; say the type
td.Module | P | nn.Module()
td.layers | K | nn.Linear(10, 5) | from tinydl import nn
td.keras | K | nn.Linear(10, 5) | layers are in nn, fit and callbacks in train
td.losses | K | nn.cross_entropy(logits, labels) | losses are functions of nn
td.optimizers | K | optim.Adam(model.parameters())
td.utils | P | from tinydl import data, train
td.datasets | K | from tinydl.data import mnist
td.models | K | from tinydl import models
td.callbacks | K | from tinydl.train import EarlyStopping | and TensorBoard, BestCheckpoint ...

nn.functional | P | td.relu(x), nn.cross_entropy(logits, labels) | operations are td.*, losses nn.*
nn.relu | P | td.relu(x)
nn.sigmoid | P | td.sigmoid(x)
nn.tanh | P | td.tanh(x)
nn.softmax | P | td.softmax(x, axis=1)
nn.log_softmax | P | td.log_softmax(x, axis=1)
nn.dropout | P | td.dropout(x, 0.5)
nn.one_hot | P | td.one_hot(labels, 10)
nn.conv2d | P | td.conv2d(images, kernel)
nn.max_pool2d | P | td.max_pool2d(images, 2)
nn.pad | P | td.pad(x, ((1, 1), (0, 0))) | one pair per axis, the first axis first
nn.interpolate | P | td.resize(images, (16, 16))
nn.normalize | P | td.l2_normalize(x)
nn.Model | K | nn.Module()
nn.Layer | K | nn.Module()
nn.Dense | K | nn.Linear(10, 5) | the size of the input is given too
nn.LazyLinear | P | nn.Linear(10, 5) | the size of the input is given too
nn.Input | K | nn.Linear(10, 5) | every layer is given the size of its input
nn.InputLayer | K | nn.Linear(10, 5) | every layer is given the size of its input
nn.Activation | K | nn.ReLU() | an activation is a layer of its own
nn.Lambda | K | nn.Apply(td.clip, low=0.0, high=1.0)
nn.ModuleList | P | [nn.Linear(10, 5), nn.Linear(5, 2)] | self.layers = [...]: lists are found
nn.ModuleDict | P | {"head": nn.Linear(10, 5)} | self.heads = {...}: dictionaries are found
nn.ParameterList | P | [nn.Parameter(array)] | self.weights = [...]: lists are found
nn.Conv1D | K | nn.Conv1d(3, 8, 3)
nn.Conv2D | K | nn.Conv2d(3, 8, 3) | in_channels is given too; images are (N, H, W, C)
nn.Convolution2D | K | nn.Conv2d(3, 8, 3) | in_channels is given too; images are (N, H, W, C)
nn.Conv2DTranspose | K | nn.ConvTranspose2d(3, 8, 3, stride=2)
nn.Conv1DTranspose | K | nn.ConvTranspose1d(3, 8, 3, stride=2)
nn.DepthwiseConv2D | K | nn.DepthwiseConv2d(3, 3)
nn.SeparableConv2D | K | nn.SeparableConv2d(3, 8, 3)
nn.Conv3D | K | nn.Conv3d(3, 8, 3) | volumes are (N, D, H, W, C)
nn.MaxPooling3D | K | nn.MaxPool3d(2)
nn.AveragePooling3D | K | nn.AvgPool3d(2)
nn.MaxPooling1D | K | nn.MaxPool1d(2)
nn.MaxPooling2D | K | nn.MaxPool2d(2)
nn.MaxPool2D | K | nn.MaxPool2d(2)
nn.AveragePooling1D | K | nn.AvgPool1d(2)
nn.AveragePooling2D | K | nn.AvgPool2d(2)
nn.GlobalAveragePooling1D | K | nn.GlobalAvgPool()
nn.GlobalAveragePooling2D | K | nn.GlobalAvgPool()
nn.GlobalMaxPooling1D | K | nn.GlobalMaxPool()
nn.GlobalMaxPooling2D | K | nn.GlobalMaxPool()
nn.UpSampling2D | K | nn.Upsample(scale_factor=2) | by place it is the size of the result
nn.ZeroPadding2D | K | nn.ZeroPad2d(1)
nn.ReflectionPad2d | P | td.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
nn.ReplicationPad2d | P | td.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="replicate")
nn.PixelShuffle | P | td.depth_to_space(pixels, 2)
nn.Unflatten | P | nn.Reshape((2, 5))
nn.Permute | K | images.permute(0, 3, 1, 2)
nn.Add | K | x + x
nn.Multiply | K | x * x
nn.Concatenate | K | td.concat([x, x], axis=-1)
nn.BatchNorm1d | P | nn.BatchNorm(8) | of any number of axes, the last are the features
nn.BatchNorm2d | P | nn.BatchNorm(8) | of any number of axes, the last are the features
nn.BatchNorm3d | P | nn.BatchNorm(8) | of any number of axes, the last are the features
nn.BatchNormalization | K | nn.BatchNorm(8)
nn.LayerNormalization | K | nn.LayerNorm((8,))
nn.GroupNormalization | K | nn.GroupNorm(4, 8)
nn.InstanceNorm2d | P | nn.InstanceNorm(8)
nn.SpectralNormalization | K | nn.SpectralNorm(nn.Linear(10, 5))
nn.Dropout1d | P | nn.Dropout(0.25) | single elements; whole channels are not dropped
nn.Dropout2d | P | nn.Dropout(0.25) | single elements; whole channels are not dropped
nn.SpatialDropout2D | K | nn.Dropout(0.25) | single elements; whole channels are not dropped
nn.Hardsigmoid | P | nn.HardSigmoid()
nn.Hardswish | P | nn.HardSwish()
nn.Hardtanh | P | nn.HardTanh()
nn.Softmax2d | P | nn.Softmax(axis=-1)
nn.RNN | P | nn.SimpleRNN(3, 4)
nn.LSTMCell | P | nn.LSTM(3, 4).run(sequences[:, :1], None)
    | layer.run(x.unsqueeze(1), state) is a step: (N, 1, H) and the state, (h, c); None begins
nn.GRUCell | P | nn.GRU(3, 4).run(sequences[:, :1], None)
    | layer.run(x.unsqueeze(1), state) is a step: (N, 1, H) and the state, h; None begins
nn.RNNCell | P | nn.SimpleRNN(3, 4).run(sequences[:, :1], None)
    | layer.run(x.unsqueeze(1), state) is a step: (N, 1, H) and the state, h; None begins
nn.TimeDistributed | K | nn.Linear(3, 4)(sequences) | Linear acts on the last axis of any input
nn.MultiheadAttention | P | nn.MultiHeadAttention(8, 2)
nn.Attention | K | nn.DotAttention(8)
nn.TransformerEncoder | P | nn.TransformerEncoderLayer(8, 2, 32) | some of them in nn.Sequential
nn.Transformer | P | nn.TransformerEncoderLayer(8, 2, 32) | and nn.TransformerDecoderLayer(8, 2, 32)
nn.DataParallel | P | | the threads of one process share the work by themselves
nn.CrossEntropyLoss | P | nn.cross_entropy(logits, labels) | losses are functions
nn.NLLLoss | P | nn.nll(td.log_softmax(logits), labels) | losses are functions
nn.BCELoss | P | nn.bce(probabilities, targets) | losses are functions
nn.BCEWithLogitsLoss | P | nn.bce_with_logits(logits, targets) | losses are functions
nn.MSELoss | P | nn.mse(prediction, target) | losses are functions
nn.L1Loss | P | nn.mae(prediction, target) | losses are functions
nn.SmoothL1Loss | P | nn.smooth_l1(prediction, target) | losses are functions
nn.HuberLoss | P | nn.huber(prediction, target) | losses are functions
nn.GaussianNLLLoss | P | nn.gaussian_nll(mean, log_variance, target) | losses are functions
nn.KLDivLoss | P | nn.kl_categorical(logits, probabilities) | losses are functions
nn.CTCLoss | P | nn.ctc(sequences, td.tensor([[1], [2]])) | losses are functions; (N, T, classes)
nn.TripletMarginLoss | P | nn.triplet(x, x, x) | losses are functions
nn.CosineEmbeddingLoss | P | nn.cosine_embedding(x, x, signs[:, 0]) | losses are functions
nn.MarginRankingLoss | P | nn.margin_ranking(x, x, x) | losses are functions
nn.PoissonNLLLoss | P | nn.poisson_nll(prediction, target) | losses are functions
nn.Poisson | K | nn.poisson_nll(prediction, target, log_input=False) | losses are functions
nn.Hinge | K | nn.hinge(logits, signs) | losses are functions
nn.cross_entropy_loss | P | nn.cross_entropy(logits, labels)
nn.nll_loss | P | nn.nll(td.log_softmax(logits), labels)
nn.mse_loss | P | nn.mse(prediction, target)
nn.l1_loss | P | nn.mae(prediction, target)
nn.smooth_l1_loss | P | nn.smooth_l1(prediction, target)
nn.huber_loss | P | nn.huber(prediction, target)
nn.margin_ranking_loss | P | nn.margin_ranking(x, x, x)
nn.cosine_embedding_loss | P | nn.cosine_embedding(x, x, signs[:, 0])
nn.poisson_nll_loss | P | nn.poisson_nll(prediction, target)
nn.kl_div | P | nn.kl_categorical(logits, probabilities)
nn.ctc_loss | P | nn.ctc(sequences, td.tensor([[1], [2]]))
nn.binary_cross_entropy | P | nn.bce(probabilities, targets)
nn.binary_cross_entropy_with_logits | P | nn.bce_with_logits(logits, targets)
nn.cosine_similarity | P | (td.l2_normalize(x) * td.l2_normalize(x)).sum(axis=1)
nn.SparseCategoricalCrossentropy | K | nn.cross_entropy(logits, labels) | losses are functions
nn.CategoricalCrossentropy | K | nn.soft_cross_entropy(logits, probabilities) | losses are functions
nn.BinaryCrossentropy | K | nn.bce(probabilities, targets) | losses are functions
nn.MeanSquaredError | K | nn.mse(prediction, target) | losses are functions
nn.MeanAbsoluteError | K | nn.mae(prediction, target) | losses are functions
nn.Huber | K | nn.huber(prediction, target) | losses are functions
nn.utils | P | optim.clip_by_global_norm(model.parameters(), 1.0) | and nn.WeightNorm

init.trunc_normal_ | P | nn.init.truncated_normal_(weight)
init.xavier_uniform_ | P | nn.init.glorot_uniform_(weight)
init.xavier_normal_ | P | nn.init.glorot_normal_(weight)
init.kaiming_uniform_ | P | nn.init.he_uniform_(weight)
init.kaiming_normal_ | P | nn.init.he_normal_(weight)
init.GlorotUniform | K | nn.Linear(10, 5, weight_init="glorot_uniform") | an argument of layers
init.HeNormal | K | nn.Linear(10, 5, weight_init="he_normal") | an argument of layers
init.RandomNormal | K | nn.Linear(10, 5, weight_init=partial(nn.init.normal, std=0.02))
init.Constant | K | nn.Linear(10, 5, bias_init=lambda shape, rng, dtype: np.full(shape, 0.5, dtype))

optim.Adadelta | P | optim.AdaDelta(model.parameters())
optim.Adagrad | P | optim.AdaGrad(model.parameters())
optim.NAdam | P | optim.Nadam(model.parameters())
optim.RMSProp | K | optim.RMSprop(model.parameters())
optim.LBFGS | P | | there are no methods of second order; optim.Adam(model.parameters())
optim.lr_scheduler | P | optim.StepDecay(0.1, every=10) | given to train.LearningRateSchedule
optim.StepLR | P | optim.StepDecay(0.1, every=10, factor=0.1)
optim.MultiStepLR | P | optim.Piecewise([10, 20], [0.1, 0.01, 0.001])
optim.ExponentialLR | P | optim.Exponential(0.1, factor=0.95)
optim.CosineAnnealingLR | P | optim.Cosine(0.1, steps=50)
optim.LinearLR | P | optim.Polynomial(0.1, steps=50)
optim.PolynomialLR | P | optim.Polynomial(0.1, steps=50, power=2.0)
optim.LambdaLR | P | train.LearningRateSchedule(lambda epoch: 0.1 * 0.95**epoch)
optim.OneCycleLR | P | optim.WarmUp(5, then=optim.Cosine(0.1, steps=50)) | rises, then falls
optim.ReduceLROnPlateau | P | train.ReduceOnPlateau(plateau=optim.Plateau(factor=0.5, patience=3))
optim.ExponentialDecay | K | optim.Exponential(0.1, factor=0.95, every=100)
optim.CosineDecay | K | optim.Cosine(0.1, steps=50)
optim.PolynomialDecay | K | optim.Polynomial(0.1, steps=50)
optim.PiecewiseConstantDecay | K | optim.Piecewise([10, 20], [0.1, 0.01, 0.001])
optim.swa_utils | P | optim.WeightAverage(model.parameters())
optim.clip_grad_norm_ | P | optim.clip_by_global_norm(model.parameters(), 1.0)
optim.clip_grad_value_ | P | optim.clip_by_value(model.parameters(), 1.0)

train.Trainer | P | train.fit(model, batches, nn.mse, optimizer, epochs=1) | fit is a function
train.Callback | K | train.WriteHistory(path) | any object with on_epoch_end(state) is a callback
train.ModelCheckpoint | K | train.BestCheckpoint(path)
train.CSVLogger | K | train.WriteHistory(path)
train.ReduceLROnPlateau | K | train.ReduceOnPlateau(plateau=optim.Plateau(factor=0.5, patience=3))
train.LearningRateScheduler | K | train.LearningRateSchedule(optim.StepDecay(0.1, every=10))
train.TerminateOnNan | K | train.TerminateOnNaN()
train.save_model | K | train.save_weights(model, path)
train.load_model | K | train.load_weights(model, path) | the model is made first
train.Accuracy | K | train.accuracy(logits, labels) | metrics=... of fit takes functions

data.DataLoader | P | data.Batches((xs, ys), batch_size=2, shuffle=True, rng=rng)
data.TensorDataset | P | data.Batches((xs, ys), batch_size=2, shuffle=False) | arrays in a tuple
data.Subset | P | xs[[0, 2]] | data sets are arrays
data.ConcatDataset | P | np.concatenate([xs, xs]) | data sets are arrays
data.train_test_split | N | data.random_split(10, 0.2, rng) | the indices of both parts
data.MNIST | P | data.mnist
data.FashionMNIST | P | data.fashion_mnist
data.CIFAR10 | P | data.cifar10
data.CIFAR100 | P | data.cifar100
data.ImageFolder | P | data.image_folder
data.image_dataset_from_directory | K | data.image_folder | decoded a batch at a time
data.load_iris | N | data.iris
data.load_digits | N | data.digits
data.Tokenizer | K | data.WordTokenizer.fit
data.text_to_word_sequence | K | data.split_words("a b")
data.to_categorical | K | data.one_hot(np.array([0, 2]), 3)
data.pad_sequence | P | data.pad_sequences([[1, 2], [3]])
data.timeseries_dataset_from_array | K | data.windows(series, 3)
data.TimeseriesGenerator | K | data.windows(series, 3)
data.ImageDataGenerator | K | data.Batches((pictures, ys), 2, rng=rng, transform=data.ShiftFlip())
data.ToTensor | P | td.tensor(pictures) | pictures stay (H, W, C); divide by 255 yourself
data.Normalize | P | data.standardize(xs)
data.StandardScaler | N | data.standardize(xs)
data.RandomCrop | P | data.Crop(24, 24)
data.CenterCrop | P | data.Crop(24, 24, centre=True)
data.RandomHorizontalFlip | P | data.Flip(0.5)
data.RandomFlip | K | data.Flip(0.5)
data.RandomRotation | P | data.Rotate(15.0)
data.RandomZoom | K | data.Zoom(0.8, 1.2)
data.RandomErasing | P | data.CutOut(8)
data.Resize | P | data.fit_image(pictures[0], 16, 16)
data.ColorJitter | P | data.Compose(data.Brightness(0.2), data.Contrast(0.2))
"""
