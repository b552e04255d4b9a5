/* A library that needs more than memory. */
#ifndef NEEDY_H
#define NEEDY_H

/* The sum of a file's bytes, or -errno. */
int needy_sum(const char *path);
/* Appends a byte to a file, which is made where there is none: how long it is now, or -errno. */
int needy_append(const char *path);
/* Makes a file beside, renames it to this one and removes it: 0, or -errno. */
int needy_replace(const char *path);
/* The size of a file, or -errno. */
int needy_size(const char *path);
/* Writes a temporary file and reads it again: what it wrote, or -errno. */
int needy_temporary(int value);
/* Memory that has a descriptor: how much there is of it, or -errno. */
int needy_memory(unsigned flags, int length);
/* Connects to a TCP port of this machine and reads a byte there, or -errno. */
int needy_ask(int port);
/* What the first byte was of the file that it read when it was loaded. */
int needy_loaded(void);
/* Asks what the machine is like, and does without: 7. */
int needy_curious(void);
/* Has threads open a file, so many: the sum of what they return. */
int needy_threads(const char *path, int count);

#endif
