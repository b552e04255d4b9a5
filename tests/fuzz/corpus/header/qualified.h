/* Results that are qualified, which says nothing of a value. */
typedef unsigned long size_t;
typedef char *text;
struct pair { int a, b; };
const int first(void);
volatile int second(int a);
const volatile long third(long a);
const struct pair fourth(struct pair of);
const _Bool fifth(void);
typedef const int fixed;
typedef volatile const long *const where;
typedef char *restrict_text;
fixed sixth(void);
where seventh(fixed of);
const fixed eighth(const where of);
extern const int ninth __asm__("other_name");
restrict_text const tenth(restrict_text const of); 
