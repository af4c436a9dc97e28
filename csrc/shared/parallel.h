/* What gcc makes of `#pragma omp parallel`: a function of the region's body, and calls of the three
   functions below. The OpenMP library of the compiler would have them; these hand the parts to our
   team (team.h) instead, because that library's threads either sleep between two kernels, and take
   longer to wake than a small kernel runs, or spin and take the cores from everybody else.

   Defines functions: the Cython module of each extension includes it, once (room.pxd). Other
   compilers and systems keep the library of their compiler. */

#ifndef TINYDL_PARALLEL_H
#define TINYDL_PARALLEL_H

#include "kernel.h"
#include "team.h"

#ifdef OWN_TEAM

#define HIDDEN __attribute__((visibility("hidden")))

static TeamRun team_of_process; /* set at import, before the first kernel */
static __thread int this_member, members = 1;

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

HIDDEN void GOMP_parallel(void (*body)(void *), void *variables, unsigned threads, unsigned flags) {
    Region region = {body, variables, (int)(threads < 65535 ? threads : 65535)};
    (void)flags;
    if (region.members > 1)
        team_of_process(run_member, &region, region.members);
    else
        run_member(&region, 0);
}

HIDDEN int omp_get_thread_num(void) { return this_member; }

HIDDEN int omp_get_num_threads(void) { return members; }

static void join_team(const Runtime *rt) { team_of_process = rt->team; }

#else

static void join_team(const Runtime *rt) { (void)rt; }

#endif
#endif
