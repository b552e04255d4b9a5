/* What a library changes of the process that it runs in, and leaves changed. */
#ifndef FAULTY_STATE_H
#define FAULTY_STATE_H

/* Has numbers written as in this locale, from now on: this one in thousandths then, or -1 where there is none of that name. */
int faulty_use_locale(const char *name, const char *text);

/* A text that is a number, in thousandths. */
int faulty_thousandths(const char *text);

/* Handles SIGUSR1, ignores SIGSEGV and blocks SIGTERM: how many of these are changed then. */
int faulty_change_signals(void);

/* How many of these are changed now. */
int faulty_changed_signals(void);

/* Leaves a timer that goes off every few milliseconds: how many times it has gone off before this returns. */
int faulty_leave_timer(int milliseconds);

/* Rests, unless something comes in between: 0, or errno. */
int faulty_rest(int milliseconds);

/* Has results of numbers rounded up, from now on: 0. */
int faulty_round_up(void);

/* One by three. */
double faulty_third(void);

/* Begins a thread that stays, and neither waits for it nor detaches it: 1, or 0 where there is none to be had. */
int faulty_leave_thread(void);

#endif
