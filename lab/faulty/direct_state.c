/* What becomes of a program whose library changes what is the process's, or uses it up. See direct.h. */
#define _GNU_SOURCE
#include "direct.h"
#include "faulty.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

void change_locale(void)
{
    setenv("LOCPATH", word(0), 1);
    if (faulty_use_locale("comma", "1.5") >= 0) {
        double mine = strtod("1.5", NULL);
        returned(mine < 1.5 ? "when the program reads 1.5 as 1" : "in order");
    }
}

void change_signals(void)
{
    faulty_change_signals();
    struct sigaction mine;
    sigaction(SIGSEGV, NULL, &mine);
    returned(mine.sa_handler == SIG_IGN ? "when the program's signals are the library's" : "in order");
}

void leave_timer(void)
{
    faulty_leave_timer(5);
    struct timespec time = {60, 0};
    int disturbed = nanosleep(&time, NULL) != 0 && errno == EINTR;
    returned(disturbed ? "when the program cannot sleep any more" : "in order");
}

void round_up(void)
{
    volatile double one = 1, three = 3;
    double before = one / three;
    faulty_round_up();
    double mine = one / three;
    returned(mine != before ? "when the program's own sums are others" : "in order");
}

void lose_descriptors(void)
{
    struct rlimit limit = {64, 64};
    setrlimit(RLIMIT_NOFILE, &limit);
    while (faulty_keep_descriptors(1) == 1) {
    }
    returned(open("/dev/null", O_RDONLY) < 0 ? "when the program can open nothing" : "in order");
}

void lose_memory(void)
{
    limit_memory(256);
    while (faulty_allocate(1) == 1) {
    }
    void *volatile mine = malloc(1 << 20);
    returned(mine == NULL ? "when the program gets no memory" : "in order");
}

static void *nothing(void *unused)
{
    return unused;
}

void lose_threads(void)
{
    limit_memory(1024);
    while (faulty_leave_thread() == 1) {
    }
    pthread_t mine;
    returned(pthread_create(&mine, NULL, nothing, NULL) != 0 ? "when the program gets no thread" : "in order");
}
