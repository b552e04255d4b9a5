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
#include <sys/syscall.h>
#include <sys/wait.h>
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

/* Byte `at` of a block of `size` bytes; behind it from `size` on, before it below 0. */
int faulty_write_block(int size, int at)
{
    volatile char *block = malloc((size_t)size);
    block[at] = 'x';
    free((void *)block);
    return 0;
}

int faulty_read_block(int size, int at)
{
    volatile char *block = calloc(1, (size_t)size);
    int found = block[at];
    free((void *)block);
    return found;
}

__attribute__((noinline)) static void let_go(void *block)
{
    free(block);
}

int faulty_use_after_free(int size)
{
    volatile char *block = malloc((size_t)size);
    let_go((void *)block);
    return block[0];
}

int faulty_free_inside(int size)
{
    char *volatile block = malloc((size_t)size);
    free(block + 16);
    return 0;
}

int faulty_leak(int blocks, int bytes)
{
    for (int i = 0; i < blocks; i++) {
        void *volatile lost = malloc((size_t)bytes);
        (void)lost;
    }
    return blocks;
}

static void *kept_block;

int faulty_keep_block(int bytes)
{
    kept_block = realloc(kept_block, (size_t)bytes);
    return kept_block != NULL;
}

void faulty_drop_block(void)
{
    free(kept_block);
    kept_block = NULL;
}

static void *stay(void *nothing)
{
    for (;;) {
        pause();
    }
    return nothing;
}

int faulty_keep_threads(int count)
{
    int kept = 0;
    pthread_t thread;
    while (kept < count && pthread_create(&thread, NULL, stay, NULL) == 0) {
        pthread_detach(thread);
        kept++;
    }
    return kept;
}

int faulty_keep_descriptors(int count)
{
    int kept = 0;
    while (kept < count && dup(STDERR_FILENO) >= 0) {
        kept++;
    }
    return kept;
}

static pthread_barrier_t together;

static void *leak_there(void *bytes)
{
    void *volatile block = NULL;
    pthread_barrier_wait(&together);
    for (int i = 0; i < 1000; i++) {
        free(block);
        block = malloc((size_t)(intptr_t)bytes);
    }
    pthread_barrier_wait(&together);
    return block;
}

int faulty_leak_in_threads(int threads, int bytes)
{
    pthread_t all[64];
    if (threads > 64 || pthread_barrier_init(&together, NULL, (unsigned)threads) != 0) {
        return -1;
    }
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&all[i], NULL, leak_there, (void *)(intptr_t)bytes) != 0) {
            return -1;
        }
    }
    int leaked = 0;
    for (int i = 0; i < threads; i++) {
        void *block = NULL;
        pthread_join(all[i], &block);
        leaked += block != NULL;
    }
    return leaked;
}

/* As many libraries do: nobody looks whether there is memory. */
int faulty_fill(int mebibytes)
{
    char *block = malloc((size_t)mebibytes << 20);
    memset(block, 1, (size_t)mebibytes << 20);
    int found = block[mebibytes];
    free(block);
    return found;
}

/* Ends as `how` says where there is no memory: 0 it fails, 1 it aborts, 2 it exits. */
int faulty_need(int mebibytes, int how)
{
    char *block = malloc((size_t)mebibytes << 20);
    if (block == NULL) {
        if (how == 1) {
            abort();
        }
        if (how == 2) {
            exit(3);
        }
        return -1;
    }
    free(block);
    return 0;
}

/* Every way of allocating, and of freeing: whether all of it is as it should be. */
int faulty_allocators(int size)
{
    int good = 1;
    void *aligned = NULL;
    size_t bytes = (size_t)size;
    for (size_t alignment = 16; alignment <= 8192; alignment *= 2) {
        good &= posix_memalign(&aligned, alignment, bytes) == 0 && (uintptr_t)aligned % alignment == 0;
        memset(aligned, 7, bytes);
        free(aligned);
        aligned = aligned_alloc(alignment, bytes);
        good &= aligned != NULL && (uintptr_t)aligned % alignment == 0;
        memset(aligned, 7, bytes);
        char *moved = realloc(aligned, 2 * bytes + 1);
        good &= moved != NULL && (size == 0 || moved[size - 1] == 7);
        moved[2 * bytes] = 1;
        moved = realloc(moved, bytes / 2 + 1);
        good &= moved != NULL && (size == 0 || moved[0] == 7);
        free(moved);
    }
    char *zero = calloc(bytes + 1, 3);
    for (size_t i = 0; i < 3 * (bytes + 1); i++) {
        good &= zero[i] == 0;
    }
    free(zero);
    good &= posix_memalign(&aligned, 3, bytes) == EINVAL;
    good &= calloc(SIZE_MAX / 2, 3) == NULL && malloc(SIZE_MAX) == NULL;
    free(NULL);
    char *text = strdup("of the C library");
    good &= strcmp(text, "of the C library") == 0;
    free(text);
    return good;
}

/* In a child, which is not the worker: whether it may allocate. */
int faulty_allocate_in_child(int raw)
{
    char *before = malloc(100);
    pid_t child = raw ? (pid_t)syscall(SYS_fork) : fork();
    if (child == 0) {
        char *block = realloc(malloc(50), 5000);
        memset(block, 1, 5000);
        free(block);
        free(before);
        _exit(42);
    }
    int status = 0;
    waitpid(child, &status, 0);
    free(before);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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
