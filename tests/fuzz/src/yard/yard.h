/* A library to be fuzzed through: whatever it is called with that its contract allows, it stands. */
#ifndef YARD_H
#define YARD_H

#include <stddef.h>

typedef struct yard yard;
typedef struct yard_post yard_post;

/* NULL for a number below 0. */
yard *yard_new(int number);
int yard_free(yard *y);
int yard_number(const yard *y);
/* A yard has four posts. */
yard_post *yard_get(yard *y, int at);
int yard_post_number(const yard_post *post);
/* Other posts take their place. */
int yard_clear(yard *y);
/* Goes if the number is even. */
int yard_sell(yard *y);

int yard_add(int a, int b);
double yard_scale(float by, double x, _Bool negative, unsigned char small);
/* The sum of the bytes. */
unsigned long yard_bytes(const unsigned char *data, size_t length);
/* Fills up to `most` bytes, as many as are asked for. */
int yard_fill(unsigned char *out, size_t most, size_t *length, unsigned char with);
/* Turns numbers round, where they are. */
int yard_turn(short *numbers, int count);
size_t yard_letters(const char *text);
/* The text is the library's. */
const char *yard_name(const yard *y);
/* How many units there are before the first blank. */
long yard_units(const unsigned short *text);
/* How many of the texts are longer than this. */
int yard_texts(const char *const *texts, int count, size_t than);

struct yard_corner {
    double x;
    int y;
    char tail[5];
};

double yard_corner_sum(struct yard_corner corner);
int yard_corner_turn(struct yard_corner *corner);

/* Calls back for each of up to four numbers, until an answer is not 0. */
int yard_each(yard *y, int count, int (*visit)(void *user, int number, const char *text, yard_post *post), void *user);

/* Asks for pieces, and gives the sum of what is filled, or what was returned that is no length. */
long yard_drain(size_t piece, int pieces, long (*reads)(void *user, unsigned char *into, size_t room), void *user);
/* Has so many numbers filled: their sum. */
long yard_filled(int count, void (*fill)(void *user, short *into, int count), void *user);

/* Keeps who looks, and calls him later. */
void yard_on_look(yard *y, int (*look)(void *user, int number), void *user);
int yard_look(yard *y, int times);
/* Keeps a text and another yard; tells the length of one and the number of the other. */
void yard_note(yard *y, const char *text);
void yard_join(yard *y, yard *other);
long yard_kept(const yard *y);

/* Moves each corner; the number of them that lie to the left. */
int yard_corners(struct yard_corner *corners, int count);

/* What is in it is open to all. */
typedef struct yard_sign {
    int number;
    unsigned colour : 3;
    double width;
    short marks[4];
    struct yard_corner corner;
    const char *text;
} yard_sign;

yard_sign *yard_sign_new(void);
int yard_sign_free(yard_sign *sign);

#endif
