"""One row per public loss and setting. They run in tests/nn/test_losses_breadth.py: against PyTorch
or against their formula (in NumPy, and again in PyTorch for the gradients), derivatives of both
orders, dtypes, errors.
"""

import numpy as np

from tinydl import nn

rng = np.random.default_rng(11)
X, T = rng.standard_normal((6, 5)) * 2, rng.standard_normal((6, 5)) * 2
Z = rng.standard_normal((6, 5))
P, SOFT = rng.uniform(0.05, 0.95, (6, 5)), rng.dirichlet(np.ones(5), 6)
LABELS, W = np.array([0, 3, 1, 4, 3, 2]), rng.uniform(0.5, 2, 5)
SIGNS, BITS = rng.choice([-1.0, 1.0], (6, 5)), rng.integers(0, 2, (6, 5)).astype(float)
SAME = np.array([1.0, 0, 1, 0, 0, 1])
A, B, C = (rng.standard_normal((6, 4)) * 0.4 for _ in range(3))
PIXELS, CLASSES = rng.standard_normal((2, 3, 4, 5)) * 2, rng.integers(0, 5, (2, 3, 4))
IMAGES = rng.standard_normal((2, 4, 3, 2))
STEPS, WORDS = rng.standard_normal((3, 6, 4)), np.array([[1, 1, 2], [3, 2, 1], [2, 2, 2]])


def reduced(losses, reduction):
    return {"none": losses, "mean": losses.mean(), "sum": losses.sum()}[reduction]


def functional(name, **options):
    """A loss of torch.nn.functional under the same arguments."""
    return lambda torch, r: (
        lambda *a: getattr(torch.nn.functional, name)(*a, reduction=r, **options)
    )


def classes_last(weighted, **options):
    """PyTorch's cross-entropy, which has the classes in axis 1, with these settings."""

    def of(torch, reduction):
        def theirs(x, labels, weight=None):
            if weighted:
                options["weight"] = weight
            return torch.nn.functional.cross_entropy(
                x.movedim(-1, 1), labels, reduction=reduction, **options
            )

        return theirs

    return of


def torch_kl(torch, r):
    def theirs(x, t):
        losses = torch.nn.functional.kl_div(x.log_softmax(-1), t, reduction="none").sum(-1)
        return reduced(losses, r)

    return theirs


def torch_kl_gaussian(torch, r):
    normal, kl = torch.distributions.Normal, torch.distributions.kl_divergence

    def theirs(m, s, m0, s0):
        return reduced(kl(normal(m, (s / 2).exp()), normal(m0, (s0 / 2).exp())).sum(-1), r)

    return theirs


def torch_gaussian(torch, r):
    return lambda m, s, t: torch.nn.functional.gaussian_nll_loss(
        m, t, s.exp(), full=True, reduction=r
    )


def torch_cosine(torch, r):
    return lambda a, b: reduced(1 - torch.nn.functional.cosine_similarity(a, b), r)


def torch_ctc(torch, r):
    def theirs(x, labels):
        lengths = torch.tensor([6, 5, 6]), torch.tensor([3, 2, 3])
        by_time = x.log_softmax(-1).transpose(0, 1)
        return torch.nn.functional.ctc_loss(by_time, labels, *lengths, reduction=r)

    return theirs


def torch_positive(torch, r):
    """PyTorch does not differentiate by its pos_weight."""
    return lambda x, t, w: torch.nn.functional.binary_cross_entropy_with_logits(
        x, t, pos_weight=w.detach(), reduction=r
    )


ONE_HOT = np.eye(5)[LABELS]
ORACLES = {
    "cross_entropy": (nn.cross_entropy, (X, LABELS), functional("cross_entropy")),
    "mse": (nn.mse, (X, T), functional("mse_loss")),
    "bce_with_logits": (
        nn.bce_with_logits,
        (X, SOFT),
        functional("binary_cross_entropy_with_logits"),
    ),
    "mae": (nn.mae, (X, T), functional("l1_loss")),
    "huber": (nn.huber, (X, T), functional("huber_loss")),
    "huber-delta": (
        lambda x, t, reduction: nn.huber(x, t, reduction, delta=0.7),
        (X, T),
        functional("huber_loss", delta=0.7),
    ),
    "smooth_l1": (
        lambda x, t, reduction: nn.smooth_l1(x, t, reduction, beta=0.6),
        (X, T),
        functional("smooth_l1_loss", beta=0.6),
    ),
    "gaussian_nll": (nn.gaussian_nll, (X, Z, T), torch_gaussian),
    "kl_gaussian": (nn.kl_gaussian, (X, Z, T, Z[::-1].copy()), torch_kl_gaussian),
    "soft_cross_entropy": (nn.soft_cross_entropy, (X, SOFT), functional("cross_entropy")),
    "soft_cross_entropy-one-hot": (
        nn.soft_cross_entropy,
        (X, ONE_HOT),
        functional("cross_entropy"),
    ),
    "cross_entropy-pixels": (
        nn.cross_entropy,
        (PIXELS, CLASSES),
        classes_last(False),
    ),
    "cross_entropy-weight": (
        lambda x, t, w, reduction: nn.cross_entropy(x, t, reduction, weight=w, ignore_index=3),
        (X, LABELS, W),
        classes_last(True, ignore_index=3),
    ),
    "cross_entropy-smoothing": (
        lambda x, t, reduction: nn.cross_entropy(x, t, reduction, label_smoothing=0.3),
        (X, LABELS),
        classes_last(False, label_smoothing=0.3),
    ),
    "cross_entropy-all": (
        lambda x, t, w, reduction: nn.cross_entropy(
            x, t, reduction, label_smoothing=0.2, weight=w, ignore_index=4
        ),
        (PIXELS, CLASSES, W),
        classes_last(True, label_smoothing=0.2, ignore_index=4),
    ),
    "nll": (nn.nll, (X, LABELS), functional("nll_loss")),
    "bce": (nn.bce, (P, SOFT), functional("binary_cross_entropy")),
    "bce_with_logits-positive": (
        lambda x, t, w, reduction: nn.bce_with_logits(x, t, reduction, pos_weight=w),
        (X, SOFT, W),
        torch_positive,
    ),
    "bce-positive": (
        lambda p, t, w, reduction: nn.bce(p, t, reduction, pos_weight=w),
        (P, SOFT, W),
        lambda torch, r: lambda p, t, w: torch_positive(torch, r)(p.logit(), t, w),
    ),
    "poisson_nll": (nn.poisson_nll, (X, T), functional("poisson_nll_loss")),
    "poisson_nll-rates": (
        lambda x, t, reduction: nn.poisson_nll(x, t, reduction, log_input=False, full=True),
        (P, T),
        functional("poisson_nll_loss", log_input=False, full=True, eps=0.0),
    ),
    "margin_ranking": (
        lambda a, b, t, reduction: nn.margin_ranking(a, b, t, reduction, margin=0.3),
        (X, T, SIGNS),
        functional("margin_ranking_loss", margin=0.3),
    ),
    "cosine_embedding": (
        lambda a, b, t, reduction: nn.cosine_embedding(a, b, t, reduction, margin=-0.2),
        (A, B, SAME * 2 - 1),
        functional("cosine_embedding_loss", margin=-0.2),
    ),
    "kl_categorical": (nn.kl_categorical, (X, SOFT), torch_kl),
    "triplet": (nn.triplet, (A, B, C), functional("triplet_margin_loss", eps=0.0)),
    "cosine": (nn.cosine, (A, B), torch_cosine),
    "ctc": (
        lambda x, labels, reduction: nn.ctc(x, labels, [6, 5, 6], [3, 2, 3], 0, reduction),
        (STEPS, WORDS),
        torch_ctc,
    ),
}
#: Where only the first argument is differentiated: PyTorch's constants; targets that are 0 or 1.
CONSTANTS = (
    *("bce", "cross_entropy-weight", "cross_entropy-all", "focal"),
    *("bce-positive", "bce_with_logits-positive", "poisson_nll-rates", "cosine_embedding"),
)


def relu(x):
    return x * (x > 0)


def length(x):
    return ((x * x).sum(-1)) ** 0.5


def focal_formula(x, t, alpha=0.25, gamma=2.0):
    p = 1 / (1 + np.e ** (-x))
    q, a = t * p + (1 - t) * (1 - p), t * alpha + (1 - t) * (1 - alpha)
    return a * (1 - q) ** gamma * log(1 / q)


def log(x):
    return np.log(x) if isinstance(x, np.ndarray) else x.log()


#: The formulas are expressions that NumPy and PyTorch read alike.
FORMULAS = {
    "hinge": (nn.hinge, (X, SIGNS), lambda s, t: relu(1 - t * s)),
    "squared_hinge": (nn.squared_hinge, (X, SIGNS), lambda s, t: relu(1 - t * s) ** 2),
    "margin": (
        nn.margin,
        (P, BITS),
        lambda v, t: (t * relu(0.9 - v) ** 2 + 0.5 * (1 - t) * relu(v - 0.1) ** 2).sum(-1),
    ),
    "contrastive": (
        nn.contrastive,
        (A, B, SAME),
        lambda a, b, s: s * length(a - b) ** 2 / 2 + (1 - s) * relu(1 - length(a - b)) ** 2 / 2,
    ),
    "triplet-squared": (
        lambda a, p, n, reduction: nn.triplet(a, p, n, reduction, 0.2, squared=True),
        (A, B, C),
        lambda a, p, n: relu(length(a - p) ** 2 - length(a - n) ** 2 + 0.2),
    ),
    "focal": (nn.focal, (X, BITS), focal_formula),
    "dice": (
        nn.dice,
        (P, BITS),
        lambda p, t: 1 - (2 * (p * t).sum(1) + 1) / ((p * p).sum(1) + (t * t).sum(1) + 1),
    ),
    "least_squares_discriminator": (
        nn.least_squares_discriminator,
        (X, T),
        lambda r, f: (r - 1) ** 2 / 2 + f**2 / 2,
    ),
    "least_squares_generator": (
        nn.least_squares_generator,
        (X,),
        lambda f: (f - 1) ** 2 / 2,
    ),
    "wasserstein_critic": (nn.wasserstein_critic, (X, T), lambda r, f: f - r),
    "wasserstein_generator": (nn.wasserstein_generator, (X,), lambda f: -f),
    "total_variation": (
        nn.total_variation,
        (IMAGES,),
        lambda x: sum(
            abs(d).sum((1, 2, 3)) for d in (x[:, 1:] - x[:, :-1], x[:, :, 1:] - x[:, :, :-1])
        ),
    ),
}
ALL = {name: row[:2] for name, row in (ORACLES | FORMULAS).items()}
