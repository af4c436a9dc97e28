/* Connectionist temporal classification: log p of labels over all their alignments. */

#ifndef TINYDL_CTC_H
#define TINYDL_CTC_H

#include "kernel.h"

/* Numbers of `work` for one row: T + 4 rows of 2L + 1 states, and two before them. */
#define CTC_WORK(T, L) (((T) + 4) * (2 * (L) + 3))

/* log_p (N, T, C), labels (N, L), steps (N,), counts (N,) -> total (N,), occupied (N, T, C);
   work N * CTC_WORK(T, L). 1 <= steps <= T, 0 <= counts <= L, labels in 0..C-1. */
#define CTC_ARGS(real)                                                                             \
    (const real *log_p, const int64_t *labels, const int64_t *steps, const int64_t *counts,        \
     real *total, real *occupied, real *work, ptrdiff_t N, ptrdiff_t T, ptrdiff_t C, ptrdiff_t L,  \
     ptrdiff_t blank, int threads)
KERNEL(void, ctc, CTC_ARGS)

#endif
