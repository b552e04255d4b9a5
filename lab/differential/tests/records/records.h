/* Structures of every kind that travels, as real libraries have them. */
#include <stddef.h>
#include <stdint.h>

struct point { int x; double y; };

/* Bit-fields. */
enum color { RED, GREEN, BLUE };
struct flags { unsigned kind : 3; int level : 5; _Bool on : 1; enum color color : 2; unsigned : 0; uint64_t big : 40; int plain; };
long flags_sum(struct flags flags);
struct flags flags_make(unsigned kind, int level);
int flags_turn(struct flags *flags);

/* Packed structures, and what lies at odd places in them. */
#pragma pack(push, 1)
struct entry { char tag; int number; short parts[3]; struct point at; struct point more[2]; unsigned low : 4; unsigned high : 12; };
#pragma pack(pop)
double entry_sum(const struct entry *entry);
struct entry entry_make(int number);
int entry_turn(struct entry *entry);

/* Arrays of arrays, and of structures, inside. */
struct matrix { double m[2][3]; unsigned char bytes[2][2][2]; _Bool set[2][2]; struct point corners[2][2]; };
double matrix_sum(struct matrix matrix);
int matrix_turn(struct matrix *matrix);

/* Arrays of structures that go in, come out, and are changed in place. */
struct named { const char *name; struct point at; };
double points_sum(const struct point *points, size_t count);
double points_blend(const struct point *points, const double *weights, int count);
int points_names(const struct named *items, int count);
int points_maybe(struct point *points, unsigned short count);
int points_fill(struct point *points, size_t *count);
int points_all(struct point *points, int count, int *total);
int points_corners(int width, struct point corners[4]);
size_t points_scale(struct point *points, size_t count, int factor);
struct point *points_make(int count, int *made);
const struct point *points_table(int *count);
const struct named *points_known(int which);

/* Arrays of objects. */
struct node;
struct node *node_new(int value);
int node_value(const struct node *node);
void node_free(struct node *node);
long nodes_sum(struct node *const *nodes, int count);
int nodes_count(struct node **nodes);
long nodes_maybe(struct node **nodes, size_t count);
int nodes_set(void **nodes, int count, int value);
int nodes_join(struct node *into, struct node **nodes, int count);

/* Texts in arrays, and pointers in structures. */
struct card { char name[12]; unsigned char raw[5]; int number; };
int card_length(const struct card *card);
struct card card_make(int number);
int card_turn(struct card *card);

struct outline { short n; int lengths_n; const struct point *points; const unsigned short *lengths; const char *const *tags; char **names; long names_n; struct card *card; const char *title; };
struct outline outline_get(int which);
const struct outline *outline_find(int which);
int outline_fill(struct outline *outline, int which);

struct job { int kind; const struct card *card; struct point *place; };
int job_run(struct job *job);

/* Texts that may fill their arrays, with NULs or spaces behind them. */
struct label { char name[6]; char kind[4]; unsigned char raw[3]; };
long label_sum(const struct label *label);
struct label label_make(int number);

/* Claims that cannot be. */
int points_lie(struct point *points, int count);
const struct outline *outline_lie(void);
