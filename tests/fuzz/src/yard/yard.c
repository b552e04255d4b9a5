#include "yard.h"

#include <stdio.h>
#include <string.h>

/* More than calls of one input can make: the next input begins with none, and nobody frees what the last one has left. */
#define YARDS 512
#define POSTS 4

struct yard_post {
    int number;
};

struct yard {
    int number;
    int cleared;
    char name[24];
    struct yard_post posts[2 * POSTS];
    int (*look)(void *user, int number);
    void *user;
    const char *text;
    yard *other;
};

static yard yards[YARDS];

yard *yard_new(int number)
{
    static unsigned made;
    if (number < 0) {
        return NULL;
    }
    yard *y = &yards[made++ % YARDS];
    memset(y, 0, sizeof *y);
    y->number = number;
    snprintf(y->name, sizeof y->name, "yard %d", number);
    for (int j = 0; j < 2 * POSTS; j++) {
        y->posts[j].number = j;
    }
    return y;
}

/* What it kept may have gone. */
int yard_free(yard *y)
{
    y->look = NULL;
    y->text = NULL;
    y->other = NULL;
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

long yard_drain(size_t piece, int pieces, long (*reads)(void *user, unsigned char *into, size_t room), void *user)
{
    static unsigned char room[4096];
    long sum = 0;
    piece = piece < sizeof room ? piece : sizeof room;
    for (int i = 0; i < pieces && i < 4; i++) {
        long filled = reads(user, piece == 0 ? NULL : room, piece);
        if (filled < 0 || (size_t)filled > piece) {
            return filled;
        }
        for (long at = 0; at < filled; at++) {
            sum += room[at];
        }
    }
    return sum;
}

long yard_filled(int count, void (*fill)(void *user, short *into, int count), void *user)
{
    static short room[64];
    long sum = 0;
    count = count < 0 ? 0 : count < 64 ? count : 64;
    fill(user, room, count);
    for (int i = 0; i < count; i++) {
        sum += room[i];
    }
    return sum;
}

void yard_on_look(yard *y, int (*look)(void *user, int number), void *user)
{
    y->look = look;
    y->user = user;
}

int yard_look(yard *y, int times)
{
    int sum = 0;
    for (int i = 0; i < times && i < 4 && y->look != NULL; i++) {
        sum += y->look(y->user, i) & 0xff;
    }
    return sum;
}

void yard_note(yard *y, const char *text)
{
    y->text = text;
}

void yard_join(yard *y, yard *other)
{
    y->other = other;
}

long yard_kept(const yard *y)
{
    return (y->text == NULL ? 0 : (long)strlen(y->text)) + (y->other == NULL ? 0 : y->other->number);
}

int yard_corners(struct yard_corner *corners, int count)
{
    int left = 0;
    for (int i = 0; i < count; i++) {
        corners[i].x += 1;
        left += corners[i].x < 0;
    }
    return left;
}

static yard_sign signs[YARDS];

yard_sign *yard_sign_new(void)
{
    static unsigned made;
    yard_sign *sign = &signs[made++ % YARDS];
    memset(sign, 0, sizeof *sign);
    sign->text = made % 4 == 0 ? NULL : "a sign";
    return sign;
}

int yard_sign_free(yard_sign *sign)
{
    sign->text = NULL;
    return 0;
}
