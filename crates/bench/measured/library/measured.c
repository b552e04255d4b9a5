/* The library that `hotcell bench` measures. */
#include "measured.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Tables for eight bytes at a time. */
static uint32_t table[8][256];

__attribute__((constructor)) static void fill_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
        table[0][byte] = crc;
    }
    for (int step = 1; step < 8; step++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t before = table[step - 1][byte];
            table[step][byte] = (before >> 8) ^ table[0][before & 255];
        }
}

int measured_add(int a, int b)
{
    return (int)((unsigned)a + (unsigned)b);
}

uint32_t measured_crc32(uint32_t crc, const unsigned char *data, size_t length)
{
    crc = ~crc;
    for (; length >= 8; data += 8, length -= 8) {
        uint32_t low = crc ^ (data[0] | data[1] << 8 | data[2] << 16 | (uint32_t)data[3] << 24);
        crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24]
            ^ table[3][data[4]] ^ table[2][data[5]] ^ table[1][data[6]] ^ table[0][data[7]];
    }
    for (; length > 0; data++, length--)
        crc = (crc >> 8) ^ table[0][(crc ^ *data) & 255];
    return ~crc;
}

const char *measured_capitals(const char *text)
{
    static _Thread_local char capitals[256];
    size_t at = 0;
    for (; text[at] != 0 && at + 1 < sizeof capitals; at++)
        capitals[at] = text[at] >= 'a' && text[at] <= 'z' ? (char)(text[at] - 32) : text[at];
    capitals[at] = 0;
    return capitals;
}

void measured_rectangle_of(double width, double height, struct measured_rectangle *rectangle)
{
    rectangle->width = width;
    rectangle->height = height;
    rectangle->area = width * height;
    rectangle->square = width == height;
}

int64_t measured_each(int32_t count, int32_t (*visit)(void *user, int32_t number), void *user)
{
    int64_t sum = 0;
    for (int32_t number = 0; number < count; number++)
        sum += visit(user, number);
    return sum;
}

uint64_t measured_sum(const unsigned char *data, size_t length)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < length; at++)
        sum += data[at];
    return sum;
}

void measured_invert(unsigned char *data, size_t length)
{
    for (size_t at = 0; at < length; at++)
        data[at] = (unsigned char)~data[at];
}

void measured_allocate(int32_t times)
{
    /* Sizes as programs have them, some of which live on for a while. */
    static const unsigned short sizes[16] = {24, 40, 16, 64, 100, 32, 48, 200, 24, 72, 1000, 56, 16, 300, 120, 4000};
    enum { LIVE = 32 };
    char *live[LIVE] = {0};
    for (int32_t number = 0; number < times; number++) {
        char **place = &live[number % LIVE];
        free(*place);
        *place = malloc(sizes[number % 16]);
        if (*place != NULL)
            **place = 1;
    }
    for (int at = 0; at < LIVE; at++)
        free(live[at]);
}

int32_t measured_pass(int32_t times, int32_t bytes)
{
    static _Thread_local char block[4096];
    int ends[2];
    /* No bytes at all: a call whose arguments filters look at. */
    if (bytes < 0) {
        int32_t number = 0;
        while (number < times && fcntl(0, F_GETFD) >= 0)
            number++;
        return number;
    }
    if (bytes == 0) {
        for (int32_t number = 0; number < times; number++)
            getppid();
        return times;
    }
    size_t length = (size_t)bytes < sizeof block ? (size_t)bytes : sizeof block;
    if (pipe(ends) != 0)
        return -errno;
    int32_t number = 0;
    while (number < times && write(ends[1], block, length) == (ssize_t)length &&
           read(ends[0], block, length) == (ssize_t)length)
        number++;
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return number == times ? number : -error;
}

void measured_crash(void)
{
    *(volatile int *)0 = 1;
}

void measured_loop(void)
{
    for (volatile int turns = 0;; turns ^= 1)
        ;
}
