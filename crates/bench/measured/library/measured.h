/* The library that `hotcell bench` measures: a function for each way in which data crosses. */
#ifndef HOTCELL_MEASURED_H
#define HOTCELL_MEASURED_H

#include <stddef.h>
#include <stdint.h>

/* Numbers in, a number out. */
int measured_add(int a, int b);

/* The checksum of zlib's crc32, with a given start. */
uint32_t measured_crc32(uint32_t crc, const unsigned char *data, size_t length);

/* A text in capitals, of up to 255 bytes; valid until the next call. */
const char *measured_capitals(const char *text);

/* What is known of a rectangle. */
struct measured_rectangle {
    double width;
    double height;
    double area;
    int32_t square;
};

/* A structure out. */
void measured_rectangle_of(double width, double height, struct measured_rectangle *rectangle);

/* Calls `visit` with 0, 1, … up to `count`, and adds up what it returns. */
int64_t measured_each(int32_t count, int32_t (*visit)(void *user, int32_t number), void *user);

/* The sum of all bytes. */
uint64_t measured_sum(const unsigned char *data, size_t length);

/* Turns every bit over. */
void measured_invert(unsigned char *data, size_t length);

/* Allocates and frees so many blocks, of sizes as programs have them. */
void measured_allocate(int32_t times);

/* Passes so many blocks of so many bytes, up to 4096, through a pipe; without bytes it asks for its parent instead: a system
   call each. How many, or -errno. */
int32_t measured_pass(int32_t times, int32_t bytes);

/* Writes through a null pointer. */
void measured_crash(void);

/* Never returns. */
void measured_loop(void);

#endif
