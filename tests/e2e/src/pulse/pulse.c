#define _GNU_SOURCE
#include "pulse.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void count(int number)
{
    (void)number;
    signals++;
}

int pulse_profile(int microseconds)
{
    struct sigaction action;
    struct sigevent event;
    struct itimerspec every = {{0, microseconds * 1000L}, {0, microseconds * 1000L}};
    timer_t timer;
    memset(&action, 0, sizeof action);
    memset(&event, 0, sizeof event);
    action.sa_handler = count;
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGPROF;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (sigaction(SIGPROF, &action, NULL) != 0 || timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        return -1;
    }
    return timer_settime(timer, 0, &every, NULL);
}

long pulse_signals(void)
{
    return signals;
}

long pulse_beat(int count, int microseconds, long (*beat)(void *user, int number), void *user)
{
    struct timespec at;
    long wrong = 0;
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (int number = 1; number <= count; number++) {
        at.tv_nsec += (long)microseconds * 1000;
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
        }
        wrong += beat(user, number) != 3L * number;
    }
    return wrong;
}
