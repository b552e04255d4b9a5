#define _GNU_SOURCE
#include "needy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int first = -1;

static int sum_of(int file)
{
    unsigned char byte;
    int sum = 0;
    while (read(file, &byte, 1) == 1) {
        sum += byte;
    }
    close(file);
    return sum;
}

__attribute__((constructor)) static void at_load(void)
{
    int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    unsigned char byte;
    first = file >= 0 && read(file, &byte, 1) == 1 ? byte : -errno;
    close(file);
}

int needy_sum(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    return file < 0 ? -errno : sum_of(file);
}

int needy_append(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, "x", 1) != 1) {
        return -errno;
    }
    int length = (int)lseek(file, 0, SEEK_END);
    close(file);
    return length;
}

int needy_replace(const char *path)
{
    char beside[512];
    snprintf(beside, sizeof beside, "%s.new", path);
    int length = needy_append(beside);
    if (length < 0) {
        return length;
    }
    return rename(beside, path) != 0 || unlink(path) != 0 ? -errno : 0;
}

int needy_size(const char *path)
{
    struct stat stat_of;
    return stat(path, &stat_of) != 0 ? -errno : (int)stat_of.st_size;
}

int needy_temporary(int value)
{
    char path[512];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/needy-XXXXXX", folder ? folder : "/tmp");
    int file = mkstemp(path), read_again = 0;
    if (file < 0 || pwrite(file, &value, sizeof value, 0) != sizeof value ||
        pread(file, &read_again, sizeof read_again, 0) != sizeof read_again || unlink(path) != 0) {
        return -errno;
    }
    close(file);
    return read_again;
}

int needy_memory(unsigned flags, int length)
{
    struct stat stat_of;
    int file = memfd_create("needy", flags);
    if (file < 0 || ftruncate(file, length) != 0 || fstat(file, &stat_of) != 0) {
        return -errno;
    }
    close(file);
    return (int)stat_of.st_size;
}

int needy_ask(int port)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    unsigned char byte;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int socket_of = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket_of < 0 || connect(socket_of, (struct sockaddr *)&there, sizeof there) != 0 ||
        read(socket_of, &byte, 1) != 1) {
        int error = errno;
        close(socket_of);
        return -error;
    }
    close(socket_of);
    return byte;
}

int needy_loaded(void) { return first; }

int needy_curious(void)
{
    int file = open("/proc/stat", O_RDONLY | O_CLOEXEC);
    close(file);
    return file < 0 && ioctl(1, 0x5302, 0) != 0 ? 7 : 0;
}

static void *opened(void *path) { return (void *)(long)needy_sum(path); }

int needy_threads(const char *path, int count)
{
    pthread_t threads[64];
    int sum = 0;
    for (int i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, opened, (void *)path) != 0) {
            return -1;
        }
    }
    for (int i = 0; i < count; i++) {
        void *returned;
        pthread_join(threads[i], &returned);
        sum += (int)(long)returned;
    }
    return sum;
}
