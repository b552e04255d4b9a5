/* A library that works on big data, and says where it finds it. */
#ifndef BASIN_H
#define BASIN_H

#include <stddef.h>

/* The address of the data. */
size_t basin_where(const unsigned char *data, size_t data_len);

/* The sum of the bytes. */
unsigned long basin_sum(const unsigned char *data, size_t data_len);

/* The sum of the numbers. */
double basin_total(const float *values, size_t count);

/* The sum of the bytes of both. */
unsigned long basin_both(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len);

/* Runs `visit` once, and gives the sum of the bytes then. */
unsigned long basin_after(const unsigned char *data, size_t data_len, int (*visit)(void *user), void *user);

/* Writes into its input. */
int basin_spoil(const unsigned char *data, size_t data_len);

/* Fills the room with `seed`, `seed + 1`, ... */
int basin_fill(unsigned char *out, size_t *out_len, unsigned char seed);

/* As basin_fill, and fills a second room with its complement. */
int basin_two(unsigned char *out, size_t *out_len, unsigned char *other, size_t *other_len, unsigned char seed);

/* As basin_fill; every basin_scribble() from now on writes there. */
int basin_keep(unsigned char *out, size_t *out_len, unsigned char seed);

/* Overwrites what basin_keep() kept. */
int basin_scribble(void);

/* Has a thread overwrite what basin_keep() kept, again and again, in calls and between them; or ends it. */
int basin_haunt(int on);

/* How often it did so; 0 when there is no such thread. */
unsigned long basin_rounds(void);

/* Turns every bit round. */
int basin_invert(unsigned char *data, size_t data_len);

/* Claims to have filled more than it was given. */
int basin_claim(unsigned char *out, size_t *out_len);

/* Writes nothing: neither data nor their length. Nothing says that this is a failure. */
int basin_omit(unsigned char *out, size_t *out_len);

/* Fails before it writes what it would have to say. */
int basin_mute(char *out, int capacity);

/* Aborts. */
void basin_crash(void);

#endif
