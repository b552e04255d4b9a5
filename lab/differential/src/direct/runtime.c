/* What the steps stand on: memory for arguments, and results as lines of JSON. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
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

/* The length of a text in an array, without the spaces behind it. */
static size_t dt_spaced(const char *text, size_t most)
{
    size_t length = strnlen(text, most);
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    return length;
}

/* A letter as UTF-8; what is none becomes what is no UTF-8. The bytes that it takes. */
static int dt_utf8(uint32_t letter, unsigned char *utf8)
{
    if (letter < 0x80) {
        utf8[0] = letter;
        return 1;
    }
    if (letter > 0x10ffff) {
        letter = 0xd800;
    }
    int more = letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;
    int used = 0;
    utf8[used++] = (0xff00 >> (more + 1) & 0xff) | letter >> 6 * more;
    while (more-- > 0) {
        utf8[used++] = 0x80 | letter >> 6 * more & 0x3f;
    }
    return used;
}

/* The letter at a place of a text whose letters have so many bytes: Latin-1, or UTF-32. */
static uint32_t dt_letter(const void *text, int unit, int64_t at)
{
    uint32_t letter = 0;
    memcpy(&letter, (const unsigned char *)text + at * unit, unit);
    return letter;
}

/* Such a text of so many bytes, or up to the letter that is zero, as UTF-8. */
static void dt_put_letters(const void *text, int unit, int64_t length)
{
    if (text == NULL) {
        dt_put("null");
        return;
    }
    int64_t letters = 0, used = 0;
    while (length < 0 ? dt_letter(text, unit, letters) != 0 : letters < length / unit) {
        letters++;
    }
    unsigned char *utf8 = malloc(4 * letters + 1);
    for (int64_t i = 0; i < letters; i++) {
        used += dt_utf8(dt_letter(text, unit, i), utf8 + used);
    }
    dt_put_data("text", utf8, used);
    free(utf8);
}

/* The bytes of UTF-8 that so many of its letters are. */
static void dt_put_place_letters(const void *text, int unit, int64_t letters)
{
    unsigned char utf8[4];
    int64_t bytes = 0;
    for (int64_t i = 0; i < letters; i++) {
        bytes += dt_utf8(dt_letter(text, unit, i), utf8);
    }
    dt_put_signed(bytes);
}

/* A text in UTF-16 of so many bytes, or up to the unit that is zero, as UTF-8. What is no UTF-16 becomes what is no
 * UTF-8. */
static void dt_put_text16(const void *text, int64_t length)
{
    const unsigned char *bytes = text;
    size_t size = 0, used = 0;
    if (text == NULL) {
        dt_put("null");
        return;
    }
    if (length >= 0) {
        size = length;
    } else {
        while (bytes[size] != 0 || bytes[size + 1] != 0) {
            size += 2;
        }
    }
    unsigned char *utf8 = malloc(2 * size + 1);
    for (size_t i = 0; i < size;) {
        uint32_t letter = 0xd800; /* stands for half of a letter */
        if (i + 1 < size) {
            letter = bytes[i] | bytes[i + 1] << 8;
        }
        i += 2;
        if (letter >= 0xd800 && letter < 0xdc00 && i + 1 < size && (bytes[i + 1] & 0xfc) == 0xdc) {
            letter = 0x10000 + ((letter & 0x3ff) << 10 | (bytes[i] | bytes[i + 1] << 8) & 0x3ff);
            i += 2;
        }
        used += dt_utf8(letter, utf8 + used);
    }
    dt_put_data("text", utf8, used);
    free(utf8);
}

/* The bytes of UTF-8 that so many units of a text in UTF-16 are. */
static void dt_put_place16(const void *text, int64_t units)
{
    const uint16_t *at = text;
    int64_t bytes = 0;
    for (int64_t i = 0; i < units; i++) {
        int pair = at[i] >= 0xd800 && at[i] < 0xdc00;
        bytes += at[i] < 0x80 ? 1 : at[i] < 0x800 ? 2 : pair ? 4 : 3;
        i += pair;
        if (i >= units) { /* in the middle of a letter */
            dt_put("{\"text\":\"ff\"}");
            return;
        }
    }
    dt_put_signed(bytes);
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
    char *data = malloc(length + 2);
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
    data[length] = data[length + 1] = 0;
    return data;
}

/* The elements an expression or a library speaks of, in bytes; -1 when there are no such bytes. */
static int64_t dt_bytes(__int128 elements, size_t size)
{
    return elements < 0 || elements > DT_MOST || elements * (__int128)size > DT_MOST ? -1 : (int64_t)(elements * size);
}
