#include <stdlib.h>
#include <string.h>
#include "records.h"

long flags_sum(struct flags f) { return f.kind + 10 * f.level + 1000 * f.on + 10000 * f.color + (long)f.big * 3 + f.plain / 7; }
struct flags flags_make(unsigned kind, int level)
{
    struct flags f = {.kind = kind & 7, .level = level % 16, .on = kind > 7, .color = kind % 3, .big = (uint64_t)kind * 99999, .plain = level};
    return f;
}
int flags_turn(struct flags *f)
{
    int before = f->level;
    f->kind = ~f->kind;
    f->level = -(f->level / 2);
    f->on = !f->on;
    f->color = f->color == BLUE ? RED : f->color + 1;
    f->big = ~f->big;
    return before;
}

static double of_point(struct point p) { return p.x + 3 * p.y; }
double entry_sum(const struct entry *e)
{
    struct point more[2];
    memcpy(more, e->more, sizeof more);
    double sum = e->tag + 2.0 * e->number + of_point(e->at) + 5 * of_point(more[0]) + 7 * of_point(more[1]);
    for (int i = 0; i < 3; i++) sum += (i + 1) * (double)e->parts[i];
    return sum + e->low + 100 * e->high;
}
struct entry entry_make(int number)
{
    struct entry e = {'e', number, {1, -2, 3}, {number % 10, 0.5}, {{1, 2}, {3, 4}}, 5, 4095};
    return e;
}
int entry_turn(struct entry *e)
{
    struct point at = e->at;
    e->at = e->more[1];
    e->more[1] = at;
    e->parts[2] = e->parts[0];
    e->low = ~e->low;
    return e->number;
}

double matrix_sum(struct matrix a)
{
    double sum = 0;
    for (int i = 0; i < 6; i++) sum += (i + 1) * a.m[i / 3][i % 3];
    for (int i = 0; i < 8; i++) sum += (i + 1) * a.bytes[i / 4][i / 2 % 2][i % 2];
    for (int i = 0; i < 4; i++) sum += (i + 1) * (of_point(a.corners[i / 2][i % 2]) + a.set[i / 2][i % 2]);
    return sum;
}
int matrix_turn(struct matrix *a)
{
    double first = a->m[0][1];
    a->m[0][1] = a->m[1][2];
    a->m[1][2] = first;
    a->corners[0][1] = a->corners[1][0];
    a->bytes[1][0][1] ^= 0xff;
    a->set[1][0] = !a->set[1][0];
    return a->corners[0][1].x;
}

double points_sum(const struct point *points, size_t count)
{
    double sum = (double)count;
    for (size_t i = 0; i < count; i++) sum = sum / 2 + of_point(points[i]);
    return sum;
}
double points_blend(const struct point *points, const double *weights, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) sum += weights[i] * points[i].x;
    return sum;
}
int points_names(const struct named *items, int count)
{
    int sum = count;
    for (int i = 0; i < count; i++) sum = sum * 3 + (items[i].name == NULL ? -1 : (int)strlen(items[i].name)) + items[i].at.x % 100;
    return sum;
}
int points_maybe(struct point *points, unsigned short count)
{
    if (points == NULL) return -1;
    int sum = 0;
    for (int i = 0; i < count; i++) { sum += points[i].x % 1000; points[i].x = 0; }
    return sum;
}
int points_fill(struct point *points, size_t *count)
{
    size_t room = *count;
    *count = room / 2 > 3 ? 3 : room / 2;
    for (size_t i = 0; i < *count; i++) points[i] = (struct point){(int)i + 1, 0.5 * (double)room};
    return (int)room;
}
int points_all(struct point *points, int count, int *total)
{
    for (int i = 0; i < count && i < 10; i++) points[i] = (struct point){i, i / 2.0};
    *total = 10;
    return count < 10 ? count : 10;
}
int points_corners(int width, struct point corners[4])
{
    for (int i = 0; i < 4; i++) corners[i] = (struct point){i % 2 ? width : 0, i / 2};
    return width;
}
size_t points_scale(struct point *points, size_t count, int factor)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (points[i].x % 2 == 0) points[kept++] = (struct point){(int)((unsigned)points[i].x * (unsigned)factor), points[i].y};
    return kept;
}
struct point *points_make(int count, int *made)
{
    *made = count < 0 ? 0 : count % 50;
    struct point *points = calloc((size_t)*made + 1, sizeof *points);
    for (int i = 0; i < *made; i++) points[i] = (struct point){count - i, i};
    return count == 7 ? (free(points), NULL) : points;
}
const struct point *points_table(int *count)
{
    static const struct point table[] = {{1, 2}, {3, 4}, {5, 6}};
    *count = 3;
    return table;
}
const struct named *points_known(int which)
{
    static const struct named known[] = {{"origin", {0, 0}}, {NULL, {1, 1}}, {"Größe", {2, 0.25}}};
    return which == 3 ? NULL : known;
}

struct node { int value; };
struct node *node_new(int value)
{
    struct node *node = malloc(sizeof *node);
    node->value = value;
    return node;
}
int node_value(const struct node *node) { return node->value; }
void node_free(struct node *node) { free(node); }
long nodes_sum(struct node *const *nodes, int count)
{
    long sum = count;
    for (int i = 0; i < count; i++) sum = 3 * sum + nodes[i]->value;
    return sum;
}
int nodes_count(struct node **nodes) { int n = 0; while (nodes[n] != NULL) n++; return n; }
long nodes_maybe(struct node **nodes, size_t count) { return nodes == NULL ? -1 : nodes_sum(nodes, (int)count); }
int nodes_set(void **nodes, int count, int value)
{
    for (int i = 0; i < count; i++) ((struct node *)nodes[i])->value = value % 1000 + i;
    return count;
}
int nodes_join(struct node *into, struct node **nodes, int count)
{
    int value = into->value;
    free(into);
    for (int i = 0; i < count; i++) nodes[i]->value += value % 100;
    return value;
}

int card_length(const struct card *card) { return (int)strlen(card->name) * 10 + (int)strlen((const char *)card->raw); }
struct card card_make(int number)
{
    struct card card;
    memset(&card, 'x', sizeof card);
    card.number = number;
    if (number % 3 == 0) memcpy(card.name, "twelve chars", 12);
    else strcpy(card.name, number % 3 == 1 ? "" : "Gr\xc3\xb6\xc3\x9f" "e");
    memcpy(card.raw, "ab\xff\0z", 5);
    return card;
}
int card_turn(struct card *card)
{
    size_t n = strlen(card->name);
    for (size_t i = 0; i < n / 2; i++) { char c = card->name[i]; card->name[i] = card->name[n - 1 - i]; card->name[n - 1 - i] = c; }
    for (size_t i = 0; i < n; i++) if (card->name[i] & 0x80) card->name[i] = '?';
    strcpy((char *)card->raw, "1234");
    return (int)n;
}

static const struct point outline_points[] = {{1, 1.5}, {2, 2.5}, {3, 3.5}};
static const unsigned short outline_lengths[] = {7, 0, 65535, 9};
static const char *const outline_tags[] = {"first", "", "dritte", NULL};
static char *outline_names[] = {"a", NULL, "c"};
static struct card outline_card = {"card", "raw", 5};
struct outline outline_get(int which)
{
    struct outline outline = {(short)(which & 3), 4, outline_points, outline_lengths, outline_tags, outline_names, 3, &outline_card, "title"};
    if (which == 3) return (struct outline){0};
    return outline;
}
const struct outline *outline_find(int which)
{
    static struct outline outline;
    outline = outline_get(which);
    return which == 2 ? NULL : &outline;
}
int outline_fill(struct outline *outline, int which)
{
    int before = outline->points == NULL && outline->names == NULL;
    *outline = outline_get(which);
    return before;
}
int job_run(struct job *job)
{
    int sum = job->kind;
    if (job->card != NULL) sum += (int)strlen(job->card->name);
    if (job->place != NULL) { sum += job->place->x % 1000; job->place->x = 5; }
    else { static struct point origin = {77, 0.5}; job->place = &origin; }
    job->card = NULL;
    return sum;
}

long label_sum(const struct label *label)
{
    long sum = 0;
    for (size_t i = 0; i < sizeof *label; i++) sum = (sum * 31 + ((const unsigned char *)label)[i]) % 1000000007;
    return sum;
}
struct label label_make(int number)
{
    struct label label = {"", "ab  ", "xyz"};
    if (number == 1) memcpy(&label, "sixsix    \0\0\0", 13);
    if (number == 2) memcpy(&label, "a \0bcd  c q  ", 13);
    return label;
}

int points_lie(struct point *points, int count) { return count > 0 && points != NULL ? count + 1 : 0; }
const struct outline *outline_lie(void)
{
    static const struct outline outline = {.n = -1, .points = outline_points};
    return &outline;
}
