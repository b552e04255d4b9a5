#include "mill.h"
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

int mill_coarse_begin(mill_flow *flow, int grade)
{
    if (flow->internal != NULL) {
        return -1;
    }
    int *kept = malloc(sizeof *kept);
    *kept = grade;
    flow->internal = kept;
    return grade;
}

int mill_grind(mill_flow *flow)
{
    int sum = 0;
    while (flow->avail_in > 0) {
        sum += *flow->next_in++;
        flow->avail_in--;
    }
    return flow->internal == NULL ? -1 : sum * *(int *)flow->internal;
}

void mill_end(mill_flow *flow)
{
    free(flow->internal);
    flow->internal = NULL;
}

struct mill_tag { int number; };
struct mill_sack { char name[16]; mill_tag *tag; };

mill_sack *mill_sack_open(const char *name)
{
    mill_sack *sack = calloc(1, sizeof *sack);
    snprintf(sack->name, sizeof sack->name, "%s", name);
    mill_sack_stamp(sack, 1);
    return sack;
}

void mill_sack_cleanup(mill_sack *sack, int shakes)
{
    sack->tag->number -= shakes;
}

void mill_sack_close(mill_sack *sack)
{
    free(sack->tag);
    free(sack);
}

mill_tag *mill_sack_get0_tag(const mill_sack *sack)
{
    return sack->tag;
}

int mill_tag_number(const mill_tag *tag)
{
    return tag->number;
}

/* The old tag is gone. */
void mill_sack_stamp(mill_sack *sack, int number)
{
    free(sack->tag);
    sack->tag = malloc(sizeof *sack->tag);
    sack->tag->number = number;
}

void mill_sack_set_name(mill_sack *sack, const char *name)
{
    snprintf(sack->name, sizeof sack->name, "%s", name);
}

char *mill_sack_describe(const mill_sack *sack, int times)
{
    char *text = malloc(64);
    snprintf(text, 64, "%s %d", sack->name, sack->tag->number * times);
    return text;
}

static int freed;

void mill_free(void *memory)
{
    freed++;
    free(memory);
}

int mill_weigh(int grains, const mill_allocator *allocator)
{
    return allocator == NULL ? grains * 2 : -1;
}

int mill_count(int grains, const mill_allocator *allocator)
{
    return allocator == NULL ? freed : -grains;
}

int mill_mix(int grains, const mill_allocator *allocator)
{
    return allocator == NULL ? grains + 3 : -1;
}

int mill_scale(int grains, const mill_allocator *allocator)
{
    return allocator == NULL ? grains * 5 : -1;
}

void mill_point_turn(mill_point *point)
{
    double x = point->x;
    point->x = -point->y;
    point->y = x;
}

int mill_path_length(const mill_path *path)
{
    return path->count;
}

const mill_seal *mill_find_seal(int number)
{
    static const mill_seal seals[2] = {{1, 2, 3, 4}, {250, 251, 0, 253}};
    return number < 2 ? &seals[number] : NULL;
}

int mill_read(const uint8_t *in, size_t *in_pos, size_t in_size)
{
    return *in_pos < in_size ? in[(*in_pos)++] : -1;
}

void mill_swap_array(uint32_t *wp, size_t n)
{
    for (size_t at = 0; at < n; at++) {
        wp[at] = __builtin_bswap32(wp[at]);
    }
}
