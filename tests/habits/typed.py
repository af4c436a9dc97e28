"""Lines typed from habit by users of PyTorch, Keras and NumPy, and what happens to them here.

`# torch`: works, and gives what PyTorch gives; `# (4, 10)`: works, with a result of this shape or
value; `# works`; `# ! words`: is refused, and the message has the words; `# differs`: runs, or
fails in Python itself, and is a difference of docs/conventions.md ("Same text, another meaning").
"""

LINES = r"""
import tinydl.nn.functional as F  # ! td.relu(x), nn.cross_entropy(logits, labels)
from tinydl.optim.lr_scheduler import StepLR  # ! optim.StepDecay(0.1, every=10)
from tinydl.data import DataLoader  # ! data.Batches((xs, ys), batch_size=2, shuffle=True, rng=rng)
from tinydl.data import TensorDataset  # ! data.Batches((xs, ys), batch_size=2, shuffle=False)
from tinydl.train import EarlyStopping, ModelCheckpoint  # ! train.BestCheckpoint(path)
from tinydl.train import Trainer  # ! train.fit(model, batches, nn.mse, optimizer, epochs=1)
td.manual_seed(1)  # works
td.seed(1)  # works
td.cat([x2, x2], dim=0)  # ! axis=0
td.cat([x2, x2])  # torch
td.concat([x2, x2], dim=0)  # ! axis=0
td.concat([x2, x2], axis=0)  # torch
td.concatenate([x2, x2], axis=0)  # ! td.concat([x, x], axis=0)
td.flatten(x4, 1)  # ! x.flatten(1)
x4.flatten(1)  # torch
x4.view(-1, 192)  # torch
x4.reshape(-1, 192)  # torch
x4.reshape((2, 192))  # torch
x2.sum(dim=1)  # ! axis=1
x2.sum(1, keepdim=True)  # ! keepdims=True
x2.argmax(dim=1, keepdim=True)  # ! axis=1
x2.max(dim=1)  # ! axis=1
x2.argmax(1).eq(y)  # ! x == x
(x2.argmax(1) == y).sum().item()  # torch
(x2.argmax(1) == y).float().mean()  # ! x.astype("float32")
(x2.argmax(1) == y).mean()  # ! use .astype('float32')
(x2.argmax(1) == y).astype('float32').mean()  # ()
x2.pow(2)  # torch
x2.clamp(0, 1)  # torch
td.clamp(x2, 0, 1)  # torch
td.clip(x2, min=0, max=1)  # ! low=0
td.randn(2, 3)  # torch
td.rand(2, 3)  # torch
td.randn_like(x2)  # ! td.normal(x.shape)
td.zeros_like(x2)  # torch
td.ones_like(x2)  # torch
td.zeros(2, 3)  # torch
td.zeros((2, 3))  # torch
td.normal((2, 3))  # (2, 3)
td.normal((2, 3), rng=rng)  # (2, 3)
td.full((2,), 1.0)  # torch
td.from_numpy(np.zeros(3))  # ! td.tensor(array)
td.tensor(np.zeros(3))  # torch
td.tensor([1.0, 2.0])  # torch
td.tensor(np.zeros(3)) + td.tensor([1.0, 2.0, 3.0])  # ! td.tensor(x, dtype='float32')
td.float32  # ! td.tensor(array, dtype="float32")
x2.float()  # ! x.astype("float32")
x2.to(td.float32)  # ! td.tensor(array, dtype="float32")
x2.to('float32')  # ! x.astype('float32')
x2.long()  # ! x.astype("int64")
x2.cpu()  # ! x.to("cpu")
x2.size(0)  # ! write x.shape[0]
x2.size()  # ! write x.shape
x2.ndimension()  # ! x.ndim
next(seq.parameters())  # ! parameters()[0]
data.mnist.load_data()  # ! d = data.mnist()
data.cifar10.load_data()  # ! d = data.cifar10()
x2.shape[0]  # torch
x2.data  # works
x2.unsqueeze(0)  # torch
x2.permute(1, 0)  # torch
x4.permute(0, 3, 1, 2)  # torch
x4.transpose(0, 3, 1, 2)  # ! x.permute(0, 3, 1, 2)
x4.transpose(1, 2)  # ! x.swapaxes(1, 2)
x2.t()  # ! x.T
x2.mm(x2.T)  # ! x @ x.T
x2.requires_grad_()  # ! leaf.requires_grad = True
x2.zero_grad()  # ! leaf.grad = None
x2.clone()  # torch
td.no_grad()  # works
td.inference_mode()  # ! td.no_grad()
train.save_weights(seq, 'w.npz')  # ! save to w.safetensors
train.save_weights('w.safetensors', seq)  # ! takes the model, then the path
seq.save('w.keras')  # ! train.save_weights(model, path)
seq.save_weights('w.h5')  # ! train.save_weights(model, path)
nn.Conv2d(3, 8, 3)  # works
nn.Conv2d(3, 8, 3)(x4)  # (2, 6, 6, 8)
nn.Conv2d(3, 8, 3, 1, 1)  # works
nn.Conv2d(3, 8, 3, padding='same')  # works
nn.Conv2d(3, 8, kernel_size=3)  # works
nn.Conv2d(3, 8, 3, bias=False)  # works
nn.Conv2d(8, 3, activation='relu')  # ! nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
nn.ConvTranspose2d(3, 8, 4, 2, 1, bias=False)  # works
nn.ConvTranspose2d(3, 8, 4, stride=2, padding=1, output_padding=0)  # works
nn.ConvTranspose2d(3, 8, 3, stride=1, padding='same')  # works
nn.BatchNorm2d(8)  # ! nn.BatchNorm(8)
nn.BatchNorm1d(8)  # ! nn.BatchNorm(8)
nn.BatchNorm(8)  # works
nn.BatchNorm(8, eps=1e-05, momentum=0.9)  # works
nn.LeakyReLU(0.2)  # works
nn.ReLU(inplace=True)  # ! leave it out: results are new tensors
nn.ELU()  # works
nn.GELU()  # works
nn.SiLU()  # works
nn.LogSoftmax(dim=1)  # ! axis=1
nn.Softmax(dim=1)  # ! axis=1
nn.Softmax(axis=1)  # works
nn.Dropout(0.25)  # works
nn.Dropout(p=0.25)  # ! rate=0.25
nn.Dropout2d(0.25)  # ! nn.Dropout(0.25)
nn.Dense(10, 5)  # ! nn.Linear(10, 5)
nn.Embedding(100, 8)  # works
nn.Embedding(100, 8, padding_idx=0)  # works
nn.MaxPool2d(2)  # works
nn.MaxPool2d(2)(x4)  # (2, 4, 4, 3)
nn.MaxPool2d(3, 2, 1)  # works
nn.MaxPool2d(3, strides=2, padding='same')  # ! stride=2
nn.MaxPool2d(3, stride=2, padding='same')  # works
nn.Upsample(scale_factor=2)  # works
nn.UpSampling2D(2)  # ! nn.Upsample(scale_factor=2)
td.resize(x4, 2)  # ! scale_factor=2
td.resize(x4, scale=2)  # ! scale_factor=2
td.resize(x4, (16, 16))  # (2, 16, 16, 3)
td.repeat(td.repeat(x4, 2, 1), 2, 2)  # ! repeat(x, repeats=2, axis=1)
nn.Flatten()  # works
nn.Unflatten(1, (2, 5))  # ! nn.Reshape((2, 5))
nn.Reshape((2, 5))  # works
nn.Identity()  # works
nn.ModuleList([lin])  # ! [nn.Linear(10, 5), nn.Linear(5, 2)]
nn.Sequential([lin])  # ! Sequential(*modules)
nn.Sequential(lin)[0]  # works
len(seq)  # 3
seq[0]  # works
seq.add(nn.ReLU())  # ! nn.Sequential(nn.Linear(10, 5), nn.ReLU())
seq.append(nn.ReLU())  # ! nn.Sequential(nn.Linear(10, 5), nn.ReLU())
nn.LSTM(3, 4)(s3)  # (2, 4)
nn.LSTM(3, 4, batch_first=True)  # ! leave it out: sequences are (N, T, D)
nn.LSTM(3, 4, num_layers=2)  # ! nn.StackedRNN.of(nn.LSTM, 3, 4, num_layers=2)
nn.LSTM(3, 4, 2)  # ! nn.StackedRNN.of(nn.LSTM, 3, 4, num_layers=2)
nn.LSTM(3, 4)(s3, (td.zeros((2, 4)), td.zeros((2, 4))))  # ! states, (h, c) = layer.run(x, (h, c))
nn.LSTM(3, 4).run(s3.swapaxes(0, 1), (td.zeros((2, 4)), td.zeros((2, 4))))  # ! x is (N, T, D)
nn.LSTM(3, 4, return_sequences=True)  # works
nn.LSTM(3, 4, bidirectional=True)  # ! nn.Bidirectional(nn.LSTM(3, 4), nn.LSTM(3, 4))
nn.Bidirectional(nn.LSTM(3, 4))  # works
nn.Bidirectional(nn.LSTM(3, 4, return_sequences=True))(s3).shape  # (2, 6, 8)
nn.Bidirectional(nn.LSTM(3, 4), nn.LSTM(3, 4))  # works
nn.GRU(3, 4)(s3)  # (2, 4)
nn.RNN(3, 4)  # ! nn.SimpleRNN(3, 4)
nn.TransformerEncoder(8, 2)  # ! nn.TransformerEncoderLayer(8, 2, 32)
nn.MultiheadAttention(8, 2)  # ! nn.MultiHeadAttention(8, 2)
nn.MultiHeadAttention(8, 2)  # works
nn.SeparableConv2d(3, 8, 3, padding='same')  # works
nn.CrossEntropyLoss()  # ! nn.cross_entropy(logits, labels)
nn.CrossEntropyLoss()(x2, y)  # ! nn.cross_entropy(logits, labels)
nn.cross_entropy(x2, y)  # ()
nn.cross_entropy(x2, y, reduction='sum')  # ()
nn.cross_entropy(x2, y, label_smoothing=0.1)  # ()
nn.BCELoss()  # ! nn.bce(probabilities, targets)
nn.BCEWithLogitsLoss()  # ! nn.bce_with_logits(logits, targets)
nn.MSELoss()  # ! nn.mse(prediction, target)
nn.nll_loss(x2, y)  # ! nn.nll(td.log_softmax(logits), labels)
nn.nll(x2.log_softmax(), y)  # ()
nn.nll(x2, y)  # ()
nn.mse_loss(x2, x2)  # ! nn.mse(prediction, target)
nn.mse(x2, x2)  # ()
nn.binary_cross_entropy(x2, x2)  # ! nn.bce(probabilities, targets)
nn.bce(x2, x2, reduction='sum')  # ()
nn.bce(x2, td.tensor(np.ones(4)))  # ! must have one shape
nn.bce_with_logits(lin(x2)[:, 0], y)  # ! convert one with .astype
nn.bce_with_logits(lin(x2)[:, :1], td.tensor(np.ones(4, 'f')))  # ! targets[..., None]
nn.mse(lin(x2)[:, :1], td.tensor(np.ones(4, 'f')))  # ! target[..., None]
optim.Adam(seq.parameters(), lr=0.001, betas=(0.5, 0.999))  # ! beta1=0.9, beta2=0.999
optim.Adam(seq.parameters(), 0.001, beta1=0.5)  # works
optim.Adam(seq.parameters())  # works
optim.Adam(seq)  # ! pass model.parameters()
optim.SGD(seq.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.0001)  # works
optim.SGD(seq.parameters())  # works
optim.Adadelta(seq.parameters(), lr=1.0)  # ! optim.AdaDelta(model.parameters())
optim.AdaDelta(seq.parameters(), lr=1.0)  # works
optim.RMSprop(seq.parameters())  # works
optim.RMSProp(seq.parameters())  # ! optim.RMSprop(model.parameters())
optim.Adagrad(seq.parameters())  # ! optim.AdaGrad(model.parameters())
optim.StepLR  # ! optim.StepDecay(0.1, every=10, factor=0.1)
optim.StepDecay(1.0, 0.7, 1)  # ! every must be an integer
optim.StepDecay(1.0, gamma=0.7, step_size=1)  # ! factor=0.7
optim.StepDecay(1.0, factor=0.7, every=1)  # works
optim.lr_scheduler  # ! optim.StepDecay(0.1, every=10)
seq.train()  # works
seq.eval()  # works
seq.zero_grad()  # works
nn.summary(seq, (10,))  # works
sum((p.numel() for p in seq.parameters()))  # 67
seq.count_params()  # ! model.count_parameters()
seq.compile(optimizer='adam', loss='mse')
    # ! td.train.fit(model, (xs, ys), "mse", "adam", epochs=1)
seq.fit  # ! td.train.fit(model, (xs, ys), "mse", "adam", epochs=1)
seq.predict  # ! train.predict(model, xs)
train.predict(seq, np.zeros((3, 10)))  # works
train.predict(seq, np.zeros((3, 10), 'f')).shape  # (3, 2)
seq.to('cuda')  # ! 'opencl'
seq.to('cpu')  # works
lin.weight.shape  # (10, 5)
lin.weight.normal_(0, 0.02)  # ! leaf.assign(rng.normal(leaf.shape, std=0.02))
lin.weight.data[:] = 0  # works
nn.init.xavier_uniform_(lin.weight)  # ! nn.init.glorot_uniform_(weight)
nn.init.normal(0.02)  # ! it takes (shape, rng, dtype, mean=0.0, std=0.05)
nn.Conv2d(3, 8, 3, kernel_initializer='he_normal')  # ! weight_init="he_normal"
nn.Conv2d(3, 8, 3, init='he_normal')  # ! weight_init="he_normal"
seq.register_buffer('a', x2)  # ! nn.Buffer(array)
nn.Parameter(td.zeros((3,)))  # (3,)
data.Batches(np.zeros((10, 3)), batch_size=2)  # works
data.Batches((np.zeros((10, 3)), np.zeros(10)), batch_size=2)  # works
data.Batches((np.zeros((10, 3)), np.zeros(10)), 2, False)  # ! Batches((x, y), 32, shuffle=False)
lin(np.zeros((3, 10), 'f'))  # (3, 5)
lin(np.zeros((3, 10)))  # (3, 5)
lin(td.tensor(np.zeros((3, 10))))  # ! td.tensor(x, dtype='float32')
data.pad_sequences([[1, 2], [3]], maxlen=4)  # ! length=4
data.pad_sequences([[1, 2], [3]], 4)  # works
data.pad_sequences([[1, 2], [3]], length=4)  # works
data.mnist(train=True)  # ! .x_train, .y_train, .x_test, .y_test
data.timeseries_dataset_from_array  # ! data.windows(series, 3)
data.windows(np.arange(10.0), 3)  # works
data.random_split(np.arange(10), [7, 3])  # ! it takes (n, fraction, rng)
data.random_split(10, [7, 3])  # ! it takes (n, fraction, rng)
train.EarlyStopping(monitor='val_loss', patience=5, restore_best_weights=True)
    # ! restore_best=True
train.fit(seq, x2, y)  # ! fit(model, (x, y), loss='cross_entropy')
td.where(x2 > 0.5, x2, 0.0)  # torch
x2 + np.float32(1)  # torch
x2 * y  # ! td.tensor(x, dtype='float32')
x2 * 2  # torch
y * 0.5  # ! use .astype('float32')
y / 2  # ! use .astype('float32')
x2.std().item()  # differs
td.allclose(x2, x2)  # torch
td.isnan(x2)  # torch
td.eye(3)  # torch
td.linspace(0, 1, 3)  # torch
td.outer(x2[0], x2[0])  # ! td.einsum("i,j->ij", x[0], x[1])
td.squeeze(x2)  # torch
td.unsqueeze(x2, 0)  # torch
td.transpose(x2, 0, 1)  # ! x.swapaxes(0, 1)
td.reshape(x2, (-1,))  # torch
td.relu(x2)  # torch
td.nn.relu(x2)  # ! td.relu(x)
nn.functional  # ! td.relu(x), nn.cross_entropy(logits, labels)
seq.state_dict().keys()  # works
model = nn.Model  # ! nn.Module()
len(x2)  # torch
f'{x2.mean():.4f}'  # torch
f'{x2.mean().item():.4f}'  # torch
x2[0, 0] = 1  # ! use tinydl.where, tinydl.concat
x2[:, None].shape  # torch
x2[..., -1].shape  # torch
x2[np.array([0, 1])].shape  # torch
x2[x2 > 0.5]  # torch
x2.mean((0, 1))  # torch
x2 += 1  # works
float(x2.mean())  # torch
np.mean(x2)  # ()
td.grad  # works
td.checkpoint  # ! td.recompute(model, x)
td.compile(seq)  # works
import tinydl.nn.functional  # ! td.relu(x), nn.cross_entropy(logits, labels)
from tinydl.nn import functional as F  # ! td.relu(x), nn.cross_entropy(logits, labels)
from tinydl import autograd  # ! td.grad(leaf.sum(), [leaf])
from tinydl.nn import Dense  # ! nn.Linear(10, 5)
from tinydl.nn import Linear, BatchNorm2d  # ! nn.BatchNorm(8)
from tinydl.optim import StepLR  # ! optim.StepDecay(0.1, every=10, factor=0.1)
from tinydl.nn.init import kaiming_normal_  # ! nn.init.he_normal_(weight)
from tinydl import float32  # ! td.tensor(array, dtype="float32")
from tinydl import layers  # ! nn.Linear(10, 5)
td.cat([x2, x2], 1)  # torch
td.cat([x2, x2], dim=1)  # ! axis=1
td.cat((x2, x2), axis=-1)  # torch
td.stack([x2, x2])  # torch
td.stack([x2, x2], dim=1)  # ! axis=1
td.hstack([x2, x2])  # ! td.concat([x, x], axis=1)
td.split(x2, 2)  # ! split(x, sections=2, axis=0)
td.split(x2, 2, dim=1)  # ! axis=1
td.chunk(x2, 2)  # ! td.split(x, sections=2, axis=0)
x2.chunk(2, dim=1)  # ! td.split(x, sections=2, axis=0)
td.squeeze(x2[:, :1], dim=1)  # ! axis=1
td.unsqueeze(x2, dim=0)  # ! axis=0
x2.squeeze(dim=0)  # ! axis=0
x2.unsqueeze(dim=1)  # ! axis=1
x4.flatten(start_dim=1)  # ! start=1
td.flatten(x4, start_dim=1)  # ! x.flatten(1)
x2.repeat(2, 1)  # ! tile(x, (2, 1))
x2.expand(4, 10)  # torch
x2.expand(-1, 10)  # torch
x2.expand_as(x2)  # ! x.broadcast_to(x.shape)
td.tile(x2, (2, 1))  # torch
td.flip(x2, dims=[1])  # ! axis=1
td.roll(x2, shifts=1, dims=0)  # ! shift=1
td.sum(x2, dim=1)  # ! axis=1
td.sum(x2, axis=1)  # torch
x2.sum(-1)  # torch
x2.sum(axis=1, keepdims=True)  # torch
x2.mean(dim=(0, 1))  # ! axis=1
x2.mean(axis=0)  # torch
x2.std(dim=0, unbiased=False)  # ! axis=0
x2.var(ddof=1)  # ! correction=1
td.max(x2, dim=1)  # ! axis=1
td.max(x2)  # torch
td.argmax(x2, dim=1)  # ! axis=1
td.argmax(x2, axis=1)  # torch
td.softmax(x2, dim=1)  # ! axis=1
td.softmax(x2, axis=1)  # torch
x2.softmax(dim=-1)  # ! axis=-1
x2.softmax(-1)  # torch
td.log_softmax(x2, dim=1)  # ! axis=1
x2.log_softmax(1)  # torch
td.logsumexp(x2, dim=1)  # ! axis=1
td.cumsum(x2, dim=0)  # ! axis=0
td.cumsum(x2, axis=0)  # torch
x2.cumsum(0)  # torch
td.sort(x2, descending=True)  # differs
td.topk(x2, 2)  # works
td.argsort(x2, dim=1)  # ! axis=1
td.norm(x2)  # torch
td.norm(x2, dim=1)  # ! axis=1
td.dot(x2[0], x2[1])  # ! x[0] @ x[1]
td.matmul(x2, x2.T)  # torch
x2 @ x2.T  # torch
td.mm(x2, x2.T)  # ! x @ x.T
td.einsum('ij,kj->ik', x2, x2)  # torch
td.bmm(s3, s3)  # ! sequences @ sequences.swapaxes(1, 2)
x2.norm()  # torch
x2.dot(x2)  # ! x[0] @ x[1]
x2.eq(x2)  # ! x == x
x2.gt(0.5)  # ! x > x
x2 > 0.5  # torch
x2.add(1)  # torch
x2.mul(2)  # ! x * x
x2.add_(1)  # ! leaf.assign(leaf.numpy() + 1)
x2.mul_(2)  # ! leaf.assign(leaf.numpy() * 2)
x2.zero_()  # ! leaf.assign(np.zeros(leaf.shape, "float32"))
x2.fill_(0)  # ! leaf.assign(np.full(leaf.shape, 0.5, "float32"))
x2.detach().cpu().numpy()  # ! x.to("cpu")
x2.detach().numpy()  # works
x2.item()  # ! needs exactly one element
x2[0, 0].item()  # torch
x2.tolist()  # torch
x2.dim()  # ! x.ndim
x2.ndim  # torch
x2.numel()  # torch
x2.nelement()  # ! x.numel()
x2.device  # ! x.backend
x2.dtype  # works
x2.type(td.float32)  # ! x.astype("float64")
x2.double()  # ! x.astype("float64")
x2.int()  # ! x.astype("int32")
x2.bool()  # ! x != 0
x2.contiguous()  # ! x.copy()
x2.view(x2.size(0), -1)  # ! write x.shape[0]
x2.view(x2.shape[0], -1)  # torch
x2.T  # torch
x2.sin()  # torch
x2.floor()  # torch
x2.isnan()  # torch
x2.where(x2 > 0.5, 0)  # ! td.where(x > 0.5, x, 0.0)
x2.masked_fill(x2 > 0.5, 0)  # torch
x2.gather(1, y[:, None])  # ! td.take_along_axis(x, labels[:, None], axis=1)
x2.sqrt()  # torch
x2.exp()  # torch
x2.abs()  # torch
x2.sigmoid()  # torch
x2.relu()  # torch
x2.tanh()  # torch
x2.retain_grad()  # ! td.grad(leaf.sum(), [leaf])
x2.requires_grad  # torch
x2.is_leaf  # torch
x2.grad  # torch
x2.backward()  # ! no input requires a gradient
x2.assign_add(x2)  # ! leaf.assign(leaf.numpy() + 1)
x2.get_shape()  # ! x.shape
td.ones(2, 3)  # torch
td.ones(2, 3, device='cpu')  # ! backend="cpu"
td.ones((2, 3), dtype='float32')  # (2, 3)
td.zeros(3, dtype=td.float32)  # ! td.tensor(array, dtype="float32")
td.zeros([2, 3])  # torch
td.full((2, 2), fill_value=7)  # ! value=7
td.full([2, 2], 7.0)  # torch
td.empty(2, 3)  # ! td.zeros((2, 3))
td.arange(5)  # torch
td.arange(0, 10, 2)  # torch
td.randint(0, 10, (2, 3))  # ! td.tensor(rng.integers(0, 10, (2, 3)))
td.randperm(10)  # ! rng.permutation(10)
td.tensor([1, 2, 3])  # torch
td.tensor([1.0, 2.0], requires_grad=True)  # (2,)
td.tensor([1.0], device='cpu')  # ! backend="cpu"
td.tensor([1.0], dtype=td.float32)  # ! td.tensor(array, dtype="float32")
td.as_tensor([1.0])  # ! td.tensor(array)
td.FloatTensor([1.0])  # ! td.tensor(array, dtype="float32")
td.Tensor([1.0, 2.0])  # torch
td.Variable([1.0])  # ! td.tensor([1.0, 2.0], requires_grad=True)
td.is_tensor(x2)  # ! isinstance(x, td.Tensor)
td.mean(x2)  # torch
td.abs(x2)  # torch
td.sqrt(x2)  # torch
td.log2(x2)  # torch
td.pow(x2, 2)  # ! x ** 2
td.square(x2)  # torch
td.eq(x2, x2)  # ! x == x
td.mul(x2, x2)  # ! x * x
td.ceil(x2)  # torch
td.isfinite(x2)  # torch
td.clip(x2, 0, 1)  # torch
td.maximum(x2, x2)  # torch
td.where(x2 > 0.5, x2, x2)  # torch
td.set_grad_enabled(False)  # ! td.no_grad()
td.device('cuda')  # ! x.to("cpu")
td.cuda.is_available()  # ! x.to("cpu")
td.manual_seed(0)  # works
td.set_num_threads(2)  # ! OMP_NUM_THREADS
td.optim.Adam  # works
td.nn.Linear(3, 4)  # works
td.linear(x2, lin.weight, lin.bias)  # (4, 5)
td.relu6(x2)  # (4, 10)
td.silu(x2)  # ! td.swish(x)
td.gelu(x2)  # (4, 10)
td.dropout(x2, p=0.5)  # ! 'rate'
td.dropout(x2, 0.5, training=False)  # (4, 10)
td.one_hot(y, num_classes=5)  # ! depth=5
td.one_hot(y, 5)  # (4, 5)
td.pad(x2, (1, 1))  # ! one (before, after) >= 0 for each of the 2 axes
td.interpolate(x4, scale_factor=2)  # ! td.resize(images, scale_factor=2)
td.reduce_mean(x2)  # ! x.mean(axis=1)
td.cast(x2, 'float32')  # ! x.astype("float64")
td.GradientTape()  # ! td.grad(leaf.sum(), [leaf])
td.math.log(x2)  # ! td.log(x)
td.keras.layers.Dense(3)  # ! nn.Linear(10, 5)
nn.Linear(in_features=10, out_features=5)  # works
nn.Linear(10, 5, activation='relu')  # ! nn.Sequential(nn.Linear(10, 5), nn.ReLU())
nn.Linear(10, 5, use_bias=False)  # ! bias=False
nn.Linear(10)  # ! it takes (in_features, out_features, bias=True
nn.Linear(units=10)  # ! out_features=10
nn.Linear(10, 5, device='cpu')  # ! model.to("opencl") afterwards
nn.Conv2d(3, 8, 3, strides=2)  # ! stride=2
nn.Conv2d(3, 8, 3, stride=2, padding=1)  # works
nn.Conv2d(filters=8, kernel_size=3)  # ! out_channels=8
nn.Conv2d(3, 8, 3, padding_mode='reflect')  # ! td.pad(x, widths, mode="reflect")
nn.Conv2d(3, 8, (3, 3), padding='valid')  # works
nn.Conv2d(3, 8, 3, input_shape=(8, 8, 3))  # ! in_channels=3
nn.Conv2D(8, 3)  # ! nn.Conv2d(3, 8, 3)
nn.Conv2d(3, 4, 3)(x4.permute(0, 3, 1, 2))  # ! images are (N, H, W, C)
nn.Conv2DTranspose(8, 3)  # ! nn.ConvTranspose2d(3, 8, 3, stride=2)
nn.Conv1d(3, 8, 3)(s3).shape  # (2, 4, 8)
nn.MaxPooling2D(2)  # ! nn.MaxPool2d(2)
nn.MaxPool2d(kernel_size=2, stride=2)  # works
nn.MaxPool2d(pool_size=2)  # ! kernel_size=2
nn.AvgPool2d(2)  # works
nn.AdaptiveAvgPool2d(1)  # works
nn.AdaptiveAvgPool2d((1, 1))  # works
nn.GlobalAveragePooling2D()  # ! nn.GlobalAvgPool()
nn.BatchNormalization()  # ! nn.BatchNorm(8)
nn.BatchNorm(num_features=8)  # ! features=8
nn.BatchNorm(8, momentum=0.1)  # ! momentum=0.1 is momentum=0.9 here
nn.BatchNorm(8, epsilon=0.001)  # ! eps=0.001
nn.LayerNorm(8)  # works
nn.LayerNorm((8,))  # works
nn.LayerNorm(normalized_shape=8)  # ! shape=(8,)
nn.GroupNorm(2, 8)  # works
nn.GroupNorm(num_groups=2, num_channels=8)  # ! groups=2
nn.InstanceNorm2d(8)  # ! nn.InstanceNorm(8)
nn.Dropout(rate=0.5)  # works
nn.Dropout(0.5, inplace=True)  # ! leave it out: results are new tensors
nn.Activation('relu')  # ! nn.ReLU()
nn.LeakyReLU(negative_slope=0.1)  # ! slope=0.1
nn.LeakyReLU(alpha=0.1)  # ! nn.LeakyReLU(slope=0.3)
nn.PReLU()  # works
nn.PReLU(num_parameters=8)  # ! features=8
nn.Hardswish()  # ! nn.HardSwish()
nn.Sigmoid()  # works
nn.Tanh()  # works
nn.Softmax()  # works
nn.Embedding(num_embeddings=100, embedding_dim=8)  # works
nn.Embedding(100, 8)(y)  # (4, 8)
nn.Embedding(input_dim=100, output_dim=8)  # ! num_embeddings=100
nn.Embedding(100, 8, mask_zero=True)  # ! padding_idx=0
nn.LSTM(input_size=3, hidden_size=4)  # works
nn.LSTM(3, 4, dropout=0.2)  # ! PyTorch's, between layers: nn.StackedRNN
nn.LSTM(units=4)  # ! hidden_size=4
nn.LSTM(4)  # ! it takes (input_size, hidden_size
nn.LSTM(3, 4, return_state=True)  # ! states, state = layer.run(x)
nn.GRU(3, 4, num_layers=2)  # ! nn.StackedRNN.of(nn.GRU, 3, 4, num_layers=2)
nn.GRU(3, 4, 2)  # ! nn.StackedRNN.of(nn.GRU, 3, 4, num_layers=2)
nn.SimpleRNN(3, 4, nonlinearity='relu')  # ! activation=td.relu
nn.LSTMCell(3, 4)  # ! layer.run(x.unsqueeze(1), state) is a step
nn.ConvTranspose1d(3, 8, 3)(s3).shape  # (2, 8, 8)
nn.Conv3d(3, 8, 3)  # works
x2.split(1, axis=1)  # ! split(x, sections=1, axis=1)
nn.TimeDistributed(lin)  # ! nn.Linear(3, 4)(sequences)
nn.MultiHeadAttention(embed_dim=8, num_heads=2)  # ! features=8
nn.ModuleDict({'a': lin})  # ! {"head": nn.Linear(10, 5)}
nn.ParameterList([lin.weight])  # ! [nn.Parameter(array)]
nn.Parameter(td.randn(3))  # (3,)
nn.Parameter(td.zeros(3), requires_grad=False)  # ! nn.Buffer(array)
nn.Sequential(nn.Flatten(), nn.Linear(192, 10))(x4).shape  # (2, 10)
nn.Model(inputs=1, outputs=2)  # ! nn.Module()
nn.Input(shape=(8, 8, 3))  # ! nn.Linear(10, 5)
nn.Lambda(lambda x: x)  # ! nn.Apply(td.clip, low=0.0, high=1.0)
nn.Concatenate()  # ! td.concat([x, x], axis=-1)
nn.utils.clip_grad_norm_(seq.parameters(), 1.0)
    # ! optim.clip_by_global_norm(model.parameters(), 1.0)
nn.L1Loss()  # ! nn.mae(prediction, target)
nn.SmoothL1Loss()  # ! nn.smooth_l1(prediction, target)
nn.KLDivLoss()  # ! nn.kl_categorical(logits, probabilities)
nn.NLLLoss()  # ! nn.nll(td.log_softmax(logits), labels)
nn.CrossEntropyLoss(weight=x2)  # ! nn.cross_entropy(logits, labels)
nn.SparseCategoricalCrossentropy(from_logits=True)  # ! nn.cross_entropy(logits, labels)
nn.cross_entropy(input=x2, target=y)  # ! 'logits' and 'labels'
nn.cross_entropy(x2, y, weight=td.ones(10))  # ()
nn.cross_entropy(x2, y, ignore_index=-100)  # ()
nn.cross_entropy(x2, y, size_average=False)  # ! reduction="mean"
nn.mse(x2, x2, reduction='none').shape  # (4, 10)
nn.l1_loss(x2, x2)  # ! nn.mae(prediction, target)
nn.init.kaiming_normal_(lin.weight, mode='fan_out')  # ! nn.init.he_normal_(weight)
nn.init.constant_(lin.bias, 0)  # (5,)
nn.init.zeros_(lin.bias)  # (5,)
optim.Adam(seq.parameters(), learning_rate=0.01)  # ! lr=0.01
optim.Adam(params=seq.parameters())  # ! parameters=model.parameters()
optim.Adam(seq.parameters(), amsgrad=True)  # ! optim.AMSGrad(model.parameters())
optim.Adam(lr=0.001)  # ! it takes (parameters, lr=0.001
optim.AdamW(seq.parameters(), lr=0.001, weight_decay=0.01)  # works
optim.SGD(seq.parameters(), 0.1, 0.9)  # works
optim.SGD(seq.parameters(), lr=0.1, momentum=0.9, dampening=0)  # works
optim.Rprop(seq.parameters(), etas=(0.5, 1.2))  # ! shrink=0.5, grow=1.2
optim.SGD(lin.weight, lr=0.1)  # ! needs a list of parameters
optim.RMSprop(seq.parameters(), alpha=0.99)  # ! optim.RMSprop(model.parameters(), rho=0.99)
optim.LBFGS(seq.parameters())  # ! optim.Adam(model.parameters())
optim.Adam(seq.parameters()).zero_grad()  # works
optim.Adam(seq.parameters()).zero_grad(set_to_none=True)  # ! leave it out: gradients become None
optim.Adam(seq.parameters()).param_groups[0]['lr']  # ! optimizer.lr = 0.01
optim.Adam(seq.parameters()).lr  # 0.001
optim.Adam(seq.parameters()).learning_rate  # ! optimizer.lr = 0.01
optim.StepDecay(1.0, step_size=10)  # ! every=10
optim.CosineAnnealingLR(opt, T_max=10)  # ! optim.Cosine(0.1, steps=50)
optim.Cosine(0.1, T_max=10)  # ! steps=10
optim.ReduceLROnPlateau(opt)
    # ! train.ReduceOnPlateau(plateau=optim.Plateau(factor=0.5, patience=3))
optim.Exponential(0.1, gamma=0.9)  # ! factor=0.9
optim.Exponential(0.1, 0.9).step()  # ! optimizer.lr = schedule(3)
optim.clip_grad_norm_(seq.parameters(), 1.0)  # ! optim.clip_by_global_norm(model.parameters(), 1.0)
optim.clip_by_global_norm(seq.parameters(), max_norm=1.0)  # ! limit=1.0
train.fit(seq, (xs, ys), epochs=1)  # ! it takes (model, data, loss
train.fit(seq, (xs, ys), loss='mse', optimizer='adam', epochs=1, progress=False)  # works
train.fit(seq, (xs, ys), 'mse', epochs=1, verbose=0)  # ! progress=False
train.fit(seq, (xs, ys), 'mse', epochs=1, validation_data=(xs, ys), progress=False)
    # ! validation=validation
train.fit(seq, (xs, ys), 'mse', epochs=1, validation_split=0.1, progress=False)
    # ! validation=0.1
train.fit(seq, xs, ys, epochs=1)  # ! fit(model, (x, y), loss='cross_entropy')
train.fit(seq, (xs, ys), criterion='mse')  # ! loss=nn.mse
train.fit(seq, (xs, ys), 'mse', 'adamw', 1, progress=False)  # works
train.fit(seq, (xs, ys), 'mean_squared_error')  # ! mse
train.fit(seq, (xs, ys), 'mse', 'Adam', epochs=1, progress=False)  # works
train.fit(seq, (xs, ys), 'mse', optim.Adam, epochs=1)  # ! optim.Adam(model.parameters())
train.fit(seq, (xs, ys), 'mse', epochs=1, metrics=['acc'], progress=False)  # ! accuracy
train.evaluate(seq, (xs, ys), loss='mse')  # works
train.evaluate(seq, xs, ys)  # ! evaluate(model, (x, y)
train.predict(seq, xs).shape  # (10, 2)
train.predict(seq, xs, batch_size=4).shape  # (10, 2)
train.predict(seq, xs, verbose=0)  # ! leave it out: it prints nothing
hist.history['loss']  # ! history["loss"]
hist['loss']  # works
hist.epoch  # ! len(history.rows)
train.EarlyStopping(patience=3)  # works
train.EarlyStopping('val_loss', patience=3, restore_best=True)  # works
train.ModelCheckpoint('best.h5', save_best_only=True)  # ! train.BestCheckpoint(path)
train.BestCheckpoint(filepath='best.ckpt')  # ! path="best.ckpt"
train.BestCheckpoint('best.ckpt', save_best_only=True)  # ! train.BestCheckpoint keeps the best
train.ReduceLROnPlateau(factor=0.5)
    # ! train.ReduceOnPlateau(plateau=optim.Plateau(factor=0.5, patience=3))
train.ReduceOnPlateau(factor=0.5, patience=3)
    # ! train.ReduceOnPlateau(plateau=optim.Plateau(factor=0.5))
train.CSVLogger('log.csv')  # ! train.WriteHistory(path)
train.LearningRateScheduler(lambda epoch: 0.1)
    # ! train.LearningRateSchedule(optim.StepDecay(0.1, every=10))
train.TensorBoard(log_dir='logs')  # ! folder="logs"
train.load_weights('w.safetensors')  # ! it takes (model, path)
train.save_weights(seq, 'w.pth')  # ! save to w.safetensors
train.save_model(seq, 'm.keras')  # ! train.save_weights(model, path)
data.DataLoader((xs, ys), batch_size=2, shuffle=True)
    # ! data.Batches((xs, ys), batch_size=2, shuffle=True, rng=rng)
data.Batches((xs, ys), batch_size=2, num_workers=2)  # ! prefetch=2
data.Batches((xs, ys), batch_size=2, shuffle=True)  # works
data.Batches(xs, ys, batch_size=2)  # works
data.Batches((xs, ys), 2)  # works
data.TensorDataset(xs, ys)  # ! data.Batches((xs, ys), batch_size=2, shuffle=False)
data.MNIST(root='.', train=True, download=True)  # ! data.mnist
data.random_split(10, [0.8, 0.2])  # ! it takes (n, fraction, rng)
data.random_split(10, 0.2, rng)  # works
data.train_test_split(xs, ys, test_size=0.2)  # ! data.random_split(10, 0.2, rng)
data.to_categorical([0, 1])  # ! data.one_hot(np.array([0, 2]), 3)
data.one_hot([0, 1], num_classes=3)  # ! classes=3
data.one_hot(np.array([0, 1]), 3)  # works
data.pad_sequences([[1, 2], [3]], maxlen=4, padding='post')  # ! length=4
data.Compose([data.Flip()])  # works
data.Compose(data.Flip())  # works
data.ToTensor()  # ! td.tensor(pictures)
data.Normalize((0.5,), (0.5,))  # ! data.standardize(xs)
data.RandomHorizontalFlip()  # ! data.Flip(0.5)
data.Flip(p=0.5)  # ! probability=0.5
data.ImageFolder('folder')  # ! data.image_folder
data.Tokenizer(num_words=1000)  # ! data.WordTokenizer.fit
seq.fit((xs, ys), epochs=2)  # ! td.train.fit(model, (xs, ys), "mse", "adam", epochs=1)
seq.evaluate(xs, ys)  # ! train.evaluate(model, batches, loss=nn.mse)
seq.predict(xs)  # ! train.predict(model, xs)
seq.compile(loss='mse', optimizer='adam', metrics=['accuracy'])
    # ! td.train.fit(model, (xs, ys), "mse", "adam", epochs=1)
seq.train(False)  # works
seq.eval()(x2).shape  # (4, 2)
seq(x2).shape  # (4, 2)
seq(x2, training=True)  # ! model.train() or model.eval() before the call
seq(xs).shape  # (10, 2)
seq.cuda()  # ! model.to("cpu")
seq.cpu()  # ! model.to("cpu")
seq.float()  # ! model.astype("float32")
seq.to('cuda:0')  # ! 'opencl'
seq.to(td.float32)  # ! td.tensor(array, dtype="float32")
seq.half()  # ! there is no half precision yet
seq.parameters()  # works
list(seq.named_parameters())[0][0]  # 'layers.0.weight'
seq.trainable = False  # ! model.freeze()
seq.trainable  # ! model.freeze()
seq.layers[0].trainable = False  # ! model.freeze()
seq.freeze()  # works
seq.get_weights()  # ! model.state_dict()
seq.trainable_variables  # ! model.trainable_parameters()
seq.named_children()  # ! dict(model.named_modules())
seq.add_module('a', lin)  # ! nn.Sequential(nn.Linear(10, 5))
seq.save('model.h5')  # ! train.save_weights(model, path)
seq.load_weights('w.h5')  # ! train.load_weights(model, path)
seq.state_dict()  # works
seq.load_state_dict(seq.state_dict())  # works
seq.register_forward_hook(print)  # ! nn.activations(model, x)
seq.zero_grad(set_to_none=True)  # ! leave it out: gradients become None
seq.forward(x2).shape  # (4, 2)
seq[0].weight  # (10, 5)
seq[-1]  # works
seq[:2]  # works
lin.weight.requires_grad = False  # works
lin.bias.data  # works
lin.weight.grad  # works
lin.in_features  # 10
lin.weight.size()  # ! write x.shape
opt.learning_rate = 0.1  # ! optimizer.lr = 0.01
opt.lr = 0.1  # works
td.sort(x2)  # differs
nn.LeakyReLU()  # differs
td.leaky_relu(x2 - 1)  # differs
x2.var(1)  # differs
x2.std(1)  # differs
out, h = nn.GRU(3, 4)(s3)  # differs
x2.max(1)  # differs
td.save(seq.state_dict(), 'w.pt')  # ! safetensors
td.save(seq.state_dict(), 'w.safetensors')  # works
td.save('w.safetensors', seq.state_dict())  # ! save
td.load('nothing.safetensors')  # ! nothing.safetensors
seq.apply(lambda m: None)  # works
list(seq.children())[0]  # works
len(list(seq.modules()))  # 4
seq.summary((10,))  # works
seq.summary()  # ! model.summary((28, 28, 1))
seq.requires_grad_(False)  # works
seq.load_state_dict(seq.state_dict(), strict=False)  # works
nn.init.normal_(lin.weight, 0, 0.02)  # (10, 5)
nn.init.normal(lin.weight, 0, 0.02)  # ! normal_
nn.init.uniform_(lin.weight, -0.1, 0.1)  # (10, 5)
nn.init.ones_(lin.weight)  # (10, 5)
for p in seq.parameters(): p.requires_grad = False  # works
train.fit(seq, (xs, ys), loss='binary_crossentropy')  # ! write "bce"
train.fit(seq, (xs, ys), loss='mean_squared_error')  # ! write "mse"
train.fit(seq, (xs, ys), loss='sparse_categorical_crossentropy')  # ! write "cross_entropy"
train.fit(seq, (xs, ys), loss='categorical_crossentropy')  # ! write "soft_cross_entropy"
train.fit(seq, (xs, ys), loss='mse', shuffle=True)  # ! arrays are shuffled before every epoch
td.distributions.Categorical(logits=x2)  # ! td.multinomial(probabilities, 1)
td.multinomial(td.softmax(x2, 1), 1).shape  # (4, 1)
x2.multinomial(1)  # ! td.multinomial(probabilities, 1)
rng.choice(10)  # ! rng.integers(0, 10, (2,))
rng.shuffle(xs)  # ! xs[rng.permutation(10)]
rng.random((2, 3))  # ! rng.uniform((2, 3))
rng.standard_normal((2, 3))  # ! rng.normal((2, 3))
data.mnist('train')  # ! it returns both parts: .x_train, .y_train, .x_test, .y_test
(a, b), (c, d) = data.Dataset('', xs, ys, xs, ys, ())  # ! .x_train, .y_train, .x_test, .y_test
nn.init.normal_(lin.weight.data, 0.0, 0.02)  # ! the weight itself, not its .data
x2.sum().backward(gradient=None)  # ! grad=
x2.to(device='cpu')  # ! backend="cpu"
td.conv2d(x4, td.randn(3, 3, 3, 8), strides=2)  # ! stride=2
td.max_pool2d(x4, 2, strides=2)  # ! stride=2
td.max_pool2d(x4, 2, return_indices=True)  # ! return_places=True
td.avg_pool2d(x4, 2)  # (2, 4, 4, 3)
"""
