//! Memory whose size is a field of a structure that is passed, or lists that belong together.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use hotcell::dynamic::{self, Value};
use hotcell::{ErrorKind, Options};
use hotcell_bind::Job;

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r"
#include <stddef.h>
struct size { unsigned short rows; int columns; };
struct picture { struct size size; unsigned char depth : 3; int filled; };
/* As many bytes as the picture has. */
int picture_fill(const struct picture *picture, unsigned char *pixels);
long picture_sum(struct picture picture, const unsigned char *pixels);
/* How much is filled is in the picture behind the call. */
int picture_part(struct picture *picture, unsigned char *pixels);
int map_sum(const char *const *keys, const char **values, int n);
int map_ended(const char *const *keys, const char *const *values);
struct pair { const char *key; long value; };
long pairs_sum(const struct pair *pairs, size_t count);
";

const SOURCE: &str = r#"
#include <string.h>
#include "sized.h"
int picture_fill(const struct picture *picture, unsigned char *pixels)
{
    int n = picture->size.rows * picture->size.columns;
    for (int i = 0; i < n; i++) pixels[i] = (unsigned char)(i * picture->depth);
    return n;
}
long picture_sum(struct picture picture, const unsigned char *pixels)
{
    long sum = 0;
    for (int i = 0; i < picture.size.rows * picture.size.columns; i++) sum = 3 * sum + pixels[i];
    return sum;
}
int picture_part(struct picture *picture, unsigned char *pixels)
{
    picture->filled = picture->size.columns / 2;
    memset(pixels, 'p', (size_t)picture->filled);
    return picture->size.columns;
}
int map_sum(const char *const *keys, const char **values, int n)
{
    int sum = n;
    for (int i = 0; i < n; i++) sum = 7 * sum + (int)strlen(keys[i]) - 3 * (int)strlen(values[i]);
    return sum;
}
int map_ended(const char *const *keys, const char *const *values)
{
    int sum = 0;
    for (; *keys != NULL; keys++, values++) sum = 7 * sum + (int)strlen(*keys) - 3 * (int)strlen(*values);
    return sum;
}
long pairs_sum(const struct pair *pairs, size_t count)
{
    long sum = (long)count;
    for (size_t i = 0; i < count; i++) sum = 3 * sum + (long)strlen(pairs[i].key) * (pairs[i].value % 100);
    return sum;
}
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "sized"
headers = ["sized.h"]
exclude = ["map_ended"]
[function.picture_fill]
params.picture = { in = "struct" }
params.pixels = { out = "buffer", capacity = "picture.size.rows * picture.size.columns" }
[function.picture_sum]
params.pixels = { in = "buffer", length = "picture.size.rows * picture.size.columns" }
[function.picture_part]
params.picture = { inout = "struct" }
params.pixels = { out = "buffer", capacity = "picture.size.columns", length = "picture.filled" }
[function.map_sum]
params."{keys,values}" = { in = "texts", length = "n" }
[struct.pair]
fields.key = { string = "utf-8" }
[function.pairs_sum]
params.pairs = { in = "structs", length = "count" }
"#;

const RECIPES: &str = r#"
[values]
picture = ["{size: {rows: 2, columns: 3}, depth: 5}", "{size: {rows: 0, columns: 7}}", "{size: {rows: 1, columns: 4}, depth: 1}"]
"picture_sum.pixels" = ["x'0102030405060708'", "x'ff00ff00ff00ff00'"]
keys = ["['a', 'bc', '']", "[]"]
values = ["['x', 'yz', 'Größe']"]
"#;

fn sized(folder: &Path) -> Job {
    compile(folder, "sized", HEADER, SOURCE);
    job(folder, CONTRACT, RECIPES)
}

#[test]
fn sizes_are_fields_of_what_is_passed() {
    let folder = tempfile::tempdir().unwrap();
    let job = sized(folder.path());
    let bound = hotcell_bind::bind(&job).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        dynamic::call(&session, &bound.interface, bound.interface.function(name).unwrap(), args)
    };
    let fields = |list: &[(&str, Value)]| {
        Value::Struct(list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let picture = |rows: i128, columns: i128| {
        let size = fields(&[("rows", Value::Int(rows)), ("columns", Value::Int(columns))]);
        fields(&[("size", size), ("depth", Value::Int(2))])
    };
    let filled = call("picture_fill", &[picture(2, 3)]).unwrap();
    assert_eq!(
        (filled.returned, &filled.outs[0].1),
        (Some(Value::Int(6)), &Value::Bytes(vec![0, 2, 4, 6, 8, 10]))
    );
    let part = call("picture_part", &[picture(1, 9)]).unwrap();
    let pixels = part.outs.iter().find(|(name, _)| name == "pixels").unwrap();
    assert_eq!(pixels.1, Value::Bytes(b"pppp".to_vec()));
    let sum = |bytes: &[u8]| call("picture_sum", &[picture(1, 3), Value::Bytes(bytes.to_vec())]);
    assert_eq!(sum(&[1, 2, 3]).unwrap().returned, Some(Value::Int(18)));
    // A size below nothing, or more than there is.
    for error in [call("picture_fill", &[picture(2, -3)]).unwrap_err(), sum(&[1, 2]).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    let report = compared(folder.path(), &job);
    assert!(report.passed(), "{report}");
    assert_eq!(report.groups.len(), 5, "{report}");
}

#[test]
fn a_map_is_two_lists_of_one_length_or_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let bound = hotcell_bind::bind(&sized(folder.path())).unwrap();
    let session = bound.open(Options::default()).unwrap();
    let call = |name: &str, args: &[Value]| {
        dynamic::call(&session, &bound.interface, bound.interface.function(name).unwrap(), args)
    };
    let texts = |texts: &[&str]| Value::List(texts.iter().map(|text| Value::Text((*text).into())).collect());
    let sum = call("map_sum", &[texts(&["a", "bc"]), texts(&["", "xyz"])]).unwrap().returned;
    assert_eq!(sum, Some(Value::Int((2 * 7 + 1) * 7 + 2 - 9)));
    // The shorter and the longer one are refused, whichever list it is.
    for values in [&["x"][..], &["x", "y", "z"]] {
        let error = call("map_sum", &[texts(&["a", "bc"]), texts(values)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains("values"), "{error}");
    }
    let pair = |key: &str, value: i128| {
        Value::Struct(vec![("key".into(), Value::Text(key.into())), ("value".into(), Value::Int(value))])
    };
    let sum = call("pairs_sum", &[Value::List(vec![pair("ab", 5), pair("c", 7)])]).unwrap().returned;
    assert_eq!(sum, Some(Value::Int((2 * 3 + 10) * 3 + 7)));
}
