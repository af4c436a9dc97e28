// Update rules in place; all arrays have n contiguous elements. One work-item per vector of VW
// elements. What follows an array that is written in place may be another one's: the last vector is
// stored in part.

#define BEGIN                                                                                      \
    const int i = get_global_id(0) * VW;                                                           \
    if (i >= n) return;                                                                            \
    param += param0 + i;                                                                           \
    const realv w = LOADV(param);                                                                  \
    realv g = LOADV(grad + grad0 + i);                                                             \
    if (weight_decay != 0) g = (realv)weight_decay * w + g;

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
// param <- param - lr * (m / correction1) / (sqrt(v / correction2) + eps)
// with correction = 1 - beta^step
kernel void adam_step(global real *param, int param0, global const real *grad, int grad0,
                      global real *mean, int mean0, global real *square, int square0, int n,
                      real lr, real beta1, real one_minus_beta1, real beta2, real one_minus_beta2,
                      real eps, real weight_decay, real correction1, real correction2) {
    BEGIN
    mean += mean0 + i;
    square += square0 + i;
    const realv m = (realv)beta1 * LOADV(mean) + (realv)one_minus_beta1 * g;
    const realv v = (realv)beta2 * LOADV(square) + (realv)one_minus_beta2 * g * g;
    store_part(m, n - i, mean);
    store_part(v, n - i, square);
    store_part(w - (realv)lr * (m / (realv)correction1) /
                       (sqrt(v / (realv)correction2) + (realv)eps),
               n - i, param);
}
