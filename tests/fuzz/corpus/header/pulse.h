/* A library that calls back at a steady rate, and profiles the thread that it is called on. */
#ifndef PULSE_H
#define PULSE_H

/* Has the kernel send SIGPROF every so many microseconds, whether the thread works or waits. Slow system calls are interrupted. */
int pulse_profile(int microseconds);
/* How often it did. */
long pulse_signals(void);

/* Calls `beat` with 1, 2, ... `count`, one in each period of so many microseconds. How often it did not give three times
 * the number. */
long pulse_beat(int count, int microseconds, long (*beat)(void *user, int number), void *user);

#endif
