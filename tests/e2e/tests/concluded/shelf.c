#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 8 };

struct shelf {
    int count;
    const char *labels[MOST];
    const int *numbers;
    char title[16];
};

shelf *shelf_new(void)
{
    return calloc(1, sizeof(shelf));
}

void shelf_free(shelf *shelf)
{
    free(shelf);
}

int shelf_count(const shelf *shelf)
{
    return shelf->count;
}

int shelf_clear_to(shelf *shelf, int count)
{
    return shelf->count = count;
}

const char *shelf_label(const shelf *shelf, int index)
{
    return index < 0 || index >= shelf->count ? NULL : shelf->labels[index];
}

int shelf_add(shelf *shelf, const char *label)
{
    if (shelf->count == MOST) {
        return 0;
    }
    shelf->labels[shelf->count++] = label;
    return 1;
}

shelf *shelf_copy(shelf *other)
{
    shelf *made = shelf_new();
    if (made != NULL) {
        *made = *other;
    }
    return made;
}

shelf *shelf_parse(const char *labels)
{
    shelf *made = shelf_new();
    if (made != NULL) {
        shelf_add(made, labels);
    }
    return made;
}

shelf *shelf_new_numbered(const int *numbers, int count)
{
    shelf *made = shelf_new();
    if (made != NULL) {
        made->numbers = numbers;
        made->count = count;
    }
    return made;
}

int shelf_number(const shelf *shelf, int index)
{
    return shelf->numbers[index];
}

/* A place in the shelf. */
char *shelf_title(shelf *shelf)
{
    snprintf(shelf->title, sizeof shelf->title, "%d labels", shelf->count);
    return shelf->title;
}

/* New memory, of which the header does not say that it is the caller's. */
char *shelf_description(const shelf *shelf)
{
    char *text = malloc(32);
    if (text != NULL) {
        snprintf(text, 32, "a shelf of %d", shelf->count);
    }
    return text;
}
