#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shelf_label {
    int length;
};

struct shelf_box {
    shelf *on;
    int size;
    int count;
    int *numbers;
    struct shelf_label label;
    shelf_box *next;
};

struct shelf {
    char *name;
    int code;
    shelf_box *boxes;
    shelf_more more;
    void *user;
};

struct shelf_state {
    struct shelf_stream *stream;
    unsigned char key;
};

static int alive;

int shelf_open(const char *name, shelf **out)
{
    *out = calloc(1, sizeof(shelf));
    (*out)->name = strdup(name);
    (*out)->code = strcmp(name, "broken") == 0 ? SHELF_BROKEN : SHELF_OK;
    alive++;
    return (*out)->code;
}

int shelf_close(shelf *s)
{
    while (s->boxes != NULL) {
        shelf_box *box = s->boxes;
        s->boxes = box->next;
        shelf_box_free(box);
    }
    free(s->name);
    free(s);
    alive--;
    return SHELF_OK;
}

const char *shelf_error(shelf *s)
{
    static const char *const texts[] = {"nothing", "no room", "the shelf is broken"};
    return texts[s->code];
}

const char *shelf_name(const shelf *s)
{
    return s->name;
}

shelf_box *shelf_box_new(shelf *s, enum shelf_size size)
{
    shelf_box *box = calloc(1, sizeof(*box));
    box->on = s;
    box->size = (int)size;
    box->numbers = calloc((size_t)size, sizeof(int));
    alive++;
    return box;
}

void shelf_box_free(shelf_box *box)
{
    free(box->numbers);
    free(box);
    alive--;
}

int shelf_box_add(shelf_box *box, int number)
{
    if (box->count == box->size) {
        box->on->code = SHELF_FULL;
        return SHELF_FULL;
    }
    box->numbers[box->count++] = number;
    box->label.length = box->count;
    return SHELF_OK;
}

long shelf_box_sum(const shelf_box *box)
{
    long sum = 0;
    for (int i = 0; i < box->count; i++) {
        sum += box->numbers[i];
    }
    return sum;
}

shelf_label *shelf_box_label(shelf_box *box)
{
    return box->count == 0 ? NULL : &box->label;
}

int shelf_label_length(const shelf_label *label)
{
    return label->length;
}

int shelf_put(shelf *s, shelf_box *box)
{
    if (strcmp(s->name, "tiny") == 0) {
        return SHELF_FULL;
    }
    box->next = s->boxes;
    s->boxes = box;
    return SHELF_OK;
}

long shelf_total(const shelf *s)
{
    long sum = 0;
    for (const shelf_box *box = s->boxes; box != NULL; box = box->next) {
        sum += shelf_box_sum(box);
    }
    if (s->more != NULL) {
        shelf_box *all[8];
        int count = 0;
        for (shelf_box *box = s->boxes; box != NULL && count < 8; box = box->next) {
            all[count++] = box;
        }
        sum += s->more(s->user, (shelf *)s, s->boxes, count, all);
    }
    return sum;
}

int shelf_watch(shelf *s, shelf_more more, void *user)
{
    s->more = more;
    s->user = user;
    return SHELF_OK;
}

int shelf_alive(void)
{
    return alive;
}

int shelf_box_each(shelf_box *box, int (*visit)(void *user, int number, const char *text, int count, char **names), void *user)
{
    for (int i = 0; i < box->count; i++) {
        char text[32];
        char *names[3] = {text, NULL, box->on->name};
        snprintf(text, sizeof(text), "number %d", box->numbers[i]);
        int result = visit(user, box->numbers[i], text, 3, names);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

struct shelf_measure shelf_measure_of(const shelf *s)
{
    struct shelf_measure measure = {{1.5, -2.5}, {1, 2, 3}, s->name, SHELF_SIZE_LARGE};
    return measure;
}

void shelf_measure_double(struct shelf_measure *measure)
{
    measure->corner.x *= 2;
    measure->corner.y *= 2;
    for (int i = 0; i < 3; i++) {
        measure->sides[i] *= 2;
    }
    measure->unit = "doubled";
}

double shelf_corner_distance(struct shelf_corner a, const struct shelf_corner *b)
{
    double x = b == NULL ? a.x : a.x - b->x;
    double y = b == NULL ? a.y : a.y - b->y;
    return x * x + y * y;
}

int shelf_join(const char *const *words, char **out)
{
    size_t length = 1;
    int count = 0;
    for (const char *const *word = words; *word != NULL; word++) {
        length += strlen(*word);
        count++;
    }
    if (count == 0) {
        *out = NULL;
        return 0;
    }
    *out = calloc(1, length);
    for (const char *const *word = words; *word != NULL; word++) {
        strcat(*out, *word);
    }
    return count;
}

void shelf_free(void *memory)
{
    free(memory);
}

long shelf_number(const char *text, const char **end)
{
    char *stop = NULL;
    long number = strtol(text, &stop, 10);
    *end = stop == text ? NULL : stop;
    return number;
}

unsigned short *shelf_turn(const unsigned short *text, const unsigned short **blank)
{
    size_t length = 0;
    *blank = NULL;
    for (; text[length] != 0; length++) {
        if (text[length] == ' ' && *blank == NULL) {
            *blank = text + length;
        }
    }
    unsigned short *turned = calloc(length + 1, sizeof *turned);
    for (size_t i = 0; turned != NULL && i < length; i++) {
        turned[i] = text[length - 1 - i];
    }
    return turned;
}

int shelf_words(const char *text, char ***words, int *count)
{
    size_t length = strlen(text);
    *count = 0;
    *words = NULL;
    if (length == 0) {
        return 0;
    }
    /* The pointers, and behind them what they point to. */
    char **list = malloc((length + 1) * sizeof *list + length + 1);
    char *copy = (char *)(list + length + 1);
    memcpy(copy, text, length + 1);
    for (char *at = copy; at != NULL; (*count)++) {
        char *end = strchr(at, ' ');
        if (end != NULL) {
            *end++ = '\0';
        }
        list[*count] = *at == '\0' ? NULL : at;
        at = end;
    }
    *words = list;
    return 0;
}

const char *const *shelf_sizes(void)
{
    static const char *const sizes[] = {"small", "groß", NULL};
    return sizes;
}

int shelf_squares(int n, int **out)
{
    *out = NULL;
    if (n > 0) {
        *out = calloc((size_t)n, sizeof(int));
    }
    for (int i = 0; i < n; i++) {
        (*out)[i] = i * i;
    }
    return n;
}

int shelf_stream_start(struct shelf_stream *stream, int key)
{
    if (key < 0) {
        return SHELF_BROKEN;
    }
    stream->state = calloc(1, sizeof(*stream->state));
    stream->state->stream = stream;
    stream->state->key = (unsigned char)key;
    stream->total = 0;
    alive++;
    return SHELF_OK;
}

/* The stream must stand where it stood: the state points back at it. */
int shelf_stream_run(struct shelf_stream *stream)
{
    if (stream->state == NULL || stream->state->stream != stream) {
        return SHELF_BROKEN;
    }
    while (stream->avail_in > 0 && stream->avail_out > 0) {
        if (*stream->next_in == 255) {
            stream->next_in++;
            stream->avail_in--;
            return SHELF_BROKEN;
        }
        *stream->next_out++ = *stream->next_in++ ^ stream->state->key;
        stream->avail_in--;
        stream->avail_out--;
        stream->total++;
    }
    return SHELF_OK;
}

int shelf_stream_end(struct shelf_stream *stream)
{
    if (stream->state == NULL || stream->state->stream != stream) {
        return SHELF_BROKEN;
    }
    free(stream->state);
    stream->state = NULL;
    alive--;
    return SHELF_OK;
}

int shelf_stream_visit(struct shelf_stream *stream, int (*visit)(void *user, int byte), void *user)
{
    int result = 0;
    while (result == 0 && stream->avail_in > 0) {
        stream->avail_in--;
        result = visit(user, *stream->next_in++);
    }
    return result;
}

int shelf_digits(const char *text, const char **end, long *value, _Bool *negative, short *digits, int *count, char *why,
                 char **complaint)
{
    *negative = *text == '-';
    *value = 0;
    *count = 0;
    for (*end = text + *negative; **end >= '0' && **end <= '9'; ++*end) {
        *value = *value * 10 + (**end - '0');
        if (*count < 4) {
            digits[(*count)++] = (short)(**end - '0');
        }
    }
    if (**end == '\0') {
        return SHELF_OK;
    }
    snprintf(why, 16, "no digit");
    *complaint = strdup(**end == '?' ? "what\xff" : "what is that?");
    if (**end == '!') {
        *count = 1000;
    }
    return SHELF_BROKEN;
}

int shelf_measure_cut(struct shelf_measure *measure)
{
    measure->sides[0] = measure->sides[1] = measure->sides[2] = 1;
    return strcmp(measure->unit, "metre") == 0 ? SHELF_OK : SHELF_BROKEN;
}

int shelf_flip(const _Bool *truths, int n, _Bool *turned)
{
    int found = 0;
    for (int i = 0; i < n; i++) {
        found += truths[i] ? 1 : 0;
        turned[i] = !truths[i];
    }
    return found;
}

const short *shelf_row(int n, int *count)
{
    static const short row[] = {3, 4, 5};
    *count = n < 3 ? n : 3;
    return n < 0 ? NULL : row;
}

const short *shelf_full_row(int n, int *count)
{
    return shelf_row(n, count);
}

int shelf_tape_start(struct shelf_tape *tape, int fails)
{
    tape->data[69999] = 7;
    tape->end = 1;
    alive += !fails;
    return fails;
}

int shelf_tape_end(struct shelf_tape *tape)
{
    alive -= tape->end;
    return 0;
}
