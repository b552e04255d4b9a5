#include "grid.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Bool grid_bool(_Bool value) { return value; }
int8_t grid_i8(int8_t value) { return value; }
uint8_t grid_u8(uint8_t value) { return value; }
int16_t grid_i16(int16_t value) { return value; }
uint16_t grid_u16(uint16_t value) { return value; }
int32_t grid_i32(int32_t value) { return value; }
uint32_t grid_u32(uint32_t value) { return value; }
int64_t grid_i64(int64_t value) { return value; }
uint64_t grid_u64(uint64_t value) { return value; }
float grid_f32(float value) { return value; }
double grid_f64(double value) { return value; }
enum grid_color grid_color(enum grid_color value) { return value; }

int grid_add(int a, int b) { return a + b; }
int grid_lambda(int def, int fn, int func, int class_, int type) { return def + 2 * fn + 3 * func + 4 * class_ + 5 * type; }
int grid_pass(int x) { return x + 1; }
int grid_match(int self) { return self - 1; }
void grid_nothing(void) {}

int grid_divide(int a, int b, int *remainder) {
    *remainder = a % b;
    return a / b;
}
void grid_double(int64_t *value) { *value *= 2; }

size_t grid_length(const char *text) { return strlen(text); }
size_t grid_length_or_none(const char *text) { return text ? strlen(text) : 99; }
const char *grid_name(int which) { return which == 1 ? "first" : which == 2 ? "zwei \xc3\xa9" : NULL; }

static char kept[4096];
static const char *keep(const char *text) {
    strncpy(kept, text, sizeof kept - 1);
    return kept;
}
const char *grid_upper(const char *text) {
    keep(text);
    for (char *c = kept; *c; c++)
        if (*c >= 'a' && *c <= 'z') *c -= 32;
    return kept;
}
const char *grid_latin(const char *text) { return keep(text); }
const char *grid_raw(const char *text) { return keep(text); }

uint32_t grid_checksum(const uint8_t *data, size_t length) {
    uint32_t sum = 17;
    for (size_t i = 0; i < length; i++) sum = sum * 31 + data[i];
    return sum;
}
void grid_reverse(uint8_t *data, size_t length) {
    for (size_t i = 0; i < length / 2; i++) {
        uint8_t byte = data[i];
        data[i] = data[length - 1 - i];
        data[length - 1 - i] = byte;
    }
}
int grid_fill(uint8_t *out, size_t capacity, size_t *length, int count) {
    size_t wanted = count < 0 ? 0 : (size_t)count;
    if (wanted > capacity) return GRID_BUSY;
    memset(out, 'x', wanted);
    *length = wanted;
    return GRID_OK;
}
int64_t grid_total(const int32_t *values, size_t count) {
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) total += values[i];
    return total;
}
double grid_mean(const double *values, size_t count) {
    double total = 0;
    for (size_t i = 0; i < count; i++) total += values[i];
    return count ? total / (double)count : NAN;
}
void grid_ramp(int32_t *values, size_t count) {
    for (size_t i = 0; i < count; i++) values[i] = (int32_t)i * 3 - 1;
}

double grid_norm(const struct grid_point *point) { return sqrt(point->x * point->x + point->y * point->y); }
struct grid_point grid_mirror(struct grid_point point) {
    struct grid_point mirrored = { point.y, point.x, -point.tag };
    return mirrored;
}
void grid_move(struct grid_point *point, double dx) {
    point->x += dx;
    point->tag++;
}
double grid_path(const struct grid_point *points, size_t count) {
    double path = 0;
    for (size_t i = 1; i < count; i++)
        path += fabs(points[i].x - points[i - 1].x) + fabs(points[i].y - points[i - 1].y);
    return path;
}

size_t grid_letters(const char *const *texts, size_t count) {
    size_t letters = 0;
    for (size_t i = 0; i < count; i++) letters += strlen(texts[i]);
    return letters;
}

struct grid_box {
    int capacity, count, sum;
    void (*changed)(int, void *);
    void *user;
    void (*told)(int, void *);
    void *listener;
    volatile int stops;
};
struct grid_item {
    int value;
};
grid_box *grid_box_new(int capacity) {
    if (capacity <= 0) return NULL;
    grid_box *box = calloc(1, sizeof *box);
    box->capacity = capacity;
    return box;
}
void grid_box_free(grid_box *box) { free(box); }
int grid_box_put(grid_box *box, int value) {
    if (box->count == box->capacity) return GRID_BUSY;
    box->count++;
    box->sum += value;
    if (box->changed) box->changed(box->sum, box->user);
    return GRID_OK;
}
int grid_box_sum(grid_box *box) { return box->sum; }
grid_item *grid_box_item(grid_box *box, int value) {
    (void)box;
    grid_item *item = malloc(sizeof *item);
    item->value = value;
    return item;
}
int grid_item_value(grid_item *item) { return item->value; }
void grid_item_free(grid_item *item) { free(item); }

struct grid_counter {
    char name[32];
    int count, step;
    void (*changed)(int, void *);
    void *user;
};
grid_counter *grid_counter_new(const char *name, int from) {
    if (from < 0) return NULL;
    grid_counter *counter = calloc(1, sizeof *counter);
    strncpy(counter->name, name, sizeof counter->name - 1);
    counter->count = from;
    counter->step = 1;
    return counter;
}
void grid_counter_free(grid_counter *counter) { free(counter); }
int grid_counter_step(grid_counter *counter, int step) {
    if (step == 0) return GRID_BUSY;
    counter->step = step;
    return GRID_OK;
}
int grid_counter_next(grid_counter *counter) {
    counter->count += counter->step;
    if (counter->changed) counter->changed(counter->count, counter->user);
    return counter->count;
}
const char *grid_counter_name(grid_counter *counter) { return counter->name; }
int grid_counter_watch(grid_counter *counter, void (*changed)(int count, void *user), void *user) {
    counter->changed = changed;
    counter->user = user;
    return GRID_OK;
}
int grid_counter_crash(grid_counter *counter) {
    counter->count++;
    return grid_crash();
}

int grid_each(int count, int (*visit)(int value, void *user), void *user) {
    int total = 0;
    for (int i = 1; i <= count; i++) total += visit(i, user);
    return total;
}
int grid_box_watch(grid_box *box, void (*changed)(int sum, void *user), void *user) {
    box->changed = changed;
    box->user = user;
    return GRID_OK;
}

int grid_pipe(int (*take)(uint8_t *, size_t, void *), void *source, int (*give)(const uint8_t *, size_t, void *), void *sink) {
    uint8_t piece[4];
    int count, total = 0;
    while ((count = take(piece, sizeof piece, source)) > 0) {
        for (int i = 0; i < count; i++) piece[i]++;
        if (give(piece, (size_t)count, sink) != count) return -1;
        total += count;
    }
    return count < 0 ? -1 : total;
}

int grid_box_listen(grid_box *box, void (*told)(int number, void *user), void *user) {
    box->told = told;
    box->listener = user;
    return GRID_OK;
}
struct tale {
    grid_box *box;
    int count;
};
static void *tell(void *what) {
    struct tale *tale = what;
    for (int i = 1; i <= tale->count; i++) tale->box->told(i, tale->box->listener);
    return NULL;
}
int grid_box_tell(grid_box *box, int count) {
    struct tale tale = { box, count };
    pthread_t thread;
    if (pthread_create(&thread, NULL, tell, &tale) != 0) return GRID_BUSY;
    pthread_join(thread, NULL);
    return GRID_OK;
}

int grid_box_wait(grid_box *box) {
    while (!box->stops) usleep(1000);
    box->stops = 0;
    return GRID_LOST;
}
void grid_box_stop(grid_box *box) { box->stops = 1; }

int grid_check(int status) {
    if (status) errno = EAGAIN;
    return status;
}
int grid_open(const char *path) {
    (void)path;
    errno = ENOENT;
    return -1;
}

size_t grid_eat(const char *text) {
    if (strcmp(text, "poison") == 0) abort();
    return strlen(text);
}
int grid_crash(void) {
    volatile int *volatile nowhere = (int *)8;
    return *nowhere;
}
void grid_exit(int status) { exit(status); }
int grid_hang(void) {
    for (volatile int i = 0;; i++) {
    }
}
void grid_abort(void) { abort(); }
