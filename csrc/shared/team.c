/* One team for the whole process, on pthreads; who sleeps waits on a futex (Linux) or on a
   condition variable (elsewhere, and on Linux with -DTEAM_CONDITIONS, so that it can be tested
   there). */

#define _GNU_SOURCE
#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#if defined(__linux__) && !defined(TEAM_CONDITIONS)
#define FUTEXES
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum {
    SPIN = 200 * 1000,       /* ns that a worker looks out for the next job */
    WAIT_SPIN = 50 * 1000,   /* ns that the caller looks out for the last part */
    TAKEN_OFF = 50 * 1000,   /* ns between two looks: the thread was not on its core */
    LATE = 500 * 1000,       /* ns that a part may take longer than the caller's own */
    CALM = 20 * 1000 * 1000, /* ns without looking out, or without the team, after that */
    LONGEST_CALM = 320 * 1000 * 1000,
    LOOKS = 16, /* looks between two readings of the clock */
    MEMBERS_BITS = 16,
    MEMBERS_MASK = (1 << MEMBERS_BITS) - 1,
};

static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER; /* held by the caller of the job */
static int workers;                                       /* started so far */

/* The job. `claim` is (number of the job, members, next part to begin): one word, so that a worker
   which comes late cannot begin a part of another job. The fields before it are read only by who
   has claimed a part, which keeps the job alive. */
static TeamPart job_part;
static void *job_data;
static _Atomic uint64_t claim;
static _Atomic uint32_t left; /* parts that are not finished, without part 0 */
static _Atomic uint32_t bell; /* changes with each job */

static _Atomic uint32_t asleep;        /* workers that need a call to wake */
static _Atomic uint32_t caller_asleep; /* 1: the caller needs one */
static _Atomic int64_t calm_until;     /* the clock's time */

static _Atomic int caller_core;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void pause_core(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* sleep_while returns once `word` was seen with another value and its sleepers were woken since, or
   for no reason: who calls it looks again. */
#ifdef FUTEXES

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word, int threads) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
}

static void forget_sleepers(void) {}

#else

static pthread_mutex_t bedroom = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;

static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
    pthread_mutex_lock(&bedroom);
    if (atomic_load(word) == value) pthread_cond_wait(&woken, &bedroom);
    pthread_mutex_unlock(&bedroom);
}

/* Whoever looked at the word before it changed sleeps by the time the lock is had. */
static void wake(_Atomic uint32_t *word, int threads) {
    (void)word, (void)threads;
    pthread_mutex_lock(&bedroom);
    pthread_mutex_unlock(&bedroom);
    pthread_cond_broadcast(&woken);
}

static void forget_sleepers(void) {
    pthread_mutex_init(&bedroom, NULL);
    pthread_cond_init(&woken, NULL);
}

#endif

/* The number of this thread's core; unknown, which is no number, where no call tells it. */
enum { UNKNOWN = -1 };

static int core_of_thread(void) {
#if defined(__linux__)
    return sched_getcpu();
#else
    return UNKNOWN;
#endif
}

/* Look at `word` until it is no longer `value`; 0 if that took longer than `patience` ns, or if
   this thread lost its core meanwhile. */
static int changes_soon(_Atomic uint32_t *word, uint32_t value, int64_t patience) {
    const int64_t start = now();
    for (int64_t last = start;;) {
        for (int look = 0; look < LOOKS; look++) {
            if (atomic_load_explicit(word, memory_order_acquire) != value) return 1;
            pause_core();
        }
        const int64_t time = now();
        if (time - last > TAKEN_OFF) {
            atomic_store_explicit(&calm_until, time + CALM, memory_order_relaxed);
            return 0;
        }
        if (time - start > patience) return 0;
        last = time;
    }
}

/* Not on the core of the caller, who could not go on meanwhile, and not while the cores are busy.
 */
static int may_look_out(void) {
    const int64_t until = atomic_load_explicit(&calm_until, memory_order_relaxed);
    const int core = core_of_thread();
    return (core == UNKNOWN || core != atomic_load_explicit(&caller_core, memory_order_relaxed)) &&
           (until == 0 || now() > until);
}

/* A part that nobody has begun, or 0. */
static int claim_part(void) {
    uint64_t seen = atomic_load(&claim);
    for (;;) {
        const int next = seen & MEMBERS_MASK, members = seen >> MEMBERS_BITS & MEMBERS_MASK;
        if (next >= members) return 0;
        if (atomic_compare_exchange_weak(&claim, &seen, seen + 1)) return next;
    }
}

static void run_parts(void) {
    for (int member; (member = claim_part()) != 0;) {
        job_part(job_data, member);
        if (atomic_fetch_sub(&left, 1) == 1 && atomic_load(&caller_asleep)) wake(&left, 1);
    }
}

static void *worker(void *nothing) {
    for (uint32_t seen = 0;;) {
        if (!may_look_out() || !changes_soon(&bell, seen, SPIN)) {
            /* Whoever rings now sees this worker asleep, or this worker sees the bell rung. */
            atomic_fetch_add(&asleep, 1);
            while (atomic_load(&bell) == seen) sleep_while(&bell, seen);
            atomic_fetch_sub(&asleep, 1);
        }
        seen = atomic_load(&bell);
        run_parts();
    }
    return nothing;
}

static void forget_workers(void) { /* a forked child has only the thread that forked */
    pthread_mutex_init(&owner, NULL);
    forget_sleepers();
    workers = 0;
    atomic_store(&asleep, 0);
    atomic_store(&caller_asleep, 0);
    atomic_store(&claim, 0);
}

/* Fewer than wanted, where the system gives no more: the caller runs what is left. */
static void start_workers(int wanted) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static int prepared;
    sigset_t all, before;
    pthread_attr_t detached;
    if (!prepared) prepared = pthread_atfork(NULL, NULL, forget_workers) == 0;
    sigfillset(&all);
    for (int k = 0; k < 5; k++) sigdelset(&all, faults[k]);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for Python's thread */
    for (pthread_t id; workers < wanted; workers++)
        if (pthread_create(&id, &detached, worker, NULL) != 0) break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&detached);
}

/* The team pays if its last part ends soon after the caller's own. Where it does not, the other
   cores are busy: the caller works alone for a while, and twice as long if that happens again. */
static _Atomic int64_t alone_until;

static void judge(int64_t begun, int64_t own_done, int64_t all_done) {
    static int64_t alone = CALM;
    if (all_done - own_done <= own_done - begun + LATE) {
        if (alone > CALM) alone -= alone / 64;
        return;
    }
    atomic_store_explicit(&alone_until, all_done + alone, memory_order_relaxed);
    alone = alone < LONGEST_CALM / 2 ? 2 * alone : LONGEST_CALM;
}

/* The job is the team's only while this thread holds `owner`. */
static void share(TeamPart part, void *job, int members, int64_t begun) {
    if (workers < members - 1) start_workers(members - 1);
    atomic_store_explicit(&caller_core, core_of_thread(), memory_order_relaxed);
    job_part = part;
    job_data = job;
    atomic_store(&left, members - 1);
    const uint64_t number = (atomic_load(&claim) >> 2 * MEMBERS_BITS) + 1;
    atomic_store(&claim, number << 2 * MEMBERS_BITS | (uint64_t)members << MEMBERS_BITS | 1);
    atomic_fetch_add(&bell, 1);
    if (atomic_load(&asleep)) wake(&bell, members - 1);
    part(job, 0);
    run_parts();
    const int64_t own_done = now();
    for (uint32_t waited_for; (waited_for = atomic_load(&left)) != 0;) {
        if (changes_soon(&left, waited_for, WAIT_SPIN)) continue;
        atomic_store(&caller_asleep, 1);
        if (atomic_load(&left) == waited_for) sleep_while(&left, waited_for);
        atomic_store(&caller_asleep, 0);
    }
    judge(begun, own_done, now());
}

void team_run(TeamPart part, void *job, int members) {
    const int64_t begun = now();
    if (begun < atomic_load_explicit(&alone_until, memory_order_relaxed) ||
        pthread_mutex_trylock(&owner) != 0) {
        for (int member = 0; member < members; member++) part(job, member);
        return;
    }
    share(part, job, members, begun);
    pthread_mutex_unlock(&owner);
}
