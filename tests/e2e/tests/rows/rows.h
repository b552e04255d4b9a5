/* A library that costs, remembers, searches and complains. */
#ifndef ROWS_H
#define ROWS_H

#include <stddef.h>

int rows_add(int a, int b);
/* Has every sum be wrong from now on. */
void rows_poison(void);
/* Keeps so many CPUs busy from now on, beside all calls. */
int rows_spin(int threads);
/* Keeps one busy, and never returns. */
void rows_loop(void);
/* As that, and ignores the signal of its limit. */
void rows_loop_on(void);
/* Reserves address space without using it: errno, or 0. */
int rows_reserve(int gibibytes);
/* Decodes a picture: width and height of 4 bytes each, and a colour. The number of its pixels, or -1 without memory. */
long rows_picture(const unsigned char *data, size_t data_len);
/* Keeps a copy of the data in memory. */
int rows_remember(const unsigned char *data, size_t data_len);
/* How often the data are in the memory of the process; their bits are turned round, so that they are not there themselves. */
long rows_search(const unsigned char *data, size_t data_len);
/* Ways of having something in the directory for temporary files. */
enum { ROWS_NAMED, ROWS_OPEN, ROWS_MAPPED, ROWS_SHUT, ROWS_DEEP, ROWS_SCATTERED };

/* Has so many KiB there, in one of these ways: errno, or 0. */
int rows_store(int kibibytes, int way);
/* As that, and never returns. */
int rows_fill(int kibibytes, int way);
/* Writes there for ever, beside all calls. */
int rows_store_on(void);
/* How many names there are, or -errno. */
int rows_stored(void);
/* Fails, with a long message that steers terminals. */
int rows_fail(int length);
const char *rows_message(void);
void rows_crash(void);

#endif
