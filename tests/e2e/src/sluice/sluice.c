#include "sluice.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

long sluice_raise(long (*take)(void *, char *, size_t), void *source, long (*give)(void *, const char *, size_t), void *sink,
                  size_t piece)
{
    char *data = malloc(piece);
    long all = 0;
    for (;;) {
        long count = take(source, data, piece);
        if (count == 0) {
            break;
        }
        for (long i = 0; i < count; i++) {
            data[i] = (char)toupper((unsigned char)data[i]);
        }
        if (count < 0 || give(sink, data, (size_t)count) != count) {
            all = -1;
            break;
        }
        all += count;
    }
    free(data);
    return all;
}

int sluice_sum(void (*fill)(void *, unsigned char *, size_t), void *user, size_t count)
{
    unsigned char *data = calloc(1, count + 1);
    fill(user, data, count);
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += data[i];
    }
    free(data);
    return sum;
}

int sluice_pour(signed char (*give)(void *, const unsigned char *, unsigned), void *user, unsigned count)
{
    unsigned char *data = calloc(1, count + 1);
    int poured = give(user, data, count);
    free(data);
    return poured;
}

struct sluice_log {
    void (*say)(sluice_log *, const char *, int, void *);
    void *user;
};

sluice_log *sluice_log_new(void)
{
    return calloc(1, sizeof(sluice_log));
}

void sluice_log_free(sluice_log *log)
{
    free(log);
}

void sluice_log_to(sluice_log *log, void (*say)(sluice_log *, const char *, int, void *), void *user)
{
    log->say = say;
    log->user = user;
}

int sluice_log_line(sluice_log *log, const char *line)
{
    if (log->say == NULL) {
        return 0;
    }
    log->say(log, line, (int)strlen(line), log->user);
    log->say(log, "\n", 1, log->user);
    return 2;
}
