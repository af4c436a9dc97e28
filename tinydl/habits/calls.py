"""Keyword arguments of other libraries: rows as in modules.py, typed as `whose_call(keyword=)`.

`Conv2d(padding_mode=)` is about one class or function and its here is a whole call. `(dim=)` holds
for every call whose parameters are those that its here names; `(device=)`, whose here is empty, for
every call. `LSTM(*)` is about arguments without a keyword, of which there are too many.
"""

KEYWORDS = """
(dim=) | P | axis=1
(dims=) | P | axis=1
(axes=) | N | axis=1
(keepdim=) | P | keepdims=True
(keep_dims=) | K | keepdims=True
(unbiased=) | P | correction=1 | 0, without it, divides by n
(ddof=) | N | correction=1
(dtype=) | P | | the result has the type of its inputs; x.astype("float32") converts
(out=) | P | | results are new tensors
(inplace=) | P | | leave it out: results are new tensors
(min=) | P | low=0.0
(max=) | P | high=1.0
(scale=) | P | scale_factor=2
(start_dim=) | P | start=1
(device=) | P | backend="cpu"
(device=) | P | | write model.to("opencl") afterwards
(fill_value=) | P | value=0.5
(generator=) | P | rng=rng
(seed=) | K | rng=td.Generator(0)
(random_state=) | N | rng=td.Generator(0)
(shifts=) | P | shift=1
(offset=) | P | k=1
(diagonal=) | P | k=1
(dim1=) | P | axis1=0
(dim2=) | P | axis2=1
(num_classes=) | P | depth=10
(num_classes=) | P | classes=10
(split_size_or_sections=) | P | sections=2 | parts, or a list of sizes
(num_or_size_splits=) | K | sections=2
(negative_slope=) | P | slope=0.01
LeakyReLU(alpha=) | K | nn.LeakyReLU(slope=0.3)
(is_causal=) | P | causal=True
(dropout_p=) | P | dropout=0.1 | of the weights; 0 in evaluation
(attn_mask=) | P | mask=mask | True: may attend
(return_indices=) | P | return_places=True

(strides=) | K | stride=2
(pool_size=) | K | kernel_size=2
(dilation_rate=) | K | dilation=2
(in_dim=) | P | in_features=10
(out_dim=) | P | out_features=5
(filters=) | K | out_channels=8
(input_dim=) | K | in_features=10
(input_dim=) | K | num_embeddings=100
(output_dim=) | K | embedding_dim=8
(units=) | K | out_features=5
(units=) | K | hidden_size=4
(input_shape=) | K | in_features=10
(input_shape=) | K | in_channels=3
(input_shape=) | K | input_size=3
(use_bias=) | K | bias=False
(kernel_initializer=) | K | weight_init="he_normal"
(embeddings_initializer=) | K | weight_init="uniform"
(bias_initializer=) | K | bias_init="zeros"
(recurrent_initializer=) | K | recurrent_init="orthogonal"
(kernel_regularizer=) | K | weight_penalty=nn.L2(1e-4)
(bias_regularizer=) | K | bias_penalty=nn.L2(1e-4)
(recurrent_regularizer=) | K | recurrent_penalty=nn.L2(1e-4)
(activity_regularizer=) | K | activity_penalty=nn.L2(1e-4)
(init=) | K | weight_init="he_normal"
(epsilon=) | K | eps=1e-3
(num_features=) | P | features=8
(num_features=) | P | channels=8
(num_channels=) | P | channels=8
(num_groups=) | P | groups=4
(num_parameters=) | P | features=8
(min_val=) | P | low=-1.0
(max_val=) | P | high=1.0
(normalized_shape=) | P | shape=(8,)
(elementwise_affine=) | P | affine=False
(center=) | K | affine=False
(p=) | P | rate=0.5
(p=) | P | probability=0.5
(embed_dim=) | P | features=8
(num_heads=) | P | heads=2
(kdim=) | P | key_size=8
(vdim=) | P | value_size=8
(n=) | K | T=3
(data_format=) | K | | leave it out: images are (N, H, W, C)
(padding_mode=) | P | | padding is zeros; td.pad(x, widths, mode="reflect") first
(name=) | K | | leave it out: a module is named by the attribute that holds it
(trainable=) | K | | write layer.freeze() afterwards
(training=) | K | | write model.train() or model.eval() before the call
(track_running_stats=) | P | | leave it out: running statistics are kept and used after model.eval()
(activation=) | K | | an activation is a layer: nn.Sequential(nn.Linear(10, 5), nn.ReLU())

Linear(activation=) | K | nn.Sequential(nn.Linear(10, 5), nn.ReLU()) | a layer of its own
Conv2d(activation=) | K | nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()) | a layer of its own
LSTM(num_layers=) | P | nn.StackedRNN.of(nn.LSTM, 3, 4, num_layers=2)
GRU(num_layers=) | P | nn.StackedRNN.of(nn.GRU, 3, 4, num_layers=2)
SimpleRNN(num_layers=) | P | nn.StackedRNN.of(nn.SimpleRNN, 3, 4, num_layers=2)
LSTM(*) | P | nn.StackedRNN.of(nn.LSTM, 3, 4, num_layers=2)
GRU(*) | P | nn.StackedRNN.of(nn.GRU, 3, 4, num_layers=2)
SimpleRNN(*) | P | nn.StackedRNN.of(nn.SimpleRNN, 3, 4, num_layers=2)
LSTM(bidirectional=) | P | nn.Bidirectional(nn.LSTM(3, 4), nn.LSTM(3, 4))
GRU(bidirectional=) | P | nn.Bidirectional(nn.GRU(3, 4), nn.GRU(3, 4))
SimpleRNN(bidirectional=) | P | nn.Bidirectional(nn.SimpleRNN(3, 4), nn.SimpleRNN(3, 4))
(batch_first=) | P | | leave it out: sequences are (N, T, D)
(return_state=) | K | | write states, state = layer.run(x)
(go_backwards=) | K | | write td.flip(x, axis=1), or nn.Bidirectional
(dropout=) | K | input_dropout=0.2 | PyTorch's, between layers:
    nn.StackedRNN.of(nn.GRU, 3, 4, num_layers=2, dropout=0.2)
(recurrent_activation=) | K | gate=td.sigmoid
(nonlinearity=) | P | activation=td.relu
(merge_mode=) | K | merge="concat"
(mask_zero=) | K | padding_idx=0

(reduce=) | P | reduction="sum"
(gradient=) | P | grad=x.sum()
(size_average=) | P | reduction="mean"
(y_true=) | K | labels=labels
(y_pred=) | K | logits=logits
(input=) | P | logits=logits
(input=) | P | prediction=prediction
(target=) | P | labels=labels
(target=) | P | targets=targets
cross_entropy(from_logits=) | K | nn.cross_entropy(logits, labels) | always of logits
bce(from_logits=) | K | nn.bce_with_logits(logits, targets)

(set_to_none=) | P | | leave it out: gradients become None
(foreach=) | P | | leave it out: all parameters take one kernel call
Parameter(requires_grad=) | P | nn.Buffer(array) | what is not trained
(params=) | P | parameters=model.parameters()
(learning_rate=) | K | lr=0.01
(betas=) | P | beta1=0.9, beta2=0.999
(beta_1=) | K | beta1=0.9
(beta_2=) | K | beta2=0.999
(decay=) | K | weight_decay=1e-4 | for a falling rate: optim.Exponential
(etas=) | P | shrink=0.5, grow=1.2
(step_sizes=) | P | smallest=1e-6, largest=50.0
RMSprop(alpha=) | P | optim.RMSprop(model.parameters(), rho=0.99)
RMSprop(momentum=) | P | optim.CentredRMSprop(model.parameters(), momentum=0.9, centred=False)
RMSprop(centered=) | P | optim.CentredRMSprop(model.parameters())
Adam(amsgrad=) | P | optim.AMSGrad(model.parameters())
(clipnorm=) | K | | write optim.clip_by_norm(model.parameters(), 1.0) before the step
(clipvalue=) | K | | write optim.clip_by_value(model.parameters(), 1.0) before the step
(global_clipnorm=) | K | | write optim.clip_by_global_norm(model.parameters(), 1.0) before the step
(max_norm=) | P | limit=1.0
(clip_value=) | P | limit=1.0
(step_size=) | P | every=10
(gamma=) | P | factor=0.1
(milestones=) | P | boundaries=[10, 20]
(T_max=) | P | steps=50
(eta_min=) | P | end=0.0
(initial_learning_rate=) | K | lr=0.1
(decay_steps=) | K | every=100
(decay_steps=) | K | steps=100
(decay_rate=) | K | factor=0.95
(optimizer=) | P | | schedules know no optimiser: train.LearningRateSchedule(schedule) for fit
(end_learning_rate=) | K | end=0.0

(validation_data=) | K | validation=validation
(validation_split=) | K | validation=0.1
(verbose=) | K | progress=True
(verbose=) | K | | leave it out: it prints nothing
fit(shuffle=) | K | | leave it out: arrays are shuffled before every epoch, Batches as they say
(num_epochs=) | P | epochs=3
(steps_per_epoch=) | K | | an epoch is all batches of the data
(criterion=) | P | loss=nn.mse
(loss_fn=) | P | loss=nn.mse
(filepath=) | K | path="best.ckpt"
(file=) | P | path="best.ckpt"
(save_best_only=) | K | | train.BestCheckpoint keeps the best, train.Checkpoint all
(save_weights_only=) | K | | a checkpoint holds everything that is needed to go on
(restore_best_weights=) | K | restore_best=True
(start_from_epoch=) | K | | the best epoch is looked for from the first on
(filename=) | K | path="history.csv"
(log_dir=) | K | folder="logs"
(histogram_freq=) | K | histograms_every=1
ReduceOnPlateau(factor=) | K | train.ReduceOnPlateau(plateau=optim.Plateau(factor=0.5))
ReduceOnPlateau(patience=) | K | train.ReduceOnPlateau(plateau=optim.Plateau(patience=3))
ReduceOnPlateau(min_lr=) | K | train.ReduceOnPlateau(plateau=optim.Plateau(min_lr=1e-5))
Batches(dataset=) | P | data.Batches((xs, ys), batch_size=2)
(num_workers=) | P | prefetch=2 | a thread prepares as many batches ahead
(workers=) | K | prefetch=2
(pin_memory=) | P | | leave it out: nothing to pin
(collate_fn=) | P | transform=lambda batch, rng: batch
(maxlen=) | K | length=4
(padding_value=) | P | value=0
(test_size=) | N | fraction=0.2
(lengths=) | P | fraction=0.2
(sequence_length=) | K | length=3
(train=) | P | | it returns both parts: .x_train, .y_train, .x_test, .y_test
fit(*) | K | train.fit(model, (xs, ys), nn.mse, optimizer, epochs=1) | x and y are one pair
mnist(*) | P | | it returns both parts: .x_train, .y_train, .x_test, .y_test
fashion_mnist(*) | P | | it returns both parts: .x_train, .y_train, .x_test, .y_test
(root=) | P | | the environment variable TINYDL_DATA names the folder
(download=) | P | | leave it out: what is missing is fetched
(transform=) | P | | data.Batches(arrays, batch_size, transform=...) takes one
(vocab_size=) | K | num_words=20000
"""
