/* What direct.c has in C++. */
#ifndef DIRECT_H
#define DIRECT_H

/* A function of the program that throws, which the library calls; then once more. */
void throw_through(void);

#endif
