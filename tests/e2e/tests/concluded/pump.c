#include "pump.h"

#include <stdlib.h>
#include <string.h>

struct pump_part {
    char name[16];
};

struct pump {
    int rate, closed, stop_level;
    pump_part *part;
};

struct pump_valve {
    int width, turned;
};

static int living;

pump *pump_new_of(int rate, int stop_level)
{
    pump *p = calloc(1, sizeof *p);
    if (p != NULL) {
        p->rate = rate;
        p->stop_level = stop_level;
        p->part = calloc(1, sizeof *p->part);
        strcpy(p->part->name, "filter");
        living++;
    }
    return p;
}

void pump_close(pump *p)
{
    p->closed = 1;
}

void pump_free(pump *p)
{
    living--;
    free(p->part);
    free(p);
}

int pump_living(void)
{
    return living;
}

int pump_get_rate(const pump *p, unsigned *val, int *dir)
{
    /* Both ways: the old value of `dir` says in which unit. */
    *val = (unsigned)(p->rate * (*dir == 7 ? 1000 : 1));
    *dir = p->rate < 0 ? -1 : 1;
    return 0;
}

int pump_get_place(const pump *p, double *x, double *y)
{
    *x = p->rate + 0.5;
    *y = p->rate - 0.5;
    return 0;
}

int pump_get_level(const pump *p, double *value)
{
    *value = p->stop_level / 4.0;
    return p->closed;
}

int pump_get_rates(const pump *p, unsigned *rates)
{
    rates[0] = rates[1] = (unsigned)p->rate;
    return 2;
}

int pump_get_rows(const pump *p, unsigned row[])
{
    return pump_get_rates(p, row);
}

void pump_set_stop_level(pump *p, int level)
{
    p->stop_level = level;
}

int pump_get_stop_level(pump *p)
{
    return p->stop_level;
}

int pump_add_named(pump *p, const char *name)
{
    return p->part != NULL || name[0] == '\0';
}

int pump_remove(pump *p, const char *name)
{
    int there = p->part != NULL && strcmp(p->part->name, name) == 0;
    if (there) {
        free(p->part);
        p->part = NULL;
    }
    return there;
}

pump_part *pump_part_of(pump *p)
{
    return p->part;
}

int pump_part_length(const pump_part *part)
{
    return (int)strlen(part->name);
}

pump_valve *pump_valve_new(int width, int turned)
{
    pump_valve *v = calloc(1, sizeof *v);
    if (v != NULL) {
        v->width = width;
        v->turned = turned;
    }
    return v;
}

void pump_valve_free(pump_valve *v)
{
    free(v);
}

int pump_valve_turn(pump *p, pump_valve *v, int degrees)
{
    v->turned += degrees;
    return v->turned * p->rate;
}

int pump_check(pump *p, pump_valve *v)
{
    return v->width >= p->rate;
}
