/* What every kernel file starts from: the element type, symbol names, the table of the levels.

   One `.c` source is compiled once per level (baseline, avx2, avx512) and element type
   (-DREAL=float|double -DSUFFIX=_f32_avx2). It writes `real` and `NAME(max_pool2d)`, which becomes
   `max_pool2d_f32_avx2`.

   The header of a stem declares each kernel once, its arguments as a macro of the element type:

       #define MAX_POOL2D_ARGS(real) (const real *x, real *y, ptrdiff_t N, ..., int threads)
       KERNEL(void, max_pool2d, MAX_POOL2D_ARGS)

   In the kernel source this declares `NAME(max_pool2d)`, so that the compiler checks the
   definition. In the Cython module, compiled without SUFFIX, it declares the symbols of all levels
   and two tables, `max_pool2d_f32[level]` and `max_pool2d_f64[level]`.

   A quick build (TINYDL_LEVELS=native) compiles one level: -DONLY_LEVEL=avx2, and its kernel is in
   every place of the tables, so that no level can call what is not there.

   C kernels keep no global state: `level` picks the table entry and `threads` is an argument. Which
   outputs a thread computes may depend on `threads`; which terms a sum has and in which order they
   are added depends on shapes and level only, so results are bitwise equal for any number of
   threads. */

#ifndef TINYDL_KERNEL_H
#define TINYDL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "team.h"

enum { LEVEL_BASELINE = 0, LEVEL_AVX2 = 1, LEVEL_AVX512 = 2 };

/* Owned by tinydl.backend.cpu._runtime; the other modules read it at each call. */
typedef struct {
    int level;
    int threads;
    TeamRun team;
} Runtime;

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

#ifdef SUFFIX /* a kernel source, compiled for one level and one element type */

typedef REAL real;

#define NAME(kernel) PASTE(kernel, SUFFIX)
#define KERNEL(result, kernel, args) result NAME(kernel) args(real);

/* Bytes of one vector register of this level. */
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

/* A parallel region whose members share out the work themselves: no loop construct inside. Never a
   barrier: the parts of a region run in any order, on any number of threads (team.h). */
#ifdef _OPENMP
int omp_get_num_threads(void); /* of the region: parallel.h */
int omp_get_thread_num(void);
#define TEAM_SIZE omp_get_num_threads()
#define TEAM_MEMBER omp_get_thread_num()
#else /* compiled for one thread, as the site's WebAssembly is */
#define TEAM_SIZE 1
#define TEAM_MEMBER 0
#endif

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CEIL_DIV(a, b) (((a) + (b) - 1) / (b))

/* `total` cut into panels that differ by at most one: 64 rows in 5 panels are 13+13+13+13+12, not
   14+14+14+14+8. Panel p is [panel_start(total, panels, p), panel_start(total, panels, p + 1)). */
static inline ptrdiff_t panel_start(ptrdiff_t total, ptrdiff_t panels, ptrdiff_t p) {
    const ptrdiff_t base = total / panels, longer = total % panels;
    return p * base + MIN(p, longer);
}

#else /* a Cython module */

#if !defined(__x86_64__) && !defined(ONLY_LEVEL)
#define ONLY_LEVEL baseline
#endif

#ifdef ONLY_LEVEL
#define ONLY(symbol) PASTE(symbol##_, ONLY_LEVEL)
#define KERNEL_TABLE(result, kernel, dtype, real, args)                                            \
    result ONLY(kernel##_##dtype) args(real);                                                      \
    static result(*const kernel##_##dtype[3]) args(real) __attribute__((unused)) = {               \
        ONLY(kernel##_##dtype), ONLY(kernel##_##dtype), ONLY(kernel##_##dtype)};
#else
#define KERNEL_TABLE(result, kernel, dtype, real, args)                                            \
    result kernel##_##dtype##_baseline args(real);                                                 \
    result kernel##_##dtype##_avx2 args(real);                                                     \
    result kernel##_##dtype##_avx512 args(real);                                                   \
    static result(*const kernel##_##dtype[3]) args(real) __attribute__((unused)) = {               \
        kernel##_##dtype##_baseline, kernel##_##dtype##_avx2, kernel##_##dtype##_avx512};
#endif
#define KERNEL(result, kernel, args)                                                               \
    KERNEL_TABLE(result, kernel, f32, float, args)                                                 \
    KERNEL_TABLE(result, kernel, f64, double, args)

#endif
#endif
