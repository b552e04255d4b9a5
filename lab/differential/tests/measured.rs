//! Functions that say how much memory they need when they get none: what they fill is what a direct call fills.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use hotcell::dynamic::{self, Value};
use hotcell::{Cause, ErrorKind, Options};
use hotcell_bind::Job;

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r#"
#include <stddef.h>
#include <stdint.h>
/* Succeeds without memory. */
int key_get(int of, unsigned char *out, size_t *length);
/* Fails without, and says how much. */
int key_name(int of, char *name, unsigned *length);
/* In numbers, and in their bytes. */
int key_parts(int of, uint32_t *parts, int *count);
void key_raw(int of, uint16_t *raw, size_t *bytes);
int key_any(int of, void *data, size_t *length);
/* Says nothing without memory. */
int key_silent(int of, unsigned char *out, size_t *length);
/* Says more than it has asked for. */
int key_lies(unsigned char *out, size_t *length);
/* Needs more behind the first call. */
int key_grows(unsigned char *out, size_t *length);
/* Needs what no memory has. */
int key_huge(uint32_t *out, size_t *length);
/* Leaves why the first call got no memory in `errno`. */
int key_errno(unsigned char *out, size_t *length);
/* The calls that were made so far. */
int key_calls(void);
"#;

const SOURCE: &str = r#"
#include <errno.h>
#include <string.h>
#include "key.h"
static int calls;
int key_get(int of, unsigned char *out, size_t *length)
{
    calls++;
    if (of < 0) return -1;
    size_t need = (size_t)of % 100;
    if (out == NULL) { *length = need; return 0; }
    if (*length < need) return -2;
    for (size_t i = 0; i < need; i++) out[i] = (unsigned char)(of + (int)i);
    *length = need;
    return 0;
}
int key_name(int of, char *name, unsigned *length)
{
    unsigned need = (unsigned)(of & 31) + 1;
    if (of < 0) { *length = 7; return 5; }
    if (*length < need) { *length = need; return 1; }
    memset(name, 'n', need);
    *length = need - 1;
    return 0;
}
int key_parts(int of, uint32_t *parts, int *count)
{
    *count = of & 7;
    if (parts != NULL) for (int i = 0; i < *count; i++) parts[i] = 0x01000000u * (unsigned)i + 1;
    return 3;
}
void key_raw(int of, uint16_t *raw, size_t *bytes)
{
    *bytes = 2 * (size_t)(of & 7);
    if (raw != NULL) for (size_t i = 0; i < *bytes / 2; i++) raw[i] = (uint16_t)(i + 40000);
}
int key_any(int of, void *data, size_t *length) { return key_get(of, data, length); }
int key_silent(int of, unsigned char *out, size_t *length)
{
    if (out != NULL && *length > 0) { out[0] = (unsigned char)of; *length = 1; }
    return 0;
}
int key_lies(unsigned char *out, size_t *length) { *length = out == NULL ? 4 : 5; return 0; }
int key_grows(unsigned char *out, size_t *length)
{
    calls++;
    if (out == NULL) { *length = 4; return 0; }
    *length = 9;
    return 12;
}
int key_huge(uint32_t *out, size_t *length)
{
    calls++;
    size_t had = *length;
    *length = (size_t)-1 / 8;
    return out == NULL ? 0 : had == 0 ? 13 : 14;
}
int key_errno(unsigned char *out, size_t *length)
{
    *length = 2;
    if (out == NULL) { errno = ERANGE; return -1; }
    out[0] = 7, out[1] = 8;
    return 0;
}
int key_calls(void) { return calls; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "key"
headers = ["key.h"]
[function."key_*"]
params.out = { out = "measured", length = "length" }
params.data = { out = "measured", length = "length" }
params.of = { in = "value" }
error = { fails = "nonzero" }
[function.key_name]
params.name = { out = "measured", length = "length" }
[function.key_parts]
params.parts = { out = "measured", length = "count" }
error = { fails = "result != 3" }
[function.key_raw]
params.raw = { out = "measured", length = "bytes", unit = "bytes" }
error = { fails = "never" }
[function.key_errno]
error = { fails = "errno != 0" }
[function.key_calls]
error = { fails = "never" }
"#;

const RECIPES: &str = r#"
[values]
of = ["0", "1", "5", "99", "31", "-1"]
[skip]
key_lies = "it claims more than there is"
key_huge = "it claims more than there is"
key_grows = "it claims more than there is"
[observe]
"key_get" = ["key_calls()"]
"#;

fn key(folder: &Path) -> Job {
    compile(folder, "key", HEADER, SOURCE);
    job(folder, CONTRACT, RECIPES)
}

#[test]
fn memory_is_measured_and_filled() {
    let folder = tempfile::tempdir().unwrap();
    let job = key(folder.path());
    let bound = hotcell_bind::bind(&job).unwrap();
    assert_eq!(bound.interface.left_out, []);
    let session = bound.open(Options::default()).unwrap();
    let call = |name: &str, of: i128| {
        let function = bound.interface.function(name).unwrap();
        dynamic::call(&session, &bound.interface, function, &[Value::Int(of)])
            .map(|outcome| outcome.outs[0].1.clone())
    };
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let numbers = |numbers: &[i128]| Value::List(numbers.iter().copied().map(Value::Int).collect());
    assert_eq!(call("key_get", 3).unwrap(), bytes(&[3, 4, 5]));
    assert_eq!(call("key_get", 100).unwrap(), bytes(&[]));
    assert_eq!(call("key_name", 4).unwrap(), bytes(b"nnnn"));
    assert_eq!(call("key_parts", 3).unwrap(), numbers(&[1, 0x0100_0001, 0x0200_0001]));
    assert_eq!(call("key_raw", 2).unwrap(), numbers(&[40_000, 40_001]));
    assert_eq!(call("key_any", 2).unwrap(), bytes(&[2, 3]));
    assert_eq!(call("key_silent", 2).unwrap(), bytes(&[]));
    let calls = bound.interface.function("key_calls").unwrap();
    let calls = dynamic::call(&session, &bound.interface, calls, &[]).unwrap().returned;
    assert_eq!(calls, Some(Value::Int(6)), "two for each of three");
    let error = call("key_get", -1).unwrap_err();
    assert!(matches!(error.cause(), Cause::Library { code: -1, .. }), "{error}");
    let error = call("key_name", -1).unwrap_err();
    assert!(matches!(error.cause(), Cause::Library { code: 5, .. }), "{error}");
    let report = compared(folder.path(), &job);
    assert!(report.passed(), "{report}");
}

#[test]
fn a_claim_of_more_is_a_lie() {
    let folder = tempfile::tempdir().unwrap();
    let bound = hotcell_bind::bind(&key(folder.path())).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let function = bound.interface.function("key_lies").unwrap();
    let error = dynamic::call(&session, &bound.interface, function, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidReply, "{error}");
    let function = bound.interface.function("key_calls").unwrap();
    let calls = dynamic::call(&session, &bound.interface, function, &[]).unwrap().returned;
    assert_eq!(calls, Some(Value::Int(0)), "another worker");
}

#[test]
fn what_the_second_call_says_counts_whatever_the_first_one_did() {
    let folder = tempfile::tempdir().unwrap();
    let bound = hotcell_bind::bind(&key(folder.path())).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let call = |name: &str| {
        let function = bound.interface.function(name).unwrap();
        dynamic::call(&session, &bound.interface, function, &[])
    };
    // It fails, and says that it needs more: that is its failure.
    let error = call("key_grows").unwrap_err();
    assert!(matches!(error.cause(), Cause::Library { code: 12, .. }), "{error}");
    // Where there is no memory of that size, it is told that there is none.
    let error = call("key_huge").unwrap_err();
    assert!(matches!(error.cause(), Cause::Library { code: 13, .. }), "{error}");
    assert_eq!(call("key_errno").unwrap().outs[0].1, Value::Bytes(vec![7, 8]));
    assert_eq!(call("key_calls").unwrap().returned, Some(Value::Int(4)), "the same worker");
}

#[test]
fn what_is_there_once_does_not_go_with_two_calls() {
    let header = "
        #include <stddef.h>
        typedef struct box box;
        box *box_new(void);
        void box_free(box *b);
        int box_eat(box *b, unsigned char *out, size_t *length);
        int box_make(box **made, unsigned char *out, size_t *length);
        box *box_return(unsigned char *out, size_t *length);
        int box_number(int *number, unsigned char *out, size_t *length);
        int box_data(unsigned char *data, size_t size, unsigned char *out, size_t *length);
        int box_ask(int (*ask)(void *user), void *user, unsigned char *out, size_t *length);
        int box_list(unsigned char **list, unsigned char *out, size_t *length);
        void box_give(unsigned char *list, int how);
        int box_look(box *b, unsigned char *out, size_t *length);
    ";
    let folder = tempfile::tempdir().unwrap();
    // Nothing is called.
    let declared = header.lines().map(str::trim).filter(|line| line.ends_with(");"));
    let defined = declared.map(|line| line.replace(");", ") { abort(); }"));
    let source = defined.collect::<Vec<_>>().join("\n");
    compile(folder.path(), "box", header, &format!("#include <stdlib.h>\n#include \"box.h\"\n{source}"));
    let said = |lines: &str| {
        let contract = format!(
            "hotcell = 1\nlibrary = \"box\"\nheaders = [\"box.h\"]\n[handle]\nbox = {{ release = \"box_free\", made_by = [\"box_new\"], taken_by = [] }}\n{lines}\nparams.out = {{ out = \"measured\", length = \"length\" }}\n"
        );
        hotcell_bind::check(&job(folder.path(), &contract, "")).map(drop).map_err(|error| error.to_string())
    };
    said("[function.box_look]\nparams.b = { in = \"handle\" }").unwrap();
    for (name, line, once) in [
        ("box_eat", "params.b = { in = \"consumed\" }", "b"),
        ("box_make", "params.made = { out = \"owned\" }", "made"),
        ("box_return", "result = { out = \"owned\" }", "result"),
        ("box_number", "params.number = { inout = \"value\" }", "number"),
        ("box_data", "params.data = { inout = \"buffer\", length = \"size\" }", "data"),
        ("box_ask", "params.ask = { callback = \"call\", user_data = \"user\", on_failure = 0 }", "ask"),
        ("box_list", "params.list = { out = \"data\", length = 3, release = \"box_free\" }", "list"),
        ("box_list", "params.list = { out = \"data\", length = 3, release = \"box_give(list, 1)\" }", "list"),
        ("box_list", "returns = \"list\"\nresult = { out = \"buffer\", length = 3 }", "list"),
    ] {
        let error = said(&format!("[function.{name}]\n{line}")).unwrap_err();
        let expect = format!("`{name}` is called twice, and `{once}` is there for one call");
        assert!(error.contains(&expect), "{name}: {error}");
    }
}

#[test]
fn of_what_orders_two_things_the_sign_alone_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let header = "int key_order(const unsigned char *key);";
    // As large as where the key lies.
    let source = "#include <stdint.h>\n#include \"order.h\"\nint key_order(const unsigned char *key)\n\
        { return key[0] < 'k' ? -1 - (int)(((uintptr_t)key & 0xfff)) : 1; }";
    compile(folder.path(), "order", header, source);
    let contract = "hotcell = 1\nlibrary = \"order\"\nheaders = [\"order.h\"]\n\
        [function.key_order]\nparams.key = { in = \"buffer\", length = 3 }\nerror = { fails = \"never\" }\n";
    let values = "[values]\nkey = [\"'abc'\", \"'xyz'\"]\n";
    let report = compared(folder.path(), &job(folder.path(), contract, values));
    assert!(!report.passed(), "the key lies elsewhere: {report}");
    let sign = format!("{values}[sign]\nkey_order = \"It says less or greater.\"\n");
    let report = compared(folder.path(), &job(folder.path(), contract, &sign));
    assert!(report.passed(), "{report}");
}
