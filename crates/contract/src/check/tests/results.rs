//! Lines about what functions return, by its type.

use serde_json::{Value, json};

use super::support::{api, contract, refused, roles, run};
use crate::check::{Checked, Selection};
use crate::diagnostic::render;

const DECLARATIONS: [&str; 21] = [
    "char *sql(stmt *s)",
    "char *skip(const char *text)",
    "char *dup(const char *text)",
    "const char *name(stmt *s, int n)",
    "const char *part(stmt *s, size_t *len)",
    "const char *hash(stmt *s)",
    "const char *longest(stmt *s, unsigned char *n)",
    "const char *slice(stmt *s, inbuf *out)",
    "const char *cut(stmt *s, size_t len)",
    "const char *strdup_of(stmt *s)",
    "char *read(stmt *s, size_t *len)",
    "char *copy_name(stmt *s, char *out, size_t n)",
    "const char *place(const char *hay, size_t hay_len)",
    "db *db_load(stmt *s)",
    "int number_of(stmt *s)",
    "const void *name16(stmt *s)",
    "void *hook(stmt *s, busy cb, void *user)",
    "db *of(stmt *s)",
    "db *db_copy(const db *d)",
    "void db_close(db *d)",
    "int count(stmt *s)",
];

#[track_caller]
fn whole(declarations: &[&str], lines: &str) -> Checked {
    let text = contract(&format!("handle.db = {{ release = \"db_close\" }}\n{lines}"));
    let checked = run(&api(declarations), &text, Selection::Contract);
    checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)))
}

/// What a function returns, or null where it is left out.
fn of(checked: &Checked, name: &str) -> Value {
    let found = checked.interface.function(name);
    found.map_or(Value::Null, |(_, function)| roles(&serde_json::to_value(function).unwrap()).1)
}

fn text(encoding: &str, release: Option<&str>) -> Value {
    let ownership = match release {
        Some(release) => json!({"ownership": "owned", "release": release}),
        None => json!({"ownership": "library"}),
    };
    json!({"role": "text", "encoding": encoding, "length": null, "nullable": true, "ownership": ownership})
}

const LINES: &str = r#"function."*" = { params."({db,stmt} *)" = { in = "handle" }, results = { "(char *)" = { string = "utf-8", nullable = true, release = "free" }, "(const char *)" = { string = "bytes", nullable = true } } }
function."{name16,hook,of,db_copy}" = { params.cb = { callback = "kept", on_failure = 0 }, results = { "(const void *)" = { string = "utf-16", nullable = true }, "(void *)" = { out = "ignored" }, "(db *)" = { out = "borrowed", nullable = true } } }
"#;

#[test]
fn a_line_is_about_every_function_that_returns_the_type() {
    let checked = whole(&DECLARATIONS, LINES);
    for (name, expect) in [
        ("sql", text("utf8", Some("free"))),
        ("dup", text("utf8", Some("free"))),
        ("name", text("bytes", None)),
        ("name16", text("utf16", None)),
        ("hook", json!({"role": "void"})),
        ("count", json!({"role": "value"})),
    ] {
        assert_eq!(of(&checked, name), expect, "{name}");
    }
    assert_eq!(of(&checked, "of")["ownership"], json!({"ownership": "library"}));
    assert_eq!(checked.warnings, []);
}

#[test]
fn it_gives_way_where_something_else_may_be_returned() {
    let checked = whole(&DECLARATIONS, LINES);
    // Who released what lies in the argument would free what is not the library's.
    assert_eq!(of(&checked, "skip"), Value::Null);
    let skip = checked.interface.left_out.iter().find(|out| out.name == "skip").unwrap();
    assert_eq!(
        skip.reason,
        "nothing says who owns the returned memory, although line 5 says what a `char *` is"
    );
    // No NUL need follow.
    for name in ["part", "hash", "longest", "slice", "cut", "read", "place"] {
        assert_eq!(of(&checked, name), Value::Null, "{name}");
    }
    // It may be the caller's, or the caller's own.
    for name in ["strdup_of", "copy_name", "db_load"] {
        assert_eq!(of(&checked, name), Value::Null, "{name}");
    }
    // A copy is its caller's, whatever is said of all.
    assert_eq!(of(&checked, "db_copy")["ownership"]["ownership"], "owned");
}

#[test]
fn what_another_function_counts_stays_counted() {
    let family = [
        "int v_type(db *d)",
        "const void *v_blob(db *d)",
        "const unsigned char *v_text(db *d)",
        "int v_bytes(db *d)",
        "const void *v_text16(db *d)",
        "int v_bytes16(db *d)",
        "void db_close(db *d)",
    ];
    let lines = "function.\"v_*16\".results.\"(const void *)\" = { string = \"utf-16\", nullable = true }\n";
    assert_eq!(of(&whole(&family, lines), "v_text16")["length"]["function"], "v_bytes16");
    // Without the family nothing counts it.
    let alone = ["const void *v_text16(db *d)", "void db_close(db *d)"];
    assert_eq!(of(&whole(&alone, lines), "v_text16"), text("utf16", None));
}

#[test]
fn a_result_of_the_same_table_and_a_later_table_stand_before_it() {
    let lines = "function.\"*\".results.\"(const char *)\" = { string = \"bytes\", nullable = true }\n\
                 function.\"na*\" = { result = { out = \"ignored\" }, results.\"(const char *)\" = { string = \"utf-8\" } }\n";
    let declarations = ["const char *name(stmt *s)", "const char *title(stmt *s)", "void db_close(db *d)"];
    let checked = whole(&declarations, lines);
    assert_eq!((of(&checked, "name"), of(&checked, "title")), (json!({"role": "void"}), text("bytes", None)));
    let later = format!(
        "{lines}function.\"*e\".results.\"(const char *)\" = {{ string = \"utf-8\", nullable = true }}\n"
    );
    assert_eq!(of(&whole(&declarations, &later), "name"), text("utf8", None));
}

#[test]
fn a_number_that_a_type_makes_a_status_is_warned_about() {
    let lines =
        "function.\"*\" = { results.\"(int)\" = { out = \"status\" }, error = { fails = \"nonzero\" } }\n";
    let declarations = ["int open_it(int n)", "int entry_count(stmt *s)", "void db_close(db *d)"];
    let checked = whole(&declarations, &lines.replace("\"*\"", "\"{open_it,entry_count}\""));
    let found: Vec<&str> = checked.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert!(
        found.len() == 1 && found[0].starts_with("`entry_count` is called like one that counts"),
        "{found:?}"
    );
}

#[test]
fn misuse_is_said() {
    for (lines, expect) in [
        (
            "[function.name]\nresults.\"(const char *)\" = { string = \"utf-8\" }",
            "`results` are said of the functions of a pattern",
        ),
        (
            "[function.\"o*\"]\nresults.\"(db *)\" = { out = \"owned\" }",
            "not every function that returns an object makes it for its caller",
        ),
        (
            "[function.\"o*\"]\nresults.\"(struct point *)\" = { out = \"struct\", release = \"free\" }",
            "not every function that returns a structure makes it for its caller",
        ),
        ("[function.\"n*\"]\nresults.text = { string = \"utf-8\" }", "`text` is no type in parentheses"),
        (
            "[function.\"n*\"]\nresults.\"(char *)z*\" = { string = \"utf-8\" }",
            "`(char *)z*` is no type of results: what is returned has no name",
        ),
        (
            "[function.\"co*\"]\nresults.\"(int)\" = { string = \"utf-8\" }",
            "`count`: the result cannot be `string`: it is `int`",
        ),
    ] {
        let found = refused(&api(&DECLARATIONS), lines);
        assert!(found.contains(expect), "{lines}\n{found}");
    }
}

#[test]
fn a_type_that_no_function_returns_is_a_warning() {
    let lines = "function.\"na*\".results.\"(const chr *)\" = { string = \"utf-8\" }\n";
    let checked = whole(&DECLARATIONS, lines);
    let [warning] = &checked.warnings[..] else { panic!("{:?}", checked.warnings) };
    assert_eq!(warning.message, "no function that `na*` matches returns `(const chr *)`");
    assert_eq!(warning.help.as_deref(), Some("did you mean `(const char *)`?"));
}
