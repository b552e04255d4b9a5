/* Words of C and names of numbers that are macros behind what they declare: what is made of the header is C all the same. */
int first(int a, unsigned b);
unsigned second(unsigned long size);
struct pair { int a, b; };
enum kind { PLAIN, OTHER };
typedef int (*walk)(const struct pair *at, unsigned char of);
struct pair fourth(struct pair of, enum kind as);
#define unsigned
#define int long
#define const
#define char short
#define struct union
#define enum
#define void int
#define static extern
#define typedef
#define inline
#define volatile register
#define _Bool double
#define _Static_assert(condition, text) broken
#define __typeof__(of) of of
#define __attribute__(of)
#define __auto_type float
#define uint64_t float
#define int32_t long long
#define size_t short
