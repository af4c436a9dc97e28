/* What a compiler makes of `#pragma omp parallel`: a function of the region's body, and calls of a
   few functions of its OpenMP library. The functions below hand the parts to our team (team.h)
   instead, because such a library's threads either sleep between two kernels, and take longer to
   wake than a small kernel runs, or spin and take the cores from everybody else. No OpenMP library
   is linked.

   Defines functions, seen in its own module only: the Cython module of each extension includes it,
   once (room.pxd). The names and arguments are those of GNU's library, which gcc calls, and of
   LLVM's, which clang calls ("LLVM OpenMP Runtime Library Reference", 2015; one region and one loop
   of the kernels need nine of its functions). */

#ifndef TINYDL_PARALLEL_H
#define TINYDL_PARALLEL_H

#include "kernel.h"
#include "team.h"

#define SEEN_HERE __attribute__((visibility("hidden")))

static TeamRun team_of_process; /* set at import, before the first kernel */
static __thread int this_member, members = 1;

static void join_team(const Runtime *rt) { team_of_process = rt->team; }

typedef struct {
    void (*body)(void *);
    void *variables;
    int members;
} Region;

static void run_member(void *job, int member) {
    const Region *region = job;
    const int outer_member = this_member, outer_members = members;
    this_member = member;
    members = region->members;
    region->body(region->variables);
    this_member = outer_member;
    members = outer_members;
}

static void run_region(void (*body)(void *), void *variables, unsigned threads) {
    Region region = {body, variables, (int)(threads < 65535 ? threads : 65535)};
    if (region.members > 1)
        team_of_process(run_member, &region, region.members);
    else
        run_member(&region, 0);
}

SEEN_HERE int omp_get_thread_num(void) { return this_member; }

SEEN_HERE int omp_get_num_threads(void) { return members; }

#ifndef __clang__

SEEN_HERE void GOMP_parallel(void (*body)(void *), void *variables, unsigned threads,
                             unsigned flags) {
    (void)flags;
    run_region(body, variables, threads);
}

#else
#include "parallel_clang.h"
#endif
#endif
