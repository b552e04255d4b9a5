/* A small library of objects, and a shim for it written by hand: what the runtime does with handles, callbacks and
 * structures is tested against it without a generator between them.
 *
 * A store owns nothing; items belong to a store and must go before it; a view is lent by a store. The journal keeps
 * the order of what happened. */
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hotcell_shim.h"

enum { STORE = 1, ITEM = 2, VIEW = 3, STREAM = 4 };

struct store {
    int number;
    int temper;
    int views[4];
    uint64_t kept;
};

struct item {
    struct store *store;
    int number;
};

static int stores, items, living;
static uint64_t last_kept;
static hotcell_ctx *outermost;
static char journal[4096];

static void note(const char *what, int number)
{
    char text[32] = {0};
    size_t end = strlen(what);
    memcpy(text, what, end);
    text[end] = (char)('0' + number % 10);
    text[end + 1] = ' ';
    if (strlen(journal) + end + 3 < sizeof journal) {
        strcat(journal, text);
    }
}

#define LOAD(type, at) (*(const type *)(const void *)(at))
#define STORE_AS(type, at, value) (*(type *)(void *)(at) = (value))

/* A text behind the fixed results, as {place, length} at `at`. */
static int give(hotcell_ctx *ctx, const void *data, uint64_t length, uint8_t *at)
{
    uint64_t place = 0;
    void *room = ctx->space(ctx, length, 1, &place);
    if (room == NULL) {
        return 0;
    }
    memcpy(room, data, length);
    STORE_AS(uint64_t, at, place);
    STORE_AS(uint64_t, at + 8, length);
    return 1;
}

/* args: i32 code, i32 temper. results: u64 store, i32 code. Fails with the code, and leaves a store even then. The
 * temper shows when it is closed: 1 crashes, 2 hangs, 3 calls the callback that it keeps. 4 calls that when an item is
 * freed. */
static void open_store(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    int32_t code = LOAD(int32_t, request->args);
    struct store *store = calloc(1, sizeof *store);
    living++;
    store->number = stores++;
    store->temper = LOAD(int32_t, request->args + 4);
    note("open", store->number);
    STORE_AS(int32_t, reply->result + 8, code);
    if (code != 0) {
        reply->state = HOTCELL_REPLY_STATE_LIBRARY_ERROR;
    }
    STORE_AS(uint64_t, reply->result, ctx->own(ctx, STORE, store, 0));
}

/* Calls a kept callback once: {u64 view, views, i64 turn}: the views are lent for the time of the callback. 0: it
 * failed. */
static int call_kept(hotcell_ctx *ctx, struct store *store, uint64_t number, int64_t turn, int64_t *returned)
{
    uint64_t mark = ctx->mark(ctx), place = 0, list = 0, value = 0;
    uint8_t *args = ctx->space(ctx, 32, 8, &place);
    uint8_t *views = args == NULL ? NULL : ctx->space(ctx, 16, 8, &list);
    int ran = 0;
    if (views != NULL) {
        uint64_t lent[3];
        for (int i = 0; i < 3; i++) {
            lent[i] = ctx->lend_for_now(ctx, VIEW, &store->views[i]);
            store->views[i] = 10 * (int)turn + i;
        }
        STORE_AS(uint64_t, args, turn < 0 ? 0 : lent[0]);
        STORE_AS(uint64_t, args + 8, list);
        STORE_AS(uint64_t, args + 16, 16);
        STORE_AS(int64_t, args + 24, turn);
        STORE_AS(uint64_t, views, turn == -2 ? 0 : lent[1]);
        STORE_AS(uint64_t, views + 8, turn == -3 ? 77 : lent[2]);
        ran = ctx->callback(ctx, number, place, turn == -4 ? 24 : 32, &value);
        for (int i = 0; i < 3; i++) {
            ctx->forget(ctx, lent[i]);
        }
    }
    ctx->rewind(ctx, mark);
    *returned = (int64_t)value;
    return ran;
}

/* args: u64 store. */
static void close_store(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    struct store *store = ctx->take(ctx, LOAD(uint64_t, request->args), STORE, "store");
    (void)reply;
    if (store != NULL) {
        note("close", store->number);
        if (store->temper == 1) {
            abort();
        }
        int64_t ignored = 0;
        if (store->temper == 3 && !call_kept(ctx, store, store->kept, 9, &ignored)) {
            note("failed", 0);
        }
        while (store->temper == 2) {
            usleep(1000);
        }
        living--;
        free(store);
    }
}

/* args: u64 store. results: u64 item. */
static void make_item(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t handle = LOAD(uint64_t, request->args);
    struct store *store = ctx->get(ctx, handle, STORE, "store");
    if (store == NULL) {
        return;
    }
    struct item *item = calloc(1, sizeof *item);
    living++;
    item->store = store;
    item->number = items++;
    note("item", item->number);
    STORE_AS(uint64_t, reply->result, ctx->own(ctx, ITEM, item, handle));
}

/* args: u64 item. */
static void free_item(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    struct item *item = ctx->take(ctx, LOAD(uint64_t, request->args), ITEM, "item");
    (void)reply;
    if (item != NULL) {
        int64_t ignored = 0;
        if (item->store->temper == 4 && !call_kept(ctx, item->store, item->store->kept, item->number, &ignored)) {
            note("failed", 0);
        }
        note("free", item->number);
        living--;
        free(item);
    }
}

/* args: u64 store, i32 which. results: u64 view, lent; NULL for a `which` below 0. */
static void view(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t handle = LOAD(uint64_t, request->args);
    int32_t which = LOAD(int32_t, request->args + 8);
    struct store *store = ctx->get(ctx, handle, STORE, "store");
    if (store != NULL && which >= 0) {
        STORE_AS(uint64_t, reply->result, ctx->lend(ctx, VIEW, &store->views[which % 4], handle));
    }
}

/* args: u64 view. */
static void use_view(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    (void)reply;
    ctx->get(ctx, LOAD(uint64_t, request->args), VIEW, "view");
}

/* args: u64 store. Its views are gone. */
static void change(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t handle = LOAD(uint64_t, request->args);
    (void)reply;
    if (ctx->get(ctx, handle, STORE, "store") != NULL) {
        ctx->invalidate(ctx, handle);
    }
}

/* args: u64 item, u64 store, which may be NULL, i32 code. results: i32 code. Gives the item to a store, if the code
 * is 0; the item goes with it. */
static void give_item(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t handle = LOAD(uint64_t, request->args), to = LOAD(uint64_t, request->args + 8);
    int32_t code = LOAD(int32_t, request->args + 16);
    struct item *item = ctx->get(ctx, handle, ITEM, "item");
    if (item == NULL || (to != 0 && ctx->get(ctx, to, STORE, "to") == NULL)) {
        return;
    }
    STORE_AS(int32_t, reply->result, code);
    if (code != 0) {
        reply->state = HOTCELL_REPLY_STATE_LIBRARY_ERROR;
    } else if (ctx->take(ctx, handle, ITEM, "item") != NULL) {
        note("give", item->number);
        living--;
        free(item);
    }
}

/* results: text, the journal; it starts anew. */
static void read_journal(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    (void)request;
    give(ctx, journal, strlen(journal), reply->result);
    journal[0] = 0;
}

/* args: i32 milliseconds. */
static void wait_for(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    (void)ctx;
    (void)reply;
    usleep((useconds_t)LOAD(int32_t, request->args) * 1000);
}

static void crash(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    (void)ctx;
    (void)request;
    (void)reply;
    abort();
}

/* results: two texts, the first not UTF-8; u64 store. */
static void bad_text(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    struct store *store = calloc(1, sizeof *store);
    living++;
    (void)request;
    store->number = stores++;
    note("open", store->number);
    give(ctx, "\xff", 1, reply->result);
    STORE_AS(uint64_t, reply->result + 16, ctx->own(ctx, STORE, store, 0));
}

/* Calls back once: a number, a text, texts of which the second is NULL, data of `fill` bytes. 0: it failed. */
static int call_back(hotcell_ctx *ctx, uint64_t number, int64_t turn, uint64_t fill, int64_t *returned)
{
    uint64_t mark = ctx->mark(ctx), place = 0, value = 0;
    uint8_t *args = ctx->space(ctx, 56, 8, &place);
    uint64_t list = 0, rest = 0;
    uint8_t *texts = args == NULL ? NULL : ctx->space(ctx, 32, 8, &list);
    char *data = texts == NULL ? NULL : ctx->space(ctx, fill, 1, &rest);
    int ran = 0;
    if (data != NULL && give(ctx, "row", 3, args + 8) && give(ctx, "first", 5, texts)) {
        STORE_AS(int64_t, args, turn);
        STORE_AS(uint64_t, texts + 16, HOTCELL_PLACE_NULL);
        STORE_AS(uint64_t, texts + 24, 0);
        STORE_AS(uint64_t, args + 24, list);
        STORE_AS(uint64_t, args + 32, 32);
        memset(data, 'x', fill);
        STORE_AS(uint64_t, args + 40, rest);
        STORE_AS(uint64_t, args + 48, fill);
        ran = ctx->callback(ctx, number, place, 56, &value);
    }
    ctx->rewind(ctx, mark);
    *returned = (int64_t)value;
    return ran;
}

/* args: u64 callback, i64 times, u64 fill. results: i64 sum, i64 calls that failed, u64 store (owned). Opens a store
 * too, for those who forget results. */
static void each(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t number = LOAD(uint64_t, request->args), fill = LOAD(uint64_t, request->args + 16);
    int64_t times = LOAD(int64_t, request->args + 8), sum = 0, failed = 0;
    uint64_t place = 0;
    outermost = request->depth == 0 ? ctx : outermost;
    for (int64_t turn = 0; turn < times && reply->state == HOTCELL_REPLY_STATE_RETURNED; turn++) {
        int64_t returned = 0;
        if (number == 0 || !call_back(ctx, number, turn, fill, &returned)) {
            failed++;
        }
        sum += returned;
    }
    if (reply->state != HOTCELL_REPLY_STATE_RETURNED || ctx->space(ctx, 1, 1, &place) == NULL) {
        return;
    }
    struct store *store = calloc(1, sizeof *store);
    living++;
    store->number = stores++;
    note("open", store->number);
    STORE_AS(int64_t, reply->result, sum);
    STORE_AS(int64_t, reply->result + 8, failed);
    STORE_AS(uint64_t, reply->result + 16, ctx->own(ctx, STORE, store, 0));
}

/* args: u64 callback, i32 how. A worker that lies about callbacks. */
static void lie(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t number = LOAD(uint64_t, request->args), place = 0, value = 0;
    uint8_t *args = ctx->space(ctx, 56, 8, &place);
    (void)reply;
    memset(args, 0, 56);
    STORE_AS(uint64_t, args + 8, HOTCELL_PLACE_NULL);
    STORE_AS(uint64_t, args + 24, HOTCELL_PLACE_NULL);
    STORE_AS(uint64_t, args + 40, HOTCELL_PLACE_NULL);
    switch (LOAD(int32_t, request->args + 8)) {
    case 0: ctx->callback(ctx, number + 1, place, 56, &value); break;
    case 1: ctx->callback(ctx, number, HOTCELL_PLACE_NULL, 56, &value); break;
    case 2: ctx->callback(ctx, number, 64, 56, &value); break; /* request memory */
    case 3: ctx->callback(ctx, number, place + 2000, 56, &value); break;
    case 4: ctx->callback(ctx, number, place, 64, &value); break;
    case 5: ctx->callback(ctx, number, place, 5000, &value); break;
    case 6: ctx->callback(ctx, number, place - 40, 56, &value); break; /* the fixed results */
    case 7: /* a text in memory that was not granted */
        STORE_AS(uint64_t, args + 8, (uint64_t)5 << HOTCELL_PLACE_SEGMENT_SHIFT);
        STORE_AS(uint64_t, args + 16, 10);
        ctx->callback(ctx, number, place, 56, &value);
        break;
    case 8: /* a text of an impossible length */
        STORE_AS(uint64_t, args + 8, place);
        STORE_AS(uint64_t, args + 16, HOTCELL_LENGTH_IMPOSSIBLE);
        ctx->callback(ctx, number, place, 56, &value);
        break;
    case 9: /* texts in half a reference */
        STORE_AS(uint64_t, args + 24, place);
        STORE_AS(uint64_t, args + 32, 24);
        ctx->callback(ctx, number, place, 56, &value);
        break;
    case 10: /* a text that is not UTF-8 */
        args[0] = 0xff;
        STORE_AS(uint64_t, args + 8, place);
        STORE_AS(uint64_t, args + 16, 1);
        ctx->callback(ctx, number, place, 56, &value);
        break;
    case 11: /* without end */
        for (;;) {
            ctx->callback(ctx, number, place, 56, &value);
        }
    case 12: { /* not a lie: a refusal while the library is at work on memory of the reply */
        static const char work[] = "what the library is at work on";
        memcpy(args, work, sizeof work);
        ctx->space(ctx, (uint64_t)1 << 40, 1, &place);
        note(memcmp(args, work, sizeof work) == 0 ? "whole" : "torn", 0);
        break;
    }
    case 13: { /* more objects than a worker may have */
        uint64_t count = HOTCELL_MAX_HANDLES + 1, list = 0;
        uint64_t *objects = ctx->space(ctx, 8 * count, 8, &list);
        for (uint64_t i = 0; i < count; i++) {
            objects[i] = (uint64_t)VIEW << 48 | (uint64_t)1 << 24 | i;
        }
        STORE_AS(uint64_t, args + 24, list);
        STORE_AS(uint64_t, args + 32, 8 * count);
        ctx->callback(ctx, number, place, 56, &value);
        break;
    }
    default: break;
    }
}

/* An image: {i64 number, f64 ratio, text, data, i32[3]}. args: image. results: image: the number doubled, the ratio
 * halved, the text "out", the data reversed, the array turned round. */
static void turn_round(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    int bad = 0;
    hotcell_ref ref = LOAD(hotcell_ref, request->args);
    const uint8_t *in = hotcell_in(ctx, &ref, "image", &bad);
    uint64_t place = 0, data_place = 0;
    if (bad) {
        return;
    }
    uint8_t *out = ctx->space(ctx, 64, 8, &place);
    hotcell_ref text = LOAD(hotcell_ref, in + 16), data = LOAD(hotcell_ref, in + 32);
    hotcell_text(ctx, &text, "text", &bad);
    const uint8_t *from = hotcell_in(ctx, &data, "data", &bad);
    if (bad || out == NULL) {
        return;
    }
    uint8_t *to = ctx->space(ctx, data.length, 1, &data_place);
    for (uint64_t i = 0; i < data.length; i++) {
        to[i] = from[data.length - 1 - i];
    }
    memset(out, 0, 64);
    STORE_AS(int64_t, out, LOAD(int64_t, in) * 2);
    STORE_AS(double, out + 8, LOAD(double, in + 8) / 2);
    STORE_AS(uint64_t, out + 32, data_place);
    STORE_AS(uint64_t, out + 40, data.length);
    for (int i = 0; i < 3; i++) {
        STORE_AS(int32_t, out + 48 + 4 * i, LOAD(int32_t, in + 56 - 4 * i));
    }
    if (give(ctx, "out", 3, out + 16)) {
        STORE_AS(uint64_t, reply->result, place);
        STORE_AS(uint64_t, reply->result + 8, text.length == 5 ? 64 : 56);
    }
}

/* A resident structure: {handle, i64 total, data}. args: image, i32 code. results: image, i32 code: the total grows by
 * the data, of which all but one byte are taken. Fails with the code; without an object one is made. */
static void advance(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    int bad = 0;
    hotcell_ref ref = LOAD(hotcell_ref, request->args);
    const uint8_t *in = hotcell_in(ctx, &ref, "stream", &bad);
    uint64_t place = 0, handle = bad ? 0 : LOAD(uint64_t, in);
    int64_t *total = NULL;
    if (!bad && handle != 0) {
        total = ctx->get(ctx, handle, STREAM, "stream");
        bad = total == NULL;
    }
    uint8_t *out = bad ? NULL : ctx->space(ctx, 32, 8, &place);
    if (out == NULL) {
        return;
    }
    if (handle == 0) {
        total = calloc(1, sizeof *total);
        note("stream", 0);
        handle = ctx->own(ctx, STREAM, total, 0);
    }
    hotcell_ref data = LOAD(hotcell_ref, in + 16);
    *total += (int64_t)data.length;
    STORE_AS(uint64_t, out, handle);
    STORE_AS(int64_t, out + 8, *total);
    STORE_AS(uint64_t, out + 16, HOTCELL_PLACE_NULL);
    STORE_AS(uint64_t, out + 24, data.length == 13 ? HOTCELL_LENGTH_IMPOSSIBLE : data.length - (data.length != 0));
    STORE_AS(uint64_t, reply->result, place);
    STORE_AS(uint64_t, reply->result + 8, 32);
    STORE_AS(int32_t, reply->result + 16, LOAD(int32_t, request->args + 16));
    if (LOAD(int32_t, request->args + 16) != 0) {
        reply->state = HOTCELL_REPLY_STATE_LIBRARY_ERROR;
    }
}

/* args: an image that is only the handle. */
static void end_stream(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    int bad = 0;
    hotcell_ref ref = LOAD(hotcell_ref, request->args);
    const uint8_t *in = hotcell_in(ctx, &ref, "stream", &bad);
    (void)reply;
    if (!bad && ref.length == 8) {
        void *total = ctx->take(ctx, LOAD(uint64_t, in), STREAM, "stream");
        if (total != NULL) {
            note("end", 0);
            free(total);
        }
    }
}

/* args: texts. results: i64 their bytes, with one for each. */
static void measure(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    int bad = 0;
    hotcell_ref ref = LOAD(hotcell_ref, request->args);
    const uint8_t *list = hotcell_in(ctx, &ref, "texts", &bad);
    int64_t sum = 0;
    for (uint64_t at = 0; !bad && list != NULL && at < ref.length; at += sizeof ref) {
        hotcell_ref text = LOAD(hotcell_ref, list + at);
        const char *found = hotcell_text(ctx, &text, "texts", &bad);
        sum += bad ? 0 : (int64_t)strlen(found) + 1;
    }
    STORE_AS(int64_t, reply->result, sum);
}

/* args: i64. results: i64 the same, u64 the same, for offsets and handles that lie. */
static void echo(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    (void)ctx;
    memcpy(reply->result, request->args, 8);
    memcpy(reply->result + 8, request->args, 8);
}

/* results: i64, stores and items that are there. */
static void count_living(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    (void)ctx;
    (void)request;
    STORE_AS(int64_t, reply->result, living);
}

/* args: u64 store, i64 how many. Lends that many objects; the last is the result. */
static void lend_many(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t store = LOAD(uint64_t, request->args), last = 0;
    for (int64_t i = 1; i <= LOAD(int64_t, request->args + 8); i++) {
        last = ctx->lend(ctx, VIEW, (void *)(uintptr_t)(i * 64), store);
        if (last == 0) {
            return;
        }
    }
    STORE_AS(uint64_t, reply->result, last);
}

/* args: u64 store, u64 callback, i32 code. results: i32 code. Keeps the callback with the store, even if it fails with
 * the code. */
static void keep(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    struct store *store = ctx->get(ctx, LOAD(uint64_t, request->args), STORE, "store");
    if (store != NULL) {
        store->kept = last_kept = LOAD(uint64_t, request->args + 8);
        STORE_AS(int32_t, reply->result, LOAD(int32_t, request->args + 16));
        if (LOAD(int32_t, request->args + 16) != 0) {
            reply->state = HOTCELL_REPLY_STATE_LIBRARY_ERROR;
        }
    }
}

/* args: u64 store, which may be NULL, i64 from, i64 to. results: i64 sum, i64 calls that failed. Calls what the store
 * keeps; without a store, what was kept last, as a library that holds on to it. */
static void poke(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    static struct store none;
    uint64_t handle = LOAD(uint64_t, request->args);
    int64_t from = LOAD(int64_t, request->args + 8), to = LOAD(int64_t, request->args + 16), sum = 0, failed = 0;
    struct store *store = handle == 0 ? &none : ctx->get(ctx, handle, STORE, "store");
    for (int64_t turn = from; store != NULL && turn < to; turn++) {
        int64_t returned = 0;
        uint64_t number = handle == 0 ? last_kept : store->kept;
        if (number == 0 || !call_kept(ctx, store, number, turn, &returned)) {
            failed++;
        }
        sum += returned;
    }
    STORE_AS(int64_t, reply->result, sum);
    STORE_AS(int64_t, reply->result + 8, failed);
}

/* args: u64 view. results: i64, its number. */
static void look(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    int *view = ctx->get(ctx, LOAD(uint64_t, request->args), VIEW, "view");
    if (view != NULL) {
        STORE_AS(int64_t, reply->result, *view);
    }
}

/* args: i32 how, u32 where the bell lies in the reply segment. A reply before the reply: of another call (0), of a turn
 * to come (1), or a callback of the call that this one is nested in (2). It is in the slot of the call, at once. */
static void answer_early(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    int32_t how = LOAD(int32_t, request->args);
    ptrdiff_t offset = request->args - HOTCELL_ARGS_OFFSET - ctx->segments[HOTCELL_SEGMENT_REQUEST].base;
    uint8_t *slot = ctx->segments[HOTCELL_SEGMENT_REPLY].base + offset;
    (void)reply;
    STORE_AS(uint16_t, slot + HOTCELL_REPLY_HEAD_STATE,
             how == 2 ? HOTCELL_REPLY_STATE_CALLBACK : HOTCELL_REPLY_STATE_RETURNED);
    STORE_AS(uint64_t, slot + HOTCELL_REPLY_HEAD_CALL_ID, request->call_id + (how == 0));
    STORE_AS(int32_t, slot + HOTCELL_REPLY_HEAD_ERRNO, 1);
    STORE_AS(uint32_t, slot + HOTCELL_REPLY_HEAD_RESULT_LENGTH, 56);
    __atomic_fetch_add((uint32_t *)(void *)(slot + HOTCELL_REPLY_HEAD_COMMIT), how == 1 ? 2 : 1, __ATOMIC_RELEASE);
    uint32_t *bell = (uint32_t *)(void *)(ctx->segments[HOTCELL_SEGMENT_REPLY].base +
                                          LOAD(uint32_t, request->args + 4));
    __atomic_fetch_add(bell, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, bell, FUTEX_WAKE, 1, NULL, NULL, 0);
    /* The runtime's own reply never comes. */
    for (;;) {
        usleep(1000);
    }
}

/* args: i32 how. Asks the host for a callback (0) or for space (1), not for this call, but for the one that it is nested
 * in. */
static void ask_outside(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    uint64_t place = 0, value = 0;
    (void)ctx;
    (void)reply;
    if (LOAD(int32_t, request->args) == 0) {
        outermost->callback(outermost, 1, place, 56, &value);
    } else {
        outermost->space(outermost, 1 << 30, 1, &place);
    }
}

/* args: i64 length. results: data, u64 store. All entries of a batch give the same data, as many as the first says. */
static void give_again(hotcell_ctx *ctx, const hotcell_request *request, hotcell_reply *reply)
{
    static uint64_t call, place;
    int64_t length = LOAD(int64_t, request->args);
    if (call != request->call_id) {
        if (ctx->space(ctx, (uint64_t)length, 1, &place) == NULL) {
            return;
        }
        call = request->call_id;
    }
    struct store *store = calloc(1, sizeof *store);
    living++;
    store->number = stores++;
    STORE_AS(uint64_t, reply->result, place);
    STORE_AS(uint64_t, reply->result + 8, (uint64_t)length);
    STORE_AS(uint64_t, reply->result + 16, ctx->own(ctx, STORE, store, 0));
}

static const hotcell_function functions[] = {
    {"open_store", open_store, 8, 16, {0}},
    {"close_store", close_store, 8, 0, {0}},
    {"make_item", make_item, 8, 8, {0}},
    {"free_item", free_item, 8, 0, {0}},
    {"view", view, 16, 8, {0}},
    {"use_view", use_view, 8, 0, {0}},
    {"change", change, 8, 0, {0}},
    {"give_item", give_item, 24, 8, {0}},
    {"read_journal", read_journal, 0, 16, {0}},
    {"wait_for", wait_for, 8, 0, {0}},
    {"crash", crash, 0, 0, {0}},
    {"bad_text", bad_text, 0, 24, {0}},
    {"each", each, 24, 24, {0}},
    {"lie", lie, 16, 0, {0}},
    {"turn_round", turn_round, 16, 16, {0}},
    {"advance", advance, 24, 24, {0}},
    {"end_stream", end_stream, 16, 0, {0}},
    {"measure", measure, 16, 8, {0}},
    {"echo", echo, 8, 16, {0}},
    {"lend_many", lend_many, 16, 8, {0}},
    {"count_living", count_living, 0, 8, {0}},
    {"keep", keep, 24, 8, {0}},
    {"poke", poke, 24, 16, {0}},
    {"look", look, 8, 8, {0}},
    {"answer_early", answer_early, 8, 0, {0}},
    {"ask_outside", ask_outside, 8, 0, {0}},
    {"give_again", give_again, 8, 24, {0}},
};

__attribute__((visibility("default"))) const hotcell_shim hotcell_shim_1 = {
    HOTCELL_SHIM_ABI, sizeof functions / sizeof *functions, {0}, "objects", functions, NULL, NULL,
};
