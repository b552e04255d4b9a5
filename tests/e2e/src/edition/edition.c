#include "edition.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef EDITION
#define EDITION 1
#endif

/* What an edition that is not well adds to its answers. */
#ifndef OFF_BY
#define OFF_BY 0
#endif

#ifdef CRASHES
__attribute__((constructor)) static void crash(void)
{
    abort();
}
#endif

#ifdef HANGS_IN_TURN
/* Hangs when there is something in the file that this variable names. */
__attribute__((constructor)) static void hang(void)
{
    const char *path = getenv("EDITION_HANGS");
    int file = path == NULL ? -1 : open(path, O_RDONLY);
    char first;
    if (file >= 0 && read(file, &first, 1) == 1) {
        for (;;) {
            pause();
        }
    }
    close(file);
}
#endif

#ifdef WAITS_IN_TURN
/* The first byte of the file that this variable names. */
static char turn(void)
{
    const char *path = getenv("EDITION_TURN");
    int file = path == NULL ? -1 : open(path, O_RDONLY);
    char first = 0;
    if (file >= 0 && read(file, &first, 1) != 1) {
        first = 0;
    }
    close(file);
    return first;
}

/* Waits while that is a w, and behind one while there is none: it is being written. Ends the process where it is an e, or where it
   has waited and it is an o. Where it is a 1, only this process need not wait: it makes it a w. */
__attribute__((constructor)) static void wait_in_turn(void)
{
    int waited = 0;
    char first = turn();
    if (first == '1') {
        int file = open(getenv("EDITION_TURN"), O_WRONLY);
        if (write(file, "w", 1) != 1) {
            abort();
        }
        close(file);
        return;
    }
    while (first == 'w' || (waited && first == 0)) {
        usleep(1000);
        waited = 1;
        first = turn();
    }
    if (first == 'e' || (waited && first == 'o')) {
        abort();
    }
}
#endif

/* Adds a line to the file that this variable names, if it does. */
static void note(const char *variable, const char *what)
{
    const char *path = getenv(variable);
    int file = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND);
    if (file >= 0) {
        dprintf(file, "edition %d %s\n", EDITION, what);
        close(file);
    }
}

int edition_number(void)
{
    note("EDITION_ASKED", "is asked");
#ifdef CRASHES_WHEN_ASKED
    abort();
#endif
#ifdef HANGS_WHEN_ASKED
    for (;;) {
        pause();
    }
#endif
#ifdef SLOW_WHEN_ASKED
    usleep(400 * 1000);
    note("EDITION_ASKED", "has answered");
#endif
    return EDITION;
}

int edition_mark(int x)
{
    return 10 * x + EDITION + OFF_BY;
}

#ifndef WITHOUT_SLOWLY
int edition_slowly(int x, unsigned int milliseconds)
{
    usleep(milliseconds * 1000);
    return edition_mark(x);
}
#endif

int edition_ask(int (*asked)(void *user, int number), void *user)
{
    return asked(user, EDITION);
}

void edition_abort(void)
{
    abort();
}

struct edition_book {
    int pages;
};

edition_book *edition_open(int pages)
{
    edition_book *book = malloc(sizeof *book);
    if (book != NULL) {
        book->pages = pages;
    }
    return book;
}

int edition_pages(const edition_book *book)
{
    return book->pages;
}

void edition_close(edition_book *book)
{
    free(book);
}

void edition_leave(void)
{
    note("EDITION_LEFT", "leaves");
}
