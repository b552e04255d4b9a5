typedef unsigned long size_t;
typedef unsigned long uint64_t;
/* A library with a function for every role a shim knows. */
#ifndef FIXTURE_H
#define FIXTURE_H


#define FX_FLAG_A 1
#define FX_FLAG_B 4
#define FX_KEY 16
#define FX_LIMIT "limit"

enum fx_color { FX_RED, FX_GREEN = 5, FX_BLUE };
enum fx_sign { FX_MINUS = -1, FX_NONE, FX_PLUS };
typedef enum { FX_SLOW = 1, FX_FAST } fx_mode;

struct fx_record {
    int a;
    double b;
    unsigned bits : 3;
    char tail[5];
};

/* Scalars. */
double fx_sum(_Bool b, char c, signed char sc, unsigned char uc, short s, unsigned short us, int i, unsigned int u,
              long l, unsigned long ul, long long ll, unsigned long long ull, float f, double d);
_Bool fx_not(_Bool b);
char fx_next(char c);
short fx_negate(short s);
float fx_half(float f);
enum fx_color fx_mix(enum fx_color color);
enum fx_sign fx_flip(enum fx_sign sign);
fx_mode fx_mode_of(fx_mode mode);
void fx_nothing(void);
int fx_flags(int flags, const char *name, size_t size, int extra);
static inline int fx_inline(int x) { return x * 3; }
int fx_masked(int x);
#define fx_masked(x) this_macro_must_not_expand(x)
void fx_leave(int status) __attribute__((noreturn));
__attribute__((deprecated)) int fx_old(int x);
__attribute__((const)) int fx_pure(int x);

/* Texts. */
size_t fx_length(const char *text, const char *suffix);
int fx_capitalize(char *text);
size_t fx_counted(const char *text, size_t length);
const char *fx_name(int which);
char *fx_repeat(const char *text, int times);
char *fx_complain(int about);
void fx_free(void *memory);
int fx_live(void);

/* Buffers that go in. */
unsigned fx_key(const unsigned char key[FX_KEY]);
double fx_dot(const double *a, const double *b, int n);
int fx_drain(int *values, unsigned n);
int fx_tiny(const unsigned char *data, unsigned char n);
long fx_bytes(const short *values, size_t bytes);

int fx_truths(const _Bool *truths, size_t n);

/* Buffers that go in and out. */
void fx_reverse(int *values, size_t n);
size_t fx_unique(unsigned char *values, size_t n);
void fx_trim(char *text, int *n);

/* Buffers that come out. */
void fx_fill(unsigned char *out, size_t n, int value);
int fx_read(void *buffer, int capacity, int amount);
int fx_take(void *buffer, int capacity, int amount);
int fx_take_seen(void *buffer, int capacity, int amount);
int fx_halves(short *out, int bytes);
const short *fx_halved(int bytes);
int fx_take_most(void *buffer, int capacity, int amount);
void fx_title(char *out, size_t capacity, int which);
void fx_pairs(int *out, int n);
int fx_words(unsigned short *out, size_t *bytes);
void fx_eights(size_t n, char *out);
unsigned fx_bound(unsigned n);
void fx_bounded(size_t n, char *out);
void fx_quotient(long a, long b, char *out);
void fx_liar(char *out, long *n, long claim);
const int *fx_table(int n);
unsigned char *fx_blob(size_t *n, int fail);

/* Single values that come out. */
int fx_divide(int a, int b, int *quotient, int *remainder);
void fx_double(double *x, unsigned char *y);

/* Errors. */
int fx_ok(int ok);
const char *fx_find(int which);
int fx_when(int result, int error);
double fx_root(double x);
#define FX_LOST -1
size_t fx_convert(int x);
unsigned fx_seek(int x);
unsigned short fx_narrow(int x);
uint64_t fx_limit(int x);
int fx_parse(const char *text, char *complaint);
const char *fx_message(int code);
const char *fx_reason(int code);

#endif
