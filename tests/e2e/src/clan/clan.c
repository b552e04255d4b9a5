#define _GNU_SOURCE
#include "clan.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct clan {
    int inside; /* the thread that is, 0 none */
    int depth;
    int used; /* without atomics: one thread at a time */
};

struct clan_member {
    clan *of;
    int number;
};

struct clan_pen {
    int thread;
    int written;
};

struct clan_cap {
    clan_pen *pen;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int here, met, staying, called_off, count, pens;

static void wrong(const char *what)
{
    fprintf(stderr, "clan: %s\n", what);
    abort();
}

static void enter(clan *of)
{
    int none = 0, self = (int)gettid();
    if (!__atomic_compare_exchange_n(&of->inside, &none, self, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) &&
        none != self) {
        wrong("two threads are inside one clan");
    }
    of->depth++;
    of->used++;
}

static void leave(clan *of)
{
    if (--of->depth == 0) {
        __atomic_store_n(&of->inside, 0, __ATOMIC_SEQ_CST);
    }
}

static void here_only(clan_pen *pen)
{
    if (pen->thread != (int)gettid()) {
        wrong("a pen is used by another thread than the one that made it");
    }
}

static clan *newest;

clan *clan_new(void)
{
    clan *made = calloc(1, sizeof(clan));
    __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&newest, made, __ATOMIC_SEQ_CST);
    return made;
}

clan *clan_newest(void)
{
    return __atomic_load_n(&newest, __ATOMIC_SEQ_CST);
}

void clan_free(clan *of)
{
    enter(of);
    __atomic_sub_fetch(&count, 1, __ATOMIC_SEQ_CST);
    free(of);
}

clan_member *clan_member_new(clan *of, int number)
{
    enter(of);
    clan_member *member = calloc(1, sizeof *member);
    member->of = of;
    member->number = number;
    __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
    leave(of);
    return member;
}

void clan_member_free(clan_member *member)
{
    clan *of = member->of;
    enter(of);
    __atomic_sub_fetch(&count, 1, __ATOMIC_SEQ_CST);
    free(member);
    leave(of);
}

int clan_member_number(clan_member *member)
{
    enter(member->of);
    int number = member->number;
    leave(member->of);
    return number;
}

int clan_use(clan *of)
{
    enter(of);
    int used = of->used;
    for (volatile int i = 0; i < 2000; i++) {
    }
    if (of->used != used) {
        wrong("somebody else has used it meanwhile");
    }
    leave(of);
    return used;
}

int clan_use_both(clan *one, clan *other)
{
    enter(one);
    enter(other);
    int used = clan_use(one) + clan_use(other);
    leave(other);
    leave(one);
    return used;
}

int clan_use_all(clan **all, int count)
{
    int used = 0;
    for (int i = 0; i < count; i++) {
        enter(all[i]);
    }
    for (int i = 0; i < count; i++) {
        used += clan_use(all[i]);
    }
    for (int i = count; i > 0; i--) {
        leave(all[i - 1]);
    }
    return used;
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

int clan_meet(clan *of, int wanted, int patience)
{
    struct timespec until = in(patience);
    int late = 0;
    enter(of);
    pthread_mutex_lock(&lock);
    int meeting = met;
    if (++here == wanted) {
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
    leave(of);
    return late ? -1 : 0;
}

int clan_member_meet(clan_member *member, int wanted, int patience)
{
    return clan_meet(member->of, wanted, patience);
}

static int stay(int longest)
{
    struct timespec until = in(longest);
    int mine = 0;
    pthread_mutex_lock(&lock);
    staying++;
    while (called_off == 0 && pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT) {
    }
    if (called_off > 0) {
        called_off--;
        mine = 1;
    }
    staying--;
    pthread_mutex_unlock(&lock);
    return mine;
}

int clan_stay(clan *of, int longest)
{
    enter(of);
    int mine = stay(longest);
    leave(of);
    return mine;
}

int clan_staying(void)
{
    pthread_mutex_lock(&lock);
    int number = staying;
    pthread_mutex_unlock(&lock);
    return number;
}

void clan_call_off(int number)
{
    pthread_mutex_lock(&lock);
    called_off += number;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

int clan_die(clan *of, int longest)
{
    enter(of);
    stay(longest);
    *(volatile int *)NULL = 1;
    return 0;
}

int clan_each(clan *of, int number, int (*work)(int, void *), void *user)
{
    int sum = 0;
    enter(of);
    for (int i = 0; i < number; i++) {
        sum += work(i, user);
    }
    leave(of);
    return sum;
}

int clan_show(clan *of, int (*look)(clan_member *, void *), void *user)
{
    clan_member own = {of, 7};
    enter(of);
    int said = look(&own, user);
    leave(of);
    return said;
}

static int (*kept)(int, void *);
static void *kept_user;

void clan_keep(clan *of, int (*work)(int, void *), void *user)
{
    enter(of);
    kept = work;
    kept_user = user;
    leave(of);
}

int clan_ring(clan *of, int number)
{
    enter(of);
    int said = kept(number, kept_user);
    leave(of);
    return said;
}

int clan_count(void)
{
    return __atomic_load_n(&count, __ATOMIC_SEQ_CST);
}

clan_pen *clan_pen_new(void)
{
    clan_pen *pen = calloc(1, sizeof *pen);
    pen->thread = (int)gettid();
    __atomic_add_fetch(&pens, 1, __ATOMIC_SEQ_CST);
    return pen;
}

void clan_pen_free(clan_pen *pen)
{
    here_only(pen);
    __atomic_sub_fetch(&pens, 1, __ATOMIC_SEQ_CST);
    free(pen);
}

int clan_pen_write(clan_pen *pen)
{
    here_only(pen);
    return ++pen->written;
}

int clan_pen_stay(clan_pen *pen, int longest)
{
    here_only(pen);
    return stay(longest);
}

int clan_pens_write(clan_pen *one, clan_pen *other)
{
    return clan_pen_write(one) + clan_pen_write(other);
}

clan_cap *clan_cap_new(clan_pen *pen)
{
    here_only(pen);
    clan_cap *cap = calloc(1, sizeof *cap);
    cap->pen = pen;
    __atomic_add_fetch(&pens, 1, __ATOMIC_SEQ_CST);
    return cap;
}

void clan_cap_free(clan_cap *cap)
{
    here_only(cap->pen);
    __atomic_sub_fetch(&pens, 1, __ATOMIC_SEQ_CST);
    free(cap);
}

int clan_cap_use(clan_cap *cap)
{
    return clan_pen_write(cap->pen);
}

int clan_pen_count(void)
{
    return __atomic_load_n(&pens, __ATOMIC_SEQ_CST);
}
