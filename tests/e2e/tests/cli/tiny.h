/* Functions of every kind of argument that system headers have too few of. */
#ifndef TINY_H
#define TINY_H

#include <stdbool.h>
#include <stddef.h>

#define TINY_LIMIT 300

enum tiny_colour { TINY_RED = 3, TINY_BLUE = 7 };

bool tiny_not(bool value);
unsigned long long tiny_same(unsigned long long value);
long long tiny_signed(long long value);
float tiny_half(float value);
int tiny_colour_of(enum tiny_colour colour);
int tiny_total(const int *values, size_t count);
int tiny_double(int *items, size_t count);
int tiny_divide(int a, int b, int *quotient, int *remainder);
int tiny_zero(void);

#endif
