/* See faulty.h. Compiled without optimisation of the faults themselves: every one must really happen. */
#define _GNU_SOURCE
#include "faulty.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int faulty_add(int a, int b)
{
    return (int)((unsigned)a + (unsigned)b);
}

int faulty_null_dereference(void)
{
    volatile int *nowhere = NULL;
    *nowhere = 1;
    return 0;
}

int faulty_wild_pointer(void)
{
    volatile int *wild = NULL;
    memcpy(&wild, "the text", sizeof wild);
    return *wild;
}

int faulty_stack_overflow(int depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    int below = faulty_stack_overflow(depth + 1);
    return below + frame[0];
}

void faulty_abort(void)
{
    abort();
}

void faulty_exit(int status)
{
    exit(status);
}

static void *exit_thread(void *status)
{
    _exit((int)(intptr_t)status);
}

void faulty_exit_in_thread(int status)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, exit_thread, (void *)(intptr_t)status) == 0) {
        pthread_join(thread, NULL);
    }
}

int faulty_loop(void)
{
    volatile int forever = 1;
    while (forever) {
    }
    return 0;
}

int faulty_sleep(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
    return milliseconds;
}

int faulty_double_free(void)
{
    void *volatile block = malloc(64);
    free(block);
    free(block);
    return 0;
}

__attribute__((noinline)) static void fill(volatile char *at, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = 'x';
    }
}

int faulty_smash_stack(int bytes)
{
    char frame[16];
    fill(frame, bytes);
    return frame[0];
}

int faulty_divide(int dividend, int divisor)
{
    volatile int d = divisor;
    return dividend / d;
}

int faulty_illegal_instruction(void)
{
    __builtin_trap();
}

int faulty_breakpoint(void)
{
#if defined(__x86_64__)
    __asm__ volatile("int3");
#else
    raise(SIGTRAP);
#endif
    return 1;
}

int faulty_raise(int signal)
{
    return raise(signal);
}

int faulty_deadlock(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    return pthread_mutex_lock(&mutex);
}

int faulty_assert(int value)
{
    assert(value == 42 && "the value must be 42");
    return value;
}

int faulty_ignore_signals(void)
{
    for (int i = 1; i < 65; i++) {
        signal(i, SIG_IGN);
    }
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    return faulty_loop();
}

int faulty_overflow_without_altstack(void)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    return faulty_stack_overflow(0);
}

int faulty_exit_thread(void)
{
    pthread_exit(NULL);
}

int faulty_fork_and_abort(void)
{
    if (fork() == 0) {
        sleep(60);
        _exit(0);
    }
    abort();
}

static void *crash_later(void *unused)
{
    (void)unused;
    usleep(50000);
    faulty_null_dereference();
    return NULL;
}

int faulty_crash_later(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, crash_later, NULL) == 0) {
        pthread_detach(thread);
    }
    return 1;
}

int faulty_close_descriptors(void)
{
    int closed = 0;
    for (int fd = 0; fd < 1024; fd++) {
        closed += close(fd) == 0;
    }
    return closed;
}

int faulty_write_input(const unsigned char *data, size_t data_len)
{
    memset((void *)(uintptr_t)data, 'x', data_len);
    return 0;
}

int faulty_write_around(unsigned char *out, size_t *out_len, int length)
{
    volatile unsigned char *around = out;
    for (int i = -length; i < (int)*out_len + length; i++) {
        around[i] = 0xff;
    }
    return 0;
}

int faulty_claim(unsigned char *out, size_t *out_len, size_t claim)
{
    memset(out, 'x', *out_len);
    *out_len = claim;
    return 0;
}

const char *faulty_bad_text(void)
{
    return "caf\xe9";
}

const char *faulty_no_text(void)
{
    return NULL;
}

const char *faulty_long_text(int bytes)
{
    static char *text;
    free(text);
    text = malloc((size_t)bytes + 1);
    if (text != NULL) {
        memset(text, 'x', (size_t)bytes);
        text[bytes] = '\0';
    }
    return text;
}

int faulty_print(const char *text, int times)
{
    for (int i = 0; i < times; i++) {
        fputs(text, stderr);
    }
    return times;
}

int faulty_errno(int number)
{
    errno = number;
    return -1;
}

const char *faulty_environment(const char *name)
{
    return getenv(name);
}

int faulty_descriptors(void)
{
    int open = 0;
    for (int fd = 0; fd < 4096; fd++) {
        open += fcntl(fd, F_GETFD) >= 0;
    }
    return open;
}

int faulty_allocate(int mebibytes)
{
    int got = 0;
    while (got < mebibytes) {
        char *block = malloc(1 << 20);
        if (block == NULL) {
            break;
        }
        memset(block, 1, 1 << 20);
        got++;
    }
    return got;
}

int faulty_count(void)
{
    static int calls;
    return ++calls;
}
