/* Update rules over all parameters at once: every array is read and written once.

   Split of work: each parameter is cut into pieces of PIECE elements, the pieces of all parameters
   are counted through, and each thread takes a row of them; an element depends on itself only. */

#include "optim.h"
#include "vecmath.h"

/* One piece: where its numbers begin in each array. */
typedef struct {
    const Parameter *of;
    const real *grad;
    real *param, *states[3];
    ptrdiff_t n;
} Piece;

static ptrdiff_t pieces_of(const Parameter *parameters, ptrdiff_t count) {
    return count ? parameters[count - 1].first + CEIL_DIV(parameters[count - 1].n, PIECE) : 0;
}

/* Waking threads pays from 4 full pieces on; many small parameters are no more work than one. */
static int team_for(const Parameter *parameters, ptrdiff_t count, int threads) {
    ptrdiff_t total = 0;
    for (ptrdiff_t i = 0; i < count; i++) total += parameters[i].n;
    return total >= 4 * PIECE ? threads : 1;
}

static Piece piece_at(const Parameter *parameters, ptrdiff_t count, ptrdiff_t number) {
    ptrdiff_t low = 0, high = count; /* the last parameter whose first piece is not behind it */
    while (high - low > 1) {
        const ptrdiff_t middle = (low + high) / 2;
        if (parameters[middle].first <= number)
            low = middle;
        else
            high = middle;
    }
    const Parameter *p = parameters + low;
    const ptrdiff_t start = (number - p->first) * PIECE;
    Piece piece = {p,
                   (const real *)p->grad + start,
                   (real *)p->param + start,
                   {NULL, NULL, NULL},
                   MIN(PIECE, p->n - start)};
    for (int k = 0; k < 3; k++)
        if (p->states[k]) piece.states[k] = (real *)p->states[k] + start;
    return piece;
}

void NAME(sgd_step)(const Parameter *parameters, ptrdiff_t count, double lr_, double momentum_,
                    int nesterov, double weight_decay, int threads) {
    const real lr = (real)lr_, momentum = (real)momentum_, decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *velocity = piece.states[0];
        if (velocity == NULL) {
#pragma omp simd
            for (ptrdiff_t i = 0; i < piece.n; i++) param[i] -= lr * (grad[i] + decay * param[i]);
            continue;
        }
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i];
            const real v = momentum * velocity[i] + g;
            velocity[i] = v;
            param[i] -= lr * (nesterov ? g + momentum * v : v);
        }
    }
}

void NAME(rmsprop_step)(const Parameter *parameters, ptrdiff_t count, double lr_, double rho_,
                        double eps_, double weight_decay, int threads) {
    const real lr = (real)lr_, rho = (real)rho_, rest = (real)(1 - rho_), eps = (real)eps_;
    const real decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *square = piece.states[0];
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i];
            const real s = rho * square[i] + rest * g * g;
            square[i] = s;
            param[i] -= lr * g / (SQRT(s) + eps);
        }
    }
}

void NAME(adam_step)(const Parameter *parameters, ptrdiff_t count, double lr_, double beta1_,
                     double beta2_, double eps_, double weight_decay, int decoupled, int threads) {
    const real beta1 = (real)beta1_, rest1 = (real)(1 - beta1_), beta2 = (real)beta2_;
    const real rest2 = (real)(1 - beta2_), eps = (real)eps_;
    const real decay = decoupled ? 0 : (real)weight_decay;
    const real keep = decoupled ? (real)(1 - lr_ * weight_decay) : 1;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *mean = piece.states[0], *square = piece.states[1];
        real *largest = piece.states[2];
        const real rate = (real)(lr_ * piece.of->scales[0]), scale = (real)piece.of->scales[1];
        if (largest == NULL) {
#pragma omp simd
            for (ptrdiff_t i = 0; i < piece.n; i++) {
                const real g = grad[i] + decay * param[i];
                const real m = beta1 * mean[i] + rest1 * g;
                const real v = beta2 * square[i] + rest2 * g * g;
                mean[i] = m;
                square[i] = v;
                param[i] = keep * param[i] - rate * m / (SQRT(v * scale) + eps);
            }
            continue;
        }
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i];
            const real m = beta1 * mean[i] + rest1 * g;
            const real v = beta2 * square[i] + rest2 * g * g;
            const real old = largest[i],
                       most = ((old >= v) | (old != old)) ? old : v; /* NaN wins */
            mean[i] = m;
            square[i] = v;
            largest[i] = most;
            param[i] = keep * param[i] - rate * m / (SQRT(most * scale) + eps);
        }
    }
}

void NAME(adagrad_step)(const Parameter *parameters, ptrdiff_t count, double lr_, double first,
                        double second, double eps_, double weight_decay, int threads) {
    const real lr = (real)lr_, eps = (real)eps_, decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
    (void)first, (void)second;
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *square = piece.states[0];
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i];
            const real s = square[i] + g * g;
            square[i] = s;
            param[i] -= lr * g / (SQRT(s) + eps);
        }
    }
}

void NAME(adadelta_step)(const Parameter *parameters, ptrdiff_t count, double lr_, double rho_,
                         double second, double eps_, double weight_decay, int threads) {
    const real lr = (real)lr_, rho = (real)rho_, rest = (real)(1 - rho_), eps = (real)eps_;
    const real decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
    (void)second;
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *square = piece.states[0], *delta = piece.states[1];
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i], u = delta[i];
            const real s = rho * square[i] + rest * g * g;
            const real d = g * SQRT(u + eps) / SQRT(s + eps);
            square[i] = s;
            delta[i] = rho * u + rest * d * d;
            param[i] -= lr * d;
        }
    }
}

void NAME(centred_rmsprop_step)(const Parameter *parameters, ptrdiff_t count, double lr_,
                                double rho_, double momentum_, double eps_, double weight_decay,
                                int threads) {
    const real lr = (real)lr_, rho = (real)rho_, rest = (real)(1 - rho_), eps = (real)eps_;
    const real momentum = (real)momentum_, decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *square = piece.states[0];
        real *mean = piece.states[1], *velocity = piece.states[2];
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i];
            const real s = rho * square[i] + rest * g * g;
            real variance = s;
            square[i] = s;
            if (mean) {
                const real m = rho * mean[i] + rest * g;
                mean[i] = m;
                variance = s - m * m;
                variance = variance <= 0 ? 0 : variance; /* rounding; NaN stays */
            }
            real step = g / (SQRT(variance) + eps);
            if (velocity) velocity[i] = step = momentum * velocity[i] + step;
            param[i] -= lr * step;
        }
    }
}

void NAME(adamax_step)(const Parameter *parameters, ptrdiff_t count, double lr, double beta1_,
                       double beta2_, double eps_, double weight_decay, int threads) {
    const real beta1 = (real)beta1_, rest1 = (real)(1 - beta1_), beta2 = (real)beta2_;
    const real eps = (real)eps_, decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *mean = piece.states[0], *largest = piece.states[1];
        const real rate = (real)(lr * piece.of->scales[0]);
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i];
            const real m = beta1 * mean[i] + rest1 * g;
            const real kept = beta2 * largest[i], size = FABS(g) + eps;
            const real most = ((kept >= size) | (kept != kept)) ? kept : size; /* NaN wins */
            mean[i] = m;
            largest[i] = most;
            param[i] -= rate * m / most;
        }
    }
}

void NAME(nadam_step)(const Parameter *parameters, ptrdiff_t count, double lr, double beta1_,
                      double beta2_, double eps_, double weight_decay, int threads) {
    const real beta1 = (real)beta1_, rest1 = (real)(1 - beta1_), beta2 = (real)beta2_;
    const real rest2 = (real)(1 - beta2_), eps = (real)eps_, decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *mean = piece.states[0], *square = piece.states[1];
        const double *scales = piece.of->scales;
        const real ahead = (real)(lr * scales[0]), now = (real)(lr * scales[1]);
        const real scale = (real)scales[2];
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i];
            const real m = beta1 * mean[i] + rest1 * g;
            const real v = beta2 * square[i] + rest2 * g * g;
            mean[i] = m;
            square[i] = v;
            param[i] -= (ahead * m + now * g) / (SQRT(v * scale) + eps);
        }
    }
}

void NAME(rprop_step)(const Parameter *parameters, ptrdiff_t count, double lr_, double shrink_,
                      double grow_, double eps, double weight_decay, int threads) {
    const real lr = (real)lr_, shrink = (real)shrink_, grow = (real)grow_;
    const real decay = (real)weight_decay;
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
    (void)eps;
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        const real *grad = piece.grad;
        real *param = piece.param, *before = piece.states[0], *size = piece.states[1];
        const real smallest = (real)piece.of->scales[0], largest = (real)piece.of->scales[1];
#pragma omp simd
        for (ptrdiff_t i = 0; i < piece.n; i++) {
            const real g = grad[i] + decay * param[i], p = before[i];
            const int same = ((g > 0) & (p > 0)) | ((g < 0) & (p < 0));
            const int turned = ((g > 0) & (p < 0)) | ((g < 0) & (p > 0));
            real s = (size[i] == 0 ? lr : size[i]) * (same ? grow : (turned ? shrink : 1));
            s = s < smallest ? smallest : (s > largest ? largest : s);
            const real kept = turned ? 0 : g;
            size[i] = s;
            before[i] = kept;
            param[i] -= kept > 0 ? s : (kept < 0 ? -s : kept * s); /* NaN stays */
        }
    }
}

void NAME(square_sums)(const Parameter *parameters, ptrdiff_t count, double *sums, int threads) {
    enum { LANES = 16 }; /* running sums: as many for every level, so that all add in one order */
    const ptrdiff_t pieces = pieces_of(parameters, count);
    const int team = team_for(parameters, count, threads);
#pragma omp parallel for num_threads(team) schedule(static) if (team > 1)
    for (ptrdiff_t number = 0; number < pieces; number++) {
        const Piece piece = piece_at(parameters, count, number);
        double lanes[LANES] = {0};
        ptrdiff_t i = 0;
        for (; i + LANES <= piece.n; i += LANES) {
#pragma omp simd
            for (int k = 0; k < LANES; k++) {
                const double x = (double)piece.grad[i + k];
                lanes[k] += x * x;
            }
        }
        for (int k = 0; i < piece.n; i++, k++) {
            const double x = (double)piece.grad[i];
            lanes[k] += x * x;
        }
        double sum = 0;
        for (int k = 0; k < LANES; k++) sum += lanes[k];
        sums[number] = sum;
    }
}
