/* Results that are qualified, which says nothing of a value. */
typedef unsigned long size_t;
typedef char *text;
struct pair { int a, b; };
const int first(void);
volatile int second(int a);
const volatile long third(long a);
const struct pair fourth(struct pair of);
const _Bool fifth(void);
