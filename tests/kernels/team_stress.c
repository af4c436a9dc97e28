/* Many jobs from several threads at once: every part exactly once, none after its job's end.
   Built and run by test_team.py, with ThreadSanitizer where the compiler has it. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "team.h"

enum { CALLERS = 3, JOBS = 20000, MOST = 5 };

typedef struct {
    int runs[MOST];
    _Atomic int over;
    pthread_t owner;
} Job;

static _Atomic int wrong, by_workers;

static void inner(void *data, int member) { ((int *)data)[member]++; }

static void part(void *data, int member) {
    Job *job = data;
    if (atomic_load(&job->over)) atomic_fetch_add(&wrong, 1);
    if (!pthread_equal(job->owner, pthread_self())) atomic_fetch_add(&by_workers, 1);
    job->runs[member]++; /* no atomic: two threads in one part are a race, which the tool reports */
    int runs[2] = {0, 0};
    team_run(inner, runs, 2); /* a job inside a job */
    if (runs[0] != 1 || runs[1] != 1) atomic_fetch_add(&wrong, 1);
}

static void *caller(void *seed) {
    for (int k = 0; k < JOBS; k++) {
        Job job = {{0}, 0, pthread_self()};
        const int members = 2 + (k + *(int *)seed) % (MOST - 1);
        team_run(part, &job, members);
        atomic_store(&job.over, 1);
        for (int m = 0; m < MOST; m++)
            if (job.runs[m] != (m < members)) atomic_fetch_add(&wrong, 1);
        if (k % 2000 == 0) usleep(1000); /* long enough for workers to fall asleep */
    }
    return NULL;
}

int main(void) {
    pthread_t threads[CALLERS];
    int seeds[CALLERS], status = 0;
    for (int i = 0; i < CALLERS; i++) {
        seeds[i] = i;
        pthread_create(&threads[i], NULL, caller, &seeds[i]);
    }
    for (int i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL);
    const int parent = by_workers;
    const pid_t child = fork(); /* has no workers, and starts its own */
    if (child == 0) {
        by_workers = 0;
        for (int tries = 0; tries < 200 && !by_workers; tries++) caller(&seeds[0]);
        _exit(wrong != 0 || !by_workers);
    }
    waitpid(child, &status, 0);
    printf("wrong %d, parts by workers %d, child %d\n", wrong, parent, status);
    return wrong != 0 || status != 0 || parent == 0;
}
