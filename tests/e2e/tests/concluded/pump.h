/* Pumps and their valves: nothing of it is decided by a contract. */
#ifndef PUMP_H
#define PUMP_H

typedef struct pump pump;
typedef struct pump_valve pump_valve;

/* Pumps. One that is closed stays. */
pump *pump_new_of(int rate, int stop_level);
void pump_close(pump *p);
void pump_free(pump *p);
int pump_living(void);

/* Numbers that a pump is asked for. */
int pump_get_rate(const pump *p, unsigned *val, int *dir);
int pump_get_place(const pump *p, double *x, double *y);
int pump_get_level(const pump *p, double *value);
int pump_get_rates(const pump *p, unsigned *rates);
int pump_get_rows(const pump *p, unsigned row[]);

/* What is set is called like an end. */
void pump_set_stop_level(pump *p, int level);
int pump_get_stop_level(pump *p);

/* Parts of a pump: 1 when there was one. */
int pump_add_named(pump *p, const char *name);
int pump_remove(pump *p, const char *name);

/* The part that there is, as long as it is there: a contract has to say so. */
typedef struct pump_part pump_part;
pump_part *pump_part_of(pump *p);
int pump_part_length(const pump_part *part);

/* Valves, always behind their pump. */
pump_valve *pump_valve_new(int width, int turned);
void pump_valve_free(pump_valve *v);
int pump_valve_turn(pump *p, pump_valve *v, int degrees);

/* Whether a valve is as wide as the pump's rate needs. */
int pump_check(pump *p, pump_valve *v);

#endif
