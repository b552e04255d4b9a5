//! Parameters that travel otherwise than C takes them, on a library that needs them all: cursors, ranges, texts that are changed,
//! descriptors that are kept, streams and further arguments under a function's own name; and arrays that are returned.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use hotcell::dynamic::{self, Value};
use hotcell::{ErrorKind, Options};
use hotcell_bind::{Job, check};
use hotcell_model::interface::Interface;

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r#"
#include <stddef.h>
#include <stdio.h>
typedef unsigned char id_bytes[4];
typedef struct reader reader;
/* Copies letters, without spaces, for as long as there is room. */
int way_copy(size_t *available_in, const unsigned char **next_in, size_t *available_out, unsigned char **next_out);
/* Reads one length byte and as many bytes behind it. */
int way_item(const unsigned char **from, long length, int *sum);
void way_astray(const unsigned char **lost, size_t *length);
int way_between(const int *first, const int *last);
void way_squeeze(char *text);
/* The same, of a text that may be NULL. */
void way_squeeze_any(char *text);
void way_grow(char *longer);
reader *reader_dopen(int fd, int how);
int reader_next(reader *r);
void reader_close(reader *r);
long way_load(FILE *from);
int way_save(FILE *to, int lines);
int way_sum(int n, ...);
int way_sums(int n, ...);
int way_control(int op, void *arg);
const id_bytes *way_id(const char *name);
/* As many words as there are; they are to be given back. */
int way_words(reader *of, char ***words, int n);
void way_give_back(reader *of, char ***words, int n);
/* The number of lists that are out. */
int way_lists(void);
char *way_word(int of);
void way_give_word(char *word, int of);
"#;

const SOURCE: &str = r#"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "way.h"
struct reader { int fd; };
int way_copy(size_t *available_in, const unsigned char **next_in, size_t *available_out, unsigned char **next_out)
{
    while (*available_in > 0) {
        if (**next_in == '!') return 2;
        if (**next_in != ' ') {
            if (*available_out == 0) return 1;
            *(*next_out)++ = **next_in;
            --*available_out;
        }
        ++*next_in;
        --*available_in;
    }
    return 0;
}
int way_item(const unsigned char **from, long length, int *sum)
{
    *sum = 0;
    if (length < 1 || length < 1 + **from) return 1;
    int n = *(*from)++;
    while (n-- > 0) *sum += *(*from)++;
    return 0;
}
void way_astray(const unsigned char **lost, size_t *length) { *lost += *length + 1; }
int way_between(const int *first, const int *last) { int sum = 0; while (first != last) sum = 3 * sum + *first++; return sum; }
void way_squeeze(char *text) { char *to = text; for (; *text; text++) if (*text != ' ') *to++ = *text; *to = 0; }
void way_squeeze_any(char *text) { if (text != NULL) way_squeeze(text); }
void way_grow(char *longer) { size_t n = strlen(longer); longer[n] = 'x'; }
reader *reader_dopen(int fd, int how)
{
    if (how == 1) return NULL;
    if (how == 2) { close(fd); return NULL; }
    reader *r = malloc(sizeof *r);
    r->fd = fd;
    return r;
}
int reader_next(reader *r) { unsigned char c; return read(r->fd, &c, 1) == 1 ? c : -1; }
void reader_close(reader *r) { close(r->fd); free(r); }
long way_load(FILE *from) { long sum = 0; for (int c; (c = fgetc(from)) != EOF;) sum = sum * 31 + c; return sum; }
int way_save(FILE *to, int lines) { for (int i = 0; i < lines; i++) fprintf(to, "line %d\n", i); return lines < 0; }
static int sum(int n, va_list list) { int all = 0; while (n-- > 0) all += va_arg(list, int); return all; }
int way_sum(int n, ...) { va_list list; va_start(list, n); int all = sum(n, list); va_end(list); return all; }
int way_sums(int n, ...) { va_list list; va_start(list, n); int all = 2 * sum(n, list); va_end(list); return all; }
int way_control(int op, void *arg) { *(int *)arg += op; return 0; }
const id_bytes *way_id(const char *name)
{
    static const id_bytes ids[2] = {{1, 2, 3, 4}, {250, 251, 252, 253}};
    return strcmp(name, "low") == 0 ? &ids[0] : strcmp(name, "high") == 0 ? &ids[1] : NULL;
}
static int lists;
int way_words(reader *of, char ***words, int n)
{
    if (n < 0) return -1;
    *words = malloc((n + 1) * sizeof **words);
    for (int i = 0; i < n; i++) (*words)[i] = strdup("word");
    lists += n + of->fd;
    return n;
}
void way_give_back(reader *of, char ***words, int n)
{
    lists -= n + of->fd;
    while (n-- > 0) free((*words)[n]);
    free(*words);
    *words = NULL;
}
int way_lists(void) { return lists; }
char *way_word(int of) { lists += of; return strdup("one"); }
void way_give_word(char *word, int of) { lists -= of; free(word); }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "way"
headers = ["way.h"]
sandbox = { profile = "custom", allow = ["memfd_create"] }
exclude = ["way_give_*"]
nullable = ["way_squeeze_any.text"]
handle.reader = { release = "reader_close", made_by = ["reader_dopen"] }

[function."way_*"]
params.next_in = { in = "cursor", length = "available_in" }
params.next_out = { out = "cursor", length = "available_out" }
params.from = { in = "file" }
params.to = { out = "file" }
params.lost = { in = "cursor", length = "length" }
[function.way_copy]
error = { fails = "result == 2" }
[function.way_item]
params.from = { in = "cursor", length = "length" }
params.sum = { out = "value", valid_on_error = true }
error = { fails = "nonzero" }
[function.way_save]
error = { fails = "nonzero" }
[function.way_between]
params.first = { in = "range", end = "last" }
[function."way_squeeze{,_any}"]
params.text = { inout = "text" }
[function.way_grow]
params.longer = { inout = "text", encoding = "bytes" }
[function.reader_dopen]
params.fd = { in = "descriptor", until = "result" }
params.how = { in = "value" }
error = { fails = "null" }
[function."way_sum{,s}"]
further = "int a, int b"
params.n = { fixed = "2" }
[function.way_control]
as = "int *arg"
params.arg = { inout = "value" }
[function.way_control_more]
of = "way_control"
as = "unsigned *arg"
params.arg = { inout = "value" }
[function.way_words]
params.words = { out = "texts", length = "result", release = "way_give_back(of, words, result)" }
params.n = { in = "value" }
error = { fails = "negative" }
[function.way_word]
params.of = { in = "value" }
result = { string = "utf-8", release = "way_give_word(result, of)" }
[function.way_id]
params.name = { string = "utf-8" }
result = { out = "buffer", length = 4, nullable = true }
"#;

const RECIPES: &str = r#"
[object.reader]
type = "reader"
steps = ["reader = reader_dopen('ab', 0)"]

[values]
next_in = ["'some letters'", "' '", "''", "'stop! here'"]
next_out = ["5", "0", "1000"]
"way_item.from" = ["x'03010203ff'", "x'00'", "x'05 0102'", "''"]
"way_save.lines" = ["0", "1", "2000", "-1"]
"way_sum*.{a,b}" = ["1", "-7"]
a = ["1", "-7"]
b = ["2", "100"]
how = ["0", "1", "2"]
text = ["' a text  with spaces '", "''", "'plain'", "'Grüße an alle'"]
n = ["2", "0", "-1"]
longer = ["'a'", "''"]
name = ["'low'", "'high'", "'none'"]

[observe]
"way_word*" = ["way_lists()"]

[scenario]
"descriptors live as long as their readers" = [
    "one = reader_dopen('ab', 0)",
    "two = reader_dopen('c', 0)",
    "reader_dopen('none', 1)",
    "reader_dopen('none', 2)",
    "reader_next($one)",
    "reader_next($two)",
    "reader_next($one)",
    "reader_close($one)",
    "reader_next($two)",
]
"#;

/// The library and its contract in a folder.
fn way(folder: &Path, contract: &str) -> Job {
    compile(folder, "way", HEADER, SOURCE);
    job(folder, contract, RECIPES)
}

/// The parameters of a function that has its own name.
fn params(interface: &Interface, name: &str) -> Vec<String> {
    let (_, function) = interface.function(name).unwrap();
    function.params.iter().map(|param| param.name.clone()).collect()
}

#[test]
fn every_parameter_that_travels_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let job = way(folder.path(), CONTRACT);
    let checked = check(&job).unwrap();
    assert_eq!(checked.warnings, [""; 0]);
    assert_eq!(checked.interface.left_out, []);
    let interface = &checked.interface;
    assert_eq!(
        params(interface, "way_copy"),
        ["next_in", "next_in_size", "next_in_read", "next_out", "next_out_size"]
    );
    assert_eq!(params(interface, "way_squeeze"), ["text", "text_after"]);
    assert_eq!(params(interface, "way_between"), ["first", "first_size"]);
    let report = compared(folder.path(), &job);
    assert!(report.passed(), "{report}");
    for function in &checked.interface.functions {
        let group = report.groups.iter().find(|group| group.name == function.name);
        assert!(group.is_some_and(|group| group.equal > 0), "{}: {report}", function.name);
    }
}

#[test]
fn values_come_and_go_as_the_lines_say() {
    let folder = tempfile::tempdir().unwrap();
    let bound = hotcell_bind::bind(&way(folder.path(), CONTRACT)).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        dynamic::call(&session, &bound.interface, bound.interface.function(name).unwrap(), args).map(
            |outcome| {
                let outs = outcome.outs.into_iter().map(|(_, value)| value);
                outcome.returned.into_iter().chain(outs).collect::<Vec<_>>()
            },
        )
    };
    let bytes = |text: &str| Value::Bytes(text.as_bytes().to_vec());
    let (int, text) = (Value::Int, |text: &str| Value::Text(text.to_owned()));
    // All of it, as much as there is room for, and what was read before it failed.
    let copied = call("way_copy", &[bytes("a b c"), int(10)]).unwrap();
    assert_eq!(copied, [int(0), int(5), bytes("abc")]);
    let copied = call("way_copy", &[bytes("a b c"), int(2)]).unwrap();
    assert_eq!(copied, [int(1), int(4), bytes("ab")]);
    assert_eq!(call("way_copy", &[bytes(""), int(0)]).unwrap(), [int(0), int(0), bytes("")]);
    let error = call("way_copy", &[bytes("ab!c"), int(10)]).unwrap_err();
    assert_eq!(
        (error.kind(), error.output_of("next_in_read").is_some()),
        (ErrorKind::LibraryError, true),
        "{error}"
    );
    let item = call("way_item", &[Value::Bytes(vec![2, 7, 8, 9])]).unwrap();
    assert_eq!(item, [int(3), int(15)]);
    let numbers = Value::List([1, 2, 3].map(int).to_vec());
    assert_eq!(call("way_between", &[numbers]).unwrap(), [int(18)]);
    assert_eq!(call("way_squeeze", &[text(" a  b ")]).unwrap(), [text("ab")]);
    assert_eq!(call("way_squeeze_any", &[text(" a  b ")]).unwrap(), [text("ab")]);
    assert_eq!(call("way_squeeze_any", &[Value::Null]).unwrap(), [Value::Null]);
    assert_eq!(call("way_load", &[bytes("ab")]).unwrap(), [int(97 * 31 + 98)]);
    assert_eq!(call("way_save", &[int(2)]).unwrap(), [bytes("line 0\nline 1\n"), int(14)]);
    assert_eq!(call("way_sum", &[int(3), int(4)]).unwrap(), [int(7)]);
    assert_eq!(call("way_sums", &[int(3), int(4)]).unwrap(), [int(14)]);
    assert_eq!(call("way_control", &[int(5), int(-8)]).unwrap(), [int(0), int(-3)]);
    assert_eq!(call("way_id", &[text("high")]).unwrap(), [Value::Bytes(vec![250, 251, 252, 253])]);
    assert_eq!(call("way_id", &[text("none")]).unwrap(), [Value::Null]);
    // What cannot be believed ends the worker, and the next call has another.
    for (name, argument) in [("way_astray", bytes("ab")), ("way_grow", bytes("ab"))] {
        let error = call(name, &[argument]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Crashed, "{error}");
        assert_eq!(call("way_sum", &[int(1), int(1)]).unwrap(), [int(2)]);
    }
}

#[test]
fn lists_are_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let bound = hotcell_bind::bind(&way(folder.path(), CONTRACT)).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        let function = bound.interface.function(name).unwrap();
        dynamic::call(&session, &bound.interface, function, args).unwrap()
    };
    let reader = call("reader_dopen", &[Value::Bytes(Vec::new()), Value::Int(0)]).returned.unwrap();
    let words = call("way_words", &[reader, Value::Int(3)]);
    assert_eq!(words.outs[0].1, Value::List(vec![Value::Text("word".into()); 3]));
    assert_eq!(call("way_word", &[Value::Int(5)]).returned, Some(Value::Text("one".into())));
    assert_eq!(call("way_lists", &[]).returned, Some(Value::Int(0)));
}
