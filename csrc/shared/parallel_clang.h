/* The calls that clang makes for a region, a loop and a reduction; part of parallel.h.

   clang says first how many members the next region shall have (push_num_threads), then either
   calls fork_call with the body, or, where the region's `if` does not hold, the body itself between
   serialized_parallel and its end. A loop asks for its member's share of the iterations
   (for_static_init); a reduction of integers needs no lock, its code has atomic operations. */

#ifndef TINYDL_PARALLEL_CLANG_H
#define TINYDL_PARALLEL_CLANG_H

#include <stdarg.h>

/* A body takes two numbers of its thread and then each variable of the region, as an address or as
   a word of 64 bits. It may be given more words than it takes: the caller removes them. */
enum { MOST_VARIABLES = 32, MOST_DEEP = 8 };
typedef void (*Body)(int32_t *thread, int32_t *bound, ...);
#define FOUR(v, k) v[k], v[k + 1], v[k + 2], v[k + 3]
#define SIXTEEN(v, k) FOUR(v, k), FOUR(v, k + 4), FOUR(v, k + 8), FOUR(v, k + 12)
#define FOUR_WORDS void *, void *, void *, void *
#define SIXTEEN_WORDS FOUR_WORDS, FOUR_WORDS, FOUR_WORDS, FOUR_WORDS
typedef void (*FullBody)(int32_t *, int32_t *, SIXTEEN_WORDS, SIXTEEN_WORDS);

typedef struct {
    Body body;
    void *variables[MOST_VARIABLES];
} Outlined;

static __thread unsigned asked = 1; /* members of the next region */
static __thread struct {
    int member, members;
} outer[MOST_DEEP]; /* of the regions that run in this thread alone */
static __thread int deep;

static void run_outlined(void *given) {
    const Outlined *region = given;
    void *const *v = region->variables;
    int32_t thread = this_member, bound = this_member;
    ((FullBody)(void (*)(void))region->body)(&thread, &bound, SIXTEEN(v, 0), SIXTEEN(v, 16));
}

SEEN_HERE int32_t __kmpc_global_thread_num(void *place) {
    (void)place;
    return this_member;
}

SEEN_HERE void __kmpc_push_num_threads(void *place, int32_t thread, int32_t threads) {
    (void)place, (void)thread;
    asked = threads > 1 ? (unsigned)threads : 1;
}

SEEN_HERE void __kmpc_fork_call(void *place, int32_t count, Body body, ...) {
    Outlined region = {body, {NULL}};
    va_list given;
    const unsigned threads = asked;
    (void)place;
    asked = 1;
    if (count > MOST_VARIABLES) __builtin_trap();
    va_start(given, body);
    for (int k = 0; k < count; k++) region.variables[k] = va_arg(given, void *);
    va_end(given);
    run_region(run_outlined, &region, threads);
}

SEEN_HERE void __kmpc_serialized_parallel(void *place, int32_t thread) {
    (void)place, (void)thread;
    if (deep == MOST_DEEP) __builtin_trap();
    outer[deep].member = this_member;
    outer[deep++].members = members;
    this_member = 0;
    members = asked = 1;
}

SEEN_HERE void __kmpc_end_serialized_parallel(void *place, int32_t thread) {
    (void)place, (void)thread;
    this_member = outer[--deep].member;
    members = outer[deep].members;
}

/* The share of this member of the iterations lower, lower + step, ..., upper: the first ones are
   one longer if they do not come out even. Who has none begins behind the end. */
#define SHARE_OF_LOOP(name, index, unsigned_index)                                                 \
    SEEN_HERE void name(void *place, int32_t thread, int32_t schedule, int32_t *last,              \
                        index *lower, index *upper, index *stride, index step, index chunk) {      \
        const unsigned_index count =                                                               \
            step > 0                                                                               \
                ? ((unsigned_index) * upper - (unsigned_index) * lower) / (unsigned_index)step     \
                : ((unsigned_index) * lower - (unsigned_index) * upper) / -(unsigned_index)step;   \
        const unsigned_index all = count + 1, n = (unsigned_index)members;                         \
        const unsigned_index me = (unsigned_index)this_member, longer = all % n;                   \
        const unsigned_index first = me * (all / n) + (me < longer ? me : longer);                 \
        const unsigned_index mine = all / n + (me < longer);                                       \
        (void)place, (void)thread, (void)schedule, (void)chunk;                                    \
        *last = mine > 0 && first + mine == all;                                                   \
        *stride = (index)(all * (unsigned_index)step);                                             \
        if (mine == 0) {                                                                           \
            *lower = *upper + step;                                                                \
            return;                                                                                \
        }                                                                                          \
        *lower = (index)((unsigned_index) * lower + first * (unsigned_index)step);                 \
        *upper = (index)((unsigned_index) * lower + (mine - 1) * (unsigned_index)step);            \
    }

SHARE_OF_LOOP(__kmpc_for_static_init_4, int32_t, uint32_t)
SHARE_OF_LOOP(__kmpc_for_static_init_8, int64_t, uint64_t)

SEEN_HERE void __kmpc_for_static_init_8u(void *place, int32_t thread, int32_t schedule,
                                         int32_t *last, uint64_t *lower, uint64_t *upper,
                                         int64_t *stride, int64_t step, int64_t chunk) {
    __kmpc_for_static_init_8(place, thread, schedule, last, (int64_t *)lower, (int64_t *)upper,
                             stride, step, chunk);
}

SEEN_HERE void __kmpc_for_static_fini(void *place, int32_t thread) { (void)place, (void)thread; }

/* 2: combine by the atomic operations that clang has written beside. */
SEEN_HERE int32_t __kmpc_reduce_nowait(void *place, int32_t thread, int32_t count, size_t bytes,
                                       void *values, void (*combine)(void *, void *), void *lock) {
    (void)place, (void)thread, (void)count, (void)bytes, (void)values, (void)combine, (void)lock;
    return 2;
}

SEEN_HERE void __kmpc_end_reduce_nowait(void *place, int32_t thread, void *lock) {
    (void)place, (void)thread, (void)lock;
}

#endif
