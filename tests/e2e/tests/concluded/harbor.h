#ifndef HARBOR_H
#define HARBOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct harbor harbor;
typedef struct pilot pilot;
typedef struct tide tide;
typedef struct buoy buoy;
typedef struct manifest_cursor manifest_cursor;
typedef struct lighter lighter;
typedef struct anchor anchor;
typedef struct lamp lamp;
typedef struct { uint32_t sums[4]; uint64_t length; } harbor_sum_ctx;

/* A harbor is deleted, whatever closes it for the night. */
harbor *harbor_create(int depth);
void harbor_delete(harbor *h);
int harbor_close(harbor *h);
int harbor_depth(const harbor *h);
int harbor_count(void);

/* What is stored is what stands behind it. */
int harbor_put(harbor *h, const char *name, const void *cargo, size_t size);
char *harbor_spell(const harbor *h, int times);
char *harbor_greeting(void);
char *harbor_stamp(void);
uint8_t *harbor_chart(int width, size_t *out_len);
uint8_t *harbor_chunk(int width, size_t *out_len);
size_t harbor_in_use(void);

/* A pilot knows its harbor. */
int harbor_pilot_open(harbor *h, const char *name, pilot **out);
void harbor_pilot_close(pilot *p);
int pilot_depth(const pilot *p);

/* A tide is canceled, and freed. */
int tide_init(tide **out, unsigned int flags);
void tide_destroy(tide *t);
void tide_cancel(tide *t);
int tide_level(const tide *t);

/* Nothing ends a buoy. */
buoy *harbor_get_buoy(harbor *h, int n);
int buoy_mark(const buoy *b);
int harbor_dredge(harbor *h, int depth);

manifest_cursor *manifest_cursor_new(harbor *h);
int manifest_cursor_next(manifest_cursor *c);
void manifest_cursor_free(manifest_cursor *c);

/* A lighter has its anchor from then on. */
anchor *anchor_new(int weight);
void anchor_free(anchor *a);
lighter *lighter_new(anchor *a);
void lighter_free(lighter *l);

/* Either may be it. */
lamp *lamp_new(int watts);
void lamp_delete(lamp *l);
void lamp_discard(lamp *l);

int harbor_sum_init(harbor_sum_ctx *ctx, uint32_t seed);
int harbor_sum_update(harbor_sum_ctx *ctx, const void *data, size_t len);
int harbor_sum_finish(harbor_sum_ctx *ctx, uint32_t *total);

#endif
