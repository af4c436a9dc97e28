/* The threads that share the work of `#pragma omp parallel`: who wakes, who waits, who begins what.

   A job is `members` parts of equal rank. The caller publishes it, runs part 0 and then every part
   that no worker has begun; it waits only for parts that are running on other cores. So a worker
   that is asleep, or whose core is busy with another process, is never waited for: the worst case
   of many threads is one thread plus the microsecond of waking. Because any thread may run any
   part, parts must not wait for each other: no barriers inside a region.

   A worker looks out for the next job for SPIN nanoseconds before it sleeps, since between two
   kernels of a network lie tens of microseconds, and waking takes as long. If the system takes it
   off its core while it looks out, others need the core: it sleeps at once for the next CALM
   nanoseconds. And if the caller waits for the last part longer than its own parts took plus LATE
   nanoseconds, it works alone for a while. How many members a job has depends on none of this. */

#ifndef TINYDL_TEAM_H
#define TINYDL_TEAM_H

/* Part `member` of a job; called once for each member, on any thread. */
typedef void (*TeamPart)(void *job, int member);

/* All parts, 1 <= members < 65536. Called from inside a job, or while the job of another thread
   runs, the caller runs them all itself. */
typedef void (*TeamRun)(TeamPart part, void *job, int members);

void team_run(TeamPart part, void *job, int members);

#endif
