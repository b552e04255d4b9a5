//! Texts in UTF-32, which `wchar_t` is here, and in Latin-1: callers have texts of their language in every place that a text
//! can have, and what comes of them is what comes of a direct call.
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
#include <wchar.h>
struct text_named { int number; const LETTER *name; };
size_t text_length(const LETTER *text);
long text_count(const LETTER *text, int units);
int text_maybe(const LETTER *text);
int text_change(LETTER *text);
const LETTER *text_name(int number);
const LETTER *text_part(int number, int *length);
LETTER *text_twice(const LETTER *text);
int text_say(const LETTER *text, LETTER **said, const LETTER **kept);
int text_find(const LETTER *text, int letter, const LETTER **at);
int text_total(int count, const LETTER *const *texts);
int text_list(int number, const LETTER *const **texts);
int text_tell(const LETTER *text, int (*told)(void *user, const LETTER *text, const LETTER *maybe, int count, LETTER **list), void *user);
int text_struct(struct text_named *named);
";

const SOURCE: &str = r#"
#include <stdlib.h>
#include <string.h>
#include "text.h"
#define W sizeof(LETTER)
size_t text_length(const LETTER *text) { size_t n = 0; while (text[n]) n++; return n; }
static LETTER *copy(const LETTER *text) { size_t n = W * (text_length(text) + 1); return memcpy(malloc(n), text, n); }
long text_count(const LETTER *text, int units) { long sum = units; for (int i = 0; i < units; i++) sum = sum * 31 + text[i]; return sum; }
int text_maybe(const LETTER *text) { return text == NULL ? -1 : (int)text_length(text); }
int text_change(LETTER *text) { int n = 0; for (; *text; text++, n++) *text = 'x'; return n; }
static const LETTER names[][4] = {{(LETTER)0xe9}, {'a'}, {0}, {'Z', (LETTER)0xff}, {'a', (LETTER)ODD}};
const LETTER *text_name(int number) { return number == 7 ? NULL : names[(unsigned)number % 5]; }
const LETTER *text_part(int number, int *length) { static const LETTER part[] = {'a', 0, (LETTER)0xe9}; *length = 3; return number == 7 ? NULL : part; }
LETTER *text_twice(const LETTER *text) { size_t n = text_length(text); LETTER *two = malloc(W * (2 * n + 1)); memcpy(two, text, W * n); memcpy(two + n, text, W * (n + 1)); return two; }
int text_say(const LETTER *text, LETTER **said, const LETTER **kept) { *said = copy(text); *kept = *text ? names[0] : NULL; return *text == '!'; }
int text_find(const LETTER *text, int letter, const LETTER **at) { *at = NULL; for (; ; text++) { if (*text == (LETTER)letter) { *at = text; return 1; } if (*text == 0) return 0; } }
int text_total(int count, const LETTER *const *texts) { int n = count; while (*texts) n = 7 * n + (int)text_length(*texts++); return n; }
int text_list(int number, const LETTER *const **texts) { static const LETTER *const list[] = {names[0], NULL, names[3]}; *texts = list; return number & 3; }
int text_tell(const LETTER *text, int (*told)(void *user, const LETTER *text, const LETTER *maybe, int count, LETTER **list), void *user)
{
    LETTER *list[] = {copy(text), NULL, (LETTER *)names[0]};
    int answer = told(user, text, *text ? names[1] : NULL, 3, list);
    free(list[0]);
    return answer;
}
int text_struct(struct text_named *named) { int n = (int)text_length(named->name); named->name = n ? names[3] : NULL; return n; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "text"
headers = ["text.h"]
struct.text_named.fields.name = { string = "ENCODING", nullable = true }
function."text_*".params.text = { string = "ENCODING" }
function.text_count.params.text = { string = "ENCODING", length = "units" }
function.text_maybe.params.text = { string = "ENCODING", nullable = true }
function.text_name.result = { string = "ENCODING", nullable = true }
function.text_part.result = { string = "ENCODING", length = "length", nullable = true }
function.text_part.params.length = { out = "value" }
function.text_twice.result = { string = "ENCODING", release = "free" }
function.text_say.params.said = { out = "text", encoding = "ENCODING", release = "free", valid_on_error = true }
function.text_say.params.kept = { out = "text", encoding = "ENCODING" }
function.text_say.error = { fails = "nonzero" }
function.text_find.params.at = { out = "offset", of = "text" }
function.text_total.params.texts = { in = "texts", encoding = "ENCODING", length = "count" }
function.text_list.params.texts = { out = "texts", encoding = "ENCODING", length = "result" }
function.text_tell.params.told = { callback = "call", user_data = "user", on_failure = 9, params = { text = { string = "ENCODING" }, maybe = { string = "ENCODING", nullable = true }, list = { in = "texts", encoding = "ENCODING", length = "count", nullable = true } } }
function.text_struct.params.named = { inout = "struct" }
"#;

const RECIPES: &str = r#"
[values]
text = ["'hello'", "''", "'Größe ÿ'", "'!'"MORE]
texts = ["['a', 'Größe']", "[]"]
"text_struct.named" = ["{number: 1, name: 'Größe'}", "{number: 2, name: ''}"]
"text_find.letter" = ["0", "108", "246", "223"]
number = ["0", "1", "2", "3", "4", "7"]
"#;

/// A library whose letters are of this type.
struct Letters {
    ctype: &'static str,
    encoding: &'static str,
    /// What is no letter, or is one.
    odd: &'static str,
    /// Further texts.
    more: &'static str,
}

const WIDE: Letters =
    Letters { ctype: "wchar_t", encoding: "utf-32", odd: "0xd800", more: ", \"'世界 🦀'\"" };
const LATIN: Letters = Letters { ctype: "char", encoding: "latin-1", odd: "0x80", more: "" };

impl Letters {
    fn job(&self, folder: &Path) -> Job {
        let filled = |text: &str| {
            text.replace("ENCODING", self.encoding)
                .replace("LETTER", self.ctype)
                .replace("ODD", self.odd)
                .replace("MORE", self.more)
        };
        compile(folder, "text", &filled(HEADER), &filled(SOURCE));
        job(folder, &filled(CONTRACT), &filled(RECIPES))
    }
}

fn compare(letters: &Letters) {
    let folder = tempfile::tempdir().unwrap();
    let job = letters.job(folder.path());
    let left_out = hotcell_bind::bind(&job).unwrap().interface.left_out;
    assert!(left_out.is_empty(), "{left_out:#?}");
    let report = compared(folder.path(), &job);
    assert!(report.passed(), "{report}");
    let declared = HEADER.lines().filter(|line| line.ends_with(");")).count();
    assert_eq!(report.groups.len(), declared, "{report}");
    assert!(report.equal() > 3 * declared, "{report}");
}

#[test]
fn every_place_of_a_text_of_wide_characters() {
    compare(&WIDE);
}

#[test]
fn every_place_of_a_text_in_latin_1() {
    compare(&LATIN);
}

#[test]
fn values_are_texts_and_what_is_none_is_refused() {
    for letters in [WIDE, LATIN] {
        let folder = tempfile::tempdir().unwrap();
        let bound = hotcell_bind::bind(&letters.job(folder.path())).unwrap();
        let session = bound.open(Options::default()).unwrap();
        let call = |name: &str, args: &[Value]| {
            let function = bound.interface.function(name).unwrap();
            dynamic::call(&session, &bound.interface, function, args)
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let returned = |name: &str, args: &[Value]| call(name, args).unwrap().returned.unwrap();
        assert_eq!(returned("text_length", &[text("Größe")]), Value::Int(5));
        assert_eq!(returned("text_twice", &[text("ÿ")]), text("ÿÿ"));
        assert_eq!(returned("text_name", &[Value::Int(3)]), text("Zÿ"));
        assert_eq!(returned("text_part", &[Value::Int(0)]), text("a\0é"));
        // A place is one in the text that the caller has: behind two bytes of `ö`.
        let found = call("text_find", &[text("größe"), Value::Int(i128::from(u32::from('ß')))]).unwrap();
        assert_eq!(found.outs[0].1, Value::Int(4));
        let list = call("text_list", &[Value::Int(3)]).unwrap().outs[0].1.clone();
        assert_eq!(list, Value::List(vec![text("é"), Value::Null, text("Zÿ")]));
        let error = call("text_say", &[text("!")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LibraryError, "{error}");
        assert_eq!(format!("{:?}", error.output_of("said")), "Some(Text(\"!\"))");
        let odd = call("text_name", &[Value::Int(4)]);
        let euro = call("text_length", &[text("ab€")]);
        if letters.encoding == "utf-32" {
            let error = odd.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadEncoding, "{error}");
            assert!(error.to_string().contains("not UTF-32 at byte 4"), "{error}");
            assert_eq!(euro.unwrap().returned, Some(Value::Int(3)));
        } else {
            assert_eq!(odd.unwrap().returned, Some(text("a\u{80}")));
            let error = euro.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadEncoding, "{error}");
            assert!(
                error.to_string().contains("has a character at byte 2 that Latin-1 does not have"),
                "{error}"
            );
        }
    }
}
