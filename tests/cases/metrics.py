"""One row per public metric: the metric, how its arguments are drawn, and a value that does not
come from tinydl: scikit-learn's, else the definition, item by item. They run in
tests/metrics/test_metric_rows.py; the metrics of `fit`, on tensors, are in BATCHES.
"""

from collections import Counter
from itertools import combinations, permutations
from math import exp, log

import numpy as np

from tinydl import metrics
from tinydl.metrics import Found, Truth
from tinydl.train import metrics as batches

# -- drawn arguments: r is a NumPy generator -------------------------------------------------------


def classes(r):
    n = r.integers(1, 60)
    return r.integers(0, 5, n), r.integers(0, 5, n), 5


def pair(r):
    return classes(r)[:2]


def scored(r):
    """Labels 0 and 1, both there, with few distinct scores, so that ties are frequent."""
    labels = np.concatenate([[0, 1], r.integers(0, 2, r.integers(0, 50))])
    return labels, r.choice([-1.5, -0.25, 0.0, 0.5, 0.75, 3.0], len(labels))


def ranked(r):
    return r.integers(0, 6, 30), r.permutation(180).reshape(30, 6) / 7, int(r.integers(1, 6))


def tied(r):
    return r.integers(0, 4, 40), r.integers(0, 3, (40, 4)).astype(float), int(r.integers(1, 5))


def maps(r):
    """Class 3 is nowhere; 255 is to be ignored."""
    labels, predictions = r.integers(0, 3, (2, 5, 6)), r.integers(0, 3, (2, 5, 6))
    labels[r.random(labels.shape) < 0.2 * r.integers(0, 2)] = 255
    labels[0, 0, :3] = 0, 1, 2
    return labels, predictions, 4, 255


def fitted(r):
    """One or more outputs; the first may not vary, and may then be met exactly."""
    targets = r.normal(size=[(20,), (20, 1), (20, 3)][r.integers(3)]) * 5
    predictions = targets + r.normal(size=targets.shape)
    if targets.ndim == 2 and r.random() < 0.5:
        targets[:, 0] = 2
        predictions[:, 0] = predictions[:, 0] if r.random() < 0.5 else 2
    return targets, predictions


def nats(r):
    return (r.exponential(2, (r.integers(1, 4), r.integers(1, 9))),)


def translations(r):
    def sentence():
        return list(r.choice(list("abc"), r.integers(0, 9)))

    n = r.integers(1, 4)
    references = [[sentence() for _ in range(r.integers(1, 4))] for _ in range(n)]
    return [sentence() for _ in range(n)], references, int(r.integers(1, 5))


def two_words(r):
    return [list(r.choice(list("abc"), r.integers(0, 7))) for _ in range(2)]


def edits(a, b):
    """The definition, by recursion on the first letters."""
    if not a or not b:
        return len(a) + len(b)
    kept = edits(a[1:], b[1:]) + (a[0] != b[0])
    return min(kept, edits(a[1:], b) + 1, edits(a, b[1:]) + 1)


def words(r):
    pairs = [two_words(r) for _ in range(r.integers(1, 4))]
    return [["a"], *(a for a, _ in pairs)], [["b"], *(b for _, b in pairs)]


def curve(r):
    hit = r.integers(0, 2, r.integers(1, 30))
    total = max(int(r.integers(1, 40)), hit.sum())
    return hit.cumsum() / total, hit.cumsum() / np.arange(1, len(hit) + 1)


def some_boxes(r):
    corner, size = r.integers(0, 12, (2, r.integers(0, 6), 2))
    return np.concatenate([corner, corner + size], axis=1).astype(float)


def pictures(r):
    """Things, detections around them, some things to be ignored; no two scores are equal."""
    found, truths = [], []
    for i in range(8):
        count = r.integers(1, 6)
        corner, size = r.integers(0, 12, (count, 2)), r.integers(1, 10, (count, 2))
        boxes = np.concatenate([corner, corner + size], axis=1).astype(float)
        labels, ignore = r.integers(0, 3, count), r.random(count) < 0.2
        k = r.integers(0, 9)
        source = r.integers(0, count, k)
        near = boxes[source] + r.integers(-1, 2, (k, 4))
        kinds = np.where(r.random(k) < 0.8, labels[source], r.integers(0, 3, k))
        near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
        found.append(Found(near, kinds, r.permutation(1000)[:k] / 1000 + i * 1e-7))
        truths.append(Truth(boxes, labels, ignore))
    return found, truths


def two_clouds(r):
    d = r.integers(1, 4)
    return r.normal(size=(20, d)) * r.uniform(0.5, 2, d), r.normal(size=(15, d)) + r.normal(size=d)


def rows_of_classes(r):
    n = r.integers(1, 20)
    return r.normal(size=(n, 3)), r.integers(0, 4, n)


def coded(r):
    """The first factor is one number's sign, with a few mistakes; the last is constant."""
    codes = r.normal(size=(60, 3))
    factors = np.stack([(codes[:, 0] > 0) ^ (r.random(60) < 0.1), r.integers(0, 3, 60)], axis=1)
    return codes, np.concatenate([factors, np.ones((60, 1), int)], axis=1).astype(int), 4


def told_of_classes(r):
    """Probabilities, of which some are 1 or at the edge of a bin."""
    n = int(r.integers(1, 80))
    p = r.dirichlet(np.full(4, 0.5), n)
    p[r.random(n) < 0.2] = [0.5, 0.3, 0.2, 0.0]
    p[r.random(n) < 0.1] = [0.0, 0.0, 1.0, 0.0]
    return r.integers(0, 4, n), p, int(r.integers(1, 12))


def costs(r):
    rows = int(r.integers(1, 6))
    return (r.normal(size=(rows, rows + int(r.integers(0, 2)))),)


def doubted(r):
    """Few distinct doubts, so that ties are frequent."""
    n = int(r.integers(1, 30))
    return r.integers(0, 2, n), r.choice([0.0, 0.25, 1.0, 7.5], n)


# -- scikit-learn: its function of the same arguments ----------------------------------------------


def sk_precision(average):
    def value(sk, labels, predictions, n):
        return sk.precision_recall_fscore_support(
            labels, predictions, labels=range(n), average=average, zero_division=0
        )[:3]

    return value


def averaged(average):
    return lambda *arguments: metrics.precision_recall_f1(*arguments, average)


def sk_pr_auc(sk, labels, scores):
    precision, recall, _ = sk.precision_recall_curve(labels, scores)
    return sk.auc(recall, precision)


def sk_iou(sk, labels, predictions, n, ignored):
    seen = labels != ignored
    return sk.jaccard_score(labels[seen], predictions[seen], labels=range(n - 1), average=None)


SKLEARN = {
    "accuracy": (metrics.accuracy, pair, lambda sk, *a: sk.accuracy_score(*a)),
    "confusion_matrix": (
        metrics.confusion_matrix,
        classes,
        lambda sk, t, p, n: sk.confusion_matrix(t, p, labels=range(n)),
    ),
    "precision_recall_f1": (metrics.precision_recall_f1, classes, sk_precision(None)),
    "precision_recall_f1-macro": (averaged("macro"), classes, sk_precision("macro")),
    "precision_recall_f1-micro": (averaged("micro"), classes, sk_precision("micro")),
    "precision_recall_f1-weighted": (averaged("weighted"), classes, sk_precision("weighted")),
    "top_k_accuracy": (
        metrics.top_k_accuracy,
        ranked,
        lambda sk, t, s, k: sk.top_k_accuracy_score(t, s, k=k, labels=range(6)),
    ),
    "roc_curve": (
        metrics.roc_curve,
        scored,
        lambda sk, *a: sk.roc_curve(*a, drop_intermediate=False),
    ),
    "roc_auc": (metrics.roc_auc, scored, lambda sk, *a: sk.roc_auc_score(*a)),
    "precision_recall_curve": (
        metrics.precision_recall_curve,
        scored,
        lambda sk, *a: sk.precision_recall_curve(*a),
    ),
    "pr_auc": (metrics.pr_auc, scored, sk_pr_auc),
    "average_precision": (
        metrics.average_precision,
        scored,
        lambda sk, *a: sk.average_precision_score(*a),
    ),
    "class_iou": (metrics.class_iou, maps, lambda *a: [*sk_iou(*a), np.nan]),
    "mean_iou": (metrics.mean_iou, maps, lambda *a: sk_iou(*a).mean()),
    "r2_score": (metrics.r2_score, fitted, lambda sk, *a: sk.r2_score(*a)),
}

# -- definitions -----------------------------------------------------------------------------------


def pixel_iou(a, b):
    """Pixels that two boxes share by pixels that either has."""

    def pixels(box):
        x0, y0, x1, y1 = map(int, box)
        return {(x, y) for x in range(x0, x1) for y in range(y0, y1)}

    rows = [[(pixels(one), pixels(two)) for two in b] for one in a]
    shares = [[len(p & q) / max(len(p | q), 1) for p, q in row] for row in rows]
    return np.reshape(shares, (len(a), len(b)))


def interpolated(steps):
    """Mean over k of the largest precision at a recall of at least k / steps (but for rounding)."""

    def value(recall, precision):
        points = zip(recall, precision, strict=True)
        points = [(round(r, 12), p) for r, p in points]
        best = [max((p for r, p in points if r >= k / steps), default=0) for k in range(steps + 1)]
        return np.mean(best)

    return value


def stepwise(recall, precision):
    """The area under the staircase of the largest precisions to the right."""
    edges = [0.0, *recall]
    return sum((edges[k + 1] - edges[k]) * max(precision[k:]) for k in range(len(recall)))


def detected(found, truths, label, threshold, area):
    """VOC's average precision by its definition, without ties: one detection after the other."""
    rows = sorted(
        (-score, i, tuple(box))
        for i, g in enumerate(found)
        for box, kind, score in zip(g.boxes, g.labels, g.scores, strict=True)
        if kind == label
    )
    things = {
        (i, j): (t.boxes[j], t.ignore[j])
        for i, t in enumerate(truths)
        for j in np.flatnonzero(t.labels == label)
    }
    total = sum(not ignored for _, ignored in things.values())
    if total == 0:
        return np.nan
    taken, outcome = set(), []
    for _, i, box in rows:
        own = [key for key in things if key[0] == i]
        overlaps = [pixel_iou([box], [things[key][0]])[0, 0] for key in own]
        key = own[int(np.argmax(overlaps))] if own else None
        if key is None or max(overlaps) < threshold:
            outcome.append(0)
        elif not things[key][1]:
            outcome.append(int(key not in taken))
            taken.add(key)
    hits = np.cumsum(outcome)
    return area(hits / total, hits / np.arange(1, len(hits) + 1)) if len(hits) else 0.0


def mean_detected(area):
    def value(found, truths):
        per_class = [detected(found, truths, k, 0.5, area) for k in range(3)]
        return np.array([np.nanmean(per_class), *per_class])

    return value


def mean_average_precision(method):
    def metric(found, truths):
        result = metrics.mean_average_precision(found, truths, 3, method)
        return np.array([result.value, *result.per_class])

    return metric


def filled(boxes):
    """Masks (K, 26, 26) of whole boxes, moved by one pixel: some begin at -1."""
    masks = np.zeros((len(boxes), 26, 26), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes.astype(int) + 1, strict=True):
        mask[y0:y1, x0:x1] = True
    return masks


def mean_average_precision_of_masks(found, truths):
    """The boxes that the metric is handed say nothing."""
    found = [Found(0 * f.boxes, f.labels, f.scores, filled(f.boxes)) for f in found]
    truths = [Truth(0 * t.boxes, t.labels, t.ignore, filled(t.boxes)) for t in truths]
    result = metrics.mean_average_precision(found, truths, 3, "voc", masks=True)
    return np.array([result.value, *result.per_class])


def answers(rng):
    """Texts of two letters, of which some are among their references by chance."""
    draw = lambda: rng.integers(0, 2, rng.integers(0, 4)).tolist()  # noqa: E731
    return [draw() for _ in range(6)], [
        [draw() for _ in range(rng.integers(1, 4))] for _ in range(6)
    ]


def counted_bleu(candidates, references, max_order):
    """Papineni et al. 2002 without smoothing, every n-gram counted by going through the texts."""
    product, used = 1.0, 0
    for n in range(1, max_order + 1):
        right = total = 0
        for candidate, several in zip(candidates, references, strict=True):
            grams = [tuple(candidate[k : k + n]) for k in range(len(candidate) - n + 1)]
            total += len(grams)
            for gram, count in Counter(grams).items():
                most = max(
                    sum(tuple(r[k : k + n]) == gram for k in range(len(r) - n + 1)) for r in several
                )
                right += min(count, most)
        if total:
            product, used = product * right / total, used + 1
    c = sum(map(len, candidates))
    if c == 0:
        return 0.0
    r = sum(
        min((abs(len(reference) - len(candidate)), len(reference)) for reference in several)[1]
        for candidate, several in zip(candidates, references, strict=True)
    )
    return min(1.0, exp(1 - r / c)) * product ** (1 / used)


def cheapest(cost):
    """All ways; the costs have no ties."""
    rows, columns = cost.shape
    ways = np.array(list(permutations(range(columns), rows))).reshape(-1, rows)
    return ways[cost[np.arange(rows), ways].sum(axis=1).argmin()]


def by_bins(labels, probabilities, bins):
    """Every sample into the bin whose edges it lies between."""
    found = [[] for _ in range(bins)]
    for label, p in zip(labels, probabilities, strict=True):
        (place,) = [k for k in range(bins) if k / bins < p.max() <= (k + 1) / bins]
        found[place].append((p.max(), float(p.argmax() == label)))
    means = [np.mean(f, axis=0) if f else np.full(2, np.nan) for f in found]
    return np.array([m[0] for m in means]), np.array([m[1] for m in means]), [*map(len, found)]


def gap_of_bins(labels, probabilities, bins):
    confidence, share, count = by_bins(labels, probabilities, bins)
    return sum(n * abs(a - b) for a, b, n in zip(confidence, share, count, strict=True) if n) / sum(
        count
    )


def kept(right, doubt):
    """The mean over many orders of samples with equal doubt."""
    n, rng = len(right), np.random.default_rng(0)
    runs = []
    for _ in range(2):  # whatever the order within a tie, its mean is this
        order = np.lexsort((rng.random(n), doubt))
        values = np.array([right[doubt == doubt[i]].mean() for i in order])
        runs.append([values[: n - k].mean() for k in range(n)])
    return np.arange(n) / n, np.mean(runs, axis=0)


def under_kept(right, doubt):
    share, accuracy = kept(right, doubt)
    if len(share) == 1:
        return accuracy[0]
    return sum(accuracy[k] + accuracy[k + 1] for k in range(len(share) - 1)) / 2 / (len(share) - 1)


def moved_gaussian(a, b):
    """Olkin and Pukelsheim 1982: the root of C_a^1/2 C_b C_a^1/2, symmetric throughout."""

    def root(matrix):
        values, vectors = np.linalg.eigh(matrix)
        return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T

    one, two = (np.atleast_2d(np.cov(rows.T)) for rows in (a, b))
    half = root(one)
    apart = a.mean(axis=0) - b.mean(axis=0)
    return apart @ apart + np.trace(one + two - 2 * root(half @ two @ half))


def mean_pair(rows, labels):
    """Two by two."""
    means = []
    for label in set(labels):
        own = rows[labels == label]
        apart = [np.linalg.norm(x - y) for x, y in combinations(own, 2)]
        means += [np.mean(apart)] if apart else []
    return np.mean(means) if means else 0.0


def best_naming(labels, clusters, n):
    return max(np.mean(labels == np.array(name)[clusters]) for name in permutations(range(n)))


def gap(codes, factors, bins):
    """sum p(a, b) log p(a, b) / p(a) p(b), cell by cell."""

    def told(a, b):
        cells = Counter(zip(a, b, strict=True))
        ours, theirs, n = Counter(a), Counter(b), len(a)
        return sum(c / n * log(c * n / (ours[x] * theirs[y])) for (x, y), c in cells.items())

    gaps = []
    for factor in factors.T:
        entropy = told(factor.tolist(), factor.tolist())
        known = []
        for column in codes.T:
            edges = np.linspace(column.min(), column.max(), bins + 1)
            known.append(told(np.digitize(column, edges[1:-1]).tolist(), factor.tolist()))
        *_, second, first = sorted(known)
        gaps += [(first - second) / entropy] if entropy > 1e-12 else []
    return np.mean(gaps)


def wilson_by_its_equation(hits, count):
    """The shares q with |p - q| = z sqrt(q (1 - q) / n), as the roots of that quadratic."""
    z = 1.959963984540054
    rows = []
    for k, n in zip(hits, count, strict=True):
        roots = np.roots([1 + z * z / n, -(2 * k / n + z * z / n), (k / n) ** 2])
        rows.append(sorted(roots.real))
    return np.array(rows)


DEFINITIONS = {
    "wilson_interval": (
        metrics.wilson_interval,
        lambda r: (np.array([0, 3, int(r.integers(0, 30)), 7]), np.array([5, 3, 29, 60])),
        wilson_by_its_equation,
    ),
    "frechet_distance": (metrics.frechet_distance, two_clouds, moved_gaussian),
    "assignment": (metrics.assignment, costs, cheapest),
    "calibration_curve": (metrics.calibration_curve, told_of_classes, by_bins),
    "calibration_error": (metrics.calibration_error, told_of_classes, gap_of_bins),
    "rejection_curve": (metrics.rejection_curve, doubted, kept),
    "rejection_auc": (metrics.rejection_auc, doubted, under_kept),
    "pair_distance": (metrics.pair_distance, rows_of_classes, mean_pair),
    "clustering_accuracy": (metrics.clustering_accuracy, classes, best_naming),
    "mutual_information_gap": (metrics.mutual_information_gap, coded, gap),
    "roc_auc-ranks": (
        metrics.roc_auc,  # the probability that a positive is ahead, ties counting half
        scored,
        lambda t, s: (np.sign(s[t == 1][:, None] - s[t == 0]) + 1).mean() / 2,
    ),
    "top_k_accuracy-ties": (
        metrics.top_k_accuracy,  # the smaller class is ahead
        tied,
        lambda t, s, k: np.mean(
            [
                c in sorted(range(4), key=lambda j: (-row[j], j))[:k]
                for c, row in zip(t, s, strict=True)
            ]
        ),
    ),
    "perplexity": (
        metrics.perplexity,
        nats,
        lambda x: np.prod(np.exp(x)) ** (1 / x.size),
    ),
    "bits_per_character": (
        metrics.bits_per_character,
        nats,
        lambda x: -np.log2(np.exp(-x)).sum() / x.size,
    ),
    "bleu": (metrics.bleu, translations, counted_bleu),
    "edit_distance": (metrics.edit_distance, two_words, edits),
    "label_error_rate": (
        metrics.label_error_rate,
        words,
        lambda a, b: sum(map(edits, a, b)) / sum(map(len, a)),
    ),
    "exact_match": (
        metrics.exact_match,
        answers,
        lambda c, r: sum(c[k] in r[k] for k in range(len(c))) / len(c),
    ),
    "box_iou": (metrics.box_iou, lambda r: (some_boxes(r), some_boxes(r)), pixel_iou),
    "mask_iou": (
        lambda a, b: metrics.mask_iou(filled(a), filled(b)),
        lambda r: (some_boxes(r), some_boxes(r)),
        pixel_iou,
    ),
    "voc07_average_precision": (metrics.voc07_average_precision, curve, interpolated(10)),
    "voc_average_precision": (metrics.voc_average_precision, curve, stepwise),
    "coco_average_precision": (metrics.coco_average_precision, curve, interpolated(100)),
    "mean_average_precision-voc": (
        mean_average_precision("voc"),
        pictures,
        mean_detected(stepwise),
    ),
    "mean_average_precision-masks": (
        mean_average_precision_of_masks,
        pictures,
        mean_detected(stepwise),
    ),
    "mean_average_precision-voc2007": (
        mean_average_precision("voc2007"),
        pictures,
        mean_detected(interpolated(10)),
    ),
}
METRICS = SKLEARN | DEFINITIONS

#: Metrics of `fit`: tensors in, one number per sample out.
BATCHES = {
    "accuracy": (
        batches.accuracy,
        lambda r: (r.integers(0, 3, (9, 4)).astype(float), r.integers(0, 4, 9)),
        lambda x, t: [list(row).index(max(row)) == c for row, c in zip(x, t, strict=True)],
    ),
    "binary_accuracy": (
        batches.binary_accuracy,
        lambda r: (r.uniform(size=(7, 3, 2)), r.integers(0, 2, (7, 3, 2)).astype(float)),
        lambda x, t: [np.mean((a > 0.5) == (b == 1)) for a, b in zip(x, t, strict=True)],
    ),
    "pixel_accuracy": (
        batches.pixel_accuracy,
        lambda r: (r.normal(size=(5, 3, 2, 4)), r.integers(0, 4, (5, 3, 2))),
        lambda x, t: [np.mean(a.argmax(-1) == b) for a, b in zip(x, t, strict=True)],
    ),
    "mae": (
        batches.mae,
        lambda r: (r.normal(size=(7, 3)), r.normal(size=(7, 3))),
        lambda x, t: [np.mean(abs(a - b)) for a, b in zip(x, t, strict=True)],
    ),
    "sign_accuracy": (
        batches.sign_accuracy,
        lambda r: (r.normal(size=(7, 3, 2)), r.integers(0, 2, (7, 3, 2)).astype(float)),
        lambda x, t: [np.mean((a > 0) == (b == 1)) for a, b in zip(x, t, strict=True)],
    ),
    "Within": (
        batches.Within(0.5),
        lambda r: (r.normal(size=(7, 3)), r.normal(size=(7, 3))),
        lambda x, t: [np.mean(abs(a - b) <= 0.5) for a, b in zip(x, t, strict=True)],
    ),
}
