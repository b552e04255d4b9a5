#include "tally.h"

#include <stdlib.h>
#include <string.h>

int tally_init(tally *t)
{
    t->used = 0;
    t->items = malloc(64 * sizeof(int));
    return t->items == NULL ? -1 : 0;
}

void tally_clear(tally *t)
{
    free(t->items);
    memset(t, 0, sizeof *t);
}

int tally_push(tally *t, int value)
{
    t->items[t->used++] = value;
    return t->used;
}

int tally_sum(const tally *t)
{
    int sum = 0;
    for (int i = 0; i < t->used; i++) {
        sum += t->items[i];
    }
    return sum;
}

int tally_max(const tally *t)
{
    int max = t->items[0];
    for (int i = 1; i < t->used; i++) {
        max = t->items[i] > max ? t->items[i] : max;
    }
    return max;
}

int tally_size(const tally *t)
{
    return t->used;
}

int tally_double(tally *t)
{
    for (int i = 0; i < t->used; i++) {
        t->items[i] *= 2;
    }
    return t->used;
}

int tally_negate(tally *t)
{
    for (int i = 0; i < t->used; i++) {
        t->items[i] = -t->items[i];
    }
    return t->used;
}

int tally_reverse(tally *t)
{
    for (int i = 0, j = t->used - 1; i < j; i++, j--) {
        int last = t->items[j];
        t->items[j] = t->items[i];
        t->items[i] = last;
    }
    return t->used;
}

int tally_at(const tally *t, int position)
{
    return t->items[position];
}

int tally_cmp(const tally *a, const tally *b)
{
    return a->used - b->used;
}

int tally_add(const tally *a, const tally *b, tally *c)
{
    for (int i = 0; i < a->used; i++) {
        tally_push(c, a->items[i] + b->items[i]);
    }
    return c->used;
}

struct whole {
    bead seen;
    int weight;
};

static int living;

bead *bead_new(int kind, int colour)
{
    struct whole *w = calloc(1, sizeof *w);
    w->seen.kind = kind + colour;
    living++;
    return &w->seen;
}

void bead_free(bead *b)
{
    living--;
    free(b);
}

int bead_kind(const bead *b)
{
    return b->kind;
}

int bead_weight(const bead *b)
{
    /* Behind what the header shows: of a copy it would be another number. */
    return ((const struct whole *)b)->weight;
}

int bead_grow(bead *b, int weight)
{
    b->holds++;
    ((struct whole *)b)->weight += weight;
    return b->holds;
}

int bead_compare(const bead *a, const bead *b)
{
    return bead_weight(a) - bead_weight(b);
}

int bead_living(void)
{
    return living;
}

struct shelf {
    int width;
    shelf *sections[2];
};

int shelf_malloc(shelf **out)
{
    shelf *s = calloc(1, sizeof *s);
    s->width = 10;
    for (int i = 0; i < 2; i++) {
        s->sections[i] = calloc(1, sizeof *s);
        s->sections[i]->width = 3 + i;
    }
    *out = s;
    return 0;
}

void shelf_free(shelf *s)
{
    free(s->sections[0]);
    free(s->sections[1]);
    free(s);
}

int shelf_width(const shelf *s)
{
    return s->width;
}

shelf *shelf_section(shelf *s, int position)
{
    return s->sections[position];
}

int shelf_rmsec(shelf *s, int position)
{
    free(s->sections[position]);
    s->sections[position] = NULL;
    return 0;
}

int old_version(void)
{
    return 12;
}

double old_scaled(float by, short n)
{
    return by * n;
}
