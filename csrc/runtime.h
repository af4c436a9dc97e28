/* Two loops that only measure the machine: how fast it multiplies and adds, how fast it moves
   memory. */

#ifndef TINYDL_RUNTIME_H
#define TINYDL_RUNTIME_H

#include "kernel.h"

/* Every thread runs `rounds` rounds of x = x * scale + shift on registers alone. Returns the
   operations done by all threads; *sink gets a sum of the registers, so that nothing is dropped. */
#define FMA_LOOP_ARGS(real)                                                                        \
    (ptrdiff_t rounds, double scale, double shift, double *sink, int threads)
KERNEL(double, fma_loop, FMA_LOOP_ARGS)

/* y[i] = x[i] + scale * z[i] (z not NULL) or y[i] = x[i], `repeats` times; every thread has its own
   slice of the n elements. */
#define STREAM_ARGS(real)                                                                          \
    (const real *x, const real *z, real *y, ptrdiff_t n, ptrdiff_t repeats, double scale,          \
     int threads)
KERNEL(void, stream, STREAM_ARGS)

#endif
