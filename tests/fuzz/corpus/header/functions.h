typedef unsigned long size_t;
/* Declarations of functions: comments, attributes, redeclarations, definitions. */
#ifndef FUNCTIONS_H
#define FUNCTIONS_H


#define EXPORT __attribute__((visibility("default")))
#define NOTNULL(params) __attribute__((__nonnull__ params))
#define QUITS __attribute__((__noreturn__))

/**
 * Adds.
 *
 * Two paragraphs.
 */
EXPORT int documented(int a, int b);

EXPORT int behind(void);
/*
     Documented behind, as in zlib.

   Indented by three.
*/

EXPORT int behind_too(void);
/* Also behind. */

// Line comments,
// two of them.
int lines(void);

/*
** SQLite's style.
*/
int sqlite_style(void);

int undocumented(void);

/* The first declaration has the comment. */
int twice(int, const char *);
int twice(int count, const char *text) NOTNULL((2));
extern int twice(int, const char *);

int between(void);

int late_prototype();
int late_prototype(long value);

/* Attributes, directly and through macros. */
_Noreturn void quits_c11(void);
void quits_gnu(int status) __attribute__((noreturn));
void quits_macro(void) QUITS;
QUITS void quits_before(void);
void *fresh(size_t size) __attribute__((malloc)) __attribute__((__warn_unused_result__));
int first_and_third(char *a, char *b, char *c) NOTNULL((1, 3));
int all_pointers(char *a, int n, char *b) NOTNULL();
int by_type(char *_Nonnull a, char *_Nullable b, char *_Nonnull *_Nullable c, int d[static 4]);
int logs(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
int old_one(void) __attribute__((deprecated("use \"new\" :(")));
int owned(void) __attribute__((annotate("own: \"caller\" )))")));
int calls(void (*handler)(int) QUITS);

/* Definitions. */
static inline int defined(int a) { return a + 1; }
static int declared_static(int a);
inline int defined_later(int a);
inline int defined_later(int a) { return a; }

#endif
