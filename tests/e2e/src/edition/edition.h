/* A library of which there are several editions: which one it is, is in its answers. */
#ifndef EDITION_H
#define EDITION_H

/* The number of this edition. Writes that it is asked into the file that EDITION_ASKED names. */
int edition_number(void);

/* Ten times `x`, and the number of this edition. */
int edition_mark(int x);

/* The same, after so many milliseconds. */
int edition_slowly(int x, unsigned int milliseconds);

/* Calls back with the number of this edition; what that returns. */
int edition_ask(int (*asked)(void *user, int number), void *user);

/* Ends the process. */
void edition_abort(void);

/* A book, with so many pages. */
typedef struct edition_book edition_book;

edition_book *edition_open(int pages);
int edition_pages(const edition_book *book);
void edition_close(edition_book *book);

/* Writes that a worker ends into the file that EDITION_LEFT names. */
void edition_leave(void);

#endif
