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
union halves {
    const void *p;
    struct {
        uint32_t low, high;
    };
};
struct job {
    uint32_t words[4];
};
uint32_t posted_low, posted_kind, posted_high;
struct job jobs[8];
int posted;
static __attribute__((noinline)) void post(const union halves *u) {
    posted_low = u->low;
    posted_kind = 3;
    posted_high = u->high;
}
void kept_in_posted_halves(const char *p) {
    union halves u;
    u.p = p;
    post(&u);
}
static __attribute__((noinline)) void enqueue(const struct job *job) {
    struct job *to = &jobs[posted++ & 7];
    for (int i = 0; i < 4; i++)
        to->words[i] = job->words[i];
}
struct much {
    const char *p;
    char more[5000];
};
static __attribute__((noinline)) void take(struct much much) { global = much.p; }
void kept_by_value(const char *p) {
    struct much much;
    much.p = p;
    take(much);
}
char letters[8];
void kept_as_letters(const char *p) { strncpy(letters, (const char *)&p, sizeof p); }
void kept_in_words(const char *p) {
    struct job job = {{1, 0}};
    memcpy(&job.words[2], &p, sizeof p);
    enqueue(&job);
}
void kept_as_number(const char *p) { number = (uintptr_t)p ^ 0x5555; }
void kept_by_hook(const char *p) { hook(p); }
static void does_nothing(const char *p) { (void)p; }
static void (*started)(const char *) = does_nothing;
void set_started(void (*other)(const char *)) { started = other; }
void kept_by_started_hook(const char *p) { started(p); }
static void keeps_chosen(const char *p) { global = p; }
static void *choose(void) { return keeps_chosen; }
void chosen(const char *p) __attribute__((ifunc("choose")));
void kept_by_chosen(const char *p) { chosen(p); }
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

struct holder {
    void *pointer;
};
struct walker {
    struct holder *holder;
};
struct counted {
    size_t count;
    char *text;
};
struct large {
    long before[20];
    void *pointer;
};
volatile long padding[30];

static __attribute__((noinline)) struct counted held(struct holder *holder) { return (struct counted){1, holder->pointer}; }
void kept_by_second_result_of_local(char *p) {
    struct holder local = {p};
    p[0] = 1;
    global = held(&local).text;
}

static __attribute__((noinline)) void *walked(struct walker *walker) { return walker->holder->pointer; }
void kept_behind_two_locals(char *p) {
    struct holder local = {p};
    struct walker walker = {&local};
    p[0] = 1;
    global = walked(&walker);
}

static __attribute__((noinline)) void seventh_holder(int a, int b, int c, int d, int e, int f, struct holder *holder) {
    global = holder->pointer;
}
void kept_by_local_on_stack(char *p) {
    struct holder local = {p};
    p[0] = 1;
    seventh_holder(1, 2, 3, 4, 5, 6, &local);
}

static __attribute__((noinline)) void takes_large(struct large large) { global = large.pointer; }
void kept_in_large(char *p) {
    struct large large;
    memset(&large, 0, sizeof large);
    large.pointer = p;
    p[0] = 1;
    takes_large(large);
}

long kept_by_computed_jump(char *out, const unsigned char *code) {
    static const void *const places[] = {&&increase, &&put, &&end};
    long value = 0;
    out[0] = 0;
    goto *places[*code++];
increase:
    value++;
    goto *places[*code++];
put:
    global = out;
    goto *places[*code++];
end:
    return value;
}

static __attribute__((noinline)) void copies(char *to, const char *from, int n) {
    while (n--)
        *to++ = *from++;
}
void kept_byte_by_byte(char *p) {
    struct holder local = {p};
    p[0] = 1;
    copies((char *)&pairs, (char *)&local, sizeof local);
}

uint32_t halves[2];
void kept_in_halves(char *p) {
    halves[0] = (uint32_t)(uintptr_t)p;
    p[0] = 1;
    halves[1] = (uint32_t)((uintptr_t)p >> 32);
}

typedef long long two __attribute__((vector_size(16)));
static __attribute__((noinline)) two packed(int n, void *p) { return (two){n, (long long)p}; }
two vector;
void kept_in_vector(char *p, int n) {
    two value = packed(n, p);
    p[0] = 1;
    vector = value;
}

extern ssize_t write(int, const void *, size_t);
void kept_by_pipe(char *p, int descriptor) {
    p[0] = 1;
    write(descriptor, &p, sizeof p);
}

int kept_twice(char *p, int n) {
    char *volatile again = 0;
    padding[1] = n;
    if (setjmp(place)) {
        global = again;
        return 1;
    }
    p[0] = 1;
    again = p;
    hook(0);
    return 0;
}

// What was read behind it is kept.

static __attribute__((noinline)) struct counted text_of(struct list *p) { return (struct counted){(size_t)p->count, p->text}; }
void shared_by_second_result(struct list *p) { global = text_of(p).text; }
void shared_byte_by_byte(struct list *p) { copies((char *)&pairs, (char *)p, sizeof *p); }
void shared_by_pipe(struct list *p, int descriptor) { write(descriptor, p, sizeof *p); }

void shared_next(struct list *p) { pairs.first = (const char *)p->next; }
void shared_copy(const struct list *p) {
    struct list *copy = malloc(sizeof *copy);
    if (copy)
        memcpy(copy, p, sizeof *copy);
    global = (const char *)copy;
}

// Released.

void freed_always(char *p) { free(p); }
void freed_when_a_hook_has_had_it(char *p) {
    hook(p);
    free(p);
}
void freed_behind_a_computed_jump(struct list *p) {
    hook(p->text);
    if (p->count > 3) {
        ((void (*)(struct list *))p->next)(p);
    }
    free(p);
}
void parts_freed_alone(struct list *p) {
    hook(p->text);
    free(p->text);
}
struct told {
    struct list *of;
    char *text;
};
static __attribute__((noinline)) void tell(struct told *told) {
    told->text = malloc(20);
    sprintf(told->text, "%d", told->of->count);
}
int other_freed_beside(struct list *p) {
    struct told told = {p, NULL};
    tell(&told);
    int written = puts(told.text);
    free(told.text);
    return written;
}
static __attribute__((noinline)) struct list *full(struct list *p) {
    return p->text ? p : calloc(1, sizeof *p);
}
int other_freed_when_made(struct list *p) {
    struct list *whole = full(p);
    int count = whole->count;
    if (whole != p)
        free(whole);
    return count;
}
void other_freed_of_some(struct list *p) {
    struct list *all[3] = {p, NULL, NULL};
    for (int i = 1; i < p->count; i++)
        all[i] = malloc(sizeof *p);
    hook((const char *)all);
    for (int i = 1; i < p->count; i++)
        free(all[i]);
}
void parts_freed_and_told(struct list *p) {
    free(p->next);
    hook((const char *)p);
}
void freed_at_times(struct list *p) {
    if (--p->count == 0)
        free(p);
}
static __attribute__((noinline)) void drops(void *p) { free(p); }
void freed_by_callee(char *p) { drops(p); }
char *freed_for_more(char *p, size_t n) { return realloc(p, n); }
void freed_behind_two_locals(char *p) {
    struct holder local = {p};
    struct walker walker = {&local};
    p[0] = 1;
    free(walked(&walker));
}
void emptied_by_second_result(struct list *p) { free(text_of(p).text); }
void emptied(struct list *p) {
    free(p->text);
    p->text = NULL;
}

// How much is written is not what half of a number says.

void filled_by_half(char *p, unsigned long n) {
    if ((unsigned)n > 16)
        abort();
    memset(p, 1, n);
}
void filled_by_byte(char *p, unsigned long n) {
    if ((unsigned char)n > 16)
        abort();
    memset(p, 1, n);
}

void filled_by_second_byte(short *p, int n, unsigned x) {
    if ((unsigned char)x > 2)
        return;
    memset(p, 1, (x >> 8) & 0xff);
}

// A text only where it is nothing else in another case.

size_t counted_in_one_case(const char *p, int raw) {
    if (raw) {
        long sum = 0;
        for (int i = 0; i < 32; i++)
            sum += p[i];
        return (size_t)sum;
    }
    return strlen(p);
}
size_t counted_by_size(const char *p, size_t n) {
    char local[32];
    memcpy(local, p, n < 32 ? n : 32);
    return local[n & 31] ? n : strlen(p);
}

int counted_behind_magic(const char *p) { return strcmp(p, "RIFF") ? -1 : p[8] + p[40]; }
int counted_in_pairs(const char *p) { return puts(p) + puts(p + strlen(p) + 1); }

// Nothing but read, and what is noted of it elsewhere.

int quiet_field(const struct list *p) { return p->count; }
int quiet_text(const struct list *p) { return p->text && p->text[0] == 'x' && strcmp(p->text, "xyz") == 0; }
static __attribute__((noinline)) int asks(const struct list *p) { return p->next != NULL; }
int quiet_by_callee(const struct list *p) { return asks(p) ? 3 : 4; }
int current;
void noted_by_number(const struct list *p) { current = p->count; }
void noted_in_itself(struct list *p) { p->count = -1; }
static __attribute__((noinline)) void selects(int n) { current = n; }
void noted_by_callee(const struct list *p) { selects(p->count); }
void noted_behind(const struct list *p) { p->text[0] = 0; }
int noted_in_one_case(const struct list *p, int n) {
    int count = p->count;
    if (n == 5)
        current = count;
    return count;
}

struct list *every[4];
static __attribute__((noinline)) void drops_all(const int *key) {
    for (int i = 0; i < 4; i++)
        if (every[i] && every[i]->count == *key) {
            free(every[i]);
            every[i] = 0;
        }
}
void noted_by_local(int a, int b, const struct list *p) {
    int key = p->count;
    drops_all(&key);
}
char buffer[64];
void noted_by_library(const struct list *p, int n) {
    char local[64];
    char *to = n > 3 ? local : buffer;
    strcpy(to, p->text);
    asks((const struct list *)to);
}

// What a compiler leaves in registers while a function is called whose code it knows.

static __attribute__((noinline)) int picks(unsigned n) {
    switch (n) {
    case 0: return current;
    case 1: return current + 4;
    case 2: return current * 3;
    case 3: return current - 9;
    case 4: return current ^ 3;
    case 5: return ~current;
    default: return 1;
    }
}
int kept_behind_a_table(struct list *p, unsigned n) {
    p->count++;
    int picked = picks(n);
    global = (const char *)p;
    return picked;
}
int freed_behind_a_table(struct list *p) {
    int picked = picks((unsigned)p->count);
    if (picked == 7)
        free(p);
    return picked;
}

// Backwards through a frame.

static __attribute__((noinline)) void unwinds(struct holder *top, int n) {
    while (n--) {
        global = top->pointer;
        top--;
    }
}
void kept_backwards(int *p) {
    struct holder stack[3] = {{p}, {0}, {0}};
    p[0] = 1;
    unwinds(stack + 2, 3);
}

// Halves of an address.

uint32_t low[4];
void kept_low_or_none(struct list *p, int n) { low[n & 3] = n ? (uint32_t)(uintptr_t)p : 0; }
void kept_low_extended(struct list *p) { number = (uintptr_t)(long)(int)(uintptr_t)p; }
void kept_low_aligned(struct list *p, int n) { low[n & 3] = (uint32_t)(uintptr_t)p & ~7u; }

// Where it lies matters.

struct prefix {
    uint32_t size;
    uint32_t room;
};
static __attribute__((noinline)) void sets_prefix(struct prefix *prefix, uint32_t n) { prefix->size = n; }
void placed_by_callee(unsigned char *p, uint32_t n) {
    p[0] = 1;
    sets_prefix((struct prefix *)p - 1, n);
}
void placed_by_library(unsigned char *p, size_t n) { memset(p - 8, 0, n); }
struct holder keys[3];
int placed_in_key(const char *p) {
    struct holder key = {(void *)p};
    return memcmp(&key, &keys[1], sizeof key) + p[0];
}

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
size_t over_text(const char *p) { return strlen(p) + (*p == 'x'); }
int over_compared(const char *p) { return strcmp(p, "RIFF") == 0; }
long over_number(const char *p) {
    char *end;
    long value = strtol(p, &end, 10);
    return *end ? -1 : value;
}
void over_copied(const char *p) { global = strdup(p); }
void over_part_of_text(const char *p, size_t n) { global = strndup(p, n); }
void over_text_by_callee(const char *p) { over_copied(p); }
size_t over_rest_of_text(const char *p) { return strlen(p + 4); }
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
long over_bounded(const char *p, unsigned long n) {
    char local[64];
    if (n > 0x7fffffff)
        return 0;
    memcpy(local, p, n);
    return local[3];
}
void over_part(struct list *p, int n) { p->count = n; }
void over_sometimes(int *p, int n) {
    if (n)
        *p = 5;
}
void over_always(int *p, int n) {
    if (n > 5)
        *p = n;
    else
        over_written(p);
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

// Who is called by a pointer gets what stands at the top of the stack, and nothing of what lies behind where that is empty.

int (*answer)(void *, int, const char *);
int (*many)(int, int, int, int, int, int, const char *, int);
struct whole {
    const char *p;
    long rest[6];
};
int (*take_whole)(struct whole);
int (*spoken)(const char *, ...);

int kept_as_seventh(const char *p) { return many(1, 2, 3, 4, 5, 6, p, 8) + 1; }
int kept_as_part_of_a_whole(const char *p) {
    struct whole all = {p, {1, 2, 3, 4, 5, 6}};
    return take_whole(all) + 1;
}
int kept_as_one_of_many(const char *p) { return spoken("%d%d%d%d%d%d%s", 1, 2, 3, 4, 5, 6, p) + 1; }
int over_beside_calls(const char *p, int a, int b, int c, int d, int e) {
    int f = a * b, g = b * c, h = c * d, i = d * e;
    int said = answer(0, a, "first");
    return said + p[0] + f + g + h + i + a + b + c + d + e;
}
int kept_behind_calls(const char *p, int n) {
    int found = n ? answer(0, n, "first") : 0;
    return many(found, 2, 3, 4, 5, 6, found > 1 ? p : "none", 8) + 1;
}
