# %% [markdown]
# # 20. Boltzmann machines: probability from energy, and films that are worth seeing
#
# **You need**: the *sigmoid* (page 1), *gradient descent* (page 7), the *softmax* (page 40).
#
# **You will be able to** turn energies into probabilities by hand; say what a Markov chain does and
# what it is good for; train a Boltzmann machine by contrastive divergence and say what is inexact
# about it; and judge a recommender by what a mean would have said.
#
# A restricted *Boltzmann machine* (RBM) gives every row of bits a probability. It has no output and
# no label: it learns what rows look like. This page writes such a machine out whole, where it is
# small enough; watches how contrastive divergence stands in for a gradient that cannot be computed;
# shows what one mean too many does to it; and ends with a table of films and users.

# %%
from __future__ import annotations

import drawing
import numpy as np
from drawing import BLUE, FAST, MUTED, ORANGE, plt
from recorded import figures, note

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.baselines import beside
from tinydl.data import synthetic_digits
from tinydl.errors import DataError
from tinydl.models import RBM
from tinydl.models.energy.partition import (
    all_states,
    annealed_log_partition,
    exact_log_partition,
)
from tinydl.models.energy.rbm import ascend, books_gradients, gradients
from tinydl.recipes import RECIPES
from tinydl.runs.reproduce import load_measured
from tinydl.runs.run import begin

# %% [markdown]
# ## From energies to probabilities
#
# Six visible bits v, which are the data, three hidden bits h, which nobody sees, and an *energy*
#
#     E(v, h) = -v.a - h.b - v W h
#
# with biases a and b and a weight for each pair of a visible and a hidden bit. ("Restricted": there
# are no weights between two visible or two hidden ones.) What has less energy is more probable:
#
#     P(v, h) = exp(-E) / Z,   where Z is the sum of exp(-E) over all states
#
# That is the softmax of page 40, over states, of their negative energies: only differences count,
# and an energy that is smaller by 2 makes a state e^2 = 7.39 times as probable. By hand, one
# visible and one hidden bit, a = 0, b = 0, W = 2: the energies of (0,0), (0,1), (1,0), (1,1) are 0,
# 0, 0, -2; exp gives 1, 1, 1, 7.39, so Z = 10.39, and (1, 1) has 7.39 / 10.39 = 0.71. P(v = 1) is
# the sum over h, 8.39 / 10.39 = 0.81.
#
# Our machine has 2^9 = 512 states, which can all be written out. With 100 bits nobody can. But
# there is something that needs no Z. If v is known, the hidden bits do not depend on each other,
# and P(h_j = 1 | v) = sigmoid(b_j + v W_j): only a difference of two energies counts. So: draw h
# given v, then v given h, again and again. Such a walk, in which the next state depends on the last
# one alone, is a *Markov chain*; this one is called Gibbs sampling. After a while its states come
# as often as P says.
#
# **Before you run**: all chains start at 000000. Will the probable rows come as often as the exact
# P(v) says?

# %%
tinydl.seed(0)
rng = Generator(1)
small = RBM(6, 3).astype("float64")
for parameter in small.parameters():
    parameter.assign(3.0 * rng.normal(parameter.shape, dtype=np.float64))
states = all_states(6)
with no_grad():
    log_p = -(small.free_energy(Tensor(states)) + exact_log_partition(small)).numpy()
exact = np.exp(log_p)
assert abs(exact.sum() - 1) < 1e-12

chains = 2_000 if FAST else 20_000
v = small.gibbs(Tensor(np.zeros((chains, 6))), 200, rng).numpy()
seen = np.bincount((v @ 2 ** np.arange(6)[::-1]).astype(int), minlength=64) / chains
print(f"largest difference between {chains:,} chains and P(v): {abs(seen - exact).max():.3f}")
assert abs(seen - exact).max() < 0.03

figure, ax = plt.subplots(figsize=(9, 2.8))
order = np.argsort(-exact)[:32]
ax.bar(np.arange(32) - 0.2, exact[order], 0.4, color=BLUE, label="P(v), all states written out")
ax.bar(np.arange(32) + 0.2, seen[order], 0.4, color=ORANGE, label="share of the chains")
ax.set_xticks(range(32), ["".join(map(str, states[k].astype(int))) for k in order], rotation=90)
ax.tick_params(axis="x", labelsize=7)
ax.legend()
drawing.save(
    figure,
    "20_states.png",
    alt="The 32 most probable rows of six bits: exact probabilities and shares of the chains, two "
    "bars beside each other that are nearly equal.",
)

# %% [markdown]
# ![Exact probabilities, and shares of the chains](../docs/figures/20_states.png)
#
# ## The gradient that nobody can afford
#
# Training raises the mean log P(v) of the data. Why is its gradient simple? log P is -E less log Z,
# the slope of -E by W_ij is v_i h_j, and the slope of log Z is the mean of that over P (as on page
# 40, where the slope of the log of a sum of exponentials was p). So
#
#     d mean log P / dW_ij = (mean of v_i h_j at the data) - (mean of v_i h_j under P)
#
# (at the data v is given, and h is P(h | v)): what the data do more often than the machine. It is p
# - y again, with the sign turned, because here we climb. The second mean is the trouble, it is a
# sum over all states. *Contrastive divergence* (Hinton 2002) starts chains at the data and takes
# the place that they have reached after k steps, CD-k. That is another direction; how far off, the
# small machine can tell. The cosine is 1 for the same direction and 0 for a right angle.
#
# **Before you run**: one step of each chain, CD-1. Does it point uphill at all?

# %%
data = states[np.array([3, 5, 12, 17, 48, 60])]
batch = Tensor(np.repeat(data, 400, axis=0))


def exact_slope(machine: RBM) -> np.ndarray:
    """d mean log P / dW, by differentiating through log Z."""
    machine.zero_grad()
    (-machine.free_energy(batch).mean() - exact_log_partition(machine)).backward()
    return machine.weight.grad.numpy().ravel()


true_slope = exact_slope(small)
steps, cosines = (1, 2, 5, 20, 100), []
for k in steps:
    told = gradients(small, batch, small.gibbs(batch, k, rng))[0].numpy().ravel()
    cosines.append(told @ true_slope / np.linalg.norm(told) / np.linalg.norm(true_slope))
    print(f"CD-{k:<3} cosine with the exact slope {cosines[-1]:.3f}")
assert cosines[-1] > 0.98 and cosines[-1] > cosines[0]

# %% [markdown]
# CD-1 points uphill, and no more is needed to begin with. The longer the chains, the nearer.
#
# ## Digits, and a mean too many
#
# Now 8x8 digits, every pixel 0 or 1. The gradient is a matrix product, v^T h, which sums over the
# batch; divide it by the number of rows. Liu and Mehta (Hands-On Deep Learning Architectures with
# Python, 2019, chapter 3) print a listing that takes a mean once more, over the visible units:
# every row of W then gets the same update, and all that differs between pixels is the bias.
#
# **Before you run**: what can a machine learn whose weights are the same for every pixel? Beside
# both stands what knows each pixel's mean and nothing else ("independent pixels").

# %%
count, epochs = (300, 10) if FAST else (1_500, 60)
digits = (synthetic_digits(count, Generator(2), size=8).x.reshape(count, 64) > 0.5).astype(
    "float32"
)
mean = (digits.sum(axis=0) + 1) / (count + 2)
apart = (digits @ np.log(mean) + (1 - digits) @ np.log1p(-mean)).mean()


def trained(rule) -> tuple[RBM, float]:
    """A machine after some epochs of CD-1, and its mean log P."""
    tinydl.seed(0)
    machine, order = RBM(64, 48), Generator(3)
    for _ in range(epochs):
        shuffled = digits[order.permutation(count)]
        for start in range(0, count, 20):
            v = Tensor(shuffled[start : start + 20])
            ascend(machine, rule(machine, v, machine.gibbs(v, 1, order)), 0.1)
    chains, temperatures = (100, 300) if FAST else (200, 2_000)
    z = annealed_log_partition(
        machine, Generator(4), chains, temperatures, np.log(mean / (1 - mean))
    )
    with no_grad():
        return machine, -machine.free_energy(Tensor(digits)).mean().item() - z.log_z


right, nats = trained(gradients)
book, books_nats = trained(books_gradients)
print(f"mean log P: independent pixels {apart:.2f}, ", end="")
print(f"with one mean too many {books_nats:.2f}, CD {nats:.2f}")
for name, value in (("pixels", apart), ("a mean too many", books_nats), ("CD", nats)):
    note(f"mean log P, {name}", value)
if FAST and figures("20"):
    names = ("pixels", "a mean too many", "CD")
    kept = ", ".join(f"{n} {figures('20')[f'mean log P, {n}']:.2f}" for n in names)
    print(f"(full run, 1,500 digits: {kept})")
assert nats > apart + 2 and abs(books_nats - apart) < 0.25 * (nats - apart)

# %% [markdown]
# In the full run the means of the pixels have -26.60 (recorded: mean log P, pixels), the machine of
# the wrong rule -25.62 (recorded: mean log P, a mean too many), contrastive divergence -14.76
# (recorded: mean log P, CD). The wrong rule is hardly better than the means: which pixels go
# together it cannot learn. (log P needs Z, and 64 + 48 bits have too many states to write out. It
# is estimated by annealed importance sampling, `annealed_log_partition`: chains walk from a machine
# whose Z is known to this one, and keep account of what they gain on the way.)
#
# Each hidden unit is a column of W, a picture of what it waits for. With contrastive divergence
# they are strokes and gaps; with the other rule they are one and the same grey.

# %%
figure, axes = plt.subplots(2, 12, figsize=(11, 2.2))
for row, machine in zip(axes, (right, book), strict=True):
    weight = machine.weight.numpy()
    largest = abs(right.weight.numpy()).max()
    for k, ax in enumerate(row):
        drawing.blank(ax).imshow(weight[:, k].reshape(8, 8), cmap="RdBu_r", vmin=-largest,
                                 vmax=largest)  # fmt: skip
figure.text(0.1, 0.95, "what twelve hidden units wait for: contrastive divergence", fontsize=10)
figure.text(0.1, 0.47, "the same with one mean too many", fontsize=10)
drawing.save(
    figure,
    "20_filters.png",
    alt="Weights of twelve hidden units as pictures of 8 x 8: strokes and gaps by contrastive "
    "divergence, plain grey with one mean too many.",
)
spread = [np.std(m.weight.numpy(), axis=0).mean() for m in (right, book)]
assert spread[0] > 5 * spread[1]

# %% [markdown]
# ![What hidden units wait for](../docs/figures/20_filters.png)
#
# ## A table with holes
#
# Users and films: most cells are empty. A user's machine has those films alone that the user has
# rated; all users share the weights. (An empty cell is not a zero: it takes no part.) A film is no
# bit but one of five ratings, so its unit is a softmax of five (Salakhutdinov, Mnih and Hinton
# 2007); the hidden units become tastes. To guess a film that the user has not seen: up to the
# hidden units with what is known, down to that film.
#
# What to expect of it is told by two vectors. `biases` says: the mean, plus how generous this user
# is, plus how well this film is liked. No taste in it at all. The error is the root of the mean
# squared difference (RMSE), in stars. The recipe is `tinydl train rbm-films`; here it runs on
# MovieLens 100K where that is at hand, else on made-up users, whose tastes are much simpler than
# real ones; then the recorded errors on MovieLens are printed below.
#
# **Before you run**: who is nearer to the truth on real films, the machine or the two vectors?

# %%
DRAWN = {
    "dataset": "drawn_ratings", "architecture": {"items": 80, "hidden": 10}, "least": 5,
    "epochs": 100, "batch_size": 20, "decay": 0.001,
    "optimizer_settings": {"lr": 0.2, "momentum": 0.9},
}  # fmt: skip
recipe = RECIPES["rbm-films"]
try:
    recipe = recipe.replaced(**DRAWN) if FAST else recipe
    training = begin(recipe)
except DataError as error:
    print(f"{error}\nmade-up users and films instead")
    recipe = recipe.replaced(**DRAWN)
    training = begin(recipe)
others = {name: values["rmse"] for name, values in beside(training).items()}
course = []


class Watch:
    """Keeps the error on ratings that were held back."""

    def on_epoch_end(self, state) -> None:
        course.append(training.measure()["rmse"])


training.fit([Watch()])
print(f"{training.split()}; error in stars: " + ", ".join(
    f"{name} {value:.3f}" for name, value in {**others, "machine": course[-1]}.items()
))  # fmt: skip
assert course[-1] < others["mean stars"]
measured = load_measured()["rbm-films"]
rivals = ", ".join(f"{name} {row['rmse']:.3f}" for name, row in measured["baselines"].items())
print(f"recorded on MovieLens: {rivals}, machine {measured['test']:.3f}")
assert measured["baselines"]["mean of the film"]["rmse"] > measured["test"]
assert measured["baselines"]["biases"]["rmse"] < measured["test"]

figure, ax = plt.subplots(figsize=(6.5, 3.2))
ax.plot(np.arange(1, len(course) + 1), course, color=BLUE, label="the machine")
for (name, value), style in zip(others.items(), (":", "--", "-"), strict=True):
    ax.axhline(value, color=MUTED, linewidth=1, linestyle=style, label=name)
ax.set_xlabel("epoch")
ax.set_ylabel("RMSE, stars")
ax.legend(fontsize=8)
drawing.save(
    figure,
    "20_films.png",
    alt="Error of the machine on held-back ratings by epoch, falling, beside three level lines: "
    "mean stars, mean of the film, biases.",
)

# %% [markdown]
# ![The machine beside what knows no taste](../docs/figures/20_films.png)
#
# On MovieLens the machine beats the films' means and does not beat the two vectors: the page would
# be dishonest without that line. A figure that is compared with nothing may well be that of the
# films' means. An autoencoder (page 22) on the same table, `autoencoder-films`, beats both.
#
# What to propose is a question about one user: everything that was rated goes in, in either half,
# and nothing of it comes out again. `tinydl recommend RUN --user N` prints this:

# %%
user = int(training.halves.train.user_ids[0])
print(f"user {user} likes")
for film in recipe.program.rated(user, recipe)[:4]:
    print(f"  {film.stars:.0f}  {film.title}")
print("and may like")
proposals = recipe.program.recommend(training.model, user, 6, recipe)
for film in proposals:
    print(f"  {film.stars:.2f}  {film.title}")
known = {film.item for film in recipe.program.rated(user, recipe)}
assert not known & {film.item for film in proposals}

# %% [markdown]
# ## Exercises
#
# Answers are in `tutorials/answers/20.py`. Try first.
#
# 1. By hand: one visible and one hidden bit, a = 1, b = 0, W = 0. What are Z, P(v = 1) and P(h =
#    1)?
# 2. Derive P(h = 1 | v = 1) for the machine of this page's first example (W = 2) from the four
#    probabilities, and compare with the sigmoid.
# 3. Predict, then try: a machine whose data are 000000 and 111111, half and half, and a chain that
#    starts at 000000. What does the chain do when W is large?
# 4. Change a line: train the digits' machine with CD-5 instead of CD-1, for a few epochs. What does
#    it cost, what does it bring?
# 5. A user has rated three films, all with 5 stars. What do `biases` propose to her, and what to
#    another user with three films of 1 star?
#
# ## What to take along
#
# - An energy is a probability up to one number, Z; chains do without it, likelihoods do not.
# - The gradient is a difference: what the data do more often than the machine itself.
# - CD-1 is another direction, near enough to climb. A mean over the wrong axis is not.
# - Absent is not zero: what a user has not rated takes no part.
# - Put the two vectors beside every recommender.
#
# Go on with page 21: one machine on top of another.
