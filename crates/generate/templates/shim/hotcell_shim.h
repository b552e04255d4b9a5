/* What a shim and the runtime that loads it know of each other. See docs/internals/shim.md.
 *
 * The shim exports `hotcell_shim_1` (the number is the ABI's major version), `hotcell_health_1` where
 * its contract has health checks: `const char *(void)`, NULL or the text of the one that failed, and
 * `hotcell_attend_1` where calls can be stopped. The runtime
 * calls its entries on the serving thread, one at a time, with tables that it owns. Other threads get a table
 * from `take_turn`, and none else. */
#ifndef HOTCELL_SHIM_H
#define HOTCELL_SHIM_H

#include <stddef.h>
#include <stdint.h>

#include "hotcell_wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Variable data: where it lies (segment << 48 | offset) and its bytes. */
typedef struct hotcell_ref {
    uint64_t place;
    uint64_t length;
} hotcell_ref;

/* A mapped segment; length 0 when there is none of that number. */
typedef struct hotcell_segment {
    uint8_t *base;
    uint64_t length;
} hotcell_segment;

/* A call, already checked: `args` has at least the function's args_size bytes. Request memory is
 * read-only: writing it is a fault. */
typedef struct hotcell_request {
    const uint8_t *args;
    uint32_t args_length;
    uint32_t depth;
    uint64_t call_id;
    uint64_t deadline; /* CLOCK_MONOTONIC nanoseconds, 0 for none */
} hotcell_request;

/* The answer. `result` has the function's result_size bytes, zeroed. The runtime publishes it when the
 * entry returns. `state` starts as HOTCELL_REPLY_STATE_RETURNED. */
typedef struct hotcell_reply {
    uint8_t *result;
    uint64_t value;
    int32_t error_number;
    uint16_t state;
    uint16_t reserved;
} hotcell_reply;

/* What only the runtime can do. `size` is the bytes of the table the runtime offers: a field behind it is
 * absent. Fields are only ever added at the end. */
typedef struct hotcell_ctx hotcell_ctx;
struct hotcell_ctx {
    uint32_t abi;
    uint32_t size;
    const hotcell_segment *segments; /* HOTCELL_MAX_SEGMENTS of them */
    hotcell_reply *reply;            /* of the call in progress */

    /* Reply memory of this call, aligned to `align` (a power of two up to 64): lives until the host has
     * read the reply. NULL when the host grants no more; then the reply is already a refusal and the
     * entry must return. Not zeroed. */
    void *(*space)(hotcell_ctx *, uint64_t length, uint64_t align, uint64_t *place);

    /* Turns the reply into a refusal. The entry must return. */
    void (*refuse)(hotcell_ctx *, uint32_t refusal, const char *text);

    /* Since 1.1. A handle is 64 bits: index in bits 0 to 23, generation in 24 to 47, type in 48 to 63. Generations
     * and types start at 1, so 0 is no handle; it stands for NULL. Types are numbered by the interface. */

    /* A new handle for an object that the caller owns now. `parent` is 0 or the handle that must outlive it: when
     * that goes stale, this one does. Handles under which the object was lent go stale. 0: the table is full, or the
     * object is owned already; then the reply is a refusal. */
    uint64_t (*own)(hotcell_ctx *, uint16_t type, void *object, uint64_t parent);

    /* The handle for an object of the library, as `parent` lends it, or for ever with 0. An object that this parent has
     * lent already under the same type keeps its handle, and so does one that is owned. 0 as for `own`. */
    uint64_t (*lend)(hotcell_ctx *, uint16_t type, void *object, uint64_t parent);

    /* The object of a handle. NULL: unknown, stale, or of another type; then the reply is a refusal about `name`, and
     * the entry must return. */
    void *(*get)(hotcell_ctx *, uint64_t handle, uint16_t type, const char *name);

    /* As `get`, of an object that is owned, has no owned children, and is not in use by a call that this one is nested
     * in; the handle and everything below it are stale from now on. For releases and for consumed arguments: after
     * everything else that may be refused, right before the call (right after it, where only success takes the object
     * over). Behind `owned` in the same call it is not refused any more. */
    void *(*take)(hotcell_ctx *, uint64_t handle, uint16_t type, const char *name);

    /* What was lent with this handle as its parent is stale from now on, with what was lent below it. The handle itself
     * stays, and so does what is owned below it: it belongs to this handle then. */
    void (*invalidate)(hotcell_ctx *, uint64_t handle);

    /* Since 1.2. Runs a callback of the application while the call waits: `number` is the one the host passed, the
     * argument block lies in reply memory got with `space`. 1: `*value` is what it returned, in the low bits. 0: it
     * failed, or was not run: C gets the contract's default, and the application its own error. */
    int (*callback)(hotcell_ctx *, uint64_t number, uint64_t args_place, uint32_t args_length, uint64_t *value);

    /* How much reply memory is in use, for `rewind`. */
    uint64_t (*mark)(hotcell_ctx *);

    /* Frees the reply memory got since the mark was taken. Nothing may refer to it. The text of a refusal stays. */
    void (*rewind)(hotcell_ctx *, uint64_t mark);

    /* The reverse of `lend_for_now`: the handle is stale from now on, with what was lent below it, unless the object is
     * owned or another callback was passed it too. (Shims before 1.3 forget what they lent with 0 as its parent.) */
    void (*forget)(hotcell_ctx *, uint64_t handle);

    /* As `get`, of an object that `take` would take: for what the call consumes, before anything of it is taken. */
    void *(*owned)(hotcell_ctx *, uint64_t handle, uint16_t type, const char *name);

    /* Since 1.3. An object is in use, for calls that are nested in a call, from `get` (or a function like it) to that
     * call's end, and for as long as it is lent to a callback. */

    /* As `lend`, for an object that a callback is passed: `forget` must follow, once for each time. */
    uint64_t (*lend_for_now)(hotcell_ctx *, uint16_t type, void *object);

    /* As `get`, of an object that is not in use. For what cannot serve two calls, as a structure that is written before
     * the call and read behind it. */
    void *(*idle)(hotcell_ctx *, uint64_t handle, uint16_t type, const char *name);

    /* As `get`, of an object from which nothing was lent that is in use. For what is to be invalidated. */
    void *(*idle_below)(hotcell_ctx *, uint64_t handle, uint16_t type, const char *name);

    /* Since 1.4. Waits until this thread, which the library made, may call back, and gives a table for one callback: of
     * it, `space`, `refuse`, `callback`, `mark` and `rewind` may be used. `end_turn` must follow on the same thread. NULL:
     * the worker stops, and C gets the contract's default. It is the same function in every table. */
    hotcell_ctx *(*take_turn)(void);

    /* Lets the next thread have its turn. What was refused since `take_turn` is told to the host. */
    void (*end_turn)(hotcell_ctx *);

    /* Since 1.5. A copy of data that the library is to keep, aligned as by malloc. It goes with the call, unless
     * `keep_until` follows. NULL: there is no memory; then the reply is a refusal about `name`, and the entry must return. */
    void *(*keep)(hotcell_ctx *, const void *data, uint64_t length, const char *name);

    /* A copy from `keep` stays until the object of this handle has gone: at the end of the call that took it, or with what it
     * belongs to. Of an object that is lent: until that has gone which the caller owns and it belongs to. With 0, or where
     * there is none, for ever. */
    void (*keep_until)(hotcell_ctx *, void *copy, uint64_t handle);

    /* Since 1.6. Objects that the library goes on using for another one, their keeper: they cannot be taken before that has gone,
     * nor what they belong to, nor be made stale. Of a keeper that is lent: before that has gone which the caller owns and
     * it belongs to. With 0, or where there is none, never. */

    /* Whether the call may have this object kept, by that keeper or, with 0, by one that is not there yet. 0: it may be gone
     * when the call has ended, or must not go before the keeper does; then the reply is a refusal about `name`, and the entry
     * must return. To be asked before `take`. */
    int (*may_keep)(hotcell_ctx *, uint64_t kept, uint64_t keeper, const char *name);

    /* Has an object kept. `slot` is 0, or a number by which the keeper can let go of it. */
    void (*keep_object)(hotcell_ctx *, uint64_t kept, uint64_t keeper, uint32_t slot);

    /* The keeper lets go of what it keeps in this slot. */
    void (*let_go)(hotcell_ctx *, uint64_t keeper, uint32_t slot);

    /* Since 1.8. As `keep`, and the copy ends right before pages that nobody may touch, as many as there is data and 64 KiB at least;
     * before it is such a page, too. */
    void *(*keep_walled)(hotcell_ctx *, const void *data, uint64_t length, const char *name);
};

/* Since 1.7. A call that is under way and can be stopped: the entry writes it right before it calls the library, `call_id` last.
 * The runtime, which is to stop the call, writes another value there that is not 0, and calls `stop` on another thread, with what it
 * reads here. Right behind the call the entry exchanges `call_id` for 0. Where it does not find it there any more, it calls
 * `stopped`, which is the runtime's and returns when `stop` has: so `stop` meets no other call, and its objects are in use. */
typedef struct hotcell_under_way hotcell_under_way;
struct hotcell_under_way {
    uint64_t call_id; /* 0: none */
    void (*stop)(void *const *object);
    void *object[HOTCELL_CANCEL_OBJECTS];
    void (*stopped)(hotcell_under_way *);
};

/* A shim some of whose calls can be stopped exports `hotcell_attend_1`, of this type. The runtime calls it on each thread that
 * executes calls, before the first of them: there that thread's calls note that they are under way, by their depth. */
typedef void (*hotcell_attend)(hotcell_under_way *);

typedef void (*hotcell_entry)(hotcell_ctx *, const hotcell_request *, hotcell_reply *);

typedef struct hotcell_function {
    const char *name;
    hotcell_entry entry;
    uint32_t args_size;
    uint32_t result_size;
    uint8_t fingerprint[32];
} hotcell_function;

typedef struct hotcell_shim {
    uint32_t abi;
    uint32_t functions;
    uint8_t fingerprint[32]; /* of the interface */
    const char *library;
    const hotcell_function *function;
    const char *(*init)(void); /* NULL, or runs the contract's init calls: the text of the one that failed */
    void (*shutdown)(void);    /* NULL, or runs the contract's shutdown calls */
} hotcell_shim;

/* Asks for the first lines of data that the library will read. Another core has them, and they come together where the library
 * would ask for one behind the other. */
static inline void hotcell_expect(const char *data, uint64_t length)
{
    uint64_t most = 32 * HOTCELL_LINE;
    most = length < most ? length : most;
    for (uint64_t at = 0; at < most; at += HOTCELL_LINE) {
        __builtin_prefetch(data + at);
    }
}

/* Data of the host, or NULL for a null reference. A reference that does not lie in a segment is refused:
 * then *bad is set and the entry must return. */
static inline const void *hotcell_in(hotcell_ctx *ctx, const hotcell_ref *ref, const char *name, int *bad)
{
    uint64_t number = ref->place >> HOTCELL_PLACE_SEGMENT_SHIFT;
    uint64_t offset = ref->place & ((1ull << HOTCELL_PLACE_SEGMENT_SHIFT) - 1);
    if (ref->place == HOTCELL_PLACE_NULL) {
        return NULL;
    }
    if (number >= HOTCELL_MAX_SEGMENTS || offset > ctx->segments[number].length ||
        ref->length > ctx->segments[number].length - offset) {
        *bad = 1;
        ctx->refuse(ctx, HOTCELL_REFUSAL_BAD_REFERENCE, name);
        return NULL;
    }
    const char *data = (const char *)ctx->segments[number].base + offset;
    hotcell_expect(data, ref->length);
    return data;
}

/* A text of the host: like hotcell_in, and a NUL must follow its last byte. */
static inline const char *hotcell_text(hotcell_ctx *ctx, const hotcell_ref *ref, const char *name, int *bad)
{
    const char *text = (const char *)hotcell_in(ctx, ref, name, bad);
    if (text != NULL) {
        uint64_t number = ref->place >> HOTCELL_PLACE_SEGMENT_SHIFT;
        uint64_t offset = ref->place & ((1ull << HOTCELL_PLACE_SEGMENT_SHIFT) - 1);
        if (ref->length >= ctx->segments[number].length - offset || text[ref->length] != '\0') {
            *bad = 1;
            ctx->refuse(ctx, HOTCELL_REFUSAL_BAD_REFERENCE, name);
            return NULL;
        }
    }
    return text;
}

/* Data that the library is to keep: a copy, or NULL for NULL. */
static inline void *hotcell_keep_in(hotcell_ctx *ctx, const void *data, uint64_t length, const char *name, int *bad)
{
    void *copy = *bad || data == NULL ? NULL : ctx->keep(ctx, data, length, name);
    *bad = *bad || (data != NULL && copy == NULL);
    return copy;
}

#ifdef __cplusplus
}
#endif

#endif
