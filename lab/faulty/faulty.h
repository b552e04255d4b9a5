/* A library that goes wrong on purpose: one function for each way in which C code fails. */
#ifndef FAULTY_H
#define FAULTY_H

#include <stddef.h>

/* The sum of two numbers: the call that must work before and after every fault. */
int faulty_add(int a, int b);

/* Writes through a null pointer. */
int faulty_null_dereference(void);

/* Reads through a pointer that text was written over. */
int faulty_wild_pointer(void);

/* Calls itself until the stack is used up. */
int faulty_stack_overflow(int depth);

/* Calls abort(). */
void faulty_abort(void);

/* Calls exit(status): 0 is no success either, the call never returns. */
void faulty_exit(int status);

/* Calls _exit(status) from a thread of its own. */
void faulty_exit_in_thread(int status);

/* Loops without end. */
int faulty_loop(void);

/* Sleeps, then returns the milliseconds. */
int faulty_sleep(int milliseconds);

/* Frees a block twice. */
int faulty_double_free(void);

/* Writes byte `at` of a block of `size` bytes: behind it from `size` on, before it below 0. */
int faulty_write_block(int size, int at);

/* Reads one. */
int faulty_read_block(int size, int at);

/* Reads a block that was freed. */
int faulty_use_after_free(int size);

/* Frees what is inside of a block. */
int faulty_free_inside(int size);

/* Allocates blocks and forgets them. */
int faulty_leak(int blocks, int bytes);

/* Has so many threads at a time allocate blocks, free all but one, and end: how many there were. */
int faulty_leak_in_threads(int threads, int bytes);

/* Starts so many threads that stay; how many it got. */
int faulty_keep_threads(int count);

/* Opens so many descriptors that it keeps; how many it got. */
int faulty_keep_descriptors(int count);

/* Allocates a block that it keeps, or changes the size of the one it has. */
int faulty_keep_block(int bytes);

/* Frees the block that is kept. */
void faulty_drop_block(void);

/* Fills a block without a look at whether there is one. */
int faulty_fill(int mebibytes);

/* Needs a block; where there is none it fails (`how` 0), aborts (1) or exits (2). */
int faulty_need(int mebibytes, int how);

/* Allocates in every way there is: 1 when all of it is as it should be. */
int faulty_allocators(int size);

/* Allocates in a forked child, which it makes past the C library when `raw` is not 0; 42 when that went well. */
int faulty_allocate_in_child(int raw);

/* Reads a block that was freed, on a thread of the library's. */
int faulty_use_after_free_in_thread(int size);

/* Frees a block twice in a child, forked past the C library: which signal ended that. Then aborts itself, if it is to. */
int faulty_double_free_in_child(int aborts);

/* Has so many threads end, one after another, for which something is freed behind all destructors: 1 if there is memory then. */
int faulty_end_threads(int threads);

/* Changes the size of a block: 1 if that went well. */
int faulty_resize(int from, int to);

/* Asks for more bytes than there can be, and crashes if it is to. */
int faulty_ask_for_all(int then_crashes);

/* Has so many threads, one after another, allocate and free so many blocks each. */
int faulty_short_threads(int threads, int blocks);

/* Changes the size of a block so many times. */
int faulty_regrow(int times);

/* Frees blocks when the system allows no more maps: how many new ones are not zero. */
int faulty_dirty_blocks(void);

/* Overwrites the canary of its stack frame. */
int faulty_smash_stack(int bytes);

/* Divides; divisor 0 raises SIGFPE. */
int faulty_divide(int dividend, int divisor);

/* Executes an instruction that does not exist. */
int faulty_illegal_instruction(void);

/* Executes a breakpoint instruction. */
int faulty_breakpoint(void);

/* Raises a signal. */
int faulty_raise(int signal);

/* Locks a mutex twice. */
int faulty_deadlock(void);

/* Fails an assertion. */
int faulty_assert(int value);

/* Ignores every signal it can, then loops. */
int faulty_ignore_signals(void);

/* Removes the alternate signal stack, then overflows the stack. */
int faulty_overflow_without_altstack(void);

/* Ends the calling thread with pthread_exit(). */
int faulty_exit_thread(void);

/* Forks a child that sleeps, and aborts. */
int faulty_fork_and_abort(void);

/* Returns; 50 ms later a thread it left behind crashes. */
int faulty_crash_later(void);

/* Closes every descriptor it can find, then returns how many. */
int faulty_close_descriptors(void);

/* Writes into its input, which is not its to write. */
int faulty_write_input(const unsigned char *data, size_t data_len);

/* Fills `length` bytes in front of and behind its result buffer. */
int faulty_write_around(unsigned char *out, size_t *out_len, int length);

/* Claims to have written `claim` bytes. */
int faulty_claim(unsigned char *out, size_t *out_len, size_t claim);

/* A text that is not UTF-8. */
const char *faulty_bad_text(void);

/* NULL instead of a text. */
const char *faulty_no_text(void);

/* A text of `bytes` letters. */
const char *faulty_long_text(int bytes);

/* Prints a text `times` times on standard error. */
int faulty_print(const char *text, int times);

/* Fails with errno set to `number`. */
int faulty_errno(int number);

/* A variable of the environment. */
const char *faulty_environment(const char *name);

/* Descriptors that are open. */
int faulty_descriptors(void);

/* Allocates `mebibytes` and touches them; returns how many it got. */
int faulty_allocate(int mebibytes);

/* How often it was called since the library was loaded. */
int faulty_count(void);

#endif
