// Normalisation of x (N, P, C), groups of D channels and G groups, and of rows x (N, D); contract
// and names in tinydl/backend/reference/norm.py.
//
// Moments and sums over places: P is cut into `chunks` runs of `length` (by shape only), one
// work-item per (sample, chunk, vector of channels); the chunks are combined in a second launch, in
// order: deterministic. Elementwise passes: one work-item per (sample, run of places, vector of
// channels). Rows: one work-item per row.

#define ROWS_OF_A_BLOCK 8
#define PIECE 1024 // of a row: one running sum

// mean and spread (sum of squared deviations) of `length` places for VW channels. Blocks of places
// around their first value, merged by Chan, Golub and LeVeque 1983, equation 2.1; see csrc/norm.c.
// The mean is counted from the sample's first place.
kernel void channel_moments(global const real *restrict x, int x0, global real *restrict means,
                            global real *restrict spreads, int items, int chunks, int length, int P,
                            int C) {
    const int item = get_global_id(0), tiles = (C + VW - 1) / VW;
    if (item >= items) return;
    const int c = item % tiles * VW, chunk = item / tiles % chunks, n = item / tiles / chunks;
    const int first = chunk * length, count = min(length, P - first);
    global const real *p = x + x0 + (n * P + first) * C + c;
    const realv start = LOADV(x + x0 + n * P * C + c);
    realv mean = 0, spread = 0;
    for (int done = 0; done < count; done += ROWS_OF_A_BLOCK) {
        const int rows = min(ROWS_OF_A_BLOCK, count - done);
        const realv origin = LOADV(p + done * C);
        realv s = 0, q = 0;
        for (int r = 1; r < rows; ++r) {
            const realv d = LOADV(p + (done + r) * C) - origin;
            s += d;
            q += d * d;
        }
        const realv here = origin - start + s / (real)rows, left = q - s * s / (real)rows;
        const realv apart = here - mean;
        const real share = (real)rows / (real)(done + rows);
        mean = done ? mean + apart * share : here;
        spread += (left < (realv)0 ? (realv)0 : left) + apart * apart * ((real)done * share);
    }
    const int to = (n * chunks + chunk) * C + c;
    store_part(mean, C - c, means + to);
    store_part(spread, C - c, spreads + to);
}

// The chunks and the D channels of a group together: mean, variance (N, G).
kernel void fold_moments(global const real *restrict x, int x0, global const real *restrict means,
                         global const real *restrict spreads, global real *restrict mean,
                         global real *restrict variance, int items, int chunks, int length, int P,
                         int C, int G) {
    const int item = get_global_id(0), D = C / G;
    if (item >= items) return;
    const int n = item / G, g = item % G;
    global const real *start = x + x0 + n * P * C + g * D;
    real m = 0, s = 0, count = 0;
    for (int chunk = 0; chunk < chunks; ++chunk) {
        const real more = (real)min(length, P - chunk * length);
        for (int d = 0; d < D; ++d) {
            const int from = (n * chunks + chunk) * C + g * D + d;
            const real here = means[from] + (start[d] - start[0]);
            const real apart = here - m, share = more / (count + more);
            m = count > 0 ? m + apart * share : here;
            s += spreads[from] + apart * apart * count * share;
            count += more;
        }
    }
    mean[item] = start[0] + m;
    variance[item] = s / count;
}

// Elementwise passes: the places low ... high - 1 of sample n, and VW channels from c on.
#define RUN_OF_PLACES                                                                              \
    const int item = get_global_id(0), tiles = (C + VW - 1) / VW;                                  \
    if (item >= items) return;                                                                     \
    const int c = item % tiles * VW, run = item / tiles % runs, n = item / tiles / runs;           \
    const int low = run * length, high = min(low + length, P);                                     \
    const int whole = C - c >= VW, start = (n * P + low) * C + c;

// VW numbers of a group each, the groups of VW channels from c on; what lies beyond C is group 0's.
static inline realv of_groups(global const real *restrict p, int n, int c, int C, int G) {
    const int D = C / G;
    if (D == 1) return LOADV(p + n * G + c);
    real lanes[VW];
    for (int i = 0; i < VW; ++i) lanes[i] = p[n * G + (c + i < C ? (c + i) / D : 0)];
    return LOADV(lanes);
}

kernel void channel_norm_apply(global const real *restrict x, int x0,
                               global const real *restrict scale, int scale0,
                               global const real *restrict shift, int shift0,
                               global const real *restrict mean, int mean0,
                               global const real *restrict variance, int variance0,
                               global real *restrict y, int items, int runs, int length, int P,
                               int C, int G, real eps) {
    RUN_OF_PLACES
    const realv centre = of_groups(mean + mean0, n, c, C, G);
    const realv root = sqrt(of_groups(variance + variance0, n, c, C, G) + (realv)eps);
    const realv factor = LOADV(scale + scale0 + c) / root, added = LOADV(shift + shift0 + c);
    x += x0 + start;
    y += start;
    if (whole) {
        for (int p = low; p < high; ++p, x += C, y += C)
            STOREV((LOADV(x) - centre) * factor + added, y);
    } else {
        for (int p = low; p < high; ++p, x += C, y += C)
            store_part((LOADV(x) - centre) * factor + added, C - c, y);
    }
}

// Sums over `length` places of grad and of grad * normal, (N, runs, C) each.
kernel void channel_norm_sums(global const real *restrict grad, int grad0,
                              global const real *restrict x, int x0,
                              global const real *restrict mean, int mean0,
                              global const real *restrict variance, int variance0,
                              global real *restrict shifts, global real *restrict scales, int items,
                              int runs, int length, int P, int C, int G, real eps) {
    RUN_OF_PLACES
    const realv centre = of_groups(mean + mean0, n, c, C, G);
    const realv root = sqrt(of_groups(variance + variance0, n, c, C, G) + (realv)eps);
    x += x0 + start;
    grad += grad0 + start;
    realv s = 0, q = 0;
    for (int p = low; p < high; ++p, x += C, grad += C) {
        const realv g = LOADV(grad);
        s += g;
        q = g * (LOADV(x) - centre) + q;
    }
    const int to = (n * runs + run) * C + c;
    store_part(s, C - c, shifts + to);
    store_part(q / root, C - c, scales + to);
}

// The runs of those sums, added: (N, C) each. One work-item per (sample, vector of channels).
kernel void add_runs(global const real *restrict shifts, global const real *restrict scales,
                     global real *restrict shift_sums, global real *restrict scale_sums, int items,
                     int runs, int C) {
    const int item = get_global_id(0), tiles = (C + VW - 1) / VW;
    if (item >= items) return;
    const int c = item % tiles * VW, n = item / tiles;
    realv s = 0, q = 0;
    for (int run = 0; run < runs; ++run) {
        s += LOADV(shifts + (n * runs + run) * C + c);
        q += LOADV(scales + (n * runs + run) * C + c);
    }
    store_part(s, C - c, shift_sums + n * C + c);
    store_part(q, C - c, scale_sums + n * C + c);
}

// a, b (N, G): averages over a group of grad * scale and of grad * scale * normal.
kernel void group_averages(global const real *restrict scale, int scale0,
                           global const real *restrict shifts, int shifts0,
                           global const real *restrict scales, int scales0, global real *restrict a,
                           global real *restrict b, int items, int P, int C, int G) {
    const int item = get_global_id(0), D = C / G;
    if (item >= items) return;
    const int n = item / G, g = item % G;
    real s = 0, q = 0;
    for (int c = g * D; c < (g + 1) * D; ++c) {
        s += scale[scale0 + c] * shifts[shifts0 + n * C + c];
        q += scale[scale0 + c] * scales[scales0 + n * C + c];
    }
    a[item] = s / ((real)P * D);
    b[item] = q / ((real)P * D);
}

kernel void channel_norm_grad(global const real *restrict grad, int grad0,
                              global const real *restrict x, int x0,
                              global const real *restrict scale, int scale0,
                              global const real *restrict mean, int mean0,
                              global const real *restrict variance, int variance0,
                              global const real *restrict a, global const real *restrict b,
                              global real *restrict grad_x, int items, int runs, int length, int P,
                              int C, int G, real eps) {
    RUN_OF_PLACES
    const realv centre = of_groups(mean + mean0, n, c, C, G);
    const realv root = (realv)1 / sqrt(of_groups(variance + variance0, n, c, C, G) + (realv)eps);
    // root (g scale - a - (x - centre) root b)
    const realv of_grad = root * LOADV(scale + scale0 + c);
    const realv of_normal = root * of_groups(b, n, c, C, G);
    const realv less = root * of_groups(a, n, c, C, G);
    x += x0 + start;
    grad += grad0 + start;
    grad_x += start;
    if (whole) {
        for (int p = low; p < high; ++p, x += C, grad += C, grad_x += C)
            STOREV(LOADV(grad) * of_grad - less - (LOADV(x) - centre) * root * of_normal, grad_x);
    } else {
        for (int p = low; p < high; ++p, x += C, grad += C, grad_x += C)
            store_part(LOADV(grad) * of_grad - less - (LOADV(x) - centre) * root * of_normal, C - c,
                       grad_x);
    }
}

kernel void row_norm(global const real *restrict x, int x0, global const real *restrict scale,
                     int scale0, global const real *restrict shift, int shift0,
                     global real *restrict y, global real *restrict mean,
                     global real *restrict variance, int rows, int D, real eps) {
    const int row = get_global_id(0);
    if (row >= rows) return;
    x += x0 + row * D;
    real s = 0, q = 0;
    for (int low = 0; low < D; low += PIECE) {
        real part = 0;
        for (int d = low; d < min(low + PIECE, D); ++d) part += x[d] - x[0];
        s += part;
    }
    const real m = x[0] + s / D;
    for (int low = 0; low < D; low += PIECE) {
        real part = 0;
        for (int d = low; d < min(low + PIECE, D); ++d) part += (x[d] - m) * (x[d] - m);
        q += part;
    }
    const real root = 1 / sqrt(q / D + eps);
    for (int d = 0; d < D; ++d)
        y[row * D + d] = (x[d] - m) * root * scale[scale0 + d] + shift[shift0 + d];
    mean[row] = m;
    variance[row] = q / D;
}

kernel void row_norm_grad(global const real *restrict grad, int grad0,
                          global const real *restrict x, int x0, global const real *restrict scale,
                          int scale0, global const real *restrict mean, int mean0,
                          global const real *restrict variance, int variance0,
                          global real *restrict grad_x, int rows, int D, real eps) {
    const int row = get_global_id(0);
    if (row >= rows) return;
    x += x0 + row * D;
    grad += grad0 + row * D;
    scale += scale0;
    const real m = mean[mean0 + row], root = 1 / sqrt(variance[variance0 + row] + eps);
    real a = 0, b = 0;
    for (int low = 0; low < D; low += PIECE) {
        real part_a = 0, part_b = 0;
        for (int d = low; d < min(low + PIECE, D); ++d) {
            part_a += grad[d] * scale[d];
            part_b += grad[d] * scale[d] * (x[d] - m);
        }
        a += part_a;
        b += part_b;
    }
    a /= D;
    b *= root * root / D;
    for (int d = 0; d < D; ++d)
        grad_x[row * D + d] = root * (grad[d] * scale[d] - a - (x[d] - m) * b);
}

// Sums over `length` rows of grad and of grad * normal, (chunks, D) each.
kernel void row_norm_sums(global const real *restrict grad, int grad0,
                          global const real *restrict x, int x0, global const real *restrict mean,
                          int mean0, global const real *restrict variance, int variance0,
                          global real *restrict shifts, global real *restrict scales, int items,
                          int length, int rows, int D, real eps) {
    const int item = get_global_id(0);
    if (item >= items) return;
    const int d = item % D, low = item / D * length, high = min(low + length, rows);
    real s = 0, q = 0;
    for (int n = low; n < high; ++n) {
        const real g = grad[grad0 + n * D + d];
        s += g;
        q += g * (x[x0 + n * D + d] - mean[mean0 + n]) / sqrt(variance[variance0 + n] + eps);
    }
    shifts[item] = s;
    scales[item] = q;
}
