"""What is typed after a dot behind a tensor, a model, an optimiser ...: rows as in modules.py."""

#: x: Tensor, model: Module, optimizer: Optimizer, schedule: the schedules, history: History, rng:
#: Generator; loss and metric: the names that `fit` takes.
MEMBERS = """
x.float | P | x.astype("float32")
x.double | P | x.astype("float64")
x.half | P | | there is no half precision yet
x.int | P | x.astype("int32")
x.long | P | x.astype("int64")
x.bool | P | x != 0
x.type | P | x.astype("float64")
x.cuda | P | x.to("cpu") | backends are "cpu", "numpy" and, for a GPU, "opencl"
x.cpu | P | x.to("cpu")
x.device | P | x.backend
x.is_cuda | P | x.backend
x.contiguous | P | x.copy() | kernels take any strides: nothing to do
x.dim | P | x.ndim
x.ndimension | P | x.ndim
x.nelement | P | x.numel()
x.t | P | x.T
x.mT | P | x.swapaxes(-1, -2)
x.movedim | P | images.permute(0, 3, 1, 2) | every axis is named
x.narrow | P | x[:, 1:3]
x.chunk | P | td.split(x, sections=2, axis=0)
x.unbind | P | list(x)
x.repeat_interleave | P | x.repeat(repeats=2, axis=0)
x.expand_as | P | x.broadcast_to(x.shape)
x.view_as | P | x.reshape(x.shape)
x.type_as | P | x.astype(x.dtype)
x.new_zeros | P | td.zeros((2, 3))
x.gather | P | td.take_along_axis(x, labels[:, None], axis=1)
x.index_select | P | td.take(x, indices, axis=1)
x.masked_select | P | x[x > 0.5]
x.scatter_add | P | td.scatter_add(x[:2], indices, 4)
x.where | P | td.where(x > 0.5, x, 0.0)
x.scatter | P | td.put_along_axis(x, labels[:, None], 0.0, axis=1)
x.index_add | P | td.index_put(x, [0, 0], 1.0, accumulate=True)
x.sort | P | td.sort(x) | the values alone; td.argsort has the places
x.median | P | td.median(x)
x.amax | P | x.max(axis=1)
x.amin | P | x.min(axis=1)
x.mm | P | x @ x.T
x.bmm | P | sequences @ sequences.swapaxes(1, 2)
x.dot | P | x[0] @ x[1]
x.sub | P | x - x
x.mul | P | x * x
x.div | P | x / x
x.neg | P | -x
x.eq | P | x == x
x.ne | P | x != x
x.gt | P | x > x
x.ge | P | x >= x
x.lt | P | x < x
x.le | P | x <= x
x.reciprocal | P | 1 / x
x.multinomial | P | td.multinomial(probabilities, 1)
x.requires_grad_ | P | leaf.requires_grad = True
x.retain_grad | P | td.grad(leaf.sum(), [leaf]) | of any tensor, not of leaves alone
x.detach_ | P | x.detach()
x.zero_ | P | leaf.assign(np.zeros(leaf.shape, "float32"))
x.fill_ | P | leaf.assign(np.full(leaf.shape, 0.5, "float32"))
x.copy_ | P | leaf.assign(leaf.numpy())
x.add_ | P | leaf.assign(leaf.numpy() + 1)
x.mul_ | P | leaf.assign(leaf.numpy() * 2)
x.clamp_ | P | leaf.assign(leaf.numpy().clip(0, 1))
x.normal_ | P | leaf.assign(rng.normal(leaf.shape, std=0.02))
x.uniform_ | P | leaf.assign(rng.uniform(leaf.shape, low=-0.1, high=0.1))
x.zero_grad | P | leaf.grad = None
x.assign_add | K | leaf.assign(leaf.numpy() + 1)
x.get_shape | K | x.shape

model.get_layer | K | model.layers[0] | or the attribute that holds it
model.fit | K | td.train.fit(model, (xs, ys), "mse", "adam", epochs=1)
model.evaluate | K | train.evaluate(model, batches, loss=nn.mse)
model.predict | K | train.predict(model, xs)
model.compile | K | td.train.fit(model, (xs, ys), "mse", "adam", epochs=1) | given to fit
model.add | K | nn.Sequential(nn.Linear(10, 5), nn.ReLU()) | all layers at once
model.append | P | nn.Sequential(nn.Linear(10, 5), nn.ReLU()) | all layers at once
model.build | K | nn.Linear(10, 5) | every layer is given the size of its input: nothing to build
model.cuda | P | model.to("cpu") | backends are "cpu", "numpy" and, for a GPU, "opencl"
model.cpu | P | model.to("cpu")
model.float | P | model.astype("float32")
model.double | P | model.astype("float64")
model.half | P | | there is no half precision yet
model.save | K | train.save_weights(model, path)
model.save_weights | K | train.save_weights(model, path)
model.load_weights | K | train.load_weights(model, path)
model.count_params | K | model.count_parameters()
model.weights | K | model.parameters()
model.trainable_weights | K | model.trainable_parameters()
model.trainable_variables | K | model.trainable_parameters()
model.trainable | K= | model.freeze() | and model.unfreeze()
model.get_weights | K | model.state_dict()
model.set_weights | K | model.load_state_dict(model.state_dict())
model.buffers | P | dict(model.named_buffers())
model.named_children | P | dict(model.named_modules()) | all below; children() the nearest
model.get_config | K | print(model)
model.add_module | P | nn.Sequential(nn.Linear(10, 5)) | self.name = module
model.register_module | P | nn.Sequential(nn.Linear(10, 5)) | self.name = module
model.register_parameter | P | nn.Parameter(array) | self.name = nn.Parameter(array)
model.register_buffer | P | nn.Buffer(array) | self.name = nn.Buffer(array)
model.register_forward_hook | P | nn.activations(model, x) | the outputs of all layers, by name

optimizer.learning_rate | K= | optimizer.lr = 0.01
optimizer.param_groups | P | optimizer.lr = 0.01 | optim.Groups joins optimisers
optimizer.minimize | K | optimizer.step() | after loss.backward()
optimizer.apply_gradients | K | optimizer.step() | after loss.backward()

schedule.step | P | optimizer.lr = schedule(3) | or train.LearningRateSchedule(schedule) for fit
schedule.get_last_lr | P | schedule(3)

loss.mean_squared_error | K | "mse"
loss.mean_absolute_error | K | "mae"
loss.mse_loss | P | "mse"
loss.l1_loss | P | "mae"
loss.nll_loss | P | "nll"
loss.sparse_categorical_crossentropy | K | "cross_entropy" | of logits
loss.categorical_crossentropy | K | "soft_cross_entropy" | of logits; "cross_entropy" takes labels
loss.binary_crossentropy | K | "bce"
loss.binary_cross_entropy | P | "bce"
loss.kl_divergence | K | "kl_categorical"

metric.acc | K | "accuracy"
metric.categorical_accuracy | K | "accuracy"
metric.sparse_categorical_accuracy | K | "accuracy"
metric.mean_absolute_error | K | "mae"

history.history | K | history["loss"] | a column by its name
history.epoch | K | len(history.rows)

rng.choice | N | rng.integers(0, 10, (2,)) | by probabilities: td.multinomial(probabilities, 1)
rng.shuffle | N | xs[rng.permutation(10)]
rng.random | N | rng.uniform((2, 3))
rng.standard_normal | N | rng.normal((2, 3))
rng.manual_seed | P | td.Generator(0)
"""
