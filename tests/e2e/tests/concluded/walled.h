/* Memory of which no declaration says how much there is. */
#ifndef WALLED_H
#define WALLED_H

#include <stddef.h>

struct spot {
    double x, y;
};

/* Numbers that are read, and how many is not said in a way that a rule knows. */
double walled_dot(const double *a, const double *b, int n);
/* As many as rows times columns, which it writes. */
long walled_table_fill(int *cells, int rows, int columns);
/* Sixteen bytes, which it changes. */
void walled_get_encrypted(unsigned char *block, unsigned char with);
/* Numbers before the first that it is given. */
int walled_fill_before(short *numbers, int columns, short value);
/* What is there before the first, and only looked at. */
int walled_peek(const short *numbers, int back);
/* One structure or several. */
double walled_way_sum(const struct spot *way, int n);
int walled_reverse(struct spot *spots, int n);
/* Wider numbers that come out. */
int walled_get_halves(double number, double *whole, double *rest);
/* Where it is, and not what is in it. */
int walled_alignment(const double *numbers);
/* A place in what the other one leads to. */
int walled_between(const int *first, const int *last);
/* What is kept. */
void walled_watch(const int *number);
int walled_set_table(const int *table, int n);

/* A curve goes on reading its points, its dictionary and its time where they are. */
typedef struct curve curve;
struct moment {
    int hour, minute;
};
curve *curve_new(void);
curve *curve_new_of(const float *heights, int n);
void curve_free(curve *c);
void curve_set_points(curve *c, const double *points, int n);
double curve_sum(const curve *c);
int curve_use_data(curve *c, const unsigned char *data, size_t size);
int curve_last(const curve *c);
void curve_set_moment(curve *c, const struct moment *moment);
int curve_get_moment(const curve *c, struct moment **moment);
int curve_minutes(const curve *c);
/* It takes points one after the other. */
int curve_append_points(curve *c, const double *points, int n);

/* The powers of x from low to high; how many there are. */
double walled_powers(int n, double x);
int walled_powers_array(int low, int high, double x, double *result_array);

#endif
