/* The kinds of steps of program.h: each takes its arguments out of the step and calls a kernel.

   [x0, x1, ...] -> y, sizes in the order of `of.n`; arrays without strides are contiguous. Split of
   work and extra memory are the kernels'. */

#include "program.h"

#include "elementwise.h"
#include "matmul.h"
#include "norm.h"
#include "reduce.h"
#include "shape.h"
#include "softmax.h"

#define SIZES const ptrdiff_t *const n = s->of.n

/* x (N, H, W, C), weight, bias or NULL. */
int NAME(step_conv2d)(const Step *s, int threads) {
    return NAME(conv2d)(s->x[0], s->x[1], s->x[2], s->y, &s->of.conv, s->epilogue, s->packed,
                        threads);
}

/* a, b, bias or NULL; M, N, K, rows and columns of a and of b, the batch axes: their number, sizes,
   strides of a and of b.  [M x K] @ [K x N] */
int NAME(step_product)(const Step *s, int threads) {
    SIZES;
    return NAME(matmul)(s->x[0], s->x[1], s->x[2], s->y, n[0], n[1], n[2], n[3], n[4], n[5], n[6],
                        (int)n[7], n + 8, n + 8 + STEP_AXES, n + 8 + 2 * STEP_AXES, s->epilogue,
                        s->packed, threads);
}

int NAME(step_max_pool)(const Step *s, int threads) {
    NAME(max_pool2d)(s->x[0], s->y, NULL, &s->of.window, threads);
    return 0;
}

int NAME(step_avg_pool)(const Step *s, int threads) {
    return NAME(avg_pool2d)(s->x[0], s->y, &s->of.window, threads);
}

/* The operation, the operands' number, the axes' number, sizes, strides in bytes of each operand.
 */
int NAME(step_elementwise)(const Step *s, int threads) {
    SIZES;
    const ptrdiff_t *steps[3];
    for (int k = 0; k < 3; k++) steps[k] = n + 3 + (k + 1) * STEP_AXES;
    NAME(elementwise)((int)n[0], (int)n[1], (const void *const *)s->x, steps, s->y, (int)n[2],
                      n + 3, threads);
    return 0;
}

/* The operation, the axes' number, sizes, strides, 1 for each axis that goes. */
int NAME(step_reduce)(const Step *s, int threads) {
    SIZES;
    uint8_t reduced[STEP_AXES];
    for (int axis = 0; axis < STEP_AXES; axis++) reduced[axis] = n[2 + 2 * STEP_AXES + axis] != 0;
    return NAME(reduce)((int)n[0], s->x[0], s->y, (int)n[1], n + 2, n + 2 + STEP_AXES, reduced,
                        threads);
}

/* Rows and columns. */
int NAME(step_softmax)(const Step *s, int threads) {
    NAME(softmax)(s->x[0], s->y, s->of.n[0], s->of.n[1], threads);
    return 0;
}

int NAME(step_log_softmax)(const Step *s, int threads) {
    NAME(log_softmax)(s->x[0], s->y, s->of.n[0], s->of.n[1], threads);
    return 0;
}

/* x (P, C), scale, shift, mean, variance (C,); P, C. */
int NAME(step_fixed_norm)(const Step *s, int threads) {
    SIZES;
    return NAME(channel_norm_apply)(s->x[0], s->x[1], s->x[2], s->x[3], s->x[4], s->y, 1, n[0],
                                    n[1], n[1], (real)s->eps, threads);
}

/* x (N, D), scale, shift (D,), room for N means and N variances; N, D. */
int NAME(step_row_norm)(const Step *s, int threads) {
    SIZES;
    NAME(row_norm)(s->x[0], s->x[1], s->x[2], s->y, s->x[3], s->x[4], n[0], n[1], (real)s->eps,
                   threads);
    return 0;
}

/* The axes' number, sizes, strides of x and of y. */
int NAME(step_copy)(const Step *s, int threads) {
    SIZES;
    NAME(copy)(s->x[0], s->y, (int)n[0], n + 1, n + 1 + STEP_AXES, n + 1 + 2 * STEP_AXES, threads);
    return 0;
}
