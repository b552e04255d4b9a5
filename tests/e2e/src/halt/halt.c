#include "halt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct halt_job {
    atomic_int stop, told, parts;
};

struct halt_part {
    halt_job *job;
};

static atomic_int awake;

halt_job *halt_begin(void)
{
    return calloc(1, sizeof(halt_job));
}

void halt_end(halt_job *job)
{
    free(job);
}

int halt_told(const halt_job *job)
{
    return atomic_load(&((halt_job *)job)->told);
}

halt_part *halt_part_of(halt_job *job)
{
    halt_part *part = calloc(1, sizeof *part);
    part->job = job;
    atomic_fetch_add(&job->parts, 1);
    return part;
}

void halt_part_end(halt_part *part)
{
    atomic_fetch_sub(&part->job->parts, 1);
    free(part);
}

halt_job *halt_job_of(const halt_part *part)
{
    return part->job;
}

int halt_parts(const halt_job *job)
{
    return atomic_load(&((halt_job *)job)->parts);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* Turns without a system call that another thread could end. */
static int turn(atomic_int *stop, int milliseconds)
{
    double end = now() + milliseconds;
    while (now() < end)
        if (stop != NULL && atomic_load(stop))
            return -1;
    return milliseconds;
}

int halt_turn(halt_job *job, int milliseconds)
{
    atomic_store(&job->stop, 0);
    return turn(&job->stop, milliseconds);
}

int halt_turn_part(halt_part *part, int milliseconds)
{
    return halt_turn(part->job, milliseconds);
}

int halt_turn_any(halt_job *job, int milliseconds)
{
    return job == NULL ? turn(NULL, milliseconds) : halt_turn(job, milliseconds);
}

int halt_turn_deaf(halt_job *job, int milliseconds)
{
    (void)job;
    return turn(NULL, milliseconds);
}

int halt_turn_shut(halt_job *job, int milliseconds)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    return halt_turn_deaf(job, milliseconds);
}

int halt_turn_hung(halt_job *job, int milliseconds)
{
    return halt_turn(job, milliseconds);
}

int halt_turn_crashed(halt_job *job, int milliseconds)
{
    return halt_turn_deaf(job, milliseconds);
}

int halt_turn_late(halt_job *job, int milliseconds)
{
    return halt_turn(job, milliseconds);
}

int halt_fall(halt_job *job, int milliseconds)
{
    if (halt_turn(job, milliseconds) < 0)
        *(volatile int *)NULL = 0;
    return milliseconds;
}

int halt_leave(halt_job *job, int milliseconds)
{
    if (halt_turn(job, milliseconds) < 0)
        exit(3);
    return milliseconds;
}

int halt_turn_alone(halt_job *job, int milliseconds)
{
    return halt_turn(job, milliseconds);
}

int halt_wait(int milliseconds)
{
    atomic_store(&awake, 0);
    return turn(&awake, milliseconds);
}

int halt_visit(halt_job *job, int (*visit)(int number, void *user), void *user)
{
    int answers = 0;
    atomic_store(&job->stop, 0);
    for (int number = 0; !atomic_load(&job->stop); number++)
        answers += visit(number, user) >= 0;
    return answers;
}

int halt_ask(halt_job *job, int (*visit)(int number, void *user), void *user)
{
    atomic_store(&job->stop, 0);
    return visit(0, user);
}

halt_part *halt_make(halt_job *job)
{
    halt_turn(job, 60000);
    return halt_part_of(job);
}

void halt_stop(halt_job *job)
{
    fputs("halt: told to stop\n", stderr);
    atomic_fetch_add(&job->told, 1);
    atomic_store(&job->stop, 1);
}

void halt_stop_and_linger(halt_job *job)
{
    halt_stop(job);
    turn(NULL, 50);
    atomic_store(&job->stop, 1);
}

void halt_stop_and_hang(halt_job *job)
{
    halt_stop(job);
    for (volatile int turns = 0;; turns = !turns) {
    }
}

void halt_stop_and_crash(halt_job *job)
{
    halt_stop(job);
    *(volatile int *)NULL = 0;
}

void halt_wake(int whom)
{
    if (whom == HALT_ALL)
        atomic_store(&awake, 1);
}
