#include "sextant.h"
#include <stdlib.h>

struct sextant {
    int last;
    almanac *almanac;
    const double *arcs;
};

struct almanac {
    int year;
    almanac *next;
};

static double *angle_of;
static struct fix *fix_of;

sextant *sextant_new(void) { return calloc(1, sizeof(sextant)); }
void sextant_free(sextant *s) { free(s); }
int sextant_last(const sextant *s) { return s->last + (s->arcs ? 1 : 0) + (angle_of ? 2 : 0) + (fix_of ? 4 : 0); }

static int almanacs;
static almanac *listed;

almanac *almanac_new(int year) {
    almanac *made = malloc(sizeof *made);
    if (made) {
        *made = (almanac){year, NULL};
        almanacs++;
    }
    return made;
}

/* One that is there may be found. */
static int find(int year, almanac **found) {
    for (almanac *each = listed; each != NULL; each = each->next)
        if (each->year == year)
            *found = each;
    return *found != NULL;
}

almanac *almanac_found(int year) {
    almanac *found = NULL;
    return find(year, &found) ? found : almanac_new(year);
}

almanac *almanac_said(int year) { return almanac_new(year); }
almanac *almanac_row(int year) { return almanac_new(year); }
void almanac_row_free(almanac *a) { almanac_free(a); }
almanac *almanac_years(int number) { return calloc((size_t)number, sizeof(almanac)); }
almanac *almanac_empty(void) { return malloc(sizeof(almanac)); }

almanac *almanac_this(void) {
    if (listed == NULL)
        listed = almanac_new(26);
    return listed;
}

almanac *almanac_listed(int year) {
    almanac *made = almanac_new(year);
    if (made != NULL) {
        made->next = listed;
        listed = made;
    }
    return made;
}

almanac *almanac_bound(sextant *s, int year) {
    return s->almanac = almanac_new(year);
}

int almanac_year(const almanac *a) { return a->year; }
int almanac_count(void) { return almanacs; }

void almanac_free(almanac *a) {
    almanacs--;
    free(a);
}

int sextant_solve(double sight, double *sine, double *cosine, int *quadrant) {
    if (sight < 0 || sight >= 360)
        return 0;
    *quadrant = (int)(sight / 90) + 1;
    *sine = sight / 2;
    *cosine = 180 - sight / 2;
    return 1;
}

int sextant_turn(int *heading, int by) {
    int before = *heading;
    *heading = (before + by) % 360;
    return before;
}

void sextant_locate(double north, double east, struct fix *where) {
    where->latitude = north;
    where->longitude = east;
}

void sextant_mirror(struct fix *here) {
    here->latitude = -here->latitude;
}

int sextant_observe(sextant *s, almanac *a, int day) {
    return a->year * 1000 + day + s->last;
}

int sextant_observe_noted(sextant *s, almanac *a, int day) {
    s->last = a->year + day;
    return s->last;
}

int sextant_swing(sextant *s, const double *arcs, int number) {
    double sum = 0;
    for (int i = 0; i < number; i++)
        sum += arcs[i];
    s->last = (int)sum;
    return s->last;
}

int sextant_solve_kept(double sight, double *angle) {
    *angle = sight;
    angle_of = angle;
    return 1;
}

int sextant_solve_three(double *legs) {
    legs[2] = legs[0] + legs[1];
    return legs[2] > 1;
}

void sextant_locate_many(struct fix *course, int legs) {
    for (int i = 0; i < legs; i++)
        course[i].latitude += 1;
}

void sextant_locate_kept(struct fix *where) {
    where->latitude = 1;
    fix_of = where;
}

int sextant_observe_kept(sextant *s, almanac *a) {
    s->almanac = a;
    return a->year;
}

int sextant_observe_late(sextant *s, almanac *a, int day) {
    s->last = a->year;
    if (day > 365)
        free(a);
    return s->last;
}

int sextant_swing_kept(sextant *s, const double *arcs, int number) {
    s->arcs = arcs;
    return number;
}

int sextant_unseen(int *count) {
    return count != NULL;
}

struct chart {
    int scale;
    char *drawn;
};
static int charts;
void (*chart_told)(const chart *c);

chart *chart_new(double scale)
{
    chart *made = malloc(sizeof *made);
    if (made != NULL) {
        *made = (chart){(int)scale, calloc(1, 16)};
        charts++;
    }
    return made;
}

int chart_scale(const chart *c)
{
    return 10 * c->scale + charts;
}

int chart_free(chart *c)
{
    if (chart_told != NULL) {
        chart_told(c);
    }
    free(c->drawn);
    free(c);
    return --charts;
}

struct buoy {
    char *moored;
};

buoy *buoy_new(void)
{
    return calloc(1, sizeof(buoy));
}

int buoy_free(buoy *b)
{
    free(b->moored);
    b->moored = NULL;
    return 0;
}

struct tide {
    int height;
};

tide *tide_new(void)
{
    return calloc(1, sizeof(tide));
}

int tide_free(tide *t)
{
    free(t);
    return 0;
}
