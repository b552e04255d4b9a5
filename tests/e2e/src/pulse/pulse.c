#define _GNU_SOURCE
#include "pulse.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t signals;

static void count(int number)
{
    (void)number;
    signals++;
}

int pulse_profile(int microseconds)
{
    struct sigaction action;
    struct itimerval every = {{0, microseconds}, {0, microseconds}};
    memset(&action, 0, sizeof action);
    action.sa_handler = count;
    if (sigaction(SIGPROF, &action, NULL) != 0) {
        return -1;
    }
    return setitimer(ITIMER_PROF, &every, NULL);
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
