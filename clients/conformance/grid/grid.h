/* The library of the conformance grid: a function for each thing that a client has to get right. */
#ifndef GRID_H
#define GRID_H

#include <stddef.h>
#include <stdint.h>

enum grid_color { GRID_RED, GRID_GREEN = 5, GRID_BLUE };

#define GRID_OK 0
#define GRID_BUSY 3
#define GRID_LOST (-7)
#define GRID_LIMIT 42
#define GRID_NAME "grid"

/* Numbers come back as they went. */
_Bool grid_bool(_Bool value);
int8_t grid_i8(int8_t value);
uint8_t grid_u8(uint8_t value);
int16_t grid_i16(int16_t value);
uint16_t grid_u16(uint16_t value);
int32_t grid_i32(int32_t value);
uint32_t grid_u32(uint32_t value);
int64_t grid_i64(int64_t value);
uint64_t grid_u64(uint64_t value);
float grid_f32(float value);
double grid_f64(double value);
enum grid_color grid_color(enum grid_color value);

/* The sum of two numbers, under names that are reserved somewhere. */
int grid_add(int a, int b);
int grid_lambda(int def, int fn, int func, int class_, int type);
int grid_pass(int x);
int grid_match(int self);

/* Nothing in and out. */
void grid_nothing(void);

/* Out values: the quotient is returned, the remainder goes out. */
int grid_divide(int a, int b, int *remainder);
/* Doubled in place. */
void grid_double(int64_t *value);

/* Texts. */
size_t grid_length(const char *text);
size_t grid_length_or_none(const char *text);
const char *grid_name(int which);
const char *grid_upper(const char *text);
const char *grid_latin(const char *text);
const char *grid_raw(const char *text);

/* Data. */
uint32_t grid_checksum(const uint8_t *data, size_t length);
void grid_reverse(uint8_t *data, size_t length);
int grid_fill(uint8_t *out, size_t capacity, size_t *length, int count);
int64_t grid_total(const int32_t *values, size_t count);
double grid_mean(const double *values, size_t count);
void grid_ramp(int32_t *values, size_t count);

/* Structures. */
struct grid_point {
    double x, y;
    int32_t tag;
};
double grid_norm(const struct grid_point *point);
struct grid_point grid_mirror(struct grid_point point);
void grid_move(struct grid_point *point, double dx);
double grid_path(const struct grid_point *points, size_t count);

/* Lists of texts. */
size_t grid_letters(const char *const *texts, size_t count);

/* Objects. */
typedef struct grid_box grid_box;
typedef struct grid_item grid_item;
grid_box *grid_box_new(int capacity);
void grid_box_free(grid_box *box);
int grid_box_put(grid_box *box, int value);
int grid_box_sum(grid_box *box);
grid_item *grid_box_item(grid_box *box, int value);
int grid_item_value(grid_item *item);
void grid_item_free(grid_item *item);

/* A counter with a name: it begins somewhere, and goes on by its step, which is 1 until it is set, and never 0. */
typedef struct grid_counter grid_counter;
grid_counter *grid_counter_new(const char *name, int from);
void grid_counter_free(grid_counter *counter);
int grid_counter_step(grid_counter *counter, int step);
int grid_counter_next(grid_counter *counter);
const char *grid_counter_name(grid_counter *counter);
int grid_counter_watch(grid_counter *counter, void (*changed)(int count, void *user), void *user);
int grid_counter_crash(grid_counter *counter);

/* Callbacks. */
int grid_each(int count, int (*visit)(int value, void *user), void *user);
int grid_box_watch(grid_box *box, void (*changed)(int sum, void *user), void *user);
/* Takes bytes, four at a time, until there are none, and gives each plus one. How many there were. */
int grid_pipe(int (*take)(uint8_t *into, size_t room, void *source), void *source,
              int (*give)(const uint8_t *data, size_t length, void *sink), void *sink);

/* A thread of the library tells numbers, from 1 on. */
int grid_box_listen(grid_box *box, void (*told)(int number, void *user), void *user);
int grid_box_tell(grid_box *box, int count);
/* Waits until it is told to stop, and fails then. */
int grid_box_wait(grid_box *box);
void grid_box_stop(grid_box *box);

/* Failures that the library reports. */
int grid_check(int status);
int grid_open(const char *path);

/* Faults. */
size_t grid_eat(const char *text);
int grid_crash(void);
void grid_exit(int status);
int grid_hang(void);
void grid_abort(void);
#endif
