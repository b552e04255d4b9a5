/* A library that several threads may be inside of at once. */
#ifndef CREW_H
#define CREW_H

#include <stddef.h>
#include <stdint.h>

typedef struct crew_member crew_member;

/* The sum of two numbers. */
int crew_add(int a, int b);

/* Waits until `count` threads are in here at the same time; 0 then, -1 when so many milliseconds have passed before. */
int crew_meet(int count, int patience);

/* Waits for one more thread than are in here, as crew_meet does for `count` seconds; and how many wait. */
int crew_meet_one(int seconds);
int crew_waiting(void);

/* A number that tells the calling thread from others that live. */
int crew_thread(void);

/* The sum of bytes. */
uint64_t crew_sum(const uint8_t *data, size_t length);

/* Fills the buffer with copies of a byte, and returns how many. */
size_t crew_fill(uint8_t *to, size_t size, int byte);

/* Sets errno, waits until another thread has set its own, and returns -1. */
int crew_fail(int number);

crew_member *crew_hire(int number);
/* The member that was hired last, which stays whose it is. */
crew_member *crew_newest(void);
int crew_number(crew_member *member);
/* Says that it is there, and stays for so many milliseconds, or until crew_call_off. */
int crew_stay(crew_member *member, int longest);
int crew_staying(void);
void crew_call_off(void);
void crew_dismiss(crew_member *member);
/* How many members there are. */
int crew_count(void);

/* Calls for each number below `count`; the sum of what comes back. */
int crew_each(int count, int (*work)(int number, void *user), void *user);

/* The same, in the room, where one thread can be at a time; crew_dismiss goes there, too. */
int crew_each_in_room(int count, int (*work)(int number, void *user), void *user);

/* Forks a child that exits at once; its wait status. */
int crew_fork(void);

/* Keeps a function, which crew_ask calls. */
void crew_on_ask(crew_member *member, int (*asked)(int number, void *user), void *user);
int crew_ask(crew_member *member, int number);

/* 0 uses a null pointer, 1 aborts, 2 ends the process with status 3, 3 never returns, 4 overflows the stack. */
int crew_fault(int how);

#endif
