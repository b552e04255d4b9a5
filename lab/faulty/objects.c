#include "objects.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct faulty_db {
    int code;
};

struct faulty_row {
    int number;
};

struct faulty_query {
    faulty_db *db;
    char text[16];
    int steps;
    faulty_row row;
};

static char events[256], told[256];

static void event(char what)
{
    size_t end = strlen(events);
    if (end + 1 < sizeof events) {
        events[end] = what;
    }
}

int faulty_open(int code, faulty_db **db)
{
    *db = calloc(1, sizeof **db);
    (*db)->code = code;
    event('o');
    return code;
}

int faulty_close(faulty_db *db)
{
    event('c');
    free(db);
    return 0;
}

const char *faulty_message(faulty_db *db)
{
    return db->code == FAULTY_BUSY ? "somebody else is at it" : "it is what it is";
}

faulty_query *faulty_prepare(faulty_db *db, const char *text)
{
    if (text[0] == 0) {
        db->code = FAULTY_BROKEN;
        return NULL;
    }
    faulty_query *query = calloc(1, sizeof *query);
    query->db = db;
    strncpy(query->text, text, sizeof query->text - 1);
    event('p');
    return query;
}

int faulty_finish(faulty_query *query)
{
    event('f');
    if (strcmp(query->text, "crash") == 0) {
        abort();
    }
    while (strcmp(query->text, "hang") == 0) {
        pause();
    }
    free(query);
    return 0;
}

faulty_row *faulty_step(faulty_query *query)
{
    query->row.number = ++query->steps;
    return query->steps > 3 ? NULL : &query->row;
}

int faulty_number(const faulty_row *row)
{
    return row->number;
}

faulty_db *faulty_db_of(faulty_query *query)
{
    return query->db;
}

int faulty_give(faulty_db *db, faulty_query *query, int code)
{
    db->code = code;
    if (code == 0) {
        event('g');
        free(query);
    }
    return code;
}

const char *faulty_events(void)
{
    memcpy(told, events, sizeof told);
    memset(events, 0, sizeof events);
    return told;
}

int faulty_visit(faulty_db *db, int times, int (*visit)(void *user, int count, char **values, char **names), void *user)
{
    char first[] = "first", second[] = "second", value[] = "value";
    char *values[] = {value, NULL}, *names[] = {first, second};
    for (int i = 0; i < times; i++) {
        int stop = visit(user, 2, values, names);
        if (stop != 0) {
            db->code = stop;
            return -1;
        }
    }
    return times;
}

long faulty_sum(const double *data, int count, long (*scale)(double value, void *user), void *user)
{
    long sum = 0;
    for (int i = 0; i < count; i++) {
        sum += scale(data[i], user);
    }
    return sum;
}

size_t faulty_total(int count, const char *const *texts)
{
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        total += strlen(texts[i]);
    }
    return total;
}

int faulty_word(const char *text, char **word, const char **rest)
{
    size_t length = strcspn(text, " ");
    *word = length == 0 ? NULL : strndup(text, length);
    *rest = text[length] == 0 ? NULL : text + length;
    return (int)length;
}

int faulty_turn(const void *text, int bytes, unsigned short **turned, const void **blank)
{
    const unsigned short *units = text;
    int count = bytes / 2;
    *turned = calloc((size_t)count + 1, sizeof **turned);
    *blank = NULL;
    for (int i = 0; i < count; i++) {
        (*turned)[i] = units[count - 1 - i];
        *blank = units[count - 1 - i] == ' ' ? units + count - 1 - i : *blank;
    }
    return units[count] == 0 ? count : -1;
}

int faulty_list(int count, int claimed, char ***list)
{
    *list = calloc((size_t)count + 1, sizeof **list);
    for (int i = 0; i < count; i += 2) {
        (*list)[i] = "text";
    }
    return claimed;
}

int faulty_squares(int count, int **squares, size_t *length)
{
    *squares = count == 0 ? NULL : malloc(sizeof(int) * (size_t)count);
    *length = (size_t)count;
    for (int i = 0; i < count; i++) {
        (*squares)[i] = i * i;
    }
    return 0;
}

struct faulty_point faulty_mirror(struct faulty_point point)
{
    return (struct faulty_point){-point.x, -point.y};
}

int faulty_measure(struct faulty_shape *shape)
{
    shape->sum = 0;
    for (size_t i = 0; i < shape->count; i++) {
        shape->sum += shape->values[i];
    }
    if (shape->count != 0) {
        shape->at.x += shape->sum / (double)shape->count;
        shape->values += shape->count - 1;
    }
    shape->name = shape->name == NULL ? "nameless" : NULL;
    shape->tag[3] = 'x';
    return (int)shape->count;
}

int faulty_begin(struct faulty_stream *stream, int key)
{
    if (key < 0) {
        return key;
    }
    stream->state = malloc(sizeof(int));
    *(int *)stream->state = key;
    event('o');
    return 0;
}

int faulty_run(struct faulty_stream *stream)
{
    int key = *(int *)stream->state;
    while (stream->avail_in != 0 && stream->avail_out != 0) {
        *stream->next_out++ = (unsigned char)(*stream->next_in++ ^ key);
        stream->avail_in--;
        stream->avail_out--;
        stream->total++;
    }
    return stream->avail_in == 0 ? 0 : 1;
}

int faulty_end(struct faulty_stream *stream)
{
    event('c');
    free(stream->state);
    return 0;
}

int faulty_cut(struct faulty_stream *stream, unsigned left, int code)
{
    stream->next_in += stream->avail_in - left;
    stream->avail_in = left;
    return code;
}

void faulty_truths(_Bool *truths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        truths[i] = i % 2 == 0;
    }
}

int faulty_true(const _Bool *truths, size_t count)
{
    int found = 0;
    for (size_t i = 0; i < count; i++) {
        found += truths[i] ? 1 : 0;
    }
    return found;
}
