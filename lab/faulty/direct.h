/* The parts of the program that calls the library directly: see direct.c. */
#ifndef DIRECT_H
#define DIRECT_H

/* Runs the scenario that the words name: an exit status. Programs in other languages call it, from a library of all this. */
int direct(int count, char **words);

/* Whether a scenario has this name, which is more than a function of numbers. */
int is_scenario(const char *name);

/* What a call returned, or what is to be said of it. */
void returned(const char *what);

/* As `ulimit -v` does it, so that a storm is the library's problem and not the machine's. */
void limit_memory(int mebibytes);

/* A word that the scenario was given, the first is 0; NULL where there is none. */
const char *word(int at);

/* direct.cpp. A function of the program that throws, which the library calls; then once more. */
void throw_through(void);

/* direct_state.c. What a library has changed and not put back is the program's. */
void change_locale(void);
void change_signals(void);
void leave_timer(void);
void round_up(void);
void lose_descriptors(void);
void lose_memory(void);
void lose_threads(void);

#endif
