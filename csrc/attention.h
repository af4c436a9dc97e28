/* Scaled dot-product attention in tiles, forward and backward; see attention.c. */

#ifndef TINYDL_ATTENTION_H
#define TINYDL_ATTENTION_H

#include "kernel.h"

/* Sizes: N sequences, L queries, S keys, H heads of queries, G of keys and values (H = G * heads
   that share one), E numbers of a query or key, V of a value. Steps are counted in elements. */
typedef struct {
    ptrdiff_t N, L, S, H, G, E, V;
    ptrdiff_t q[3], k[3], v[3]; /* steps to the next sequence, position, head; numbers adjoin */
    ptrdiff_t mask[4], bias[4]; /* steps to the next sequence, head, query, key */
    ptrdiff_t first;            /* query i sees the keys 0 ... i + first; -1: all of them */
    double scale;
    uint64_t key, offset; /* of the stream that dropout draws from */
    uint32_t threshold;   /* a weight is kept where word >> 8 < threshold */
    double kept;          /* and then multiplied by this; 0: nothing is dropped */
} Attention;

/* q (N, L, H, E), k (N, S, G, E), v (N, S, G, V), mask uint8 and bias as if (N, H, L, S), or NULL
   -> y (N, L, H, V), logs (N, H, L): the logarithm of the sum of e^score of a query's keys.
   Returns 0, or -1 without memory. */
#define ATTENTION_ARGS(real)                                                                       \
    (const Attention *a, const real *q, const real *k, const real *v, const uint8_t *mask,         \
     const real *bias, real *y, real *logs, int threads)
KERNEL(int, attention, ATTENTION_ARGS)

/* The same, and grad, y (N, L, H, V) -> grad_q (N, L, H, E), grad_k (N, S, G, E), grad_v
   (N, S, G, V). */
#define ATTENTION_GRAD_ARGS(real)                                                                  \
    (const Attention *a, const real *grad, const real *y, const real *logs, const real *q,         \
     const real *k, const real *v, const uint8_t *mask, const real *bias, real *grad_q,            \
     real *grad_k, real *grad_v, int threads)
KERNEL(int, attention_grad, ATTENTION_GRAD_ARGS)

#endif
