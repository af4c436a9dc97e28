// Update rules in place; all arrays have n contiguous elements. One work-item per vector of VW
// elements. What follows an array that is written in place may be another one's: the last vector is
// stored in part.

#define BEGIN                                                                                      \
    const int i = get_global_id(0) * VW;                                                           \
    if (i >= n) return;                                                                            \
    param += param0 + i;                                                                           \
    const realv w = LOADV(param);                                                                  \
    const realv g = (realv)weight_decay * w + LOADV(grad + grad0 + i);

// v <- momentum * v + g; param <- param - lr * v (Nesterov: lr * (g + momentum * v)); velocity may
// be null.
kernel void sgd_step(global real *param, int param0, global const real *grad, int grad0,
                     global real *velocity, int velocity0, int n, real lr, real momentum,
                     int nesterov, real weight_decay) {
    BEGIN
    realv step = g;
    if (velocity) {
        velocity += velocity0 + i;
        const realv v = (realv)momentum * LOADV(velocity) + g;
        store_part(v, n - i, velocity);
        step = nesterov ? (realv)momentum * v + g : v;
    }
    store_part(w - (realv)lr * step, n - i, param);
}

// s <- rho * s + (1 - rho) * g^2; param <- param - lr * g / (sqrt(s) + eps)
kernel void rmsprop_step(global real *param, int param0, global const real *grad, int grad0,
                         global real *square, int square0, int n, real lr, real rho,
                         real one_minus_rho, real eps, real weight_decay) {
    BEGIN
    square += square0 + i;
    const realv s = (realv)rho * LOADV(square) + (realv)one_minus_rho * g * g;
    store_part(s, n - i, square);
    store_part(w - (realv)lr * g / (sqrt(s) + (realv)eps), n - i, param);
}

// m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
// param <- keep param - lr * (m / correction1) / (sqrt(v / correction2) + eps)
// with correction = 1 - beta^step; keep = 1, or 1 - lr * decay (AdamW). `largest` may be null; else
// (AMSGrad) the root is of largest <- max(largest, v).
static inline void adam_vector(int i, int n, global real *param, global const real *grad,
                               global real *mean, global real *square, global real *largest,
                               real lr, real beta1, real one_minus_beta1, real beta2,
                               real one_minus_beta2, real eps, real weight_decay, real keep,
                               real correction1, real correction2) {
    const realv w = LOADV(param + i), g = (realv)weight_decay * w + LOADV(grad + i);
    const realv m = (realv)beta1 * LOADV(mean + i) + (realv)one_minus_beta1 * g;
    realv v = (realv)beta2 * LOADV(square + i) + (realv)one_minus_beta2 * g * g;
    store_part(m, n - i, mean + i);
    store_part(v, n - i, square + i);
    if (largest) {
        const realv before = LOADV(largest + i);
        v = (before >= v) | (before != before) ? before : v; // NaN wins
        store_part(v, n - i, largest + i);
    }
    store_part((realv)keep * w - (realv)lr * (m / (realv)correction1) /
                                     (sqrt(v / (realv)correction2) + (realv)eps),
               n - i, param + i);
}

#define ADAM_NUMBERS                                                                               \
    real lr, real beta1, real one_minus_beta1, real beta2, real one_minus_beta2, real eps,         \
        real weight_decay, real keep, real correction1, real correction2
#define ADAM_GIVEN                                                                                 \
    lr, beta1, one_minus_beta1, beta2, one_minus_beta2, eps, weight_decay, keep, correction1,      \
        correction2

kernel void adam_step(global real *param, int param0, global const real *grad, int grad0,
                      global real *mean, int mean0, global real *square, int square0,
                      global real *largest, int largest0, int n, ADAM_NUMBERS) {
    const int i = get_global_id(0) * VW;
    if (i >= n) return;
    adam_vector(i, n, param + param0, grad + grad0, mean + mean0, square + square0,
                largest ? largest + largest0 : largest, ADAM_GIVEN);
}

// Eight small arrays of each kind in one launch. Work-items up to ends.s0 belong to the first, up to
// ends.s1 to the second, and so on; each takes EACH vectors of the array's `sizes` elements.
#if VW == 1
#define EACH 1
#else
#define EACH 16
#endif
#define EIGHT(type, x)                                                                             \
    type *x##_a, int x##_a0, type *x##_b, int x##_b0, type *x##_c, int x##_c0, type *x##_d,        \
        int x##_d0, type *x##_e, int x##_e0, type *x##_f, int x##_f0, type *x##_g, int x##_g0,     \
        type *x##_h, int x##_h0
#define OF_EIGHT(x)                                                                                \
    (which == 0   ? x##_a + x##_a0                                                                 \
     : which == 1 ? x##_b + x##_b0                                                                 \
     : which == 2 ? x##_c + x##_c0                                                                 \
     : which == 3 ? x##_d + x##_d0                                                                 \
     : which == 4 ? x##_e + x##_e0                                                                 \
     : which == 5 ? x##_f + x##_f0                                                                 \
     : which == 6 ? x##_g + x##_g0                                                                 \
                  : x##_h + x##_h0)

kernel void adam_eight(EIGHT(global real, param), EIGHT(global const real, grad),
                       EIGHT(global real, mean), EIGHT(global real, square), int8 ends, int8 sizes,
                       ADAM_NUMBERS) {
    const int item = get_global_id(0);
    int last[8], size[8], which = 0;
    vstore8(ends, 0, last);
    vstore8(sizes, 0, size);
    if (item >= last[7]) return;
    while (item >= last[which]) ++which;
    const int n = size[which], first = (item - (which ? last[which - 1] : 0)) * EACH * VW;
    global real *param = OF_EIGHT(param), *mean = OF_EIGHT(mean), *square = OF_EIGHT(square);
    global const real *grad = OF_EIGHT(grad);
    for (int i = first; i < min(first + EACH * VW, n); i += VW)
        adam_vector(i, n, param, grad, mean, square, 0, ADAM_GIVEN);
}

// s <- s + g^2; param <- param - lr * g / (sqrt(s) + eps)
kernel void adagrad_step(global real *param, int param0, global const real *grad, int grad0,
                         global real *square, int square0, int n, real lr, real eps,
                         real weight_decay) {
    BEGIN
    square += square0 + i;
    const realv s = LOADV(square) + g * g;
    store_part(s, n - i, square);
    store_part(w - (realv)lr * g / (sqrt(s) + (realv)eps), n - i, param);
}

// s <- rho s + (1 - rho) g^2; d = g sqrt(u + eps) / sqrt(s + eps); u <- rho u + (1 - rho) d^2;
// param <- param - lr d
kernel void adadelta_step(global real *param, int param0, global const real *grad, int grad0,
                          global real *square, int square0, global real *delta, int delta0, int n,
                          real lr, real rho, real one_minus_rho, real eps, real weight_decay) {
    BEGIN
    square += square0 + i;
    delta += delta0 + i;
    const realv s = (realv)rho * LOADV(square) + (realv)one_minus_rho * g * g;
    const realv u = LOADV(delta);
    const realv d = g * sqrt(u + (realv)eps) / sqrt(s + (realv)eps);
    store_part(s, n - i, square);
    store_part((realv)rho * u + (realv)one_minus_rho * d * d, n - i, delta);
    store_part(w - (realv)lr * d, n - i, param);
}

// s <- rho s + (1 - rho) g^2; m <- rho m + (1 - rho) g;
// v <- momentum v + g / (sqrt(max(s - m^2, 0)) + eps); param <- param - lr v; mean and velocity may
// be null.
kernel void centred_rmsprop_step(global real *param, int param0, global const real *grad,
                                 int grad0, global real *square, int square0, global real *mean,
                                 int mean0, global real *velocity, int velocity0, int n, real lr,
                                 real rho, real one_minus_rho, real momentum, real eps,
                                 real weight_decay) {
    BEGIN
    square += square0 + i;
    const realv s = (realv)rho * LOADV(square) + (realv)one_minus_rho * g * g;
    realv variance = s;
    store_part(s, n - i, square);
    if (mean) {
        mean += mean0 + i;
        const realv m = (realv)rho * LOADV(mean) + (realv)one_minus_rho * g;
        store_part(m, n - i, mean);
        variance = s - m * m;
        variance = variance <= (realv)0 ? (realv)0 : variance; // rounding; NaN stays
    }
    realv step = g / (sqrt(variance) + (realv)eps);
    if (velocity) {
        velocity += velocity0 + i;
        step = (realv)momentum * LOADV(velocity) + step;
        store_part(step, n - i, velocity);
    }
    store_part(w - (realv)lr * step, n - i, param);
}

// m <- beta1 m + (1 - beta1) g; u <- max(beta2 u, |g| + eps); param <- param - rate m / u with
// rate = lr / (1 - beta1^step)
kernel void adamax_step(global real *param, int param0, global const real *grad, int grad0,
                        global real *mean, int mean0, global real *largest, int largest0, int n,
                        real rate, real beta1, real one_minus_beta1, real beta2, real eps,
                        real weight_decay) {
    BEGIN
    mean += mean0 + i;
    largest += largest0 + i;
    const realv m = (realv)beta1 * LOADV(mean) + (realv)one_minus_beta1 * g;
    const realv kept = (realv)beta2 * LOADV(largest), size = fabs(g) + (realv)eps;
    const realv most = (kept >= size) | (kept != kept) ? kept : size; // NaN wins
    store_part(m, n - i, mean);
    store_part(most, n - i, largest);
    store_part(w - (realv)rate * m / most, n - i, param);
}

// m and v as Adam's; param <- param - (ahead m + now g) / (sqrt(v / correction2) + eps)
kernel void nadam_step(global real *param, int param0, global const real *grad, int grad0,
                       global real *mean, int mean0, global real *square, int square0, int n,
                       real ahead, real now, real beta1, real one_minus_beta1, real beta2,
                       real one_minus_beta2, real eps, real weight_decay, real correction2) {
    BEGIN
    mean += mean0 + i;
    square += square0 + i;
    const realv m = (realv)beta1 * LOADV(mean) + (realv)one_minus_beta1 * g;
    const realv v = (realv)beta2 * LOADV(square) + (realv)one_minus_beta2 * g * g;
    store_part(m, n - i, mean);
    store_part(v, n - i, square);
    const realv root = sqrt(v / (realv)correction2) + (realv)eps;
    store_part(w - ((realv)ahead * m + (realv)now * g) / root, n - i, param);
}

// turn = sign(g) sign(before); size <- clip(size (grow | 1 | shrink), smallest, largest) for turn
// 1 | 0 | -1; g <- 0 where turn is -1; param <- param - sign(g) size; before <- g. A size of 0 has
// not begun: lr.
kernel void rprop_step(global real *param, int param0, global const real *grad, int grad0,
                       global real *before, int before0, global real *size, int size0, int n,
                       real lr, real shrink, real grow, real smallest, real largest,
                       real weight_decay) {
    BEGIN
    before += before0 + i;
    size += size0 + i;
    const realv zero = (realv)0, turn = sign(g) * sign(LOADV(before)), old = LOADV(size);
    realv s = old == zero ? (realv)lr : old;
    s *= turn > zero ? (realv)grow : (turn < zero ? (realv)shrink : (realv)1);
    s = s < (realv)smallest ? (realv)smallest : (s > (realv)largest ? (realv)largest : s);
    const realv kept = turn < zero ? zero : g;
    store_part(s, n - i, size);
    store_part(kept, n - i, before);
    store_part(w - (kept == kept ? sign(kept) * s : kept), n - i, param); // NaN stays
}

// Adds x to the numbers whose norm is scale * sqrt(sum): no square overflows (LAPACK's nrm2).
static inline void add_to_norm(real x, real *scale, real *sum) {
    const real size = fabs(x);
    if (size > *scale) {
        const real ratio = *scale / size;
        *sum = 1 + *sum * ratio * ratio;
        *scale = size;
    } else if (size > 0 && size == *scale) { // also infinity
        *sum += 1;
    } else if (size > 0) {
        const real ratio = size / *scale;
        *sum += ratio * ratio;
    } else if (size != 0) { // NaN
        *sum = size;
        *scale = 1;
    }
}

// result[first + p] = norm of x[p], x[p + parts], ... (one work-item each)
kernel void partial_norms(global const real *x, int x0, global real *result, int result0, int n,
                          int first, int parts) {
    const int p = get_global_id(0);
    if (p >= parts) return;
    real scale = 0, sum = 0;
    for (int i = p; i < n; i += parts) add_to_norm(x[x0 + i], &scale, &sum);
    result[result0 + first + p] = sum == 0 ? 0 : scale * sqrt(sum);
}

// result[r] = norm of the r-th row of `parts` numbers
kernel void joined_norms(global const real *x, int x0, global real *result, int result0, int rows,
                         int parts) {
    const int r = get_global_id(0);
    if (r >= rows) return;
    real scale = 0, sum = 0;
    for (int p = 0; p < parts; p++) add_to_norm(x[x0 + r * parts + p], &scale, &sum);
    result[result0 + r] = sum == 0 ? 0 : scale * sqrt(sum);
}
