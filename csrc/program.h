/* The steps of an inference program (tinydl/inference): each is a function and its arguments, put
   down once and run many times, so that between two kernels of a network lies one call through a
   pointer. */

#ifndef TINYDL_PROGRAM_H
#define TINYDL_PROGRAM_H

#include "conv.h"
#include "pool.h"

#define STEP_AXES 8

typedef struct Step {
    int (*run)(const struct Step *step, int threads); /* 0, or -1 without memory */
    void *x[5], *y;                                   /* NULL where a kernel takes less */
    int epilogue, packed;
    union { /* sizes, in the order in which program.c reads them */
        ptrdiff_t n[4 + 4 * STEP_AXES + 4];
        ConvSizes conv;
        Window window;
    } of;
    double eps;
} Step;

/* Every kind of step: what it computes stands in program.c. */
#define PROGRAM_STEPS(KIND)                                                                        \
    KIND(conv2d)                                                                                   \
    KIND(product)                                                                                  \
    KIND(max_pool)                                                                                 \
    KIND(avg_pool)                                                                                 \
    KIND(elementwise)                                                                              \
    KIND(reduce)                                                                                   \
    KIND(softmax)                                                                                  \
    KIND(log_softmax)                                                                              \
    KIND(fixed_norm)                                                                               \
    KIND(row_norm)                                                                                 \
    KIND(copy)

#define STEP_ARGS(real) (const Step *s, int threads)
KERNEL(int, step_conv2d, STEP_ARGS)
KERNEL(int, step_product, STEP_ARGS)
KERNEL(int, step_max_pool, STEP_ARGS)
KERNEL(int, step_avg_pool, STEP_ARGS)
KERNEL(int, step_elementwise, STEP_ARGS)
KERNEL(int, step_reduce, STEP_ARGS)
KERNEL(int, step_softmax, STEP_ARGS)
KERNEL(int, step_log_softmax, STEP_ARGS)
KERNEL(int, step_fixed_norm, STEP_ARGS)
KERNEL(int, step_row_norm, STEP_ARGS)
KERNEL(int, step_copy, STEP_ARGS)

#endif
