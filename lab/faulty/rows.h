/* What goes wrong in the rows of the crash lab that neither faulty.h nor objects.h has. */
#ifndef FAULTY_ROWS_H
#define FAULTY_ROWS_H

#include <stddef.h>

/* Writes over what the allocator notes of free memory, and returns. */
int faulty_corrupt_heap(void);

/* Allocates and frees blocks of many sizes. */
int faulty_use_heap(void);

/* Writes so many bytes into a block of 24, and frees it and the one behind it. */
int faulty_overflow_block(int bytes);

/* Claims its result buffer to be filled, and leaves it as it was. */
int faulty_leave(unsigned char *out, size_t *out_len);

/* Writes over all memory that is shared with other processes, and waits; returns where there is none. */
int faulty_scribble(void);

/* Returns; a timer that it left behind ends the process a moment later. */
int faulty_die_idle(void);

/* Builds something of so many blocks of 1 MiB. Fails with -1, and frees what it has, when there is no memory for one. */
int faulty_build(int blocks);

/* Says why, and ends the process. */
int faulty_give_up(int status);

/* Notes where it is, calls back, and returns the sum. */
int faulty_outer(int (*visit)(void *user, int number), void *user);

/* Jumps to where the outer one is. */
int faulty_inner(int number);

/* Jumps out of a depth of its own calls. Fails with -1 when it had to. */
int faulty_jump_within(int depth);

/* Asks C++ for more memory than there is, and catches nothing. */
int faulty_new_without_memory(void);

/* Throws a C++ exception. */
int faulty_throw(void);

/* Calls a method that is pure virtual, from a constructor. */
int faulty_pure_virtual(void);

/* A value that its type does not have. */
enum faulty_colour { FAULTY_RED = 1, FAULTY_GREEN = 2 };
enum faulty_colour faulty_odd_colour(void);
_Bool faulty_odd_truth(void);
double faulty_not_a_number(void);

/* Calls a function of the caller's while it holds a lock. */
int faulty_locked(int (*visit)(void *user, int number), void *user);

/* Calls a function of the caller's from a thread of its own. */
int faulty_call_back_in_thread(int (*visit)(void *user, int number), void *user);

/* Reads a map of a file that was cut. */
int faulty_truncated_map(void);

/* Writes into a pipe that nobody reads: errno. */
int faulty_broken_pipe(void);

/* Handles SIGSEGV by returning, and crashes. */
int faulty_swallow_crash(void);

/* Ignores SIGCHLD, and waits for any child there is: errno. */
int faulty_reap_children(void);

/* Forks a child that stays, and returns. */
int faulty_fork_and_stay(void);

/* Becomes a daemon: forks twice, the last one leads a session of its own, and stays. */
int faulty_become_daemon(void);

/* Counts to `times`, and others who come meanwhile count in between. Returns how far it came. */
int faulty_race(int times);

/* Leaves a thread behind that holds a lock for ever, which the library's destructor needs. */
int faulty_hold_lock(void);

/* Has so many threads burn time, for ever. */
int faulty_burn(int threads);

/* Changes the directory, the mask of new files, a variable: 0, or errno. */
int faulty_change_directory(const char *path);
int faulty_change_mask(int mask);
int faulty_set_variable(const char *name, const char *value);
int faulty_clear_environment(void);

/* Puts /dev/null, or else a pipe, in place of every descriptor from 3 on: how many. */
int faulty_replace_descriptors(void);

/* Writes so much binary noise without a newline to standard output. */
int faulty_flood(int mebibytes);

/* Says something on standard output. */
int faulty_say(const char *text);

/* Writes so much into a temporary file: 0, or errno. */
int faulty_fill_disk(int mebibytes);

/* The version of this copy of the library, as another file of it asks. */
int faulty_version_number(void);
int faulty_version(void);

/* A text without an end. */
const char *faulty_endless_text(void);

/* Makes memory that can be written and executed, and executes it: 42, or -errno. */
int faulty_execute_data(void);

/* Reads a file: its first byte, or -errno. */
int faulty_read_file(const char *path);

/* Formats, as printf does. */
int faulty_format(const char *format, ...);

#endif
