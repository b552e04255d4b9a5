//! Errors that jump, functions that the library tells what failed, and callbacks without user data.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_bind::check;

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r#"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
typedef struct leap leap;
typedef void (*leap_told)(leap *l, const char *message);
leap *leap_new(leap_told told, void (*warned)(const char *where, const char *format, va_list list));
void leap_end(leap **l);
jmp_buf *leap_buffer(leap *l);
#define leap_jump(l) (*leap_buffer(l))
int leap_add(leap *l, int n);
void leap_must(leap *l, int n);
double leap_half(leap *l, int n, int *rest);
int leap_name(leap *l, const char *name);
int leap_sum(leap *l, const int *values, size_t n, int (*each)(int value));
__attribute__((noreturn)) void leap_fail(leap *l, const char *why);
const char *leap_text(leap *l, int n);
int leap_twice(int n, int (*change)(int n));
int leap_sort(int *values, size_t n, int (*compare)(int a, int b));
void leap_format(void (*say)(int level, const char *format, ...));
int leap_say(int n);
"#;

const SOURCE: &str = r#"
#include <stdlib.h>
#include <string.h>
#include "leap.h"
struct leap { jmp_buf buffer; leap_told told; void (*warned)(const char *, const char *, va_list); int sum; };
static void (*say)(int level, const char *format, ...);
leap *leap_new(leap_told told, void (*warned)(const char *, const char *, va_list))
{
    leap *l = calloc(1, sizeof *l);
    l->told = told, l->warned = warned;
    return l;
}
void leap_end(leap **l) { free(*l); *l = NULL; }
jmp_buf *leap_buffer(leap *l) { return &l->buffer; }
static void warn(leap *l, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    l->warned("leap", format, list);
    va_end(list);
}
void leap_fail(leap *l, const char *why) { l->told(l, why); longjmp(l->buffer, 1); }
int leap_add(leap *l, int n) { if (n < 0) leap_fail(l, "less than nothing"); return l->sum += n & 0xff; }
void leap_must(leap *l, int n) { if (n == 1) { warn(l, "%d is %s", n, "one"); longjmp(l->buffer, 2); } if (n == 2) longjmp(l->buffer, 3); }
double leap_half(leap *l, int n, int *rest) { *rest = n & 1; if (n == 7) leap_fail(l, "seven"); return (n & 0xff) / 2.0; }
int leap_name(leap *l, const char *name) { if (*name == 0) leap_fail(l, "no name"); return *name == 'h' ? -1 : (int)strlen(name); }
int leap_sum(leap *l, const int *values, size_t n, int (*each)(int value))
{
    int sum = 0;
    for (size_t i = 0; i < n && i < 8; i++) { int more = each(values[i]); if (more < 0) leap_fail(l, "the callback says no"); sum += more & 0xff; }
    return sum;
}
const char *leap_text(leap *l, int n) { if (n == 0) leap_fail(l, "nothing to say"); return n == 1 ? NULL : "text"; }
int leap_twice(int n, int (*change)(int n)) { return (change(n) & 0xff) + (change(n ^ 1) & 0xff); }
static int (*order)(int a, int b);
static int by_order(const void *a, const void *b) { return order(*(const int *)a, *(const int *)b); }
int leap_sort(int *values, size_t n, int (*compare)(int a, int b)) { order = compare; if (n > 0) qsort(values, n < 8 ? n : 8, sizeof *values, by_order); return (int)n; }
void leap_format(void (*with)(int level, const char *format, ...)) { say = with; }
int leap_say(int n) { if (n > 0 && say != NULL) say(3, "%s: %d", "said", n); return n > 0 ? 5 : 0; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "leap"
headers = ["leap.h"]
exclude = ["leap_buffer"]
handle.leap = { release = "leap_free", made_by = ["leap_new"], jumps = "leap_jump" }

[function.leap_free]
of = "leap_end"
params.l = { in = "address" }

[function.leap_new]
params.told = { callback = "told", text = "message" }
params.warned = { callback = "told", text = "format" }

[function.leap_format]
params.say = { callback = "told", text = "format" }

[function.leap_say]
error = { fails = "nonzero" }

[function.leap_name]
params.name = { string = "utf-8" }
error = { fails = "negative" }

[function.leap_half]
params.rest = { out = "value" }

[function.leap_fail]
params.why = { string = "utf-8" }

[function.leap_sum]
params.values = { in = "buffer", length = "n" }
params.each = { callback = "call", user_data = "none", on_failure = -1 }

[function.leap_text]
result = { string = "utf-8", nullable = true }

[function.leap_twice]
params.change = { callback = "call", user_data = "none", on_failure = 0 }

[function.leap_sort]
params.values = { inout = "buffer", length = "n" }
params.compare = { callback = "call", user_data = "none", on_failure = 0 }
"#;

const RECIPES: &str = r#"
[object.leap]
type = "leap"
steps = ["leap = leap_new()"]

[values]
"leap_must.n" = ["0", "1", "2"]
"leap_text.n" = ["0", "1", "2"]
"leap_half.n" = ["0", "7", "9"]
"leap_add.n" = ["-1", "0", "5"]
"leap_say.n" = ["0", "1", "12"]
"leap_sum.each" = ["call(1)", "call(-1)"]

[scenario]
"a failure leaves nothing behind" = ["leap = leap_new()", "leap_add($leap, -1)", "leap_add($leap, 3)", "leap_must($leap, 2)", "leap_fail($leap, 'so')", "leap_add($leap, 4)", "leap_name($leap, 'hi')", "leap_name($leap, '')", "leap_name($leap, 'x')"]
"inside of a callback" = ["leap = leap_new()", "leap_sum($leap, x'0100000002000000', call(2, value) { leap_add($leap, -1) })", "leap_sum($leap, x'0100000002000000', call(-1, value) { leap_add($leap, 1) })", "leap_add($leap, 1)"]
"#;

#[test]
fn errors_jump_out_of_calls_with_what_the_library_told() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "leap", HEADER, SOURCE);
    let report = compared(folder.path(), &job(folder.path(), CONTRACT, RECIPES));
    assert!(report.passed(), "{report}");
    assert!(report.equal() >= 60, "{report}");
}

#[test]
fn what_cannot_jump_or_tell_is_said() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "leap", HEADER, SOURCE);
    let refused = |lines: &str| {
        let contract = format!("hotcell = 1\nlibrary = \"leap\"\nheaders = [\"leap.h\"]\n{lines}\n");
        check(&job(folder.path(), &contract, "")).unwrap_err().message
    };
    for (lines, expect) in [
        ("handle.leap = { jumps = \"leap_jmp\" }", "the headers have no macro or function `leap_jmp`"),
        (
            "function.leap_new.params.told = { callback = \"told\", text = \"massage\" }",
            "`told` has no parameter `massage`",
        ),
        (
            "function.leap_new.params.told = { callback = \"told\", text = \"l\" }",
            "`l` is `leap *`, and no text",
        ),
        (
            "function.leap_add.params.n = { callback = \"told\", text = \"l\" }",
            "`n` is `int`, not a pointer to a function",
        ),
        (
            "function.leap_sum.params.each = { callback = \"kept\", user_data = \"none\", on_failure = 0 }",
            "a callback that the library keeps is told from others by its user data",
        ),
    ] {
        let text = refused(lines);
        assert!(text.contains(expect), "{lines}\n{text}");
    }
}
