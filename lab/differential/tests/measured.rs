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
/* The calls that were made so far. */
int key_calls(void);
"#;

const SOURCE: &str = r#"
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
[function.key_calls]
error = { fails = "never" }
"#;

const RECIPES: &str = r#"
[values]
of = ["0", "1", "5", "99", "31", "-1"]
[skip]
key_lies = "it claims more than there is"
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
