typedef unsigned long size_t;
/* A library that goes wrong on purpose: one function for each way in which C code fails. */
#ifndef FAULTY_H
#define FAULTY_H


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
