/* A library that is loaded beside another, and whose own thread writes into all memory that the worker shares with its
 * host and can write: random words, words that look as if they belonged there, and whole replies ahead of the worker's.
 *
 * It takes orders from a file that test and worker map: see `enum`. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hotcell_wire.h"

/* Words of the file. */
enum { RUN, SEED, MODE, BURST, PAUSE, WRITTEN, FORGED, ORDERS };

/* How it scribbles. */
enum { RANDOM, AIMED, FORGING, ALL };

/* A segment that is mapped here. */
struct segment {
    uint8_t *base;
    uint64_t length;
};

enum { MOST = HOTCELL_MAX_SEGMENTS };

/* Those that can be written: replies, then what was added; and the one of requests. */
static struct segment written[MOST];
static size_t count;
static struct segment requests;

static volatile uint64_t *orders;
static uint64_t state;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t below(uint64_t bound)
{
    return next() % bound;
}

/* Finds the segments: shared maps of memory files of this name. */
static void look_around(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    count = 0;
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        unsigned long start = 0, end = 0;
        char rights[5] = "";
        if (strstr(line, "memfd:hotcell-segment") == NULL || sscanf(line, "%lx-%lx %4s", &start, &end, rights) != 3) {
            continue;
        }
        struct segment found = {(uint8_t *)start, end - start};
        int has_head = *(volatile uint64_t *)found.base == HOTCELL_MAGIC;
        if (rights[1] == 'w' && count < MOST) {
            written[count++] = found;
        } else if (rights[1] != 'w' && has_head) {
            requests = found;
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    /* The replies lie in a segment as long as that of the requests, and were mapped with it. */
    for (size_t i = 1; i < count; i++) {
        if (written[i].length == requests.length && written[0].length != requests.length) {
            struct segment other = written[0];
            written[0] = written[i];
            written[i] = other;
        }
    }
}

/* Looks for segments that were added, every millisecond. */
static void look_around_now_and_then(void)
{
    static int64_t last;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t millisecond = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (millisecond != last) {
        last = millisecond;
        look_around();
    }
}

static uint64_t slot_offset(uint64_t slot)
{
    return HOTCELL_LANES_OFFSET + HOTCELL_LANE_HEAD + slot * HOTCELL_SLOT_STRIDE;
}

static uint64_t place(uint64_t segment, uint64_t offset)
{
    return segment << HOTCELL_PLACE_SEGMENT_SHIFT | offset;
}

/* A place that a result may have, or nearly. */
static uint64_t some_place(uint64_t slot)
{
    static const uint64_t ends[] = {0, 8, 64, 4096, 1 << 20, 1 << 21, (1 << 20) - 8};
    uint64_t block = slot_offset(slot) + HOTCELL_RESULT_OFFSET;
    switch (below(8)) {
    case 0: case 1: case 2: return place(HOTCELL_SEGMENT_REPLY, block + 8 * below(HOTCELL_MAX_RESULT / 8));
    case 3: case 4: return place(HOTCELL_SEGMENT_FIRST_ADDED + below(4), ends[below(7)] + below(3) * 8);
    case 5: return place(HOTCELL_SEGMENT_REPLY, block + HOTCELL_MAX_RESULT - below(16));
    case 6: return place(below(HOTCELL_MAX_SEGMENTS + 1), next() >> (16 + below(48)));
    default: return HOTCELL_PLACE_NULL - below(2);
    }
}

/* A value that may get past a check. */
static uint64_t some_value(uint64_t slot)
{
    static const uint64_t edges[] = {
        0, 1, 2, 7, 8, 16, 24, 32, 56, 64, 255, 4096, HOTCELL_MAX_RESULT, HOTCELL_MAX_RESULT + 1, HOTCELL_KEPT_CALLBACKS,
        0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0xffffffffffff, 0x7fffffffffffffff, 0x8000000000000000,
        HOTCELL_LENGTH_IMPOSSIBLE, HOTCELL_LENGTH_IMPOSSIBLE - 1,
    };
    uint64_t *there = (uint64_t *)(void *)written[0].base;
    switch (below(8)) {
    case 0: case 1: return some_place(slot);
    case 2: case 3: return edges[below(sizeof edges / sizeof *edges)];
    case 4: return below(100);
    case 5: /* a handle, or nearly */
        return (1 + below(4)) << HOTCELL_HANDLE_TYPE_SHIFT | (1 + below(4)) << HOTCELL_HANDLE_GENERATION_SHIFT | below(8);
    case 6: /* what was said before: handles and places that are good */
        return __atomic_load_n(there + (slot_offset(below(4)) + HOTCELL_RESULT_OFFSET) / 8 + below(8), __ATOMIC_RELAXED);
    default: return next();
    }
}

static void count_words(uint64_t words)
{
    orders[WRITTEN] += words;
}

static void store(struct segment *segment, uint64_t offset, uint32_t value)
{
    if (offset / 4 * 4 + 4 <= segment->length) {
        __atomic_store_n((uint32_t *)(void *)(segment->base + offset / 4 * 4), value, __ATOMIC_RELAXED);
        count_words(1);
    }
}

/* A word anywhere; in what was added, mostly where results begin. Seldom a page is taken away instead, which is zeros then. */
static void scribble(void)
{
    struct segment *segment = &written[below(count)];
    if (below(1024) == 0) {
        uint8_t *page = segment->base + below(segment->length / 4096) * 4096;
        count_words(madvise(page, 4096, MADV_REMOVE) == 0 ? 1024 : 0);
        return;
    }
    uint64_t reach = segment != written && below(4) != 0 ? 4096 : segment->length;
    store(segment, below(reach), (uint32_t)next());
}

/* A value that looks right where something is looked for. */
static void aim(void)
{
    static const uint64_t heads[] = {
        HOTCELL_REPLY_HEAD_COMMIT, HOTCELL_REPLY_HEAD_STATE, HOTCELL_REPLY_HEAD_CALL_ID, HOTCELL_REPLY_HEAD_ERRNO,
        HOTCELL_REPLY_HEAD_RESULT_LENGTH, HOTCELL_REPLY_HEAD_VALUE, HOTCELL_REPLY_HEAD_VALUE + 4,
    };
    static const uint64_t lines[] = {
        BELL_OFFSET, ENTRY_OFFSET, EXECUTING_OFFSET, PARK_OFFSET, CPU_OFFSET, CRASH_OFFSET, CRASH_OFFSET + 8,
    };
    uint64_t slot = below(HOTCELL_RING_SLOTS + 3), value = some_value(slot);
    struct segment *replies = written;
    uint64_t at = slot_offset(slot);
    switch (below(8)) {
    case 0: /* Seldom, for it is what is looked at first. */
        at += heads[below(8) == 0 ? 0 : 1 + below(6)];
        store(replies, at, *(volatile uint32_t *)(void *)(replies->base + at / 4 * 4) + (uint32_t)below(3) - 1);
        break;
    case 1: store(replies, at + heads[1 + below(6)], (uint32_t)value); break;
    case 2: store(replies, lines[below(sizeof lines / sizeof *lines)], (uint32_t)value); break;
    case 3: case 4: case 5: /* the fixed results, and what is right behind them */
        at += HOTCELL_RESULT_OFFSET + 8 * below(16);
        store(replies, at, (uint32_t)value);
        store(replies, at + 4, (uint32_t)(value >> 32));
        break;
    default: /* the same in a window */
        at = 8 * below(64);
        store(&written[below(count)], at, (uint32_t)value);
        store(&written[below(count)], at + 4, (uint32_t)(value >> 32));
        break;
    }
}

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    memcpy(at, &value, bytes);
    count_words(bytes < 4 ? 1 : bytes / 4);
}

/* The head of an entry's reply, as there are some in a batch. */
static uint64_t some_head(void)
{
    return (1 + below(3)) | (below(4) == 0 ? below(40) << 16 : 0) | below(20) << 32;
}

/* A word of a result that the host has nothing to say against, more often than not. */
static uint64_t good_value(uint64_t slot, uint64_t word)
{
    if (below(8) == 0) {
        return some_value(slot);
    }
    uint64_t block = slot_offset(slot) + HOTCELL_RESULT_OFFSET;
    return word % 2 == 0 ? place(HOTCELL_SEGMENT_REPLY, block + 256 + 8 * below(64)) : 8 * below(8);
}

/* A whole reply, ahead of the worker's. */
static void forge(uint64_t slot)
{
    static const uint16_t states[] = {
        HOTCELL_REPLY_STATE_RETURNED, HOTCELL_REPLY_STATE_RETURNED, HOTCELL_REPLY_STATE_RETURNED,
        HOTCELL_REPLY_STATE_LIBRARY_ERROR, HOTCELL_REPLY_STATE_REFUSED, HOTCELL_REPLY_STATE_NEED_SPACE,
        HOTCELL_REPLY_STATE_CALLBACK, HOTCELL_REPLY_STATE_CALLBACK,
    };
    static const uint32_t sizes[] = {HOTCELL_MAX_RESULT, HOTCELL_MAX_RESULT, HOTCELL_MAX_RESULT, 8, 16, 24, 32, 56, 0};
    uint8_t *reply = written[0].base + slot_offset(slot), *block = reply + HOTCELL_RESULT_OFFSET;
    const uint8_t *call = requests.base + slot_offset(slot) + HOTCELL_CALL_OFFSET;
    uint64_t id, function = 0;
    memcpy(&id, call + HOTCELL_CALL_HEAD_CALL_ID, sizeof id);
    memcpy(&function, call + HOTCELL_CALL_HEAD_FUNCTION, 2);
    uint64_t good = below(2);
    uint16_t said = states[below(good ? 4 : 8)];
    for (uint64_t word = 0; word < 40; word++) {
        uint64_t value = good ? good_value(slot, word) : some_value(slot);
        if (function == HOTCELL_BATCH_FUNCTION && below(2) == 0) {
            value = some_head();
        }
        put(block + 8 * word, value, 8);
    }
    if (function == HOTCELL_BATCH_FUNCTION && below(8) != 0) {
        said = HOTCELL_REPLY_STATE_RETURNED;
        put(block, place(HOTCELL_SEGMENT_REPLY, slot_offset(slot) + HOTCELL_RESULT_OFFSET + 8), 8);
    }
    int calls_back = said == HOTCELL_REPLY_STATE_CALLBACK;
    put(reply + HOTCELL_REPLY_HEAD_STATE, said, 2);
    put(reply + HOTCELL_REPLY_HEAD_CALL_ID, id, 8);
    put(reply + HOTCELL_REPLY_HEAD_ERRNO, calls_back ? (below(2) ? 1 : HOTCELL_KEPT_CALLBACKS + below(8)) : below(200), 4);
    put(reply + HOTCELL_REPLY_HEAD_RESULT_LENGTH, calls_back ? (below(2) ? 56 : 32) : sizes[below(good ? 3 : 9)], 4);
    put(reply + HOTCELL_REPLY_HEAD_VALUE, said == HOTCELL_REPLY_STATE_REFUSED ? below(20) : some_value(slot), 8);
    __atomic_fetch_add((uint32_t *)(void *)(reply + HOTCELL_REPLY_HEAD_COMMIT), 1, __ATOMIC_RELEASE);
    uint32_t *bell = (uint32_t *)(void *)(written[0].base + BELL_OFFSET);
    __atomic_fetch_add(bell, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, bell, FUTEX_WAKE, 0x7fffffff, NULL, NULL, 0);
    orders[FORGED]++;
}

static uint32_t commit_at(uint64_t offset)
{
    return __atomic_load_n((uint32_t *)(void *)(requests.base + offset), __ATOMIC_ACQUIRE);
}

/* Answers what the host has sent since it was last looked. */
static void answer(void)
{
    static uint32_t seen[HOTCELL_RING_SLOTS + HOTCELL_STACK_SLOTS];
    for (uint64_t slot = 0; slot < HOTCELL_RING_SLOTS + HOTCELL_STACK_SLOTS; slot++) {
        uint64_t at = slot_offset(slot);
        /* A call, or the answer to a question in it. */
        uint32_t sent = commit_at(at + HOTCELL_CALL_OFFSET + HOTCELL_CALL_HEAD_COMMIT) + commit_at(at);
        if (sent != seen[slot]) {
            seen[slot] = sent;
            /* Some calls are left to the worker, or nobody would ever come far. */
            if (below(4) != 0) {
                forge(slot);
            }
        }
    }
}

static void *work(void *unused)
{
    (void)unused;
    /* Not before the first call: what is wrong before is another test's. */
    while (requests.base == NULL || commit_at(slot_offset(0) + HOTCELL_CALL_OFFSET) == 0) {
        usleep(100);
        look_around();
    }
    state = orders[SEED] | 1;
    for (;;) {
        if (orders[RUN] == 0) {
            usleep(100);
            continue;
        }
        look_around_now_and_then();
        uint64_t mode = orders[MODE] == ALL ? below(ALL) : orders[MODE];
        for (uint64_t word = 0; word < orders[BURST] && mode != FORGING; word++) {
            mode == RANDOM ? scribble() : aim();
        }
        for (uint64_t spin = 0; spin < 1 + orders[PAUSE]; spin++) {
            if (mode == FORGING) {
                answer();
            }
            __asm__ volatile("" ::: "memory");
        }
    }
    return NULL;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("HOTCELL_SCRIBBLER");
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    pthread_t thread;
    if (file < 0) {
        return;
    }
    orders = mmap(NULL, sizeof *orders * ORDERS, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (orders != MAP_FAILED) {
        pthread_create(&thread, NULL, work, NULL);
    }
}
