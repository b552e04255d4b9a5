/* Objects, callbacks and structures, and what goes wrong with them. */
#ifndef FAULTY_OBJECTS_H
#define FAULTY_OBJECTS_H

#include <stddef.h>

/* A database of nothing. */
typedef struct faulty_db faulty_db;

/* A query lives in a database, and must go before it. */
typedef struct faulty_query faulty_query;

/* A row lives in a query, until its next step. */
typedef struct faulty_row faulty_row;

enum faulty_code { FAULTY_OK = 0, FAULTY_BUSY = 5, FAULTY_BROKEN = 11 };

/* Opens a database. Fails with `code`, if it is not 0, and leaves one all the same, which says why. */
int faulty_open(int code, faulty_db **db);

/* Closes it. */
int faulty_close(faulty_db *db);

/* What went wrong last. */
const char *faulty_message(faulty_db *db);

/* Prepares a query. NULL for an empty text. */
faulty_query *faulty_prepare(faulty_db *db, const char *text);

/* Ends it. Crashes if the text was "crash", and hangs if it was "hang". */
int faulty_finish(faulty_query *query);

/* The next row; NULL behind the third. */
faulty_row *faulty_step(faulty_query *query);

/* Its number. */
int faulty_number(const faulty_row *row);

/* The database of a query. */
faulty_db *faulty_db_of(faulty_query *query);

/* Gives a query to a database, which ends it, unless it fails with `code`. */
int faulty_give(faulty_db *db, faulty_query *query, int code);

/* Events since the last call: o(pen), c(lose), p(repare), f(inish), g(ive). */
const char *faulty_events(void);

/* Visits `times` rows, until a visit returns other than 0; returns how many were visited. */
int faulty_visit(faulty_db *db, int times, int (*visit)(void *user, int count, char **values, char **names), void *user);

/* Adds up what the callback makes of the data. */
long faulty_sum(const double *data, int count, long (*scale)(double value, void *user), void *user);

/* The length of all texts together. */
size_t faulty_total(int count, const char *const *texts);

/* Copies the first word of a text, and says where the rest begins: NULL for none. */
int faulty_word(const char *text, char **word, const char **rest);

/* The units of a text back to front, and where its first blank is: NULL for none. */
int faulty_turn(const void *text, int bytes, unsigned short **turned, const void **blank);

/* So many texts, every second one NULL, freed with free; says that there are `claimed`. */
int faulty_list(int count, int claimed, char ***list);
/* Which truths are there: every other one. */
void faulty_truths(_Bool *truths, size_t n);

/* How many are true. */
int faulty_true(const _Bool *truths, size_t count);

/* Cuts a stream down to `left` bytes of input, and fails with `code`. */
struct faulty_stream;
int faulty_cut(struct faulty_stream *stream, unsigned left, int code);

/* The first squares. */
int faulty_squares(int count, int **squares, size_t *length);

/* A point. */
struct faulty_point {
    double x;
#ifdef FAULTY_OTHER_LAYOUT /* A later version of the library, behind the back of who has this header. */
    double height;
#endif
    double y;
};

/* The point on the other side of the origin. */
struct faulty_point faulty_mirror(struct faulty_point point);

/* A shape. */
struct faulty_shape {
    const char *name;
    const int *values;
    size_t count;
    struct faulty_point at;
    unsigned char tag[4];
    int sum;
    void *reserved;
};

/* Sums the values up, moves the shape to their mean, and takes all of them but one. */
int faulty_measure(struct faulty_shape *shape);

/* Turns bytes round a key that it keeps. */
struct faulty_stream {
    const unsigned char *next_in;
    unsigned avail_in;
    unsigned char *next_out;
    unsigned avail_out;
    unsigned long total;
    void *state;
};

int faulty_begin(struct faulty_stream *stream, int key);
int faulty_run(struct faulty_stream *stream);
int faulty_end(struct faulty_stream *stream);

#endif
