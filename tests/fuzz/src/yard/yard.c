#include "yard.h"

#include <stdio.h>
#include <string.h>

#define YARDS 8
#define POSTS 4

struct yard_post {
    int number;
};

struct yard {
    int used;
    int number;
    int cleared;
    char name[24];
    struct yard_post posts[2 * POSTS];
};

static yard yards[YARDS];

yard *yard_new(int number)
{
    for (int i = 0; i < YARDS; i++) {
        yard *y = &yards[i];
        if (!y->used) {
            memset(y, 0, sizeof *y);
            y->used = 1;
            y->number = number;
            snprintf(y->name, sizeof y->name, "yard %d", number);
            for (int j = 0; j < 2 * POSTS; j++) {
                y->posts[j].number = j;
            }
            return y;
        }
    }
    return NULL;
}

int yard_free(yard *y)
{
    y->used = 0;
    return 0;
}

int yard_number(const yard *y)
{
    return y->number;
}

yard_post *yard_get(yard *y, int at)
{
    if (at < 0 || at >= POSTS) {
        return NULL;
    }
    return &y->posts[at + (y->cleared ? POSTS : 0)];
}

int yard_post_number(const yard_post *post)
{
    return post->number;
}

int yard_clear(yard *y)
{
    y->cleared = !y->cleared;
    return 0;
}

int yard_sell(yard *y)
{
    if (y->number % 2 != 0) {
        return 1;
    }
    y->used = 0;
    return 0;
}

int yard_add(int a, int b)
{
    return (int)((unsigned)a + (unsigned)b);
}

double yard_scale(float by, double x, _Bool negative, unsigned char small)
{
    return (negative ? -x : x) * by + small;
}

unsigned long yard_bytes(const unsigned char *data, size_t length)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += data[i];
    }
    return sum;
}

int yard_fill(unsigned char *out, size_t most, size_t *length, unsigned char with)
{
    *length = with < most ? with : most;
    memset(out, with, *length);
    return 0;
}

int yard_turn(short *numbers, int count)
{
    for (int i = 0; i < count / 2; i++) {
        short number = numbers[i];
        numbers[i] = numbers[count - 1 - i];
        numbers[count - 1 - i] = number;
    }
    return 0;
}

size_t yard_letters(const char *text)
{
    return strlen(text);
}

const char *yard_name(const yard *y)
{
    return y->name;
}

long yard_units(const unsigned short *text)
{
    long units = 0;
    while (text[units] != 0 && text[units] != ' ') {
        units++;
    }
    return units;
}

int yard_texts(const char *const *texts, int count, size_t than)
{
    int longer = 0;
    for (int i = 0; i < count; i++) {
        longer += strlen(texts[i]) > than;
    }
    return longer;
}

double yard_corner_sum(struct yard_corner corner)
{
    return corner.x + corner.y + corner.tail[4];
}

int yard_corner_turn(struct yard_corner *corner)
{
    corner->x = -corner->x;
    return corner->y < 0;
}

int yard_each(yard *y, int count, int (*visit)(void *user, int number, const char *text, yard_post *post), void *user)
{
    for (int i = 0; i < count && i < POSTS; i++) {
        int answer = visit(user, i, y->name, &y->posts[i]);
        if (answer != 0) {
            return answer;
        }
    }
    return 0;
}
