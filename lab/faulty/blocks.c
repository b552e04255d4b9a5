/* What libraries do with blocks on their threads, at the ends of these, and when the system has no more maps. See faulty.h. */
#define _GNU_SOURCE
#include "faulty.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *on_thread(void *(*what)(void *), int number)
{
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, what, (void *)(intptr_t)number) != 0) {
        return NULL;
    }
    pthread_join(thread, &result);
    return result;
}

static void *use_there(void *size)
{
    return (void *)(intptr_t)faulty_use_after_free((int)(intptr_t)size);
}

int faulty_use_after_free_in_thread(int size)
{
    return (int)(intptr_t)on_thread(use_there, size);
}

int faulty_double_free_in_child(int aborts)
{
    void *volatile block = malloc(40);
    pid_t child = (pid_t)syscall(SYS_fork);
    if (child == 0) {
        free(block);
        free(block);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (aborts) {
        abort();
    }
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static pthread_key_t last_key;

/* A key so late that the C library allocates for its value, and frees that when all destructors have run. */
static void *use_key(void *there)
{
    pthread_setspecific(last_key, there);
    return there;
}

int faulty_end_threads(int threads)
{
    for (int i = 0; i < 40; i++) {
        if (pthread_key_create(&last_key, NULL) != 0) {
            return -1;
        }
    }
    for (int i = 0; i < threads; i++) {
        if (on_thread(use_key, 1) == NULL) {
            return -1;
        }
    }
    void *block = malloc(100000);
    free(block);
    return block != NULL;
}

int faulty_resize(int from, int to)
{
    char *block = malloc((size_t)from);
    if (block == NULL) {
        return 0;
    }
    memset(block, 7, (size_t)from);
    char *resized = realloc(block, (size_t)to);
    if (resized == NULL) {
        free(block);
        return 0;
    }
    int kept = resized[(from < to ? from : to) - 1] == 7;
    free(resized);
    return kept;
}

int faulty_ask_for_all(int then_crashes)
{
    void *volatile block = malloc((size_t)-1);
    free(block);
    return then_crashes ? faulty_null_dereference() : block == NULL;
}

static void *allocate_there(void *blocks)
{
    for (intptr_t i = 0; i < (intptr_t)blocks; i++) {
        void *volatile block = malloc(40);
        free(block);
    }
    return blocks;
}

int faulty_short_threads(int threads, int blocks)
{
    for (int i = 0; i < threads; i++) {
        if (on_thread(allocate_there, blocks) == NULL) {
            return -1;
        }
    }
    return threads;
}

int faulty_regrow(int times)
{
    char *block = malloc(8);
    for (int i = 0; i < times && block != NULL; i++) {
        block = realloc(block, (size_t)(8 + i % 4000));
    }
    free(block);
    return block != NULL;
}

enum { BLOCKS = 11000, PAGE = 4096, PAIRS = 100000 };

int faulty_dirty_blocks(void)
{
    static unsigned char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(100);
        memset(blocks[i], 0x5a, 100);
    }
    size_t length = (size_t)2 * PAIRS * PAGE;
    char *all = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) {
        return -1;
    }
    for (size_t i = 0; i < PAIRS && mprotect(all + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE) == 0; i++) {
    }
    /* Those that are left. */
    mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < BLOCKS; i++) {
        free(blocks[i]);
    }
    munmap(all, length);
    int dirty = 0;
    for (int i = 0; i < BLOCKS + 1000; i++) {
        unsigned char *block = calloc(1, 100);
        for (int at = 0; block != NULL && at < 100; at++) {
            if (block[at] != 0) {
                dirty++;
                break;
            }
        }
    }
    return dirty;
}
