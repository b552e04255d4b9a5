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
