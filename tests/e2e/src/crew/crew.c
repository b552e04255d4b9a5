#define _GNU_SOURCE
#include "crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

struct crew_member {
    int number;
    int (*asked)(int, void *);
    void *user;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int here, met, staying, called_off, members;
static crew_member *newest;

int crew_add(int a, int b)
{
    return a + b;
}

static struct timespec in(int milliseconds)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += milliseconds / 1000;
    at.tv_nsec += milliseconds % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

int crew_meet(int count, int patience)
{
    struct timespec until = in(patience);
    int late = 0;
    pthread_mutex_lock(&lock);
    int meeting = met;
    if (++here == count) {
        met++;
        here = 0;
        pthread_cond_broadcast(&changed);
    }
    while (met == meeting && !late) {
        late = pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT;
    }
    if (met == meeting) {
        here--;
    } else {
        late = 0;
    }
    pthread_mutex_unlock(&lock);
    return late ? -1 : 0;
}

int crew_meet_one(int seconds)
{
    return crew_meet(2, seconds * 1000);
}

int crew_waiting(void)
{
    pthread_mutex_lock(&lock);
    int count = here;
    pthread_mutex_unlock(&lock);
    return count;
}

int crew_thread(void)
{
    return (int)gettid();
}

uint64_t crew_sum(const uint8_t *data, size_t length)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += data[i];
    }
    return sum;
}

size_t crew_fill(uint8_t *to, size_t size, int byte)
{
    memset(to, byte, size);
    return size;
}

int crew_fail(int number)
{
    errno = number;
    int own = errno;
    crew_meet(2, 20000);
    errno = own;
    return -1;
}

crew_member *crew_hire(int number)
{
    crew_member *member = calloc(1, sizeof *member);
    if (member != NULL) {
        member->number = number;
        __atomic_add_fetch(&members, 1, __ATOMIC_SEQ_CST);
        __atomic_store_n(&newest, member, __ATOMIC_SEQ_CST);
    }
    return member;
}

crew_member *crew_newest(void)
{
    return __atomic_load_n(&newest, __ATOMIC_SEQ_CST);
}

int crew_number(crew_member *member)
{
    return member->number;
}

int crew_stay(crew_member *member, int longest)
{
    struct timespec until = in(longest);
    pthread_mutex_lock(&lock);
    staying++;
    pthread_cond_broadcast(&changed);
    while (!called_off && pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT) {
    }
    called_off = 0;
    staying--;
    pthread_mutex_unlock(&lock);
    return member->number;
}

int crew_staying(void)
{
    pthread_mutex_lock(&lock);
    int count = staying;
    pthread_mutex_unlock(&lock);
    return count;
}

void crew_call_off(void)
{
    pthread_mutex_lock(&lock);
    called_off = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static pthread_mutex_t room = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void crew_dismiss(crew_member *member)
{
    pthread_mutex_lock(&room);
    __atomic_sub_fetch(&members, 1, __ATOMIC_SEQ_CST);
    free(member);
    pthread_mutex_unlock(&room);
}

int crew_each_in_room(int count, int (*work)(int, void *), void *user)
{
    pthread_mutex_lock(&room);
    int sum = crew_each(count, work, user);
    pthread_mutex_unlock(&room);
    return sum;
}

int crew_fork(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        exit(0);
    }
    waitpid(child, &status, 0);
    return status;
}

int crew_count(void)
{
    return __atomic_load_n(&members, __ATOMIC_SEQ_CST);
}

int crew_each(int count, int (*work)(int, void *), void *user)
{
    int sum = 0;
    for (int i = 0; i < count; i++) {
        sum += work(i, user);
    }
    return sum;
}

void crew_on_ask(crew_member *member, int (*asked)(int, void *), void *user)
{
    member->asked = asked;
    member->user = user;
}

int crew_ask(crew_member *member, int number)
{
    return member->asked == NULL ? -2 : member->asked(number, member->user);
}

static int deeper(volatile char *above)
{
    volatile char page[4096];
    page[0] = above == NULL ? 1 : above[0];
    return page[0] < 0 ? 0 : page[0] + deeper(page);
}

int crew_fault(int how)
{
    switch (how) {
    case 0:
        *(volatile int *)NULL = 1;
        break;
    case 1:
        abort();
    case 2:
        exit(3);
    case 3:
        for (;;) {
            pause();
        }
    default:
        return deeper(NULL);
    }
    return 0;
}
