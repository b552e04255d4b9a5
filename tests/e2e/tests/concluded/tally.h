#ifndef TALLY_H
#define TALLY_H

/* Numbers of which only the functions know where they are. */
typedef struct tally {
    int used;
    int *items;
} tally;

int tally_init(tally *t);
void tally_clear(tally *t);
int tally_push(tally *t, int value);
int tally_sum(const tally *t);
int tally_max(const tally *t);
int tally_size(const tally *t);
int tally_double(tally *t);
int tally_negate(tally *t);
int tally_reverse(tally *t);
int tally_at(const tally *t, int position);
int tally_add(const tally *a, const tally *b, tally *c);
int tally_cmp(const tally *a, const tally *b);

/* Two numbers, and behind them more. */
typedef struct bead {
    int kind;
    int holds;
} bead;

bead *bead_new(int kind, int colour);
void bead_free(bead *b);
int bead_kind(const bead *b);
int bead_weight(const bead *b);
int bead_grow(bead *b, int weight);
int bead_compare(const bead *a, const bead *b);
int bead_living(void);

/* A shelf with sections, which are shelves. */
typedef struct shelf shelf;

int shelf_malloc(shelf **out);
void shelf_free(shelf *s);
int shelf_width(const shelf *s);
shelf *shelf_section(shelf *s, int position);
int shelf_rmsec(shelf *s, int position);

/* Declared as in old C. */
int old_version();
double old_scaled();

#endif
