/* A library that breaks: now and then, or by what it is given. */
#ifndef BRITTLE_H
#define BRITTLE_H

#include <stddef.h>
#include <stdint.h>

/* Twice the number. Aborts in every n-th call of its process, of whichever of the two; 0: never. */
int brittle_twice(int number, int n);
int brittle_twice_once(int number, int n);

/* The number, so many milliseconds later. */
int brittle_slowly(int number, int milliseconds);

/* Does not return. */
int brittle_hang(void);

/* What the application makes of 20, then aborts. */
int brittle_ask(int (*visit)(int number, void *user), void *user);

/* The sum of the bytes. Data that start with 0xEE end the process. */
uint64_t brittle_sum(const uint8_t *data, size_t length, uint32_t factor);

/* The same, so many milliseconds later. */
uint64_t brittle_sum_slowly(const uint8_t *data, size_t length, int milliseconds);

/* The length of all texts. One of "poison" ends the process. */
uint64_t brittle_texts(const char *const *texts, size_t count);

/* The size of the name. One of "poison" ends the process. */
struct brittle_shape {
    const char *name;
    double size;
};
double brittle_measure(const struct brittle_shape *shape);

/* A sum that goes on. Data that start with 0xEE end the process. */
typedef struct brittle_sum_of brittle_sum_of;
brittle_sum_of *brittle_begin(void);
uint64_t brittle_add(brittle_sum_of *sum, const uint8_t *data, size_t length);
void brittle_end(brittle_sum_of *sum);

/* Keeps a function. The other one calls that and aborts; without one it gives its number back. */
void brittle_on_ask(brittle_sum_of *sum, int (*asked)(int number, void *user), void *user);
int brittle_ask_kept(int number);

/* Keeps a function. The other one calls that on a thread of its own and aborts; 0, and it does nothing. */
void brittle_on_tell(brittle_sum_of *sum, int (*asked)(int number, void *user), void *user);
int brittle_tell(int number);

/* Copies as much as there is room for. Data that start with 0xEE end the process where that is less than 1000 bytes. */
size_t brittle_unpack(uint8_t *out, size_t size, const uint8_t *data, size_t length);

/* Both together. A first one of 4330 ends the process. */
struct brittle_pair {
    uint64_t first;
    uint64_t second;
};
uint64_t brittle_weigh(const struct brittle_pair *pair);

/* What a function makes of the length; without one the sum. Data that start with 0xEE end the process then. */
uint64_t brittle_parse(const uint8_t *data, size_t length, int (*seen)(int number, void *user), void *user);

/* Adds data, if there are any. A sum of 0xEE ends the process. */
uint64_t brittle_flush(brittle_sum_of *sum, const uint8_t *data, size_t length);

/* The sum of the bytes, on a thread of the library's own. Data that start with 0xEE end the process. */
uint64_t brittle_sum_by_thread(const uint8_t *data, size_t length);

/* A stream. Its end ends the process where it is told to break. */
struct brittle_stream {
    uint64_t number;
    void *state;
};
int brittle_stream_start(struct brittle_stream *stream, int breaks);
void brittle_stream_end(struct brittle_stream *stream);

/* 0, and any other number ends the process: without data. */
int brittle_break(int number);

#endif
