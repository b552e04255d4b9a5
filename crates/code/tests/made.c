// What functions return, or leave where an argument leads, of which each says the truth in its name: `new_…` and `left_…` is memory that nobody else
// has, `known_…` and `shown_…` is somebody's besides, or is not what the function has made. Compiled in several ways.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    struct node *next;
    struct node *parent;
    char *text;
    int count;
};

struct node *all;
struct node *cache;
struct node **place;
struct node fixed;
__thread struct node *of_thread;
void (*hook)(void *);
static void *(*allocate)(size_t) = malloc;
static void (*release)(void *) = free;
void set_allocators(void *(*other)(size_t), void (*another)(void *)) {
    allocate = other;
    release = another;
}
static void *own(size_t size) { return all ? (void *)all : malloc(size); }
static void *(*begun)(size_t) = own;
void set_begun(void *(*other)(size_t)) { begun = other; }

// New: nobody else has it.

struct node *new_plain(void) { return malloc(sizeof(struct node)); }
struct node *new_or_null(int n) {
    if (n < 0)
        return NULL;
    struct node *p = calloc(1, sizeof *p);
    if (p)
        p->count = n;
    return p;
}
char *new_copy(const char *text) { return *text ? strdup(text) : NULL; }
struct node *new_with_parts(const char *text) {
    struct node *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    p->text = strdup(text);
    if (!p->text) {
        free(p);
        return NULL;
    }
    p->next = NULL;
    return p;
}
__attribute__((noinline)) static void begin(struct node *p, int n) {
    p->count = n;
    p->next = p->parent = NULL;
}
struct node *new_begun(int n) {
    struct node *p = malloc(sizeof *p);
    if (p)
        begin(p, n);
    return p;
}
struct node *new_by_callee(int n) {
    struct node *p = new_begun(n);
    if (p)
        p->count++;
    return p;
}
struct node *new_in_its_place(int n) { return new_by_callee(n + 1); }
char *new_grown(size_t n) {
    char *p = malloc(n);
    char *grown = realloc(p, 2 * n);
    if (!grown)
        free(p);
    return grown;
}
struct node *new_by_pointer(void) {
    struct node *p = allocate(sizeof *p);
    if (p)
        p->count = 1;
    return p;
}
struct node *new_either(int n) {
    struct node *p;
    if (n > 3) {
        p = malloc(sizeof *p);
    } else {
        p = calloc(1, sizeof *p);
    }
    return p;
}
struct node *new_around_itself(void) {
    struct node *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    p->next = p;
    p->parent = p;
    return p;
}
__attribute__((noinline)) static struct node *same(struct node *p) {
    if (p)
        p->count = 4;
    return p;
}
struct node *new_passed_on(void) { return same(malloc(sizeof(struct node))); }

// Known: it is somebody's besides, or is not what has been made.

struct node *known_in_cache(void) {
    if (!cache)
        cache = malloc(sizeof *cache);
    return cache;
}
struct node *known_in_list(void) {
    struct node *p = malloc(sizeof *p);
    if (p) {
        p->next = all;
        all = p;
    }
    return p;
}
struct node *known_to_thread(void) { return of_thread = malloc(sizeof(struct node)); }
struct node *known_argument(struct node *p) { return p ? p : malloc(sizeof *p); }
char *known_further_on(void) {
    char *p = malloc(64);
    return p ? p + 16 : NULL;
}
struct node *known_fixed(int n) { return n ? &fixed : malloc(sizeof(struct node)); }
struct node *known_to_child(void) {
    struct node *p = malloc(sizeof *p);
    struct node *child = malloc(sizeof *child);
    if (p && child) {
        child->parent = p;
        p->next = child;
        all = child;
    }
    return p;
}
struct node *known_besides(struct node **out) {
    struct node *p = malloc(sizeof *p);
    *out = p;
    return p;
}
struct node *known_to_hook(void) {
    struct node *p = malloc(sizeof *p);
    hook(p);
    return p;
}
struct node *known_by_other_pointer(void) { return begun(sizeof(struct node)); }
struct node *known_at_times(int n) {
    struct node *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    struct node *q = n > 3 ? p : NULL;
    if (!q)
        all = p;
    else
        q->count = n;
    return p;
}
struct node *known_of_two(int n) {
    struct node *p = malloc(sizeof *p);
    struct node *q = n ? malloc(sizeof *q) : p;
    if (!q)
        all = p;
    return p;
}
__attribute__((noinline)) static void keep(struct node *p) { p->parent->next = p; }
struct node *known_to_parent(struct node *parent) {
    struct node *p = malloc(sizeof *p);
    if (p) {
        p->parent = parent;
        keep(p);
    }
    return p;
}
struct node *known_through_itself(void) {
    struct node *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    struct node *volatile *next = (struct node *volatile *)&p->next;
    *next = p;
    all = *next;
    return p;
}
struct node *known_by_callee(void) { return known_in_list(); }
struct node *known_made_in_rounds(int n) {
    struct node *p = NULL, *last = NULL;
    for (int i = 0; i < n; i++) {
        p = malloc(sizeof *p);
        if (!p)
            all = last;
        last = p;
    }
    return last;
}
struct node *known_through_frame(void) {
    struct node *local[4] = {malloc(sizeof(struct node))};
    hook(local);
    return local[0];
}

// Left where an argument leads, and nowhere else.

void left_plain(struct node **out) { *out = malloc(sizeof **out); }
int left_when_there(struct node **out) {
    struct node *p = malloc(sizeof *p);
    if (!p)
        return -1;
    p->count = 0;
    *out = p;
    return 0;
}
int left_after_null(struct node **out, int n) {
    *out = NULL;
    if (n < 0)
        return -1;
    *out = new_with_parts("text");
    return *out ? 0 : -1;
}
int left_and_used(struct node **out) {
    *out = malloc(sizeof **out);
    if (!*out)
        return -1;
    (*out)->count = 3;
    return 0;
}
int left_by_callee(struct node **out) { return left_when_there(out); }

void shown_in_list(struct node **out) { *out = known_in_list(); }
int shown_before(struct node **out) {
    if (!*out)
        *out = malloc(sizeof **out);
    return *out ? 0 : -1;
}
void shown_other(struct node **out) { *out = all; }
void shown_two(struct node **out) {
    out[0] = malloc(sizeof **out);
    out[1] = malloc(sizeof **out);
}
void shown_further_on(struct node **out) { out[1] = malloc(sizeof **out); }
void shown_place(struct node **out) {
    place = out;
    *out = malloc(sizeof **out);
}
void shown_to_hook(struct node **out) {
    *out = malloc(sizeof **out);
    hook(out);
}
void shown_in_frame(struct node **out) {
    struct node **local[4] = {out};
    *out = malloc(sizeof **out);
    hook(local);
}
int shown_by_callee(struct node **out) {
    int done = left_when_there(out);
    if (done == 0)
        all = *out;
    return done;
}
void shown_copied(struct node **out) {
    *out = malloc(sizeof **out);
    memcpy(&all, out, sizeof all);
}
void shown_written(struct node **out, const void *other) {
    *out = malloc(sizeof **out);
    memcpy(out, other, sizeof *out);
}
struct node *shown_returned(struct node **out) { return *out = malloc(sizeof **out); }
int nothing_left(struct node **out) { return out != NULL; }
