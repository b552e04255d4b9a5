/* See state.h. As in faulty.c, every fault must really happen. */
#define _GNU_SOURCE
#include "state.h"

#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int faulty_use_locale(const char *name, const char *text)
{
    return setlocale(LC_NUMERIC, name) == NULL ? -1 : faulty_thousandths(text);
}

int faulty_thousandths(const char *text)
{
    return (int)(strtod(text, NULL) * 1000);
}

static volatile sig_atomic_t went_off;

static void count(int number)
{
    (void)number;
    went_off++;
}

int faulty_change_signals(void)
{
    struct sigaction action = {.sa_handler = count};
    sigset_t blocked;
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGSEGV, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    return faulty_changed_signals();
}

int faulty_changed_signals(void)
{
    struct sigaction user, crash;
    sigset_t blocked;
    sigaction(SIGUSR1, NULL, &user);
    sigaction(SIGSEGV, NULL, &crash);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    return (user.sa_handler != SIG_DFL) + (crash.sa_handler == SIG_IGN) + (sigismember(&blocked, SIGTERM) == 1);
}

int faulty_leave_timer(int milliseconds)
{
    /* Without SA_RESTART: what sleeps is disturbed. */
    struct sigaction action = {.sa_handler = count};
    struct itimerval every = {{0, milliseconds * 1000}, {0, milliseconds * 1000}};
    went_off = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    while (went_off == 0) {
        faulty_rest(1000);
    }
    return went_off != 0;
}

int faulty_rest(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    return nanosleep(&time, NULL) != 0 ? errno : 0;
}

int faulty_round_up(void)
{
    return fesetround(FE_UPWARD);
}

double faulty_third(void)
{
    volatile double one = 1, three = 3;
    return one / three;
}

static void *stay(void *nothing)
{
    for (;;) {
        pause();
    }
    return nothing;
}

int faulty_leave_thread(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, stay, NULL) == 0;
}
