// What functions return, of which each says the truth in its name: `new_…` is memory that nobody else has, `known_…` is somebody's besides, has
// been released, or is not what the function has made. Compiled in several ways.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
    struct node *next;
    struct node *parent;
    char *text;
    int count;
};

struct node *all;
struct node *cache;
struct node fixed;
__thread struct node *of_thread;
struct node *other;
char *saved;
int (*looked_up)(const char *, struct node **);
void (*hook)(void *);
static void *(*allocate)(size_t) = malloc;
void set_allocator(void *(*other)(size_t)) { allocate = other; }
static void *own(size_t size) { return all ? (void *)all : malloc(size); }
static void *(*begun)(size_t) = own;
void set_begun(void *(*other)(size_t)) { begun = other; }

// New: nobody else has it.

struct node *new_plain(void) { return calloc(1, sizeof(struct node)); }
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
    else
        grown[0] = 0;
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
        if (p)
            begin(p, n);
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

// NULL comes of what is asked for first, and is not there.
char *new_of_what_is_found(const struct node *from) {
    while (from && from->count)
        from = from->next;
    if (!from)
        return (char *)from;
    char *text = malloc(16);
    if (text)
        memcpy(text, "found", 6);
    return text;
}

// Known: it is somebody's besides, has been released, or is not what has been made.

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

char *known_where_it_is_found(struct node *from) {
    if (!from)
        return malloc(4);
    return (char *)from;
}

// What is read out of the frame may have been written there by others.

struct node *known_looked_up(const char *name) {
    struct node *p = NULL;
    if (looked_up(name, &p) == 0)
        return p;
    return calloc(1, sizeof *p);
}
__attribute__((noinline, noclone)) static int find(struct node **out, int n) {
    if (n > 3) {
        *out = all;
        return 1;
    }
    return 0;
}
struct node *known_found(int n) {
    struct node *p = NULL;
    if (!find(&p, n))
        p = calloc(1, sizeof *p);
    return p;
}
__attribute__((noinline, noclone)) static void visit(struct node *each, struct node **out) {
    for (; each; each = each->next)
        if (each->count == 7)
            *out = each;
}
struct node *known_visited(void) {
    struct node *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    struct node *hit = p;
    visit(all, &hit);
    if (hit != p)
        free(p);
    return hit;
}
struct node *known_read(int file) {
    struct node *p = NULL;
    if (read(file, &p, sizeof p) == sizeof p)
        return p;
    return calloc(1, sizeof *p);
}
struct node *known_scanned(const char *text) {
    struct node *p = NULL;
    if (sscanf(text, "%p", (void **)&p) == 1)
        return p;
    return calloc(1, sizeof *p);
}
struct node *known_by_index(int i) {
    struct node *volatile array[4];
    array[0] = calloc(1, sizeof(struct node));
    array[i] = all;
    return array[0];
}
struct node *known_copied(const void *source, size_t n) {
    struct node *array[4] = {calloc(1, sizeof(struct node))};
    memcpy(array, source, n * sizeof *array);
    return array[0];
}
struct node *known_of_either_place(int n) {
    struct node *one = calloc(1, sizeof *one), *another = NULL;
    struct node **where = n ? &one : &another;
    *where = all;
    if (another)
        other = another;
    return one;
}

// What a function comes back with that does more than its caller sees.

__attribute__((noinline, noclone)) static struct node *find_by(const char *name) {
    struct node *each;
    fprintf(stderr, "%s\n", name);
    for (each = all; each; each = each->next)
        if (each->count == 3)
            break;
    return each;
}
struct node *known_behind_noise(const char *name, int n) {
    if (n)
        return calloc(1, sizeof(struct node));
    char *key = strdup(name);
    struct node *found = find_by(key);
    free(key);
    return found;
}
__attribute__((noinline, noclone)) static struct node *pick(struct node *p, int n) {
    if (n > 3) {
        puts("other");
        return all;
    }
    if (p)
        p->count = n;
    return p;
}
struct node *known_picked(int n) { return pick(calloc(1, sizeof(struct node)), n); }
struct two {
    struct node *one;
    struct node *another;
};
__attribute__((noinline, noclone)) static struct two pair(void) {
    struct node *p = calloc(1, sizeof *p);
    return (struct two){p, p};
}
struct node *known_in_second_register(void) {
    struct two found = pair();
    all = found.another;
    return found.one;
}
struct big {
    struct node *p;
    char more[5000];
};
__attribute__((noinline, noclone)) static void take(struct big b) { all = b.p; }
struct node *known_by_value(void) {
    struct big b;
    struct node *p = calloc(1, sizeof *p);
    b.p = p;
    take(b);
    return p;
}

// Released, or something else than it was.

struct node *known_released(int n) {
    struct node *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    if (n < 0)
        free(p);
    return p;
}
char *known_read_in(FILE *file) {
    char *p = malloc(64);
    if (!fgets(p, 64, file))
        saved = p;
    return p;
}
char *known_path(const char *path, int n) {
    if (n)
        return calloc(1, 3);
    char *real = realpath(path, NULL);
    saved = real;
    return real;
}
char *known_before_null(int n) {
    char *p = calloc(1, 64);
    char *q = n && p ? p + 16 : NULL;
    return q - 16;
}
struct node *known_without_anything(int n) {
    struct node *p = malloc(n * sizeof *p);
    return p;
}
struct context {
    struct node *p;
    char *memory;
};
__attribute__((noinline, noclone)) static void clean(struct context *c) {
    free(c->p);
    free(c->memory);
}
struct node *known_released_by_context(int n) {
    struct context c;
    struct node *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    c.p = p;
    c.memory = malloc(n);
    if (!c.memory)
        clean(&c);
    else
        p->text = c.memory;
    return p;
}
__attribute__((noinline, noclone)) static void begin_itself(struct node *p) {
    p->next = p;
    p->count = 1;
}
__attribute__((noinline, noclone)) static void end_itself(struct node *p) { free(p->next); }
struct node *known_released_by_itself(int n) {
    struct node *p = malloc(sizeof *p);
    if (!p)
        return NULL;
    begin_itself(p);
    if (n < 0)
        end_itself(p);
    return p;
}
__attribute__((noinline, noclone)) static struct node *made_by_itself(void) {
    struct node *p = malloc(sizeof *p);
    if (p)
        begin_itself(p);
    return p;
}
struct node *known_released_behind_its_maker(int n) {
    struct node *p = made_by_itself();
    if (p && n < 0)
        end_itself(p);
    return p;
}
struct node *known_shrunk(void) {
    struct node *p = realloc(cache, sizeof *p);
    if (p)
        p->count = 3;
    return p;
}

// Found behind an address that was not the object's own.

struct link {
    struct link *next;
};
struct linked {
    long id;
    struct link link;
};
struct link *links;
__attribute__((noinline, noclone)) static void seek(struct link **place, long id) {
    for (struct link *each = links; each; each = each->next)
        if (((struct linked *)((char *)each - 8))->id == id) {
            *place = each;
            return;
        }
}
struct linked *known_around_what_was_found(long id) {
    struct linked *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->id = id;
    struct link *place = &p->link;
    seek(&place, id);
    return (struct linked *)((char *)place - 8);
}

// Kept in halves.

union halves {
    const void *p;
    struct {
        uint32_t low, high;
    };
};
struct message {
    uint32_t low, kind, high;
};
struct message messages[8];
int posted;
__attribute__((noinline, noclone)) static void post(const union halves *u) {
    messages[posted].low = u->low;
    messages[posted].kind = 3;
    messages[posted].high = u->high;
    posted++;
}
struct node *known_in_halves(void) {
    struct node *p = calloc(1, sizeof *p);
    union halves u;
    u.p = p;
    post(&u);
    return p;
}

// Ended by a NUL on each way, or not.

char *ended_behind(int n) {
    char *p = malloc((size_t)n + 1);
    if (!p)
        return NULL;
    memset(p, 'x', (size_t)n);
    p[n] = 0;
    return p;
}
char *ended_by_printing(int n) {
    char *p = malloc(16);
    if (p)
        snprintf(p, 16, "%d", n);
    return p;
}
char *ended_as_a_copy(const char *text) { return strdup(text); }
__attribute__((noinline)) static void end(char *p, int n) { p[n] = 0; }
char *ended_by_another(int n) {
    char *p = malloc(16);
    if (!p)
        return NULL;
    memset(p, 'y', 15);
    end(p, n & 15);
    return p;
}
char *without_an_end(void) {
    char *p = malloc(11);
    if (p)
        memset(p, ' ', 11);
    return p;
}
char *without_an_end_at_times(int n) {
    char *p = malloc(16);
    if (!p)
        return NULL;
    memset(p, 'x', 16);
    if (n < 16)
        p[n] = 0;
    return p;
}
char *without_an_end_beside_a_copy(void) {
    char *p = malloc(16);
    if (!p)
        return NULL;
    memset(p, 'x', 16);
    char *copy = strndup(p, 4);
    if (copy)
        puts(copy);
    free(copy);
    return p;
}
struct node *shared_one;
struct node *shared_lazily(void) {
    if (shared_one)
        return shared_one;
    struct node *p = calloc(1, sizeof *p);
    if (p)
        p->count = 1;
    shared_one = p;
    return p;
}
