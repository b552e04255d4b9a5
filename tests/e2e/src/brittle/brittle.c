#include "brittle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct brittle_sum_of {
    uint64_t sum;
};

static int calls;

int brittle_twice(int number, int n)
{
    if (n > 0 && ++calls % n == 0)
        abort();
    return 2 * number;
}

int brittle_twice_once(int number, int n)
{
    return brittle_twice(number, n);
}

int brittle_slowly(int number, int milliseconds)
{
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000L };
    nanosleep(&time, NULL);
    return number;
}

int brittle_hang(void)
{
    for (volatile int turns = 0;; turns = !turns) {
    }
}

int brittle_ask(int (*visit)(int number, void *user), void *user)
{
    if (visit(20, user) >= 0)
        abort();
    return -1;
}

static uint64_t sum(const uint8_t *data, size_t length)
{
    uint64_t sum = 0;
    if (length > 0 && data[0] == 0xEE)
        abort();
    for (size_t at = 0; at < length; at++)
        sum += data[at];
    return sum;
}

uint64_t brittle_sum(const uint8_t *data, size_t length, uint32_t factor)
{
    return factor * sum(data, length);
}

uint64_t brittle_sum_slowly(const uint8_t *data, size_t length, int milliseconds)
{
    brittle_slowly(0, milliseconds);
    return sum(data, length);
}

static size_t length_of(const char *text)
{
    if (strcmp(text, "poison") == 0)
        abort();
    return strlen(text);
}

uint64_t brittle_texts(const char *const *texts, size_t count)
{
    uint64_t length = 0;
    for (size_t at = 0; at < count; at++)
        length += length_of(texts[at]);
    return length;
}

double brittle_measure(const struct brittle_shape *shape)
{
    return (double)length_of(shape->name) * shape->size;
}

brittle_sum_of *brittle_begin(void)
{
    return calloc(1, sizeof(brittle_sum_of));
}

uint64_t brittle_add(brittle_sum_of *of, const uint8_t *data, size_t length)
{
    return of->sum += sum(data, length);
}

void brittle_end(brittle_sum_of *sum)
{
    free(sum);
}

static int (*kept)(int number, void *user);
static void *kept_user;

void brittle_on_ask(brittle_sum_of *sum, int (*asked)(int number, void *user), void *user)
{
    sum->sum = 0;
    kept = asked;
    kept_user = user;
}

int brittle_ask_kept(int number)
{
    if (kept != NULL) {
        kept(number, kept_user);
        abort();
    }
    return number;
}

static int (*told)(int number, void *user);
static void *told_user;

void brittle_on_tell(brittle_sum_of *sum, int (*asked)(int number, void *user), void *user)
{
    sum->sum = 0;
    told = asked;
    told_user = user;
}

static void *tell(void *unused)
{
    if (told != NULL)
        told(20, told_user);
    return unused;
}

int brittle_tell(int number)
{
    pthread_t thread;
    if (number == 0)
        return 0;
    if (pthread_create(&thread, NULL, tell, NULL) != 0)
        return -1;
    pthread_join(thread, NULL);
    abort();
}

size_t brittle_unpack(uint8_t *out, size_t size, const uint8_t *data, size_t length)
{
    if (length > 0 && data[0] == 0xEE && size < 1000)
        abort();
    size_t filled = length < size ? length : size;
    memcpy(out, data, filled);
    return filled;
}

uint64_t brittle_weigh(const struct brittle_pair *pair)
{
    if (pair->first == 4330)
        abort();
    return pair->first + pair->second;
}

uint64_t brittle_parse(const uint8_t *data, size_t length, int (*seen)(int number, void *user), void *user)
{
    if (seen == NULL)
        return sum(data, length);
    return seen((int)length, user);
}

uint64_t brittle_flush(brittle_sum_of *of, const uint8_t *data, size_t length)
{
    if (of->sum == 0xEE)
        abort();
    return of->sum += data == NULL ? 0 : sum(data, length);
}

struct part {
    const uint8_t *data;
    size_t length;
    uint64_t sum;
};

static void *sum_part(void *part)
{
    struct part *own = part;
    own->sum = sum(own->data, own->length);
    return NULL;
}

uint64_t brittle_sum_by_thread(const uint8_t *data, size_t length)
{
    struct part part = { data, length, 0 };
    pthread_t thread;
    if (pthread_create(&thread, NULL, sum_part, &part) != 0)
        return 0;
    pthread_join(thread, NULL);
    return part.sum;
}

int brittle_stream_start(struct brittle_stream *stream, int breaks)
{
    stream->state = malloc(1 + (breaks != 0));
    if (stream->state != NULL)
        *(char *)stream->state = breaks != 0;
    return stream->state == NULL;
}

void brittle_stream_end(struct brittle_stream *stream)
{
    if (*(char *)stream->state != 0)
        abort();
    free(stream->state);
}

int brittle_break(int number)
{
    if (number != 0)
        abort();
    return 0;
}
