/* A library that calls back, and that must be set up. */
#ifndef CALLS_H
#define CALLS_H


enum cl_kind { CL_NONE, CL_SOME = 9 };

typedef int (*cl_row)(void *user, int n, char **values, char **names);

/* Calls back. */
int cl_up(int (*and_down)(void *user), void *user);
int cl_up_and(int (*down)(void *user), void *user);
int cl_each(int n, int (*visit)(int index, void *user), void *user);
int cl_rows(int rows, cl_row row, void *user, char **complaint);
void cl_log(int which, void (*log)(const char *text, const short *data, long size, void *user), void *user);
double cl_fold(int n, double (*fold)(double a, float b, _Bool c, enum cl_kind kind, void *user), void *user);
int cl_both(int (*first)(void *user), signed char (*second)(signed char c, void *user), void *user);
int cl_kinds(enum cl_kind (*kind)(void *user), _Bool (*is)(void *user), float (*half)(void *user), void *user);
char *cl_made(int (*visit)(int index, void *user), void *user);
void cl_free(void *memory);
int cl_live(void);

/* Keeps a callback that was passed for one call, and calls it. */
int cl_stash(int (*visit)(int index, void *user), void *user);
int cl_stashed(void);
int cl_unstash(int which, int (*visit)(int index, void *user), void *user);

/* Callbacks that are kept. */
typedef struct cl_hub cl_hub;
typedef struct cl_spot cl_spot;
cl_hub *cl_hub_new(int spots);
void cl_hub_free(cl_hub *hub);
int cl_watch(cl_hub *hub, int (*watch)(void *user, int what), void (*gone)(void *user), void *user);
int cl_name(cl_hub *hub, int (*name)(const char *user, const char *text), const char *user);
int cl_poke(cl_hub *hub, int times);
int cl_say(cl_hub *hub, const char *text);
int cl_poke_elsewhere(cl_hub *hub);
int cl_say_elsewhere(cl_hub *hub, const char *text);
int cl_poke_with(cl_hub *hub, int which);
int cl_both_ways(cl_hub *hub, int (*visit)(int index, void *user), void *user);
char *cl_poked(cl_hub *hub);
cl_hub *cl_twin(cl_hub *hub);

/* Callbacks that get objects, and find their user data by one. */
int cl_spots(cl_hub *hub, int (*visit)(cl_spot *first, int n, cl_spot **all, cl_hub *hub, void *user), void *user);
cl_spot *cl_first(cl_hub *hub);
int cl_spot_number(const cl_spot *spot);
int cl_ask(cl_hub *hub, int (*answer)(cl_spot *spot, int n), void *user);
int cl_answer(cl_hub *hub, int n);
int cl_on_sign(cl_hub *hub, void (*sign)(cl_spot *spot), void *user);
int cl_sign(cl_hub *hub);
void cl_spot_fail(cl_spot *spot, int code);
void *cl_spot_user(const cl_spot *spot);

/* Set up and put away. */
int cl_setup(int flags);
int cl_prepare(void);
const char *cl_explain(int flags, int result);
void cl_finish(void);
int cl_state(void);
void cl_break(int which);

#endif
