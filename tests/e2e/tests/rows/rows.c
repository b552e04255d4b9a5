/* See rows.h. */
#define _GNU_SOURCE
#include "rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int wrong;

int rows_add(int a, int b)
{
    return (int)((unsigned)a + (unsigned)b + (unsigned)wrong);
}

void rows_poison(void)
{
    wrong = 1;
}

static volatile unsigned long turns;

static void *spin(void *unused)
{
    for (;;) {
        turns++;
    }
    return unused;
}

int rows_spin(int threads)
{
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        int failed = pthread_create(&thread, NULL, spin, NULL);
        if (failed != 0) {
            return failed;
        }
        pthread_detach(thread);
    }
    return 0;
}

void rows_loop(void)
{
    spin(NULL);
}

void rows_loop_on(void)
{
    signal(SIGXCPU, SIG_IGN);
    spin(NULL);
}

int rows_reserve(int gibibytes)
{
    size_t size = (size_t)gibibytes << 30;
    void *place = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return place == MAP_FAILED ? errno : munmap(place, size);
}

long rows_picture(const unsigned char *data, size_t data_len)
{
    uint32_t width = 0, height = 0;
    if (data_len < 9) {
        return -2;
    }
    memcpy(&width, data, sizeof width);
    memcpy(&height, data + 4, sizeof height);
    size_t pixels = (size_t)width * height;
    unsigned char *picture = malloc(pixels);
    if (picture == NULL) {
        return -1;
    }
    memset(picture, data[8], pixels);
    long last = picture[pixels - 1] == data[8] ? (long)pixels : -3;
    free(picture);
    return last;
}

static unsigned char *remembered;

int rows_remember(const unsigned char *data, size_t data_len)
{
    free(remembered);
    remembered = malloc(data_len);
    if (remembered == NULL) {
        return -1;
    }
    memcpy(remembered, data, data_len);
    return 0;
}

/* Reads /proc/self/maps line by line, and looks through what can be read. */
long rows_search(const unsigned char *data, size_t data_len)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL || data_len == 0) {
        return -errno;
    }
    long found = 0;
    char line[512];
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        char rights[8];
        if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 || rights[0] != 'r') {
            continue;
        }
        if (strstr(line, "[vvar") != NULL || strstr(line, "[vsyscall") != NULL) {
            continue;
        }
        const unsigned char *at = (const unsigned char *)start, *last = (const unsigned char *)end - data_len;
        for (; at <= last; at++) {
            size_t same = 0;
            while (same < data_len && (at[same] ^ data[same]) == 0xff) {
                same++;
            }
            found += same == data_len;
        }
    }
    fclose(maps);
    return found;
}

static int write_all(int file, int kibibytes)
{
    static const char block[1024] = {1};
    for (int i = 0; i < kibibytes; i++) {
        if (write(file, block, sizeof block) != sizeof block) {
            return errno;
        }
    }
    return 0;
}

/* A file for each of so many KiB, each empty. */
static int scatter(const char *folder, int files)
{
    char path[4096];
    for (int i = 0; i < files; i++) {
        snprintf(path, sizeof path, "%s/empty-%d", folder, i);
        int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) {
            return errno;
        }
        close(file);
    }
    return 0;
}

int rows_store(int kibibytes, int way)
{
    char path[4096];
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || way == ROWS_SCATTERED) {
        return folder == NULL ? ENOENT : scatter(folder, kibibytes);
    }
    snprintf(path, sizeof path, "%s", folder);
    for (int depth = way == ROWS_DEEP ? 100 : way == ROWS_SHUT; depth > 0; depth--) {
        strcat(path, "/d");
        /* One that may be entered, and not listed. */
        if (mkdir(path, way == ROWS_SHUT ? 0300 : 0700) != 0 && errno != EEXIST) {
            return errno;
        }
    }
    strcat(path, "/XXXXXX");
    int file = mkstemp(path);
    if (file < 0) {
        return errno;
    }
    if ((way == ROWS_OPEN || way == ROWS_MAPPED) && unlink(path) != 0) {
        return errno;
    }
    size_t size = (size_t)kibibytes << 10;
    if (way == ROWS_MAPPED) {
        if (ftruncate(file, (off_t)size) != 0) {
            return errno;
        }
        void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
        if (mapped == MAP_FAILED) {
            return errno;
        }
        memset(mapped, 1, size);
        return 0;
    }
    int error = write_all(file, kibibytes);
    if (way != ROWS_OPEN) {
        close(file);
    }
    return error;
}

int rows_fill(int kibibytes, int way)
{
    int error = rows_store(kibibytes, way);
    while (error == 0) {
        pause();
    }
    return error;
}

static void *store_on(void *unused)
{
    while (rows_store(64, ROWS_NAMED) == 0) {
        usleep(1000);
    }
    return unused;
}

int rows_store_on(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, store_on, NULL);
}

int rows_stored(void)
{
    const char *folder = getenv("TMPDIR");
    DIR *list = folder == NULL ? NULL : opendir(folder);
    if (list == NULL) {
        return -errno;
    }
    int names = 0;
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        names += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(list);
    return names;
}

static char message[1 << 20];

int rows_fail(int length)
{
    static const char words[] = "\x1b[2J\x1b]0;title\x07\r\nERROR forged\xc2\x9b" "31m ";
    size_t size = (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
    for (size_t i = 0; i < size; i++) {
        message[i] = words[i % (sizeof words - 1)];
    }
    message[size] = 0;
    return 1;
}

const char *rows_message(void)
{
    return message;
}

void rows_crash(void)
{
    abort();
}
