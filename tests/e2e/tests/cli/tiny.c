/* See tiny.h. */
#include "tiny.h"

bool tiny_not(bool value)
{
    return !value;
}

unsigned long long tiny_same(unsigned long long value)
{
    return value;
}

long long tiny_signed(long long value)
{
    return value;
}

float tiny_half(float value)
{
    return value / 2;
}

int tiny_colour_of(enum tiny_colour colour)
{
    return (int)colour;
}

int tiny_total(const int *values, size_t count)
{
    int total = 0;
    for (size_t i = 0; i < count; i++) {
        total += values[i];
    }
    return total;
}

int tiny_double(int *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i] *= 2;
    }
    return 0;
}

int tiny_divide(int a, int b, int *quotient, int *remainder)
{
    *quotient = a / b;
    *remainder = a % b;
    return 0;
}

int tiny_zero(void)
{
    return 0;
}
