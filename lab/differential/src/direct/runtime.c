/* What the steps stand on: memory for arguments, and results as lines of JSON. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of data that are shown as they are; more are told by length and checksum. */
#define DT_SHOWN 65536

/* Most bytes of an out buffer. */
#define DT_MOST ((__int128)1 << 30)

/* A number of any integer type, with its sign. */
#define DT_INT(x) ((x) < 0 ? dt_put_signed((intmax_t)(x)) : dt_put_unsigned((uintmax_t)(x)))

/* An integer constant; those of other types are no codes. */
#define DT_CODE(name) __builtin_choose_expr(__builtin_classify_type(name) == 1, name, INT64_MIN)

static int dt_report;
static char *dt_line;
static size_t dt_used, dt_room;

static void dt_put_bytes(const void *data, size_t length)
{
    while (dt_used + length > dt_room) {
        dt_room = dt_room == 0 ? 65536 : 2 * dt_room;
        dt_line = realloc(dt_line, dt_room);
        if (dt_line == NULL) {
            abort();
        }
    }
    memcpy(dt_line + dt_used, data, length);
    dt_used += length;
}

static void dt_put(const char *text)
{
    dt_put_bytes(text, strlen(text));
}

static void dt_put_signed(intmax_t number)
{
    char text[40];
    snprintf(text, sizeof text, "%jd", number);
    dt_put(text);
}

static void dt_put_unsigned(uintmax_t number)
{
    char text[40];
    snprintf(text, sizeof text, "%ju", number);
    dt_put(text);
}

/* The bits, so that nothing is rounded. */
static void dt_put_float(double number)
{
    uint64_t bits;
    char text[40];
    memcpy(&bits, &number, sizeof bits);
    snprintf(text, sizeof text, "{\"float\":\"%016" PRIx64 "\"}", bits);
    dt_put(text);
}

/* `kind` is "data", or "text" for what must be UTF-8. NULL is null. */
static void dt_put_data(const char *kind, const void *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    if (data == NULL) {
        dt_put("null");
        return;
    }
    dt_put("{\"");
    dt_put(kind);
    dt_put("\":\"");
    size_t shown = length < DT_SHOWN ? length : DT_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        dt_put_bytes(pair, 2);
    }
    dt_put("\"");
    if (length > DT_SHOWN) {
        uint64_t sum = 0xcbf29ce484222325u;
        for (size_t i = 0; i < length; i++) {
            sum = (sum ^ bytes[i]) * 0x100000001b3u;
        }
        dt_put(",\"length\":");
        dt_put_unsigned(length);
        dt_put(",\"sum\":\"");
        char text[40];
        snprintf(text, sizeof text, "%016" PRIx64, sum);
        dt_put(text);
        dt_put("\"");
    }
    dt_put("}");
}

static void dt_put_text(const char *kind, const void *text)
{
    dt_put_data(kind, text, text == NULL ? 0 : strlen(text));
}

/* Ends a step: its line reaches the file before the next call is made. */
/* How many callbacks are running: what their calls give belongs to the line of the call that called back. */
static int dt_depth;

static void dt_done(void)
{
    if (dt_depth > 0) {
        return;
    }
    dt_put("\n");
    for (size_t at = 0; at < dt_used;) {
        ssize_t written = write(dt_report, dt_line + at, dt_used - at);
        if (written <= 0) {
            _exit(120);
        }
        at += (size_t)written;
    }
    dt_used = 0;
}

static void dt_say(const char *word, const char *name)
{
    dt_put("{\"");
    dt_put(word);
    dt_put("\":\"");
    dt_put(name);
    dt_put("\"}");
    dt_done();
}

/* The library has overwritten memory, so nothing behind this proves anything. */
static void dt_lied(void)
{
    dt_used = 0;
    dt_say("lied", "");
    _exit(0);
}

/* Data of the caller's own, of just that size, that the function may even write to. */
static void *dt_copy(const void *data, size_t length, size_t tail)
{
    char *memory = malloc(length + tail == 0 ? 1 : length + tail);
    if (memory == NULL) {
        abort();
    }
    memcpy(memory, data, length);
    memset(memory + length, 0, tail);
    return memory;
}

/* A file beside this program, for data that would make its source large. */
static void *dt_load(const char *path, size_t length)
{
    char *data = malloc(length + 1);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t at = 0;
    while (file >= 0 && data != NULL && at < length) {
        ssize_t got = read(file, data + at, length - at);
        if (got <= 0) {
            break;
        }
        at += (size_t)got;
    }
    if (at != length) {
        _exit(121);
    }
    close(file);
    data[length] = 0;
    return data;
}

/* The elements an expression or a library speaks of, in bytes; -1 when there are no such bytes. */
static int64_t dt_bytes(__int128 elements, size_t size)
{
    return elements < 0 || elements > DT_MOST || elements * (__int128)size > DT_MOST ? -1 : (int64_t)(elements * size);
}
