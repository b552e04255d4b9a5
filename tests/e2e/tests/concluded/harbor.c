#include "harbor.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct buoy { int mark; };
struct harbor { int depth, open; size_t cargo; struct buoy buoys[4]; };
struct pilot { harbor *of; char name[16]; };
struct tide { int level; };
struct manifest_cursor { harbor *of; int at; };
struct anchor { int weight; };
struct lighter { anchor *anchor; };
struct lamp { int watts; };

static int harbors;

harbor *harbor_create(int depth)
{
	harbor *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	harbors++;
	h->depth = depth;
	h->open = 1;
	for (int n = 0; n < 4; n++)
		h->buoys[n].mark = 10 * n + depth;
	return h;
}

void harbor_delete(harbor *h)
{
	if (!h)
		return;
	harbors--;
	/* Who looks at it afterwards sees it. */
	h->depth = -1;
	free(h);
}

int harbor_close(harbor *h) { return h->open = 0; }
int harbor_depth(const harbor *h) { return h->depth; }
int harbor_count(void) { return harbors; }

int harbor_put(harbor *h, const char *name, const void *cargo, size_t size)
{
	const unsigned char *bytes = cargo;
	size_t sum = strlen(name);
	for (size_t i = 0; i < size; i++)
		sum += bytes[i];
	h->cargo += sum;
	return (int)h->cargo;
}

char *harbor_spell(const harbor *h, int times)
{
	size_t size = (size_t)times * 4;
	char *text = malloc(size + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + (h->depth + (int)i) % 26);
	text[size] = 0;
	return text;
}

char *harbor_greeting(void)
{
	static char greeting[] = "ahoy";
	return greeting;
}

char *harbor_stamp(void)
{
	char *stamp = malloc(16);
	if (stamp)
		memset(stamp, 's', 16);
	return stamp;
}

uint8_t *harbor_chart(int width, size_t *out_len)
{
	size_t size = (size_t)width * 2;
	uint8_t *chart = malloc(size ? size : 1);
	if (!chart)
		return NULL;
	for (size_t i = 0; i < size; i++)
		chart[i] = (uint8_t)(i * 7);
	*out_len = size;
	return chart;
}

uint8_t *harbor_chunk(int width, size_t *out_len)
{
	size_t size = (size_t)width < *out_len ? (size_t)width : *out_len;
	uint8_t *chunk = malloc(64 + size);
	if (!chunk)
		return NULL;
	memset(chunk, 1, 64 + size);
	*out_len = size;
	return chunk;
}

size_t harbor_in_use(void)
{
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}

int harbor_pilot_open(harbor *h, const char *name, pilot **out)
{
	pilot *p = calloc(1, sizeof *p);
	if (!p)
		return -1;
	p->of = h;
	strncpy(p->name, name, sizeof p->name - 1);
	*out = p;
	return 0;
}

void harbor_pilot_close(pilot *p) { free(p); }
int pilot_depth(const pilot *p) { return p->of->depth; }

int tide_init(tide **out, unsigned int flags)
{
	tide *t = malloc(sizeof *t);
	if (!t)
		return -1;
	t->level = (int)flags + 1;
	*out = t;
	return 0;
}

void tide_destroy(tide *t) { free(t); }
void tide_cancel(tide *t) { t->level = 0; }
int tide_level(const tide *t) { return t->level; }

buoy *harbor_get_buoy(harbor *h, int n) { return n >= 0 && n < 4 ? &h->buoys[n] : NULL; }
int buoy_mark(const buoy *b) { return b->mark; }

int harbor_dredge(harbor *h, int depth)
{
	for (int n = 0; n < 4; n++)
		h->buoys[n].mark += depth - h->depth;
	return h->depth = depth;
}

manifest_cursor *manifest_cursor_new(harbor *h)
{
	manifest_cursor *c = malloc(sizeof *c);
	if (c) {
		c->of = h;
		c->at = 0;
	}
	return c;
}

int manifest_cursor_next(manifest_cursor *c) { return c->of->depth + c->at++; }
void manifest_cursor_free(manifest_cursor *c) { free(c); }

anchor *anchor_new(int weight)
{
	anchor *a = malloc(sizeof *a);
	if (a)
		a->weight = weight;
	return a;
}

void anchor_free(anchor *a) { free(a); }

lighter *lighter_new(anchor *a)
{
	lighter *l = malloc(sizeof *l);
	if (l)
		l->anchor = a;
	return l;
}

void lighter_free(lighter *l)
{
	if (l)
		anchor_free(l->anchor);
	free(l);
}

lamp *lamp_new(int watts)
{
	lamp *l = malloc(sizeof *l);
	if (l)
		l->watts = watts;
	return l;
}

void lamp_delete(lamp *l) { free(l); }
void lamp_discard(lamp *l) { free(l); }

int harbor_sum_init(harbor_sum_ctx *ctx, uint32_t seed)
{
	for (int i = 0; i < 4; i++)
		ctx->sums[i] = seed + (uint32_t)i;
	ctx->length = 0;
	return 0;
}

int harbor_sum_update(harbor_sum_ctx *ctx, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	for (size_t i = 0; i < len; i++)
		ctx->sums[ctx->length++ % 4] += bytes[i];
	return 0;
}

int harbor_sum_finish(harbor_sum_ctx *ctx, uint32_t *total)
{
	*total = ctx->sums[0] + ctx->sums[1] + ctx->sums[2] + ctx->sums[3];
	return (int)ctx->length;
}
