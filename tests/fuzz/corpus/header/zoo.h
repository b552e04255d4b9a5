typedef unsigned long size_t;
typedef signed char int8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef signed int int32_t;
typedef unsigned long uint64_t;
/* Every kind of type that a header can declare, in fields, parameters and results. */
#ifndef ZOO_H
#define ZOO_H


/* Scalars. */
struct scalars {
    _Bool b;
    char c;
    signed char sc;
    unsigned char uc;
    short s;
    unsigned short us;
    int i;
    unsigned u;
    long l;
    unsigned long ul;
    long long ll;
    unsigned long long ull;
    float f;
    double d;
    size_t size;
    ptrdiff_t diff;
    int8_t i8;
    uint16_t u16;
    int32_t i32;
    uint64_t u64;
    intptr_t ip;
    wchar_t w;
    bool macro_bool;
};

/* Enumerations: signed, unsigned, wide, packed, without a tag. */
enum negative { MINUS = -1, ZERO, ONE };
enum positive { FIRST = 1, LAST = 0x80000000u };
enum wide { HUGE_ONE = 0x8000000000000000u };
enum __attribute__((packed)) tiny { TINY_A, TINY_B };
typedef enum { RED, GREEN = 5, BLUE } colour;
enum { LOOSE = 42 };

/* Records: opaque, by tag, by typedef, self-referring, nested, anonymous. */
struct opaque;
typedef struct opaque *opaque_handle;
union opaque_union;

typedef struct {
    int x;
    int y;
} point;

typedef struct node {
    struct node *next;
    const struct node *const *others;
    point where;
} node_t;

struct nested {
    char head;
    struct {
        short a;
        struct {
            double deep;
        } inner;
    } named;
    struct {
        int members;
    } list[3];
    struct {
        int behind;
    } *pointed;
    struct tagged_inside {
        long q;
    } tagged;
    struct {
        int anonymous_first;
        union {
            float anonymous_float;
            uint32_t anonymous_bits;
        };
        struct {
            char c;
        } in_anonymous;
    };
    enum { MODE_A, MODE_B = -7 } mode;
};

typedef struct {
    int hidden;
} *hidden_pointer;

typedef struct {
    int cell;
} grid[4];

/* The tag and the typedef are different types. */
struct twin {
    char one;
};
typedef struct {
    double other;
} twin;

union mixed {
    char bytes[12];
    double d;
    struct {
        uint16_t low, high;
    } halves;
};

struct bits {
    unsigned a : 3;
    int b : 5;
    unsigned : 2;
    unsigned c : 17;
    unsigned : 0;
    unsigned long long d : 40;
    _Bool flag : 1;
    colour shade : 4;
    unsigned char e : 7;
    int whole;
};

struct __attribute__((packed)) packed {
    char c;
    double d;
    short s;
};

struct aligned {
    char c;
    int i __attribute__((aligned(32)));
};

struct flexible {
    size_t n;
    uint32_t data[];
};

struct empty {};

struct arrays {
    char name[16];
    int matrix[2][3];
    const char *texts[4];
    void (*table[2])(int);
    int zero[0];
};

/* Function pointers. */
typedef int (*compare)(const void *left, const void *right);
typedef void callback(void *user, int code);
struct hooks {
    compare order;
    callback *notify;
    void *(*allocate)(void *opaque, size_t items, size_t size);
    int (*nested)(int (*inner)(int depth), ...);
    void (*plain)(void);
    void (*unprototyped)();
};

/* What is refused. */
struct refused {
    long double ld;
    __int128 wide;
    _Complex double complex;
    float vector __attribute__((vector_size(16)));
    volatile int *io;
    _Atomic int *counter;
    va_list *arguments;
};

typedef unsigned char uuid[16];
typedef const char *const_text;

int takes_scalars(_Bool b, char c, signed char sc, unsigned char uc, short s, long l, float f, double d);
int takes_arrays(unsigned char digest[32], uuid id, int matrix[2][3], const char *names[], const int four[4],
                 int at_least[static 8], int n, int variable[n], const uuid key);
int takes_qualified(const char *restrict s, char **__restrict__ z, const int k, int *_Nonnull one, const_text t,
                    const point *const p, volatile int *v);
int takes_functions(compare c, callback cb, callback *cbp, int direct(int a, char b), void (*handlers[2])(int));
void (*returns_function(int sig, void (*handler)(int)))(int);
opaque_handle takes_records(struct opaque *o, union opaque_union *u, struct nested n, twin t, struct twin s,
                            hidden_pointer h, grid g);
enum wide takes_enums(enum negative n, enum positive p, enum tiny t, colour c);
const char *const *returns_pointers(void);
int takes_va_list(const char *format, va_list arguments, void (*log)(int level, va_list), va_list *all);
long double takes_refused(__int128 a, _Complex float c, struct refused r);
int unprototyped();
int variadic(const char *format, ...);
__typeof__(int *) takes_typeof(__typeof__(const char *) text);

#endif
