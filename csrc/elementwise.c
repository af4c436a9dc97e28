/* Elementwise kernels: y = op(x0, x1, x2), any strides in, C order out.

   A *row* function computes n outputs along one axis; it is generated from one row of
   elementwise_rows.h, once for each kind of stride, so that the usual ones (contiguous, one value
   repeated) become vector code.
   `elementwise` merges axes that are adjacent in memory, cuts the output into pieces of PIECE
   elements and walks each piece row by row. Pieces are shared among threads; their cut depends on
   size only. */

#include "elementwise.h"
#include "vecmath.h"

#define MAX_NDIM 32
#define MAX_INPUTS 3
#define PIECE 16384        /* elements of one piece: 64 KiB of float, a share of the L2 cache */
#define PARALLEL_MIN 65536 /* elements times cost from which starting threads pays (measured) */

typedef void Row(const char *const *in, const ptrdiff_t *step, char *out, ptrdiff_t n);

#define AT(type, base, offset) (*(const type *)((base) + (offset)))

/* One operand x of type `source`. */
#define MAP(name, source, expression)                                                              \
    static void name##_row(const char *const *in, const ptrdiff_t *step, char *out, ptrdiff_t n) { \
        const char *const p = in[0];                                                               \
        const ptrdiff_t s = step[0];                                                               \
        real *const y = (real *)out;                                                               \
        if (s == sizeof(source)) {                                                                 \
            _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++) {                                \
                const source x = ((const source *)p)[i];                                           \
                y[i] = expression;                                                                 \
            }                                                                                      \
        } else if (s == 0) {                                                                       \
            const source x = AT(source, p, 0);                                                     \
            const real value = expression;                                                         \
            for (ptrdiff_t i = 0; i < n; i++) y[i] = value;                                        \
        } else {                                                                                   \
            _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++) {                                \
                const source x = AT(source, p, i * s);                                             \
                y[i] = expression;                                                                 \
            }                                                                                      \
        }                                                                                          \
    }

/* Two real operands a, b; `result` is real or uint8_t (bool). */
#define MAP2_LOOP(load_a, load_b, result, expression)                                              \
    _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++) {                                        \
        const real a = load_a, b = load_b;                                                         \
        y[i] = (result)(expression);                                                               \
    }
#define MAP2(name, result, expression)                                                             \
    static void name##_row(const char *const *in, const ptrdiff_t *step, char *out, ptrdiff_t n) { \
        const char *const p = in[0], *const q = in[1];                                             \
        const ptrdiff_t s = step[0], t = step[1], one = sizeof(real);                              \
        result *const y = (result *)out;                                                           \
        if (s == one && t == one) {                                                                \
            MAP2_LOOP(((const real *)p)[i], ((const real *)q)[i], result, expression)              \
        } else if (s == one && t == 0) {                                                           \
            const real b0 = AT(real, q, 0);                                                        \
            MAP2_LOOP(((const real *)p)[i], b0, result, expression)                                \
        } else if (s == 0 && t == one) {                                                           \
            const real a0 = AT(real, p, 0);                                                        \
            MAP2_LOOP(a0, ((const real *)q)[i], result, expression)                                \
        } else {                                                                                   \
            MAP2_LOOP(AT(real, p, i * s), AT(real, q, i * t), result, expression)                  \
        }                                                                                          \
    }

static inline real remainder_one(real a, real b) {
    const real rest = FMOD(a, b); /* of the sign of a; Python wants that of b */
    return rest == 0 ? COPYSIGN(rest, b) : (rest < 0) != (b < 0) ? rest + b : rest;
}

/* (a - rest) / b is that integer but for rounding; the quotient itself may have become the next. */
static inline real floor_divide_one(real a, real b) {
    const real quotient = a / b, rest = FMOD(a, b);
    if (b == 0) return quotient;
    const real below = ((rest != 0) & ((rest < 0) != (b < 0))) ? ONE : 0;
    const real near = (a - rest) / b - below, floored = FLOOR(near);
    const real whole = near - floored > HALF ? floored + 1 : floored;
    return whole == 0 ? COPYSIGN(whole, quotient) : whole;
}

#define UNARY(name, cost, formula) MAP(name, real, formula)
#define BINARY(name, cost, formula) MAP2(name, real, formula)
#define COMPARISON(name, cost, formula) MAP2(name, uint8_t, formula)
#define CAST(name, source) MAP(name, source, (real)x)
#define BY_HAND(name, cost, operands) /* below */
#include "elementwise_rows.h"

/* Powers with one exponent for the whole row; the others cost a call of the C library each. */
MAP(square, real, x *x)
MAP(cube, real, x * x * x)
MAP(reciprocal, real, ONE / x)
/* pow(-inf, 0.5) is +inf and pow(-0, 0.5) is +0, unlike sqrt. */
MAP(square_root, real, x == -(real)INFINITY ? (real)INFINITY : SQRT(x) + 0)

static void power_row(const char *const *in, const ptrdiff_t *step, char *out, ptrdiff_t n) {
    real *const y = (real *)out;
    if (step[1] == 0) {
        const real exponent = AT(real, in[1], 0);
        Row *const special = exponent == 2      ? square_row
                             : exponent == 3    ? cube_row
                             : exponent == -1   ? reciprocal_row
                             : exponent == HALF ? square_root_row
                                                : NULL;
        if (special != NULL) {
            special(in, step, out, n);
            return;
        }
    }
    for (ptrdiff_t i = 0; i < n; i++)
        y[i] = POW(AT(real, in[0], i * step[0]), AT(real, in[1], i * step[1]));
}

/* y = condition ? a : b. */
static void where_row(const char *const *in, const ptrdiff_t *step, char *out, ptrdiff_t n) {
    const char *const c = in[0], *const p = in[1], *const q = in[2];
    const ptrdiff_t r = step[0], s = step[1], t = step[2], one = sizeof(real);
    real *const y = (real *)out;
    if (r == 1 && s == one && t == one) {
        _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++) {
            const real a = ((const real *)p)[i], b = ((const real *)q)[i];
            y[i] = c[i] ? a : b;
        }
    } else {
        _Pragma("omp simd") for (ptrdiff_t i = 0; i < n; i++) {
            const real a = AT(real, p, i * s), b = AT(real, q, i * t);
            y[i] = c[i * r] ? a : b;
        }
    }
}

typedef struct {
    Row *row;
    int cost;
    int cell; /* bytes of one output */
} Operation;

#define UNARY(name, cost, formula) [OP_##name] = {name##_row, cost, sizeof(real)},
#define BINARY UNARY
#define COMPARISON(name, cost, formula) [OP_##name] = {name##_row, cost, 1},
#define CAST(name, source) [OP_##name] = {name##_row, 1, sizeof(real)},
#define BY_HAND UNARY
static const Operation OPERATIONS[] = {
#include "elementwise_rows.h"
};

typedef struct {
    Row *row;
    int inputs, ndim;
    ptrdiff_t cell; /* bytes of one output */
    ptrdiff_t shape[MAX_NDIM];
    /* axis first: a row needs those of the last axis together */
    ptrdiff_t step[MAX_NDIM][MAX_INPUTS];
    const char *in[MAX_INPUTS];
    char *out;
} Plan;

/* Copies shape and steps, dropping axes of size 1 and merging an axis with the one before where
   every operand is laid out as if they were one. Returns the number of outputs. */
static ptrdiff_t merge_axes(Plan *plan, int ndim, const ptrdiff_t *shape,
                            const ptrdiff_t *const *steps) {
    ptrdiff_t total = 1;
    int last = -1;
    for (int axis = 0; axis < ndim; axis++) {
        const ptrdiff_t size = shape[axis];
        total *= size;
        if (size == 1) continue;
        int merge = last >= 0;
        for (int k = 0; merge && k < plan->inputs; k++)
            merge = plan->step[last][k] == steps[k][axis] * size;
        if (merge) {
            plan->shape[last] *= size;
        } else {
            plan->shape[++last] = size;
        }
        for (int k = 0; k < plan->inputs; k++) plan->step[last][k] = steps[k][axis];
    }
    if (last < 0) { /* a single cell */
        plan->shape[++last] = 1;
        for (int k = 0; k < plan->inputs; k++) plan->step[last][k] = 0;
    }
    plan->ndim = last + 1;
    return total;
}

/* Outputs low ... high - 1 in C order. */
static void walk(const Plan *plan, ptrdiff_t low, ptrdiff_t high) {
    const int last = plan->ndim - 1;
    const ptrdiff_t *const step = plan->step[last];
    const char *in[MAX_INPUTS] = {plan->in[0], plan->in[1], plan->in[2]};
    char *out = plan->out + low * plan->cell;
    ptrdiff_t index[MAX_NDIM];
    ptrdiff_t rest = low;
    for (int axis = last; axis >= 0; axis--) {
        index[axis] = axis == 0 ? rest : rest % plan->shape[axis];
        rest = axis == 0 ? 0 : rest / plan->shape[axis];
        for (int k = 0; k < plan->inputs; k++) in[k] += index[axis] * plan->step[axis][k];
    }
    while (low < high) {
        const ptrdiff_t n = MIN(plan->shape[last] - index[last], high - low);
        plan->row(in, step, out, n);
        low += n;
        out += n * plan->cell;
        for (int k = 0; k < plan->inputs; k++) in[k] -= index[last] * step[k];
        index[last] = 0;
        for (int axis = last - 1; axis >= 0; axis--) { /* count up like an odometer */
            const int carry = ++index[axis] == plan->shape[axis];
            const ptrdiff_t moved = carry ? 1 - plan->shape[axis] : 1;
            for (int k = 0; k < plan->inputs; k++) in[k] += moved * plan->step[axis][k];
            if (!carry) break;
            index[axis] = 0;
        }
    }
}

void NAME(elementwise)(int op, int inputs, const void *const *x, const ptrdiff_t *const *steps,
                       void *y, int ndim, const ptrdiff_t *shape, int threads) {
    Plan plan; /* filled by hand: zeroing a kilobyte would show in a call on eight numbers */
    plan.row = OPERATIONS[op].row;
    plan.inputs = inputs;
    plan.cell = OPERATIONS[op].cell;
    plan.out = y;
    for (int k = 0; k < MAX_INPUTS; k++) plan.in[k] = k < inputs ? x[k] : NULL;
    const ptrdiff_t total = merge_axes(&plan, ndim, shape, steps);
    const ptrdiff_t pieces = CEIL_DIV(total, PIECE);
    if (total * OPERATIONS[op].cost < PARALLEL_MIN) threads = 1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (ptrdiff_t i = 0; i < pieces; i++) walk(&plan, i * PIECE, MIN((i + 1) * PIECE, total));
}
