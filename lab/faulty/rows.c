/* See rows.h. As in faulty.c, every fault must really happen. */
#define _GNU_SOURCE
#include "attacks.h"
#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) static void fill(volatile unsigned char *at, size_t bytes, unsigned char with)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = with;
    }
}

int faulty_corrupt_heap(void)
{
    /* So large that it is cut from the end of the heap: behind it lies what the allocator notes of the rest, and no block. */
    const size_t size = 100000;
    unsigned char *block = malloc(size);
    fill(block, size + 16, 0x41);
    return 1;
}

int faulty_use_heap(void)
{
    void *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        blocks[i] = malloc(16 + i * i * 16);
    }
    for (size_t i = 0; i < 64; i++) {
        free(blocks[i]);
    }
    return 64;
}

int faulty_overflow_block(int bytes)
{
    /* Beyond what is kept for each thread, so that the allocator looks at the sizes. */
    unsigned char *block = malloc(2000), *behind = malloc(2000), *last = malloc(24);
    fill(block, (size_t)bytes, 0x41);
    free(behind);
    free(block);
    free(last);
    return bytes;
}

int faulty_leave(unsigned char *out, size_t *out_len)
{
    (void)out;
    return (int)*out_len;
}

int faulty_scribble(void)
{
    struct {
        unsigned long start, end;
    } shared[64];
    char line[512], rights[5];
    size_t count = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && count < 64 && fgets(line, sizeof line, maps) != NULL) {
        if (sscanf(line, "%lx-%lx %4s", &shared[count].start, &shared[count].end, rights) == 3) {
            count += strcmp(rights, "rw-s") == 0;
        }
    }
    if (count == 0) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        fill((unsigned char *)shared[i].start, shared[i].end - shared[i].start, 0xa5);
    }
    for (;;) {
        pause();
    }
}

int faulty_die_idle(void)
{
    /* One of its own: the timers that every process has are not left running. */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec soon = {.it_value = {.tv_nsec = 20000000}};
    timer_t timer;
    return timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &soon, NULL) != 0;
}

int faulty_build(int blocks)
{
    char *built[64] = {NULL};
    int made = 0;
    while (made < blocks && made < 64) {
        built[made] = malloc(1 << 20);
        if (built[made] == NULL) {
            break;
        }
        built[made++][0] = 1;
    }
    for (int i = 0; i < made; i++) {
        free(built[i]);
    }
    return made == blocks ? made : -1;
}

int faulty_give_up(int status)
{
    fprintf(stderr, "fatal: this input is not for me\n");
    exit(status);
}

static jmp_buf outer;

int faulty_outer(int (*visit)(void *user, int number), void *user)
{
    if (setjmp(outer) != 0) {
        return -7;
    }
    return visit(user, 1) + visit(user, 2);
}

int faulty_inner(int number)
{
    if (number == 1) {
        longjmp(outer, 1);
    }
    return number;
}

__attribute__((noinline)) static int descend(jmp_buf top, int depth)
{
    volatile int left = depth;
    if (left == 0) {
        longjmp(top, 1);
    }
    return descend(top, left - 1) + left;
}

int faulty_jump_within(int depth)
{
    jmp_buf top;
    if (setjmp(top) != 0) {
        return -1;
    }
    return depth < 0 ? 0 : descend(top, depth);
}

enum faulty_colour faulty_odd_colour(void)
{
    return (enum faulty_colour)99;
}

_Bool faulty_odd_truth(void)
{
    /* As a library does that was compiled when it was a char. */
    static unsigned char number = 2;
    return *(volatile _Bool *)&number;
}

double faulty_not_a_number(void)
{
    volatile double zero = 0;
    return zero / zero;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int faulty_locked(int (*visit)(void *user, int number), void *user)
{
    pthread_mutex_lock(&lock);
    int seen = visit(user, 1);
    pthread_mutex_unlock(&lock);
    return seen;
}

struct visitor {
    int (*visit)(void *user, int number);
    void *user;
    int seen;
};

static void *visit_there(void *of)
{
    struct visitor *visitor = of;
    visitor->seen = visitor->visit(visitor->user, 20);
    return NULL;
}

int faulty_call_back_in_thread(int (*visit)(void *user, int number), void *user)
{
    struct visitor visitor = {visit, user, 0};
    pthread_t thread;
    if (pthread_create(&thread, NULL, visit_there, &visitor) != 0) {
        return -1;
    }
    pthread_join(thread, NULL);
    return visitor.seen;
}

int faulty_truncated_map(void)
{
    int fd = memfd_create("faulty", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 8192) != 0) {
        return -errno;
    }
    volatile char *map = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED || ftruncate(fd, 0) != 0) {
        return -errno;
    }
    return map[4096];
}

int faulty_broken_pipe(void)
{
    int pipes[2];
    if (pipe(pipes) != 0) {
        return errno;
    }
    close(pipes[0]);
    int failed = write(pipes[1], "x", 1) < 0 ? errno : 0;
    close(pipes[1]);
    return failed;
}

static void come_again(int number)
{
    (void)number;
}

int faulty_swallow_crash(void)
{
    struct sigaction action = {.sa_handler = come_again};
    sigaction(SIGSEGV, &action, NULL);
    volatile int *nowhere = NULL;
    *nowhere = 1;
    return 0;
}

int faulty_reap_children(void)
{
    signal(SIGCHLD, SIG_IGN);
    return waitpid(-1, NULL, WNOHANG) < 0 ? errno : 0;
}

static void stay(void)
{
    for (;;) {
        sleep(60);
    }
}

int faulty_fork_and_stay(void)
{
    pid_t child = fork();
    if (child == 0) {
        stay();
    }
    return child < 0 ? -errno : 1;
}

int faulty_become_daemon(void)
{
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() == 0) {
            stay();
        }
        _exit(0);
    }
    if (child < 0) {
        return -errno;
    }
    waitpid(child, NULL, 0);
    return 1;
}

int faulty_race(int times)
{
    static volatile int count;
    for (int i = 0; i < times; i++) {
        int seen = count;
        sched_yield();
        count = seen + 1;
    }
    return count;
}

static pthread_mutex_t needed = PTHREAD_MUTEX_INITIALIZER;
static int holds;

static void *hold(void *ready)
{
    pthread_mutex_lock(&needed);
    holds = 1;
    pthread_barrier_wait(ready);
    stay();
    return NULL;
}

int faulty_hold_lock(void)
{
    static pthread_barrier_t ready;
    pthread_t thread;
    pthread_barrier_init(&ready, NULL, 2);
    if (pthread_create(&thread, NULL, hold, &ready) != 0) {
        return -1;
    }
    pthread_detach(thread);
    pthread_barrier_wait(&ready);
    return 1;
}

__attribute__((destructor)) static void need_lock(void)
{
    if (holds) {
        pthread_mutex_lock(&needed);
    }
}

static void *burn(void *unused)
{
    volatile int forever = 1;
    while (forever) {
    }
    return unused;
}

int faulty_burn(int threads)
{
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, burn, NULL) != 0) {
            return -1;
        }
    }
    burn(NULL);
    return threads;
}

int faulty_change_directory(const char *path)
{
    return chdir(path) != 0 ? errno : 0;
}

int faulty_change_mask(int mask)
{
    return (int)umask((mode_t)mask);
}

int faulty_set_variable(const char *name, const char *value)
{
    return setenv(name, value, 1) != 0 ? errno : 0;
}

int faulty_clear_environment(void)
{
    return clearenv();
}

int faulty_replace_descriptors(void)
{
    int replaced = 0, pipes[2];
    if (pipe(pipes) != 0) {
        return -errno;
    }
    for (int fd = 3; fd < 256; fd++) {
        if (fd != pipes[0] && fd != pipes[1] && fcntl(fd, F_GETFD) >= 0) {
            replaced += dup2(pipes[1], fd) == fd;
        }
    }
    return replaced;
}

int faulty_flood(int mebibytes)
{
    static unsigned char noise[1 << 16];
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (unsigned char)(i * 2654435761u >> 13);
        noise[i] = noise[i] == '\n' ? 0x9b : noise[i];
    }
    for (int i = 0; i < mebibytes * 16; i++) {
        for (size_t done = 0; done < sizeof noise;) {
            ssize_t written = write(STDOUT_FILENO, noise + done, sizeof noise - done);
            if (written < 0 && errno != EAGAIN && errno != EINTR) {
                return -errno;
            }
            done += written > 0 ? (size_t)written : 0;
        }
    }
    return mebibytes;
}

int faulty_say(const char *text)
{
    int said = printf("%s\n", text);
    fflush(stdout);
    return said;
}

int faulty_fill_disk(int mebibytes)
{
    static char block[1 << 20];
    char path[] = P_tmpdir "/faulty-XXXXXX";
    int fd = mkstemp(path), failed = 0;
    if (fd < 0) {
        return errno;
    }
    unlink(path);
    for (int i = 0; i < mebibytes && failed == 0; i++) {
        failed = write(fd, block, sizeof block) < 0 ? errno : 0;
    }
    close(fd);
    return failed;
}

/* The program that makes another version of the library's file finds the number by these words. */
struct version {
    char mark[24];
    int number;
};
__attribute__((used)) static volatile const struct version version = {"faulty library, version", 1};

int faulty_version_number(void)
{
    return version.number;
}

int faulty_version(void)
{
    /* Through the table of symbols, as between the files of a library. */
    return faulty_version_number();
}

const char *faulty_endless_text(void)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return NULL;
    }
    fill((unsigned char *)pages, 4096, 'x');
    return mprotect(pages + 4096, 4096, PROT_NONE) == 0 ? pages : NULL;
}

int faulty_execute_data(void)
{
#if defined(__x86_64__)
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
#elif defined(__aarch64__)
    static const unsigned char code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return -errno;
    }
    memcpy(page, code, sizeof code);
    __builtin___clear_cache((char *)page, (char *)page + sizeof code);
    int answer = ((int (*)(void))(uintptr_t)page)();
    munmap(page, 4096);
    return answer;
}

int faulty_read_file(const char *path)
{
    return attack_first_byte(path);
}

int faulty_format(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int printed = vfprintf(stderr, format, values);
    va_end(values);
    return printed;
}

/* What a library does before anybody calls it. */
__attribute__((constructor)) static void construct(void)
{
    const char *how = getenv("FAULTY_CONSTRUCTOR"), *sign = getenv("FAULTY_CONSTRUCTOR_SIGN");
    if (sign != NULL && access(sign, F_OK) != 0) {
        return;
    }
    if (how != NULL && strcmp(how, "crash") == 0) {
        volatile int *nowhere = NULL;
        *nowhere = 1;
    }
    if (how != NULL && strcmp(how, "hang") == 0) {
        stay();
    }
}
