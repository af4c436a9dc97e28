// Softmax family over contiguous rows of C elements; one work-item per row, vectors along the row.
// Stable: log sum_j e^{x_j} = m + log sum_j e^{x_j - m} with the row maximum m.

#define MAX(a, b) ((((a) >= (b)) | ((a) != (a))) ? (a) : (b))

// Lanes beyond the row are replaced by `filler`.
static inline realv load_part(global const real *p, int count, real filler) {
    const realv v = LOADV(p);
    return LANES < (maskv)count ? v : (realv)filler;
}

static inline real row_max(global const real *x, int C) {
    realv best = (realv)(-INFINITY);
    for (int c = 0; c < C; c += VW) {
        const realv v = load_part(x + c, C - c, -INFINITY);
        best = MAX(best, v);
    }
    real lanes[VW];
    STOREV(best, lanes);
    for (int width = VW / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) lanes[i] = MAX(lanes[i], lanes[i + width]);
    return lanes[0];
}

// y = e^{x - m} and its sum
static inline real exponentials(global const real *x, real m, int C, global real *y) {
    realv sum = 0;
    for (int low = 0; low < C; low += LONGEST) {
        realv part = 0;
        for (int c = low; c < min(low + LONGEST, C); c += VW) {
            const realv e = exp(LOADV(x + c) - (realv)m);
            store_part(e, C - c, y + c);
            part += LANES < (maskv)(C - c) ? e : (realv)0;
        }
        sum += part;
    }
    real lanes[VW];
    STOREV(sum, lanes);
    for (int width = VW / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    return lanes[0];
}

kernel void softmax(global const real *restrict x, int x0, global real *restrict y, int rows,
                    int C) {
    const int row = get_global_id(0);
    if (row >= rows) return;
    x += x0 + row * C;
    y += row * C;
    const realv sum = (realv)exponentials(x, row_max(x, C), C, y);
    for (int c = 0; c < C; c += VW) store_part(load_own(C - c, y + c) / sum, C - c, y + c);
}

kernel void log_softmax(global const real *restrict x, int x0, global real *restrict y, int rows,
                        int C) {
    const int row = get_global_id(0);
    if (row >= rows) return;
    x += x0 + row * C;
    y += row * C;
    const real m = row_max(x, C);
    const real log_sum = log(exponentials(x, m, C, y));
    for (int c = 0; c < C; c += VW)
        store_part(LOADV(x + c) - (realv)m - (realv)log_sum, C - c, y + c);
}

// sum of e^{x - m}
static inline real exponential_sum(global const real *x, real m, int C) {
    realv sum = 0;
    for (int low = 0; low < C; low += LONGEST) {
        realv part = 0;
        for (int c = low; c < min(low + LONGEST, C); c += VW)
            part += LANES < (maskv)(C - c) ? exp(LOADV(x + c) - (realv)m) : (realv)0;
        sum += part;
    }
    real lanes[VW];
    STOREV(sum, lanes);
    for (int width = VW / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    return lanes[0];
}

// losses (rows,) = -log softmax(x)[row, labels[row]]; shifts (rows, 2): m and 1 / sum e^{x - m}
#define CROSS_ENTROPY(name, index_type)                                                            \
    kernel void name(global const real *restrict x, int x0,                                        \
                     global const index_type *restrict labels, int labels0,                        \
                     global real *restrict losses, global real *restrict shifts,                   \
                     global int *error, int rows, int C) {                                         \
        const int row = get_global_id(0);                                                          \
        if (row >= rows) return;                                                                   \
        x += x0 + row * C;                                                                         \
        const real m = row_max(x, C), sum = exponential_sum(x, m, C);                              \
        const int label = checked(labels[labels0 + row], C, 4, error);                             \
        losses[row] = label == labels[labels0 + row] ? log(sum) - (x[label] - m) : POISON;         \
        shifts[2 * row] = sum == sum ? m : sum;                                                    \
        shifts[2 * row + 1] = 1 / sum;                                                             \
    }

// y = (e^{x - m} / sum - one_hot(labels)) * grad[row]
#define CROSS_ENTROPY_GRAD(name, index_type)                                                       \
    kernel void name(global const real *restrict x, int x0, global const real *restrict shifts,    \
                     int shifts0, global const index_type *restrict labels, int labels0,           \
                     global const real *restrict grad, int grad0, int grad_step,                   \
                     global real *restrict y, global int *error, int rows, int C) {                \
        const int row = get_global_id(0);                                                          \
        if (row >= rows) return;                                                                   \
        x += x0 + row * C;                                                                         \
        y += row * C;                                                                              \
        const real m = shifts[shifts0 + 2 * row], factor = shifts[shifts0 + 2 * row + 1];          \
        const real slope = grad[grad0 + row * grad_step];                                          \
        for (int c = 0; c < C; c += VW) {                                                          \
            const realv p = exp(LOADV(x + c) - (realv)m) * (realv)factor;                          \
            store_part(p * (realv)slope, C - c, y + c);                                            \
        }                                                                                          \
        const int label = checked(labels[labels0 + row], C, 4, error);                             \
        y[label] = (exp(x[label] - m) * factor - 1) * slope;                                       \
        for (int c = 0; label != labels[labels0 + row] && c < C; ++c) y[c] = POISON;               \
    }

CROSS_ENTROPY(cross_entropy_int32, int)
CROSS_ENTROPY(cross_entropy_int64, long)
CROSS_ENTROPY_GRAD(cross_entropy_grad_int32, int)
CROSS_ENTROPY_GRAD(cross_entropy_grad_int64, long)
