/* A library that attacks the process that started its own. */
#ifndef ATTACKS_H
#define ATTACKS_H

/* Tries this attack now: 0 when it succeeded, else errno; -1 when there is no such attack. */
int attack_now(const char *name);
/* What came of the attack that the variable ATTACK named when the library was loaded. */
int attack_in_constructor(void);
/* Has a thread try it that was there before the library served: the variable THREAD must be set. */
int attack_in_old_thread(const char *name);
/* Has a new thread try it. */
int attack_in_new_thread(const char *name);
/* How many attacks there are, and their names. */
int attack_count(void);
const char *attack_name(int number);

int attack_add(int a, int b);
/* Opens a file: for reading, and for writing if so. Errno, or 0. */
int attack_open(const char *path, int for_writing);
/* The first byte of a file, or -errno. */
int attack_first_byte(const char *path);
/* What changes a directory: makes, renames and removes files and directories there, and links. Errno, or 0. */
int attack_rename(const char *from, const char *to);
int attack_symlink(const char *to, const char *at);
int attack_unlink(const char *path);
int attack_chmod(const char *path);
int attack_truncate(const char *path);
/* Opens a file with these flags. Errno, or 0. */
int attack_open_with(const char *path, int flags);
/* Makes directories in each other, so many. Errno, or 0. */
int attack_nest(const char *path, int depth);
/* Connects to a port of this machine over TCP, or listens there: errno, or 0. */
int attack_connect(int port);
int attack_connect_fast(int port);
int attack_listen(int port);
/* Makes a socket: errno, or 0. */
int attack_socket(int domain, int type, int protocol);
/* A system call with two numbers: its result, or -errno. */
int attack_syscall(int number, int first, int second);
/* The size of an open descriptor, by fstat; or -errno. */
int attack_fstat(int fd);
/* What a variable of the environment says. */
const char *attack_variable(const char *name);
/* Keeps the text in memory and aborts. */
void attack_abort_with(const char *secret);
/* Ignores SIGSYS, and tries the attack. */
int attack_unseen(const char *name);
/* Raises SIGSYS. */
void attack_raise_sigsys(void);
/* Makes timers until it fails, at most so many: how many there are then. */
int attack_timers(int most);
/* The limit of core files. */
int attack_core_limit(void);

#endif
