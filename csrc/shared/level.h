/* Which instruction level this processor offers: read by _runtime at import, and by setup.py for a
   quick build. */

#ifndef TINYDL_LEVEL_H
#define TINYDL_LEVEL_H

#include "kernel.h"

/* The best LEVEL_..., or -1 if not even the baseline runs here. */
static inline int processor_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt")) return -1;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return LEVEL_BASELINE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return LEVEL_AVX512;
    return LEVEL_AVX2;
#else
    return LEVEL_BASELINE;
#endif
}

#endif
