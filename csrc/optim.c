/* SGD, RMSProp and Adam: every array is read and written once. Flat arrays of n elements.

   Split of work: pieces of PIECE elements, handed to the threads in turn; an element depends on
   itself only. (Without `parallel :` the condition of `if` would also switch the vectors off.) */

#include "optim.h"
#include "vecmath.h"

#define PIECE 16384
#define TEAM(threads) ((threads) > 1 && n >= 4 * PIECE ? (threads) : 1)

void NAME(sgd_step)(const real *grad, real *param, real *velocity, ptrdiff_t n, double lr_,
                    double momentum_, int nesterov, double weight_decay, int threads) {
    const real lr = (real)lr_, momentum = (real)momentum_, decay = (real)weight_decay;
    const int team = TEAM(threads);
    if (velocity == NULL) {
#pragma omp parallel for simd num_threads(team) schedule(static, PIECE) if (parallel : team > 1)
        for (ptrdiff_t i = 0; i < n; i++) param[i] -= lr * (grad[i] + decay * param[i]);
        return;
    }
#pragma omp parallel for simd num_threads(team) schedule(static, PIECE) if (parallel : team > 1)
    for (ptrdiff_t i = 0; i < n; i++) {
        const real g = grad[i] + decay * param[i];
        const real v = momentum * velocity[i] + g;
        velocity[i] = v;
        param[i] -= lr * (nesterov ? g + momentum * v : v);
    }
}

void NAME(rmsprop_step)(const real *grad, real *param, real *square, ptrdiff_t n, double lr_,
                        double rho_, double eps_, double weight_decay, int threads) {
    const real lr = (real)lr_, rho = (real)rho_, rest = (real)(1 - rho_), eps = (real)eps_;
    const real decay = (real)weight_decay;
    const int team = TEAM(threads);
#pragma omp parallel for simd num_threads(team) schedule(static, PIECE) if (parallel : team > 1)
    for (ptrdiff_t i = 0; i < n; i++) {
        const real g = grad[i] + decay * param[i];
        const real s = rho * square[i] + rest * g * g;
        square[i] = s;
        param[i] -= lr * g / (SQRT(s) + eps);
    }
}

void NAME(adam_step)(const real *grad, real *param, real *mean, real *square, ptrdiff_t n,
                     double lr_, double beta1_, double beta2_, double eps_, double weight_decay,
                     double mean_scale, double square_scale, int threads) {
    const real beta1 = (real)beta1_, rest1 = (real)(1 - beta1_), beta2 = (real)beta2_;
    const real rest2 = (real)(1 - beta2_), eps = (real)eps_, decay = (real)weight_decay;
    const real rate = (real)(lr_ * mean_scale), scale = (real)square_scale;
    const int team = TEAM(threads);
#pragma omp parallel for simd num_threads(team) schedule(static, PIECE) if (parallel : team > 1)
    for (ptrdiff_t i = 0; i < n; i++) {
        const real g = grad[i] + decay * param[i];
        const real m = beta1 * mean[i] + rest1 * g;
        const real v = beta2 * square[i] + rest2 * g * g;
        mean[i] = m;
        square[i] = v;
        param[i] -= rate * m / (SQRT(v * scale) + eps);
    }
}
