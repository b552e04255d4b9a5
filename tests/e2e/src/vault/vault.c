/* Some names are special where this was compiled with -DWORSE: the next worker has such a file. */
#include "vault.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef WORSE
#define WORSE 0
#endif

struct vault {
    char name[64];
    int size, most, sum, settings;
    long seal;
    char words[10][16];
};

struct shelf {
    char name[32];
    vault *in;
};

struct item {
    vault *in;
};

static int open_now;

/* Who is told new limits, until that vault is closed. */
static const vault *teller;
static int (*asked)(void *user, int most);
static void *asked_user;

static int begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static void break_now(void) {
    raise(SIGSEGV);
}

static void wait_for(int milliseconds) {
    struct timespec time = { milliseconds / 1000, (milliseconds % 1000) * 1000000L };
    nanosleep(&time, NULL);
}

static void *stays(void *unused) {
    wait_for(60000);
    return unused;
}

/* A worker that may not have so many is ended for it. */
static void start_threads(int count) {
    for (int i = 0; i < count; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, stays, NULL);
    }
}

static vault *made(const char *name) {
    vault *v = calloc(1, sizeof *v);
    strncpy(v->name, name, sizeof v->name - 1);
    v->most = 100;
    open_now++;
    return v;
}

vault *vault_open(const char *name, int size) {
    if (begins(name, "none") || (WORSE && begins(name, "gone"))) {
        return NULL;
    }
    if (WORSE && begins(name, "breaks")) {
        break_now();
    }
    if (WORSE && begins(name, "slow")) {
        wait_for(begins(name, "slowest") ? 3000 : 300);
    }
    if (WORSE && begins(name, "threads")) {
        start_threads(40);
        wait_for(5000);
    }
    vault *v = made(name);
    v->size = size;
    return v;
}

vault *vault_of(const void *seal, size_t length) {
    vault *v = made("sealed");
    for (size_t at = 0; at < length; at++) {
        v->seal += (long)(at + 1) * ((const unsigned char *)seal)[at];
    }
    v->size = (int)length;
    return v;
}

void vault_close(vault *v) {
    open_now--;
    if (teller == v) {
        vault_on_limit(NULL, NULL, NULL);
    }
    free(v);
}

const char *vault_name(const vault *v) {
    return v->name;
}

int vault_size(const vault *v) {
    return v->size;
}

long vault_seal(const vault *v) {
    return v->seal;
}

int vault_settings(const vault *v) {
    return v->settings;
}

int vault_limit(vault *v, int most) {
    if (most < 0 || (WORSE && most == 13)) {
        return -1;
    }
    v->settings++;
    v->most = most;
    if (asked) {
        asked(asked_user, most);
    }
    return 0;
}

int vault_most(const vault *v) {
    return v->most;
}

int vault_word(vault *v, int number, const char *word) {
    v->settings++;
    if (!WORSE && begins(word, "late")) {
        wait_for(1500);
    }
    strncpy(v->words[number % 10], word, 15);
    return 0;
}

const char *vault_told(const vault *v, int number) {
    return v->words[number % 10];
}

const char *vault_title(vault *v, const char *title) {
    strncpy(v->words[9], title, 15);
    return begins(title, "lies") ? NULL : v->words[9];
}

void vault_on_limit(vault *v, int (*run)(void *user, int most), void *user) {
    teller = v;
    asked = run;
    asked_user = user;
}

int vault_fill(vault *v, int worth) {
    v->sum += worth;
    return v->sum;
}

int vault_look(vault *v, int (*look)(void *user, int sum), void *user) {
    return look(user, v->sum);
}

int vault_add(vault *v, const vault *other) {
    return v->sum += other->sum;
}

shelf *shelf_open(vault *v, const char *name) {
    shelf *s = calloc(1, sizeof *s);
    strncpy(s->name, name, sizeof s->name - 1);
    s->in = v;
    open_now++;
    return s;
}

void shelf_close(shelf *s) {
    open_now--;
    free(s);
}

const char *shelf_name(const shelf *s) {
    return s->name;
}

int shelf_size(const shelf *s) {
    return s->in->size;
}

item *item_new(vault *v) {
    item *i = calloc(1, sizeof *i);
    i->in = v;
    return i;
}

void item_free(item *i) {
    free(i);
}

int item_size(const item *i) {
    return i->in->size;
}

vault *item_in(const item *i) {
    return i->in;
}

int vaults_open(void) {
    return open_now;
}

void vault_break(vault *v) {
    v->sum = 0;
    break_now();
}

void vaults_break(void) {
    break_now();
}

void vaults_kill(int signal) {
    kill(getpid(), signal);
    wait_for(5000);
}

void vaults_wait(int milliseconds) {
    wait_for(milliseconds);
}
