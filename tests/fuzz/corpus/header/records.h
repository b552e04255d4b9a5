typedef unsigned long size_t;
/* A library of structures: passed, filled, returned, and kept. */
#ifndef RECORDS_H
#define RECORDS_H


enum rc_style { RC_THIN, RC_THICK = 3 };

struct rc_point {
    int x;
    double y;
    unsigned char tag;
};

struct rc_line {
    struct rc_point from, to;
    _Bool ends[3];
    enum rc_style style;
    short dashes[2];
};

typedef struct {
    const char *name;
    char *note;
    int size;
} rc_label;

struct rc_span {
    const void *src;
    size_t size, pos;
};

struct rc_room {
    void *dst;
    size_t size, pos;
};

struct rc_words {
    const unsigned short *data;
    unsigned bytes;
    int (*hook)(int);
    char *scratch;
    unsigned char scratch_size;
};

struct rc_packet {
    int id;
    struct rc_span body;
};

/* By value, by pointer, returned. */
struct rc_point rc_mirror(struct rc_point point);
struct rc_point rc_try(int ok);
double rc_length(const struct rc_line *line);
int rc_origin(int fail, struct rc_point *point);
int rc_place(int fail, struct rc_point *point);
int rc_shift(struct rc_line *line, int by);
const struct rc_point *rc_find(int which);

/* Texts and buffers inside. */
int rc_greet(rc_label *label);
rc_label *rc_print(int size);
void rc_free(void *label);
int rc_pump(struct rc_room *room, struct rc_span *span);
long rc_sum(const struct rc_words *words);
int rc_weigh(struct rc_packet packet);
int rc_live(void);

/* Kept between calls. */
struct rc_state;
typedef struct rc_stream {
    const unsigned char *next_in;
    unsigned avail_in;
    unsigned long total_in;
    unsigned char *next_out;
    unsigned avail_out;
    unsigned long total_out;
    char *msg;
    struct rc_state *state;
    int (*filter)(int);
    struct rc_point mark;
    int level;
} rc_stream;

int rc_start(rc_stream *stream, int key);
int rc_meet(rc_stream *one, rc_stream *other);
int rc_run(rc_stream *stream);
int rc_blank(rc_stream *stream);
int rc_clone(rc_stream *into, rc_stream *from);
const struct rc_state *rc_state(rc_stream *stream);
int rc_state_key(const struct rc_state *state);
int rc_stop(rc_stream *stream);

#endif
