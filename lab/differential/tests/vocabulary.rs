//! Words of the contract that no example has, on libraries that need them: texts in UTF-16, objects that are named
//! pointers, texts in arrays that come out.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/library.rs"]
mod library;

use library::{compared, compile, job};

const HEADER: &str = r"
#include <stddef.h>
#include <stdint.h>
typedef uint16_t wide;
struct wide_named { int number; const wide *name; };
size_t wide_length(const wide *text);
long wide_sum(const void *text, int bytes);
long wide_count(const wide *text, int units);
int wide_maybe(const wide *text);
int wide_change(wide *text);
const wide *wide_name(int number);
const void *wide_part(int number, int *length);
const wide *wide_cut(int number, int units);
wide *wide_twice(const wide *text);
int wide_say(const wide *text, wide **said, const void **kept);
int wide_find(const wide *text, int unit, const wide **at);
int wide_total(int count, const wide *const *texts);
int wide_last(wide **texts);
int wide_tell(const wide *text, int (*told)(void *user, const wide *text, const void *maybe, int count, wide **list), void *user);
int wide_struct(struct wide_named *named);
";

const SOURCE: &str = r#"
#include <stdlib.h>
#include <string.h>
#include "wide.h"
size_t wide_length(const wide *text) { size_t n = 0; while (text[n]) n++; return n; }
static wide *copy(const wide *text) { size_t n = 2 * wide_length(text) + 2; return memcpy(malloc(n), text, n); }
long wide_sum(const void *text, int bytes) { long sum = bytes; for (int i = 0; i < bytes / 2; i++) sum = sum * 31 + ((const wide *)text)[i]; return sum; }
long wide_count(const wide *text, int units) { return wide_sum(text, 2 * units); }
int wide_maybe(const wide *text) { return text == NULL ? -1 : (int)wide_length(text); }
int wide_change(wide *text) { int n = 0; for (; *text; text++, n++) *text = 'x'; return n; }
static const wide names[][4] = {u"é", u"a", u"", {0xd83e, 0xdd80, 0}, {'a', 0xd800, 0}, {0xdc00, 'b', 0}};
const wide *wide_name(int number) { return number == 7 ? NULL : names[(unsigned)number % 6]; }
const void *wide_part(int number, int *length) { *length = number == 9 ? 3 : 6; return number == 7 ? NULL : u"a\0é"; }
const wide *wide_cut(int number, int units) { return names[(unsigned)number % 4]; }
wide *wide_twice(const wide *text) { size_t n = wide_length(text); wide *two = malloc(4 * n + 2); memcpy(two, text, 2 * n); memcpy(two + n, text, 2 * n + 2); return two; }
int wide_say(const wide *text, wide **said, const void **kept) { *said = copy(text); *kept = *text ? u"é" : NULL; return 0; }
int wide_find(const wide *text, int unit, const wide **at) { *at = NULL; for (; ; text++) { if (*text == (wide)unit) { *at = text; return 1; } if (*text == 0) return 0; } }
int wide_total(int count, const wide *const *texts) { int n = count; while (*texts) n = 7 * n + (int)wide_length(*texts++); return n; }
int wide_last(wide **texts) { int n = 0; for (; *texts; texts++) n = wide_change(*texts); return n; }
int wide_tell(const wide *text, int (*told)(void *user, const wide *text, const void *maybe, int count, wide **list), void *user)
{
    wide *list[] = {copy(text), NULL, (wide *)u"é"};
    int answer = told(user, text, *text ? u"there" : NULL, 3, list);
    free(list[0]);
    return answer;
}
int wide_struct(struct wide_named *named) { int n = (int)wide_length(named->name); named->name = n ? u"Ω" : NULL; return n; }
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "wide"
headers = ["wide.h"]
struct.wide_named.fields.name = { string = "utf-16", nullable = true }
function."wide_*".params.text = { string = "utf-16" }
function.wide_sum.params.text = { string = "utf-16", length = "bytes" }
function.wide_count.params.text = { string = "utf-16", length = "units" }
function.wide_maybe.params.text = { string = "utf-16", nullable = true }
function.wide_name.result = { string = "utf-16", nullable = true }
function.wide_part.result = { string = "utf-16", length = "length", nullable = true }
function.wide_cut.result = { string = "utf-16", length = "units" }
function.wide_twice.result = { string = "utf-16", release = "free" }
function.wide_say.params.said = { out = "text", encoding = "utf-16", release = "free" }
function.wide_say.params.kept = { out = "text", encoding = "utf-16" }
function.wide_find.params.at = { out = "offset", of = "text" }
function.wide_total.params.texts = { in = "texts", encoding = "utf-16", length = "count" }
function.wide_last.params.texts = { in = "texts", encoding = "utf-16" }
function.wide_tell.params.told = { callback = "call", user_data = "user", on_failure = 9, params = { text = { string = "utf-16" }, maybe = { string = "utf-16", nullable = true }, list = { in = "texts", encoding = "utf-16", length = "count", nullable = true } } }
function.wide_struct.params.named = { inout = "struct" }
"#;

const RECIPES: &str = r#"
[values]
"wide_cut.units" = ["0", "1"]
"wide_struct.named" = ["{number: 1, name: 'Grüße 🦀'}", "{number: 2, name: ''}"]
"wide_find.unit" = ["0", "108", "0xfc", "0xd83e", "0xdd80", "55358"]
"wide_find.text" = ["'hello'", "''", "'Grüße 世界 🦀'", "'🦀🦀'"]
"#;

#[test]
fn every_place_of_a_text_in_utf_16() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "wide", HEADER, SOURCE);
    let report = compared(folder.path(), &job(folder.path(), CONTRACT, RECIPES));
    assert!(report.passed(), "{report}");
    let called = HEADER.lines().filter(|line| line.contains("wide_") && line.contains('(')).count();
    assert_eq!(report.groups.len(), called, "{report}");
    assert!(report.equal() > 15 * called / 2, "{report}");
}

const SQLITE: &str = r#"
hotcell = 1
library = "sqlite3"
headers = ["sqlite3.h"]
link = ["sqlite3"]
include = ["sqlite3_open16", "sqlite3_complete16", "sqlite3_prepare16*", "sqlite3_bind_text16", "sqlite3_step",
    "sqlite3_column_text16", "sqlite3_column_name16", "sqlite3_errmsg16"]
handle.sqlite3 = { release = "sqlite3_close_v2" }
handle.sqlite3_stmt = { release = "sqlite3_finalize", parent = "sqlite3" }
function.sqlite3_open16 = { params.filename = { string = "utf-16" }, params.ppDb = { out = "owned", valid_on_error = true }, error = { fails = "nonzero", message = "sqlite3_errmsg(ppDb)" } }
function.sqlite3_complete16.params.sql = { string = "utf-16" }
function."sqlite3_prepare16*" = { params = { db = { in = "handle" }, zSql = { string = "utf-16", length = "nByte" }, ppStmt = { out = "owned", nullable = true }, pzTail = { out = "offset", of = "zSql" } }, error = { fails = "nonzero", message = "sqlite3_errmsg(db)" } }
function.sqlite3_bind_text16 = { params = { arg1 = { in = "handle" }, arg3 = { string = "utf-16", length = "arg4", nullable = true }, arg5 = { fixed = "SQLITE_TRANSIENT" } }, error = { fails = "nonzero", symbols = "SQLITE_*" } }
function.sqlite3_step = { params.arg1 = { in = "handle", invalidates = true }, error = { fails = "result != SQLITE_ROW && result != SQLITE_DONE" } }
function.sqlite3_column_text16.result = { string = "utf-16", nullable = true, length = "sqlite3_column_bytes16(sqlite3_stmt, iCol)" }
function.sqlite3_column_name16.result = { string = "utf-16", nullable = true }
function.sqlite3_errmsg16.result = { string = "utf-16", nullable = true }
"#;

const SQLITE_RECIPES: &str = r#"
[object.db]
type = "sqlite3"
steps = ["db = sqlite3_open16(':memory:')"]

[object.row]
type = "sqlite3_stmt"
needs = ["db"]
steps = ["row = sqlite3_prepare16_v2($db, 'SELECT ?1 AS [naïve], 12, NULL, ''Ω 🦀''')", "sqlite3_bind_text16($row, 1, 'Grüße 🦀')", "sqlite3_step($row)"]

[values]
filename = ["':memory:'"]
"sqlite3_prepare16*.zSql" = ["'SELECT 1'", "'SELECT ''🦀''; SELECT 2'", "'Grüße'", "''", "'-- Ω'"]
iCol = ["0", "1", "2", "3", "4", "5", "-1"]
N = ["0", "1", "4", "9"]

[observe]
sqlite3 = ["sqlite3_errmsg16($)"]
"#;

#[test]
fn sqlite_speaks_utf_16() {
    let folder = tempfile::tempdir().unwrap();
    let report = compared(folder.path(), &job(folder.path(), SQLITE, SQLITE_RECIPES));
    assert!(report.passed(), "{report}");
    assert!(report.groups.len() >= 10 && report.equal() >= 100, "{report}");
}

const TELL_HEADER: &str = r#"
typedef struct tell tell;
tell *tell_new(void);
void tell_free(tell *t);
int tell_run(tell *t, int what, char **errmsg);
const char *tell_last(tell *t);
"#;

const TELL_SOURCE: &str = r#"
#include <stdlib.h>
#include <string.h>
#include "tell.h"
struct tell { const char *last; };
tell *tell_new(void) { tell *t = malloc(sizeof *t); t->last = "nothing yet"; return t; }
void tell_free(tell *t) { free(t); }
int tell_run(tell *t, int what, char **errmsg) {
    *errmsg = what == 1 ? strdup("said by the call") : NULL;
    t->last = "said by the object";
    return what;
}
const char *tell_last(tell *t) { return t->last; }
"#;

const TELL: &str = r#"
hotcell = 1
library = "tell"
headers = ["tell.h"]
link = ["tell"]
handle.tell = { release = "tell_free", message = "tell_last(tell)" }
function.tell_run = { params.errmsg = { out = "text", release = "free", valid_on_error = true }, error = { fails = "nonzero" } }
"#;

const TELL_RECIPES: &str = r#"
[object.one]
type = "tell"
steps = ["one = tell_new()"]

[values]
what = ["0", "1", "2"]
"#;

#[test]
fn a_failure_is_told_by_the_call_or_else_by_the_object() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "tell", TELL_HEADER, TELL_SOURCE);
    let report = compared(folder.path(), &job(folder.path(), TELL, TELL_RECIPES));
    assert!(report.passed(), "{report}");
    let text = report.to_string();
    assert!(report.equal() >= 5, "{text}");
}

const FILENAMES: &str = r#"
hotcell = 1
library = "sqlite3"
headers = ["sqlite3.h"]
link = ["sqlite3"]
include = ["sqlite3_filename_*", "sqlite3_create_filename", "sqlite3_uri_key", "sqlite3_open", "sqlite3_db_filename"]
handle.sqlite3 = { release = "sqlite3_close_v2" }
handle.sqlite3_filename = { release = "sqlite3_free_filename" }
function.sqlite3_open = { params = { filename = { string = "utf-8" }, ppDb = { out = "owned" } }, error = { fails = "nonzero" } }
function.sqlite3_create_filename = { params = { zDatabase = { string = "utf-8" }, zJournal = { string = "utf-8" }, zWal = { string = "utf-8" }, nParam = { fixed = "0" }, azParam = { fixed = "NULL" } }, result = { out = "owned" } }
function.sqlite3_uri_key.params.z = { in = "handle" }
function."sqlite3_filename_*".result = { string = "utf-8" }
function.sqlite3_db_filename = { params = { db = { in = "handle" }, zDbName = { string = "utf-8" } }, result = { string = "utf-8", nullable = true } }
"#;

const FILENAME_RECIPES: &str = r#"
[object.db]
type = "sqlite3"
steps = ["db = sqlite3_open('{scratch}/named')"]

[object.name]
type = "sqlite3_filename"
steps = ["name = sqlite3_create_filename('d', 'the journal', 'Wäl')"]

[values]
filename = ["':memory:'"]
zDbName = ["'main'", "'temp'", "'none'"]
"#;

#[test]
fn a_named_pointer_to_characters_can_be_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let report = compared(folder.path(), &job(folder.path(), FILENAMES, FILENAME_RECIPES));
    assert!(report.passed(), "{report}");
    for name in
        ["sqlite3_filename_wal", "sqlite3_create_filename", "sqlite3_free_filename", "sqlite3_db_filename"]
    {
        assert!(report.groups.iter().any(|group| group.name == name && group.equal > 0), "{name}: {report}");
    }
}

const LIST_HEADER: &str = r"
int list_split(const char *text, char ***words, long *count);
int list_try(int number, char ***words, int *count);
const char *const *list_days(void);
const char *const *list_maybe(int number);
char **list_holes(int number, int *count);
char **list_until(int number);
int list_wide(const unsigned short ***words);
void list_free(char **words);
int list_live(void);
";

const LIST_SOURCE: &str = r#"
#include <stdlib.h>
#include <string.h>
#include "list.h"
static int live;
static char **make(int n) { live++; return calloc(n + 1, sizeof(char *)); }
void list_free(char **words) { if (words == NULL) return; live--; for (char **at = words; *at; at++) free(*at); free(words); }
int list_live(void) { return live; }
int list_split(const char *text, char ***words, long *count)
{
    *words = NULL, *count = 0;
    if (*text == 0) return 0;
    *words = make(strlen(text) + 1);
    for (const char *at = text; ; at++) {
        size_t n = strcspn(at, " ");
        (*words)[(*count)++] = strndup(at, n);
        at += n;
        if (*at == 0) return 0;
    }
}
int list_try(int number, char ***words, int *count)
{
    *words = make(2), (*words)[0] = strdup(number == 9 ? "\xff" : "tried");
    *count = 1;
    return number & 1;
}
static const char *days[] = {"Mo", "", "Mi\xc3\xa4", NULL};
const char *const *list_days(void) { return days; }
const char *const *list_maybe(int number) { return number == 7 ? NULL : days + (unsigned)number % 4; }
char **list_holes(int number, int *count)
{
    *count = number == 31 ? -1 : 4;
    char **holes = make(4);
    live--; /* nobody frees them */
    holes[1] = "one", holes[3] = "three";
    return number == 7 ? NULL : holes;
}
char **list_until(int number) { unsigned n = (unsigned)number % 5; char **words = make(n); for (unsigned i = 0; i < n; i++) words[i] = strdup("word"); return words; }
static const unsigned short *wides[] = {u"é", NULL, u"🦀"};
int list_wide(const unsigned short ***words) { *words = wides; return 3; }
"#;

const LIST_CONTRACT: &str = r#"
hotcell = 1
library = "list"
headers = ["list.h"]
exclude = ["list_free"]
function."list_*".params.count = { out = "value" }
function.list_split.params.words = { out = "texts", length = "count", release = "list_free" }
function.list_try = { params = { words = { out = "texts", length = "count", release = "list_free", valid_on_error = true }, count = { out = "value", valid_on_error = true } }, error = { fails = "nonzero" } }
function.list_days.result = { out = "texts" }
function.list_maybe.result = { out = "texts", encoding = "bytes", nullable = true }
function.list_holes.result = { out = "texts", length = "count", nullable = true }
function.list_until.result = { out = "texts", release = "list_free" }
function.list_wide.params.words = { out = "texts", encoding = "utf-16", length = "result" }
"#;

const LIST_RECIPES: &str = r#"
[values]
number = ["0", "1", "2", "3", "4", "7", "9", "31"]

[scenario]
"nothing is left" = ["list_split('a bc  d')", "list_try(1)", "list_try(2)", "list_until(3)", "list_live()"]
"#;

#[test]
fn texts_in_arrays_come_out() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "list", LIST_HEADER, LIST_SOURCE);
    let report = compared(folder.path(), &job(folder.path(), LIST_CONTRACT, LIST_RECIPES));
    assert!(report.passed(), "{report}");
    assert_eq!(report.groups.len(), 9, "{report}");
    assert!(report.equal() > 40, "{report}");
}

const TABLE: &str = r#"
hotcell = 1
library = "sqlite3"
headers = ["sqlite3.h"]
link = ["sqlite3"]
include = ["sqlite3_open", "sqlite3_get_table"]
handle.sqlite3 = { release = "sqlite3_close_v2" }
function.sqlite3_open = { params = { filename = { string = "utf-8" }, ppDb = { out = "owned" } }, error = { fails = "nonzero" } }
[function.sqlite3_get_table]
params.db = { in = "handle" }
params.zSql = { string = "utf-8" }
params.pnRow = { out = "value" }
params.pnColumn = { out = "value" }
params.pazResult = { out = "texts", length = "(pnRow + 1) * pnColumn", release = "sqlite3_free_table" }
params.pzErrmsg = { out = "text", release = "sqlite3_free", valid_on_error = true }
error = { fails = "nonzero", message = "pzErrmsg", symbols = "SQLITE_*" }
"#;

const TABLE_RECIPES: &str = r#"
[object.db]
type = "sqlite3"
steps = ["db = sqlite3_open(':memory:')"]

[values]
filename = ["':memory:'"]
zSql = ["'SELECT 1 AS one, NULL AS none, ''zwölf'' UNION SELECT 2, 3, 4'", "'SELECT 1 WHERE 0'", "'CREATE TABLE t(a)'", "''", "'SELECT'", "'SELECT CAST(x''ff'' AS TEXT)'"]
"#;

#[test]
fn a_table_of_sqlite_comes_out() {
    let folder = tempfile::tempdir().unwrap();
    let report = compared(folder.path(), &job(folder.path(), TABLE, TABLE_RECIPES));
    assert!(report.passed(), "{report}");
    let group = report.groups.iter().find(|group| group.name == "sqlite3_get_table");
    assert!(group.is_some_and(|group| group.equal >= 6), "{report}");
}
