#include "basin.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

static unsigned char *kept;
static size_t kept_len;

size_t basin_where(const unsigned char *data, size_t data_len)
{
    (void)data_len;
    return (size_t)(uintptr_t)data;
}

unsigned long basin_sum(const unsigned char *data, size_t data_len)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < data_len; i++) {
        sum += data[i];
    }
    return sum;
}

double basin_total(const float *values, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        total += values[i];
    }
    return total;
}

unsigned long basin_both(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
    return basin_sum(a, a_len) + basin_sum(b, b_len);
}

unsigned long basin_after(const unsigned char *data, size_t data_len, int (*visit)(void *user), void *user)
{
    visit(user);
    return basin_sum(data, data_len);
}

int basin_spoil(const unsigned char *data, size_t data_len)
{
    (void)data_len;
    *(volatile unsigned char *)data = 1;
    return 0;
}

int basin_fill(unsigned char *out, size_t *out_len, unsigned char seed)
{
    for (size_t i = 0; i < *out_len; i++) {
        out[i] = (unsigned char)(seed + i);
    }
    return 0;
}

int basin_two(unsigned char *out, size_t *out_len, unsigned char *other, size_t *other_len, unsigned char seed)
{
    basin_fill(out, out_len, seed);
    basin_fill(other, other_len, seed);
    return basin_invert(other, *other_len);
}

int basin_keep(unsigned char *out, size_t *out_len, unsigned char seed)
{
    kept = out;
    kept_len = *out_len;
    return basin_fill(out, out_len, seed);
}

int basin_scribble(void)
{
    for (size_t i = 0; i < kept_len; i++) {
        kept[i] ^= (unsigned char)(i + 1);
    }
    return 0;
}

int basin_invert(unsigned char *data, size_t data_len)
{
    for (size_t i = 0; i < data_len; i++) {
        data[i] ^= 0xff;
    }
    return 0;
}

int basin_claim(unsigned char *out, size_t *out_len)
{
    out[0] = 1;
    *out_len += 1;
    return 0;
}

int basin_omit(unsigned char *out, size_t *out_len)
{
    (void)out;
    (void)out_len;
    return -2;
}

int basin_mute(char *out, int capacity)
{
    (void)out;
    (void)capacity;
    return -1;
}

static atomic_int haunted;
static atomic_ulong rounds;

static void *haunt(void *unused)
{
    while (atomic_load(&haunted)) {
        for (size_t i = 0; i < kept_len; i++) {
            ((volatile unsigned char *)kept)[i] = 0xee;
        }
        atomic_fetch_add(&rounds, 1);
    }
    atomic_store(&rounds, 0);
    return unused;
}

int basin_haunt(int on)
{
    pthread_t thread;
    if (atomic_exchange(&haunted, on) == on || !on) {
        return 0;
    }
    int failed = pthread_create(&thread, NULL, haunt, NULL);
    return failed != 0 ? failed : pthread_detach(thread);
}

unsigned long basin_rounds(void)
{
    return atomic_load(&rounds);
}

void basin_crash(void)
{
    abort();
}
