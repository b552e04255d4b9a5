/* A library of objects, for packages to be tried on: shelves, boxes on them, labels, and a stream. */
#ifndef SHELF_H
#define SHELF_H

#define SHELF_OK 0
#define SHELF_FULL 1
#define SHELF_BROKEN 2

/* How much fits. */
enum shelf_size { SHELF_SIZE_SMALL = 2, SHELF_SIZE_LARGE = 100 };

/* Where boxes stand. */
typedef struct shelf shelf;
/* Where numbers lie. */
typedef struct shelf_box shelf_box;
/* What stands on a box. */
typedef struct shelf_label shelf_label;

/* Opens a shelf. One that is called "broken" is there all the same, to be asked for its error, and closed. */
int shelf_open(const char *name, shelf **out);
int shelf_close(shelf *s);
const char *shelf_error(shelf *s);
const char *shelf_name(const shelf *s);

/* A box of its own; nobody's until it is put on a shelf. */
shelf_box *shelf_box_new(shelf *s, enum shelf_size size);
void shelf_box_free(shelf_box *box);
int shelf_box_add(shelf_box *box, int number);
long shelf_box_sum(const shelf_box *box);
/* NULL where there is none. */
shelf_label *shelf_box_label(shelf_box *box);
int shelf_label_length(const shelf_label *label);
/* The box is the shelf's from then on, unless the shelf is called "tiny". */
int shelf_put(shelf *s, shelf_box *box);
long shelf_total(const shelf *s);
/* Keeps what is asked for more when a shelf is totalled; NULL ends it. The first box may be NULL. */
typedef int (*shelf_more)(void *user, shelf *s, shelf_box *first, int count, shelf_box **all);
int shelf_watch(shelf *s, shelf_more more, void *user);
/* Boxes and shelves that are alive. */
int shelf_alive(void);

/* Visits numbers until a visit gives something else than 0, and gives that. */
int shelf_box_each(shelf_box *box, int (*visit)(void *user, int number, const char *text, int count, char **names), void *user);

struct shelf_corner {
    double x;
    double y;
};

struct shelf_measure {
    struct shelf_corner corner;
    int sides[3];
    const char *unit;
    enum shelf_size size;
};

struct shelf_measure shelf_measure_of(const shelf *s);
void shelf_measure_double(struct shelf_measure *measure);
double shelf_corner_distance(struct shelf_corner a, const struct shelf_corner *b);

/* Joins words; the text is freed with shelf_free. */
int shelf_join(const char *const *words, char **out);
void shelf_free(void *memory);
long shelf_number(const char *text, const char **end);
/* The units of a text back to front, freed with shelf_free, and where the first blank of it is. */
unsigned short *shelf_turn(const unsigned short *text, const unsigned short **blank);
/* The words of a text, NULL where one is empty, freed with shelf_free; NULL for no text. */
int shelf_words(const char *text, char ***words, int *count);
/* The names of the sizes; a NULL ends them. */
const char *const *shelf_sizes(void);
/* The squares of 0 to n - 1. */
int shelf_squares(int n, int **out);

/* Turns data by a key, as much as there is room for. A byte 255 is stepped over, and an error. */
struct shelf_stream {
    const unsigned char *next_in;
    unsigned avail_in;
    unsigned char *next_out;
    unsigned avail_out;
    unsigned long total;
    struct shelf_state *state;
};

int shelf_stream_start(struct shelf_stream *stream, int key);
int shelf_stream_run(struct shelf_stream *stream);
int shelf_stream_end(struct shelf_stream *stream);
/* Takes bytes one by one until a visit gives something else than 0. */
int shelf_stream_visit(struct shelf_stream *stream, int (*visit)(void *user, int byte), void *user);

/* How many of these are true, and all turned. */
int shelf_flip(const _Bool *truths, int n, _Bool *turned);

/* Numbers of a row, which are the library's; NULL where it has none. */
const short *shelf_row(int n, int *count);
const short *shelf_full_row(int n, int *count);

/* A structure that is long. It begins unless it fails. */
struct shelf_tape {
    unsigned char data[70000];
    int end;
};

int shelf_tape_start(struct shelf_tape *tape, int fails);
int shelf_tape_end(struct shelf_tape *tape);

/* Reads digits. What is no digit is an error; where it was, and what was before it, is there all the same. */
int shelf_digits(const char *text, const char **end, long *value, _Bool *negative, short *digits, int *count, char *why,
                 char **complaint);
/* Fails with a measure of another unit than "metre"; its sides are cut to 1 all the same. */
int shelf_measure_cut(struct shelf_measure *measure);

#endif
