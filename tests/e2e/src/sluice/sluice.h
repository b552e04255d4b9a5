/* What flows through callbacks: the library reads, and writes. */
#ifndef SLUICE_H
#define SLUICE_H

#include <stddef.h>

/* Reads to the end, in pieces of so many bytes, writes each with its letters in capitals, and gives how many bytes there were.
 * A callback that returns a negative number ends it, with -1. */
long sluice_raise(long (*take)(void *user, char *into, size_t room), void *source,
                  long (*give)(void *user, const char *data, size_t length), void *sink, size_t piece);

/* Reads exactly so many bytes, at once, and gives their sum; fails where the callback says so. */
int sluice_sum(void (*fill)(void *user, unsigned char *into, size_t room), void *user, size_t count);

/* Has so many bytes written, in a type that does not count far. */
int sluice_pour(signed char (*give)(void *user, const unsigned char *data, unsigned length), void *user, unsigned count);

/* Where its lines go, one at a time; NULL for nowhere. */
typedef struct sluice_log sluice_log;
sluice_log *sluice_log_new(void);
void sluice_log_free(sluice_log *log);
void sluice_log_to(sluice_log *log, void (*say)(sluice_log *log, const char *data, int length, void *user), void *user);
int sluice_log_line(sluice_log *log, const char *line);

#endif
