//! Functions that a contract adds, on libraries that need them: forms of variadic functions, macros by prototype, inline
//! functions, variables, streams and descriptors.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_bind::check;

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r#"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
typedef enum { KIND_NUMBER = 1, KIND_TEXT = 2, KIND_NAME = 3, KIND_RATIO = 4, KIND_SEEN = 5, KIND_TOLD = 6 } kind_option;
typedef struct kind kind;
kind *kind_new(void);
void kind_free(kind *k);
/** Changes an option. */
int kind_set(kind *k, kind_option option, ...);
int kind_get(kind *k, kind_option option, ...);
int kind_format(char *to, size_t size, const char *format, ...);
int kind_vformat(char *to, size_t size, const char *format, va_list list);
#define kind_double(k, n) (kind_number(k, 2 * (n)))
#define kind_reset(k) do { kind_set((k), KIND_NUMBER, 0L); } while (0)
#define kind_words(text) kind_count(text, ' ')
#define KIND_SIZE() sizeof(struct { long number; char name[16]; })
int kind_number(kind *k, int n);
int kind_count(const char *text, int letter);
static inline int kind_inline(int n) { return n < 0 ? -1 : 3 * n; }
extern int kind_level;
extern const double kind_ratio;
extern const char kind_version[];
extern const char *const kind_author;
extern unsigned kind_table[4];
extern const kind *const kind_default;
extern int (*kind_hook)(int);
void kind_end(kind **k, int how);
long kind_load(FILE *from);
int kind_save(FILE *to, int lines);
long kind_read(int from);
int kind_write(int to, const char *text);
"#;

const SOURCE: &str = r#"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kind.h"
struct kind { long number; char *text; char *name; double ratio; int seen; int (*told)(void *, int); void *user; };
kind *kind_new(void) { return calloc(1, sizeof(kind)); }
void kind_free(kind *k) { free(k->text); free(k->name); free(k); }
int kind_set(kind *k, kind_option option, ...)
{
    va_list list;
    int failed = 0;
    va_start(list, option);
    switch (option) {
    case KIND_NUMBER: k->number = va_arg(list, long); break;
    case KIND_TEXT: free(k->text), k->text = strdup(va_arg(list, const char *)); break;
    case KIND_NAME: free(k->name), k->name = strdup(va_arg(list, const char *)); break;
    case KIND_RATIO: k->ratio = va_arg(list, double); break;
    case KIND_TOLD: { int (*told)(void *, int) = va_arg(list, int (*)(void *, int)); failed = told(va_arg(list, void *), (int)k->number); break; }
    default: errno = EINVAL, failed = 7;
    }
    va_end(list);
    return failed;
}
int kind_get(kind *k, kind_option option, ...)
{
    va_list list;
    va_start(list, option);
    switch (option) {
    case KIND_NUMBER: *va_arg(list, long *) = k->number; break;
    case KIND_TEXT: *va_arg(list, const char **) = k->text; break;
    case KIND_NAME: *va_arg(list, const char **) = k->name; break;
    case KIND_RATIO: *va_arg(list, double *) = k->ratio; break;
    default: va_end(list); return 7;
    }
    va_end(list);
    return 0;
}
int kind_vformat(char *to, size_t size, const char *format, va_list list) { return vsnprintf(to, size, format, list); }
int kind_format(char *to, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(to, size, format, list);
    va_end(list);
    return length;
}
int kind_number(kind *k, int n) { return (int)(k->number = n) + 1; }
int kind_count(const char *text, int letter) { int n = 0; for (; *text; text++) n += *text == letter; return n; }
int kind_level = 5;
const double kind_ratio = 0.75;
const char kind_version[] = "2.1";
const char *const kind_author = "näme";
unsigned kind_table[4] = {1, 2, 3, 4};
static kind one = {9};
const kind *const kind_default = &one;
int (*kind_hook)(int);
void kind_end(kind **k, int how) { if (how == 1) kind_free(*k); *k = NULL; }
long kind_load(FILE *from)
{
    long sum = 0;
    for (int c; (c = fgetc(from)) != EOF;) sum = sum * 31 + c;
    if (fseek(from, 0, SEEK_SET) != 0) return -1;
    return sum * 31 + fgetc(from);
}
int kind_save(FILE *to, int lines)
{
    for (int i = 0; i < lines; i++) fprintf(to, "line %d\n", i);
    errno = lines;
    return lines < 0;
}
long kind_read(int from)
{
    long sum = lseek(from, 0, SEEK_END);
    if (lseek(from, 0, SEEK_SET) != 0) return -1;
    for (unsigned char c; read(from, &c, 1) == 1;) sum = sum * 31 + c;
    return sum;
}
int kind_write(int to, const char *text) { return write(to, text, strlen(text)) != (ssize_t)strlen(text); }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "kind"
headers = ["kind.h"]
globals = ["kind_*"]
sandbox = { profile = "custom", allow = ["memfd_create"] }
exclude = ["kind_{free,read,write}"]
handle.kind = { release = "kind_end_one", made_by = ["kind_new"] }

[function.kind_end_one]
of = "kind_end"
params.k = { in = "address" }
params.how = { fixed = "1" }

[function."kind_set_text_*"]
of = "kind_set"
further = "const char *text"
each.option = ["KIND_{TEXT,NAME}"]
params.text = { string = "utf-8" }

[function."kind_get_text_*"]
of = "kind_get"
further = "const char **text"
each.option = ["KIND_{TEXT,NAME}"]
params.text = { out = "text" }

[function."kind_{set,get}_*"]
error = { fails = "nonzero" }

[function.kind_set_long]
of = "kind_set"
further = "long n"

[function.kind_set_number]
of = "kind_set"
further = "long n"
params.option = { fixed = "KIND_NUMBER" }

[function.kind_get_number]
of = "kind_get"
further = "long *n"
params.option = { fixed = "KIND_NUMBER" }
params.n = { out = "value" }

[function.kind_set_ratio]
of = "kind_set"
further = "float ratio"
params.option = { fixed = "KIND_RATIO" }

[function.kind_get_ratio]
of = "kind_get"
further = "double *ratio"
params.option = { fixed = "KIND_RATIO" }
params.ratio = { out = "value" }

[function.kind_set_told]
of = "kind_set"
further = "int (*told)(void *user, int number), void *user"
params.option = { fixed = "KIND_TOLD" }
params.told = { callback = "call", user_data = "user", on_failure = 8 }

[function.kind_format_pair]
of = "kind_format"
further = "const char *text, int n"
params.to = { out = "buffer", size = "size", length = "text", capacity = 64 }
params.format = { fixed = "\"<%s|%d>\"" }
params.text = { string = "utf-8" }

[function.kind_double]
declare = "int kind_double(kind *k, int n)"

[function.kind_reset]
declare = "void kind_reset(kind *k);"

[function.kind_words]
declare = "int kind_words(const char *text)"
params.text = { string = "utf-8" }

[function.kind_count]
params.text = { string = "utf-8" }

[function.KIND_SIZE]
declare = "size_t KIND_SIZE(void)"

[function."kind_table_{get,set}"]
params.values = { out = "buffer" }
[function.kind_table_set]
params.values = { in = "buffer", length = 4 }
[function."kind_{version,author}_get"]
result = { string = "utf-8" }
[function.kind_default_get]
result = { out = "borrowed", parent = "none" }

[function.kind_load_data]
of = "kind_load"
params.from = { in = "file" }

[function.kind_save_data]
of = "kind_save"
params.to = { out = "file" }
error = { fails = "nonzero" }

[function.kind_read_data]
of = "kind_read"
params.from = { in = "descriptor" }

[function.kind_write_data]
of = "kind_write"
params.to = { out = "descriptor" }
params.text = { string = "utf-8" }
error = { fails = "nonzero" }
"#;

const RECIPES: &str = r#"
[object.kind]
type = "kind"
steps = ["kind = kind_new()", "kind_set_text_text($kind, 'text')", "kind_set_text_name($kind, 'näme')"]

[values]
"kind_set_long.option" = ["KIND_NUMBER", "99"]
"kind_save_data.lines" = ["0", "1", "2000", "-1"]

[observe]
kind = ["kind_get_number($)", "kind_get_ratio($)", "kind_get_text_text($)", "kind_get_text_name($)"]
"kind_level_set" = ["kind_level_get()"]
"kind_table_set" = ["kind_table_get()"]
"#;

#[test]
fn what_is_not_c_is_said_of_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "kind", HEADER, SOURCE);
    let refused = |lines: &str| {
        let contract = format!("hotcell = 1\nlibrary = \"kind\"\nheaders = [\"kind.h\"]\n{lines}\n");
        check(&job(folder.path(), &contract, "")).unwrap_err().message
    };
    let text = refused("[function.kind_set_it]\nof = \"kind_set\"\nfurther = \"txet *it\"");
    assert!(text.contains("`kind_set_it` is not what C understands: unknown type name 'txet'"), "{text}");
    assert!(text.contains("bind.toml:5:6"), "{text}");
    let text = refused("[function.kind_double]\ndeclare = \"struct none kind_double(kind *k, int n)\"");
    assert!(text.contains("`kind_double` is not what C understands"), "{text}");
}

#[test]
fn every_kind_of_added_function() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "kind", HEADER, SOURCE);
    let job = job(folder.path(), CONTRACT, RECIPES);
    let checked = check(&job).unwrap();
    let warnings = checked.warnings.join("\n");
    assert!(
        warnings.contains("`kind_hook` is not read or written: it is a pointer to a function"),
        "{warnings}"
    );
    let left: Vec<&str> = checked.interface.left_out.iter().map(|out| out.name.as_str()).collect();
    assert_eq!(left, ["kind_vformat"]);
    assert!(checked.interface.left_out[0].reason.contains("`va_list`"), "{:?}", checked.interface.left_out);
    let report = compared(folder.path(), &job);
    assert!(report.passed(), "{report}");
    for function in &checked.interface.functions {
        let group = report.groups.iter().find(|group| group.name == function.name);
        assert!(group.is_some_and(|group| group.equal > 0), "{}: {report}", function.name);
    }
}
