#include "walled.h"
#include <stdlib.h>

#include <stdint.h>

double walled_dot(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

long walled_table_fill(int *cells, int rows, int columns)
{
    long sum = 0;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            int *cell = &cells[row * columns + column];
            sum += *cell;
            *cell = (row + 1) * (column + 1);
        }
    }
    return sum;
}

void walled_get_encrypted(unsigned char *block, unsigned char with)
{
    for (int i = 0; i < 16; i++) {
        block[i] ^= with;
    }
}

int walled_fill_before(short *numbers, int back, short value)
{
    numbers[-back] = value;
    return numbers[0];
}

int walled_peek(const short *numbers, int back)
{
    return numbers[-back];
}

double walled_way_sum(const struct spot *way, int n)
{
    double sum = 0;
    for (int i = 1; i < n; i++) {
        double x = way[i].x - way[i - 1].x, y = way[i].y - way[i - 1].y;
        sum += x * x + y * y;
    }
    return sum;
}

int walled_reverse(struct spot *spots, int n)
{
    for (int i = 0; i < n; i++) {
        spots[i] = (struct spot){-spots[i].y, spots[i].x};
    }
    return n;
}

int walled_get_halves(double number, double *whole, double *rest)
{
    *whole = (double)(long)number;
    *rest = number - *whole;
    return number < 0;
}

int walled_alignment(const double *numbers)
{
    return (int)((uintptr_t)numbers % 64);
}

int walled_between(const int *first, const int *last)
{
    return (int)(last - first);
}

static const int *kept;

void walled_watch(const int *number)
{
    kept = number;
}

int walled_set_table(const int *table, int n)
{
    kept = table;
    return n;
}

struct curve {
    const double *points;
    const float *heights;
    int n;
    const unsigned char *data;
    size_t size;
    const struct moment *moment;
};

curve *curve_new(void)
{
    return calloc(1, sizeof(curve));
}

curve *curve_new_of(const float *heights, int n)
{
    curve *made = curve_new();
    made->heights = heights;
    made->n = n;
    return made;
}

void curve_free(curve *c)
{
    free(c);
}

void curve_set_points(curve *c, const double *points, int n)
{
    c->points = points;
    c->n = n;
}

double curve_sum(const curve *c)
{
    double sum = 0;
    for (int i = 0; i < c->n; i++) {
        sum += c->points != NULL ? c->points[i] : c->heights[i];
    }
    return sum;
}

int curve_use_data(curve *c, const unsigned char *data, size_t size)
{
    c->data = data;
    c->size = size;
    return 0;
}

int curve_last(const curve *c)
{
    return c->size == 0 ? -1 : c->data[c->size - 1];
}

void curve_set_moment(curve *c, const struct moment *moment)
{
    c->moment = moment;
}

int curve_get_moment(const curve *c, struct moment **moment)
{
    *moment = (struct moment *)c->moment;
    return c->moment != NULL;
}

int curve_minutes(const curve *c)
{
    return c->moment->hour * 60 + c->moment->minute;
}

int curve_append_points(curve *c, const double *points, int n)
{
    c->points = points;
    return c->n += n;
}

double walled_powers(int n, double x) {
    double power = 1.0;
    for (int i = 0; i < n; i++)
        power *= x;
    return power;
}

int walled_powers_array(int low, int high, double x, double *result_array) {
    double power = 1;
    for (int n = 0; n <= high; n++) {
        if (n >= low) {
            result_array[n - low] = power;
        }
        power *= x;
    }
    return high - low + 1;
}
