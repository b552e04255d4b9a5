/* The library behind ticker.h. */
#define _GNU_SOURCE
#include "ticker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64 };

struct ticker {
    long (*tick)(void *user, long number, int thread);
    void *tick_user;
    int (*got)(void *user, const char *text, const unsigned char *data, size_t size);
    void *got_user;
    int (*poke)(void *user, int number);
    void *poke_user;
    pthread_t threads[MOST];
    int started, left;
    atomic_long ticks, sum;
};

struct work {
    ticker *t;
    int thread, signals;
    long count, period;
    size_t size;
};

static atomic_long interruptions, running;

ticker *ticker_new(void) { return calloc(1, sizeof(ticker)); }

void ticker_wait(ticker *t)
{
    while (t->started > 0) {
        pthread_join(t->threads[--t->started], NULL);
    }
}

void ticker_leave(ticker *t) { t->left = 1; }

void ticker_free(ticker *t)
{
    if (t->left) {
        return;
    }
    ticker_wait(t);
    free(t);
}

void ticker_on_tick(ticker *t, long (*tick)(void *user, long number, int thread), void *user)
{
    t->tick = tick;
    t->tick_user = user;
}

void ticker_on_data(ticker *t, int (*got)(void *user, const char *text, const unsigned char *data, size_t size), void *user)
{
    t->got = got;
    t->got_user = user;
}

void ticker_on_poke(ticker *t, int (*poke)(void *user, int number), void *user)
{
    t->poke = poke;
    t->poke_user = user;
}

static void interrupted(int signal)
{
    (void)signal;
    interruptions++;
}

/* Interrupts this thread, wherever it is, without restarting what it was at. */
static void interrupt(int times)
{
    struct sigaction action = {.sa_handler = interrupted};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    struct itimerspec often = {{0, 1000000000 / times}, {0, 1000000000 / times}};
    timer_t timer;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    sigaction(SIGPROF, &action, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0) {
        abort();
    }
}

static void *tick(void *what)
{
    struct work work = *(struct work *)what;
    struct timespec next;
    free(what);
    if (work.signals > 0) {
        interrupt(work.signals);
    }
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long number = 0; number < work.count; number++) {
        errno = EDOM;
        long answer = work.t->tick(work.t->tick_user, number, work.thread);
        work.t->sum += errno == EDOM ? answer : 1000000;
        work.t->ticks++;
        next.tv_nsec += work.period * 1000;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        while (work.period > 0 && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR) {
        }
    }
    running--;
    return NULL;
}

static void start(ticker *t, void *(*run)(void *), struct work work)
{
    struct work *own = malloc(sizeof work);
    *own = work;
    running++;
    if (t->started == MOST || pthread_create(&t->threads[t->started], NULL, run, own) != 0) {
        abort();
    }
    t->started++;
}

void ticker_start(ticker *t, int threads, long count, long period, int signals)
{
    for (int thread = 0; thread < threads; thread++) {
        start(t, tick, (struct work){t, thread, signals, count, period, 0});
    }
}

void ticker_run(ticker *t, int threads, long count)
{
    ticker_start(t, threads, count, 0, 0);
    ticker_wait(t);
}

long ticker_ticks(const ticker *t) { return t->ticks; }
long ticker_sum(const ticker *t) { return t->sum; }
long ticker_interruptions(void) { return interruptions; }
long ticker_tick_here(ticker *t, long number) { return t->tick(t->tick_user, number, -1); }

static void *send(void *what)
{
    struct work work = *(struct work *)what;
    free(what);
    unsigned char *data = malloc(work.size + 1);
    for (long turn = 0; turn < work.count; turn++) {
        for (size_t i = 0; i < work.size; i++) {
            data[i] = (unsigned char)(i + (size_t)turn);
        }
        work.t->sum += work.t->got(work.t->got_user, turn % 2 == 0 ? "even" : "odd", data, work.size);
    }
    free(data);
    running--;
    return NULL;
}

void ticker_begin_send(ticker *t, size_t size, int times) { start(t, send, (struct work){t, 0, 0, times, 0, size}); }

int ticker_send(ticker *t, size_t size, int times)
{
    long before = t->sum;
    ticker_begin_send(t, size, times);
    ticker_wait(t);
    return (int)(t->sum - before);
}

int ticker_poke(ticker *t, int number) { return t->poke(t->poke_user, number); }

static void *stray(void *what)
{
    struct work work = *(struct work *)what;
    free(what);
    work.t->sum = ticker_poke(work.t, work.thread);
    running--;
    return NULL;
}

int ticker_stray(ticker *t, int number)
{
    start(t, stray, (struct work){t, number, 0, 0, 0, 0});
    ticker_wait(t);
    return (int)t->sum;
}

void ticker_crash(void) { abort(); }

void ticker_finish(void)
{
    const char *name = getenv("TICKER_END");
    while (running > 0) {
        usleep(1000);
    }
    FILE *file = name == NULL ? NULL : fopen(name, "w");
    if (file != NULL) {
        fputs("finished", file);
        fclose(file);
    }
}
