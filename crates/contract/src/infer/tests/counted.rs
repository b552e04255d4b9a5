//! Returned data that another function counts, and pairs that only look like that.

use super::library::{check, header, known};
use super::{empty, infer_in, prototype};
use hotcell_model::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Ownership, ResultRole};

/// Whole families of values, and what is beside some of them.
const OTHERS: &[&str] = &[
    "int row_type(row *r, int column)",
    "const void *row_blob(row *r, int column)",
    "const unsigned char *row_text(row *r, int column)",
    "int row_bytes(row *r, int column)",
    "int row_bytes16(row *r, int column)",
    "int value_type(const value *v)",
    "const void *value_blob(const value *v)",
    "const uint8_t *value_text(const value *v)",
    "size_t value_bytes(const value *v)",
    "void row_free(row *r)",
];

#[test]
fn the_function_beside_counts() {
    check(
        OTHERS,
        &[
            ("const void *row_blob(row *r, int column)", "object value -> counted"),
            ("const unsigned char *row_text(row *r, int column)", "object value -> counted"),
            ("const void *row_text16(row *r, int column)", "object value -> text"),
            ("const uint8_t *value_text(const value *v)", "object -> counted"),
            ("const void *value_blob(const value *v)", "object -> counted"),
        ],
    );
}

#[test]
fn what_only_looks_like_it_stays_open() {
    check(
        OTHERS,
        &[
            ("const void *row_text16le(row *r, int column)", "object value -> ?"),
            ("const void *row_text8(row *r, int column)", "object value -> ?"),
            ("const uint8_t *row_string(row *r, int column)", "object value -> ?"),
            ("void *row_blob(row *r, int column)", "object value -> ?"),
            ("const row *row_blob(row *r, int column)", "object value -> ?"),
            ("const unsigned *row_blob(row *r, int column)", "object value -> ?"),
            ("const void *row_blob(row *r, int column) malloc", "object value -> ?"),
            ("const void *row_blob(row *r)", "object -> ?"),
            ("const void *row_blob(row *r, unsigned column)", "object value -> ?"),
            ("const void *row_get_blob(row *r, const char *name)", "object text -> ?"),
            ("const void *rowtext(row *r)", "object -> ?"),
            ("const void *text(row *r)", "object -> ?"),
            // No `value_bytes16`.
            ("const void *value_text16(const value *v)", "object -> ?"),
        ],
    );
}

/// A family with the name and the parameters of a function that returns data, but for one of it.
fn family(declaration: &str, without: &str) -> Vec<String> {
    let (_, rest) = declaration.split_once('*').unwrap();
    let (name, params) = rest.split_once('(').unwrap();
    let value = name.rsplit_once('_').unwrap().0;
    let all = [
        ("int", "type"),
        ("const void *", "blob"),
        ("const unsigned char *", "text"),
        ("int", "bytes"),
        ("int", "bytes16"),
    ];
    let all = all.iter().filter(|(_, what)| *what != without && !name.ends_with(&format!("_{what}")));
    all.map(|(ty, what)| format!("{ty} {value}_{what}({params}")).collect()
}

fn check_family(declaration: &str, without: &str, expect: &str) {
    let family = family(declaration, without);
    check(&family.iter().map(String::as_str).collect::<Vec<_>>(), &[(declaration, expect)]);
}

#[test]
fn no_member_of_the_family_may_be_missing() {
    let blob = "const void *cell_blob(cell *c)";
    check_family(blob, "", "object -> counted");
    for without in ["type", "text", "bytes"] {
        check_family(blob, without, "object -> ?");
    }
    check_family("const void *cell_text16(cell *c)", "", "object -> text");
    for without in ["type", "blob", "text", "bytes", "bytes16"] {
        check_family("const void *cell_text16(cell *c)", without, "object -> ?");
    }
}

#[test]
fn a_total_is_no_length() {
    // How much was parsed so far.
    let others = ["int parser_bytes(parser *p)", "int conn_bytes(conn *c)", "int conn_type(conn *c)"];
    check(
        &others,
        &[
            ("const unsigned char *parser_text(parser *p)", "object -> ?"),
            ("const unsigned char *conn_text(conn *c)", "object -> ?"),
        ],
    );
    check_family("const unsigned char *parser_text(parser *p)", "", "object -> ?");
}

#[test]
fn what_does_something_is_not_asked_again() {
    for declaration in [
        "const unsigned char *stream_next_text(stream *s)",
        "const void *row_read_blob(row *r)",
        "const void *row_fetch_blob(row *r)",
        "const void *rand_blob(state *s)",
    ] {
        check_family(declaration, "", "object -> ?");
    }
    // Nothing says of what they are.
    check_family("const void *heap_blob(void)", "", "-> ?");
    check_family("const void *chance_blob(int n)", "", "value -> ?");
}

#[test]
fn wide_letters_are_not_counted_by_what_counts_narrow_ones() {
    check_family("const void *cell_text(cell *c)", "", "object -> ?");
    check_family("const void *cell_text16(cell *c)", "bytes16", "object -> ?");
}

/// The encoding and the counting function of what a function returns, in a header with a family of values in both.
fn text(declaration: &str) -> Option<(Encoding, String)> {
    let wide = "const void *row_text16(row *r, int column)";
    let all: Vec<&str> = OTHERS.iter().copied().chain([wide, declaration]).collect();
    let (api, function) = (header(&all), prototype::parse(declaration));
    let mut draft = empty(&function);
    infer_in(&function, &api, &known(&api), &mut draft);
    match draft.result?.value {
        ResultRole::Text { encoding, length: Some(Expr::Call { function, .. }), .. } => {
            Some((encoding, function))
        }
        _ => None,
    }
}

#[test]
fn texts_in_two_encodings_are_texts() {
    for (declaration, expect) in [
        ("const unsigned char *row_text(row *r, int column)", Some((Encoding::Utf8, "row_bytes".to_owned()))),
        ("const void *row_text16(row *r, int column)", Some((Encoding::Utf16, "row_bytes16".to_owned()))),
        ("const void *row_blob(row *r, int column)", None),
        // Without `value_text16` nothing says what its bytes are.
        ("const uint8_t *value_text(const value *v)", None),
    ] {
        assert_eq!(text(declaration), expect, "{declaration}");
    }
}

/// What becomes of a text that a contract decides.
fn decided(declaration: &str, length: Option<Expr>) -> Option<Expr> {
    let all: Vec<&str> = OTHERS.iter().copied().chain([declaration]).collect();
    let (api, function) = (header(&all), prototype::parse(declaration));
    let mut draft = empty(&function);
    let (encoding, ownership) = (Encoding::Utf8, Ownership::Library);
    draft.result = Some(Fact::proven(ResultRole::Text { encoding, length, nullable: true, ownership }));
    infer_in(&function, &api, &known(&api), &mut draft);
    match draft.result.unwrap().value {
        ResultRole::Text { length, .. } => length,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_that_is_decided_stays_as_it_is() {
    for declaration in [
        "const unsigned char *row_text(row *r, int column)",
        "const char *row_text(row *r, int column)",
        "const void *row_text16(row *r, int column)",
    ] {
        assert_eq!(decided(declaration, None), None);
    }
    let own = Some(Expr::Param { index: 1 });
    assert_eq!(decided("const unsigned char *row_text(row *r, int column)", own.clone()), own);
}

#[test]
fn places_in_a_text_are_no_texts() {
    let ends = &["const char *args_get_contents_end(args *a)"];
    check(
        ends,
        &[
            ("const char *args_get_contents(args *a)", "object -> ?"),
            ("const char *args_get_contents_end(args *a)", "object -> ?"),
            ("const char *args_get_right_range(args *a)", "object -> ?"),
            ("const char *args_get_name(args *a)", "object -> text"),
            // Of other objects, ends and places are names.
            ("const char *range_get_start(range *r)", "object -> text"),
        ],
    );
    check(
        &["size_t string_length(const object *o)", "int object_length(const object *o)"],
        &[
            ("const char *string_value(const object *o)", "object -> ?"),
            ("const char *string_name(const object *o)", "object -> text"),
            ("const char *setting_value(const object *o)", "object -> text"),
        ],
    );
    // `json_object_get_string(object)`, which `json_object_get_string_len(const object)` counts.
    check(
        &["int object_get_string_len(const object *o)"],
        &[("const char *object_get_string(object *o)", "object -> ?")],
    );
}
