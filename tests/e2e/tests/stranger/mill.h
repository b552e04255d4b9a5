#include <stddef.h>
#include <stdint.h>

/** Functions that allocate. */
typedef struct { void *(*alloc)(void *opaque, size_t size); void *opaque; } mill_allocator;

/** A flow of grain. */
typedef struct mill_flow { const uint8_t *next_in; size_t avail_in; void *internal; } mill_flow;

#define MILL_FLOW_INIT { NULL, 0, NULL }

/** Begins a flow.
    @param flow A flow that is at least initialized with MILL_FLOW_INIT. */
int mill_coarse_begin(mill_flow *flow, int grade);
/** Grinds what there is, and returns the sum of it times the grade. */
int mill_grind(mill_flow *flow);
/** Ends a flow that is at least MILL_FLOW_INIT. */
void mill_end(mill_flow *flow);

typedef struct mill_sack mill_sack;
typedef struct mill_tag mill_tag;

/** Opens a sack. The name is copied. */
mill_sack *mill_sack_open(const char *name);
/** Empties it, and shakes it out. */
void mill_sack_cleanup(mill_sack *sack, int shakes);
void mill_sack_close(mill_sack *sack);
/** What is written on it. */
mill_tag *mill_sack_get0_tag(const mill_sack *sack);
int mill_tag_number(const mill_tag *tag);
/** Writes another number on it. */
void mill_sack_stamp(mill_sack *sack, int number);
/** Sets the name; it is copied. */
void mill_sack_set_name(mill_sack *sack, const char *name);
/** The name, and so many times its number. Returns a newly allocated string. */
char *mill_sack_describe(const mill_sack *sack, int times);
void mill_free(void *memory);

/** @param allocator An allocator, or NULL to use malloc(). */
int mill_weigh(int grains, const mill_allocator *allocator);
/** @param allocator An allocator, or NULL to use malloc(). */
int mill_count(int grains, const mill_allocator *allocator);
/** @param allocator An allocator, or NULL to use malloc(). */
int mill_mix(int grains, const mill_allocator *allocator);
int mill_scale(int grains, const mill_allocator *allocator);

typedef struct { double x, y; } mill_point;
typedef struct { mill_point *points; int count; } mill_path;
/** Turns it a quarter.
    @param[in,out] point The point. */
void mill_point_turn(mill_point *point);
int mill_path_length(const mill_path *path);

typedef unsigned char mill_seal[4];
const mill_seal *mill_find_seal(int number);

/** Reads one number, and leaves the place behind it. */
int mill_read(const uint8_t *in, size_t *in_pos, size_t in_size);
void mill_swap_array(uint32_t *wp, size_t n);
