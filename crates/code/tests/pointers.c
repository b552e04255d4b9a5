// What functions do with a pointer, of which each says the truth in its name: `kept_…`, `freed_…`, `over_…`. Compiled in several ways,
// by which the same ends up in registers, on the stack, in vectors and in jumps by tables.
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    const char *first;
    const char *second;
};

struct list {
    struct list *next;
    char *text;
    int count;
};

const char *global;
struct pair pairs;
uintptr_t number;
__thread const char *of_thread;
void (*hook)(const char *);
jmp_buf place;

// Kept: in memory that outlives the call, or where nobody sees it.

void kept_in_global(const char *p) { global = p; }
void kept_in_thread(const char *p) { of_thread = p; }
void kept_behind_another(const char *p, const char **out) { *out = p + 3; }
void kept_as_number(const char *p) { number = (uintptr_t)p ^ 0x5555; }
void kept_by_hook(const char *p) { hook(p); }
void kept_in_pair(const char *p) { pairs = (struct pair){p, p + 1}; }
void kept_by_copy(const char *p) {
    struct pair local = {p, p};
    memcpy(&pairs, &local, sizeof local);
}
void kept_in_heap(const char *p) {
    const char **memory = malloc(sizeof *memory);
    if (memory)
        *memory = p;
    pairs.first = (const char *)memory;
}

static __attribute__((noinline)) void takes_pair(const struct pair *pair) { global = pair->second; }
void kept_by_callee(const char *p) {
    struct pair local = {0, p};
    takes_pair(&local);
}

static __attribute__((noinline)) struct pair gives_pair(const char *p) { return (struct pair){0, p}; }
void kept_by_second_result(const char *p) { global = gives_pair(p).second; }

static __attribute__((noinline)) const char *gives(const char *p, int n) { return n ? p + n : p; }
void kept_by_result(const char *p, int n) { global = gives(p, n); }

void kept_at_the_end(const char *p) {
    while (*p)
        p++;
    global = p;
}

void kept_in_one_case(const char *p, int n) {
    switch (n) {
    case 0: number = 1; break;
    case 1: number = 2; break;
    case 2: number = 3; break;
    case 3: number = 5; break;
    case 4: global = p; break;
    case 5: number = 8; break;
    case 6: number = 13; break;
    default: number = 21;
    }
}

static __attribute__((noinline)) int seventh(int a, int b, int c, int d, int e, int f, const char *p) {
    global = p;
    return a + b + c + d + e + f;
}
int kept_on_stack(const char *p, int n) { return seventh(n, n, n, n, n, n, p); }

static __attribute__((noinline)) void deep(const char *p, int n) {
    if (n == 0)
        global = p;
    else
        deep(p + 1, n - 1);
}
void kept_in_the_end(const char *p, int n) { deep(p, n); }

int kept_by_jump(const char *p) {
    if (setjmp(place))
        return 1;
    return p[0];
}

const char *kept_returned(const char *p) { return p + 1; }

void kept_where_a_number_ends(const char *p) { number = strtoul(p, (char **)&global, 10); }

static int compares(const void *one, const void *other) { return *(const int *)one - *(const int *)other; }
void kept_by_library(int *p, int n) { qsort(p, (size_t)n, sizeof *p, compares); }

// What was read behind it is kept.

void shared_next(struct list *p) { pairs.first = (const char *)p->next; }
void shared_copy(const struct list *p) {
    struct list *copy = malloc(sizeof *copy);
    if (copy)
        memcpy(copy, p, sizeof *copy);
    global = (const char *)copy;
}

// Released.

void freed_always(char *p) { free(p); }
void freed_at_times(struct list *p) {
    if (--p->count == 0)
        free(p);
}
static __attribute__((noinline)) void drops(void *p) { free(p); }
void freed_by_callee(char *p) { drops(p); }
char *freed_for_more(char *p, size_t n) { return realloc(p, n); }
void emptied(struct list *p) {
    free(p->text);
    p->text = NULL;
}

// Where it lies matters.

int placed_before(const char *p, const char *other) { return p < other; }
int placed_far_before(const char *p, int n) { return p[-4096] + n; }
unsigned placed_as_hash(const char *p) { return (unsigned)(((uintptr_t)p * 0x9e3779b97f4a7c15u) >> 40) + (unsigned)*p; }

// Used during the call alone.

int over_read(const int *p) { return *p + 1; }
void over_written(int *p) { *p = 7; }
void over_both(int *p) { *p += 7; }
long over_sum(const int *p, int n) {
    long sum = 0;
    for (int i = 0; i < n; i++)
        sum += p[i];
    return sum;
}
void over_pair_of_numbers(double *p, double x) {
    p[0] = x;
    p[1] = x * 2;
}
size_t over_text(const char *p) { return strlen(p) + (strcmp(p, "x") == 0); }
long over_number(const char *p) {
    char *end;
    long value = strtol(p, &end, 10);
    return *end ? -1 : value;
}
void over_copied(const char *p) { global = strdup(p); }
void over_file(const char *p) {
    FILE *file = fopen(p, "r");
    if (file)
        fclose(file);
}
int over_printed(const char *p) { return printf("%s: %d\n", p, 3); }
static __attribute__((noinline)) int adds(const int *one, const int *other) { return *one + *other; }
int over_by_callee(const int *p) {
    int local = 4;
    return adds(p, &local);
}
void over_cleared(int *p) { memset(p, 0, 12); }
int over_object(struct list *p) { return p->count > 0 ? p->count : (int)strlen(p->text); }
int over_in_one_case(const int *p, int n) {
    switch (n) {
    case 0: return p[0];
    case 1: return p[1] + 4;
    case 2: return p[2] * 3;
    case 3: return p[3] - 9;
    case 4: return p[4] ^ 3;
    case 5: return p[5] / 3;
    case 6: return p[6] | 8;
    default: return 0;
    }
}
