/* Names that say nothing: what is done with what is passed stands in the code alone. */
#ifndef SEXTANT_H
#define SEXTANT_H

#include <stddef.h>

struct fix {
    double latitude;
    double longitude;
};

typedef struct sextant sextant;
sextant *sextant_new(void);
void sextant_free(sextant *s);
int sextant_last(const sextant *s);

typedef struct almanac almanac;
almanac *almanac_new(int year);
almanac *almanac_found(int year);
/* It is there until the next one is asked for. */
almanac *almanac_said(int year);
almanac *almanac_row(int year);
void almanac_row_free(almanac *a);
almanac *almanac_years(int number);
almanac *almanac_empty(void);
almanac *almanac_this(void);
almanac *almanac_listed(int year);
almanac *almanac_bound(sextant *s, int year);
int almanac_year(const almanac *a);
int almanac_count(void);
void almanac_free(almanac *a);

/* Of which of these does it free what it is given? */
typedef struct chart chart;
chart *chart_new(double scale);
int chart_scale(const chart *c);
/* What is drawn is lost. */
int chart_free(chart *c);

typedef struct buoy buoy;
buoy *buoy_new(void);
/* What is moored is lost. */
int buoy_free(buoy *b);

typedef struct tide tide;
tide *tide_new(void);
/* Do not call this; call tide_over(). */
int tide_free(tide *t);

int sextant_solve(double sight, double *sine, double *cosine, int *quadrant);
int sextant_turn(int *heading, int by);
void sextant_locate(double north, double east, struct fix *where);
void sextant_mirror(struct fix *here);
int sextant_observe(sextant *s, almanac *a, int day);
int sextant_swing(sextant *s, const double *arcs, int number);

int sextant_solve_kept(double sight, double *angle);
int sextant_solve_three(double *legs);
void sextant_locate_many(struct fix *course, int legs);
void sextant_locate_kept(struct fix *where);
int sextant_observe_noted(sextant *s, almanac *a, int day);
int sextant_observe_kept(sextant *s, almanac *a);
int sextant_observe_late(sextant *s, almanac *a, int day);
int sextant_swing_kept(sextant *s, const double *arcs, int number);
int sextant_unseen(int *count);

#endif
