/* A library whose calls can be stopped from another thread: they obey, or they do not. */
#ifndef HALT_H
#define HALT_H

/* What can be told to stop. A call on it begins untold. */
typedef struct halt_job halt_job;
halt_job *halt_begin(void);
void halt_end(halt_job *job);

/* How often it was told. */
int halt_told(const halt_job *job);

/* What belongs to one. */
typedef struct halt_part halt_part;
halt_part *halt_part_of(halt_job *job);
void halt_part_end(halt_part *part);
halt_job *halt_job_of(const halt_part *part);

/* How many there are. */
int halt_parts(const halt_job *job);

/* Turn for so many milliseconds, which they return, or until they are told to stop: then -1. */
int halt_turn(halt_job *job, int milliseconds);
int halt_turn_part(halt_part *part, int milliseconds);
int halt_turn_any(halt_job *job, int milliseconds);

/* The same, but it does not listen. */
int halt_turn_deaf(halt_job *job, int milliseconds);

/* The same, and no signal that asks it to end is heard. */
int halt_turn_shut(halt_job *job, int milliseconds);

/* The same; what tells them to stop hangs, or crashes. */
int halt_turn_hung(halt_job *job, int milliseconds);
int halt_turn_crashed(halt_job *job, int milliseconds);

/* The same; what tells it to stop goes on for a while, and then tells whoever is under way. */
int halt_turn_late(halt_job *job, int milliseconds);

/* The same; when it is told to stop, it crashes, or ends its process. */
int halt_fall(halt_job *job, int milliseconds);
int halt_leave(halt_job *job, int milliseconds);

/* Nothing tells this one. */
int halt_turn_alone(halt_job *job, int milliseconds);

/* The same without an object. */
int halt_wait(int milliseconds);

/* Calls back again and again, until it is told to stop. How often the answer was not negative. */
int halt_visit(halt_job *job, int (*visit)(int number, void *user), void *user);

/* Calls back once; what that returns. */
int halt_ask(halt_job *job, int (*visit)(int number, void *user), void *user);

/* A part, when it was told to stop. */
halt_part *halt_make(halt_job *job);

/* What tells them: to be called on another thread. */
void halt_stop(halt_job *job);
void halt_stop_and_linger(halt_job *job);
void halt_stop_and_hang(halt_job *job);
void halt_stop_and_crash(halt_job *job);
#define HALT_ALL 1
void halt_wake(int whom);

#endif
