//! Returned data that another function counts, and pairs that only look like that.

use super::library::{check, header, known};
use super::{empty, infer_in, prototype};
use hotcell_model::Fact;
use hotcell_model::expr::Expr;
use hotcell_model::interface::{Encoding, Ownership, ResultRole};

const OTHERS: &[&str] = &[
    "int row_bytes(row *r, int column)",
    "int row_bytes16(row *r, int column)",
    "size_t value_bytes(const value *v)",
    "long long page_bytes(page *p)",
    "int heap_bytes(void)",
    "int other_bytes(page *p, int column)",
    "int kind_bytes(row *r, unsigned column)",
    "const void *many_bytes(row *r)",
    "int list_bytes(row *r, ...)",
    "int name_bytes(row *r, const char *name)",
    "int word_length(row *r)",
    "int word_size(row *r)",
    "int conn_bytes(row *r)",
    "int flag_bytes(row *r, int *out)",
    "void none_bytes(row *r)",
    "float part_bytes(row *r)",
    "void row_free(row *r)",
    "int gone_bytes(row *r)",
];

#[test]
fn the_function_beside_counts() {
    check(
        OTHERS,
        &[
            ("const void *row_blob(row *r, int column)", "object value -> counted"),
            ("const unsigned char *row_text(row *r, int column)", "object value -> counted"),
            ("const void *row_text16(row *r, int column)", "object value -> counted"),
            ("const uint8_t *value_string(const value *v)", "object -> counted"),
            ("const void *page_blob(page *p)", "object -> counted"),
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
            ("void *row_blob(row *r, int column)", "object value -> ?"),
            ("const row *row_blob(row *r, int column)", "object value -> ?"),
            ("const unsigned *row_blob(row *r, int column)", "object value -> ?"),
            ("const void *row_blob(row *r, int column) malloc", "object value -> ?"),
            ("const void *row_blob(row *r)", "object -> ?"),
            ("const void *heap_blob(void)", "-> ?"),
            ("const void *heap_blob(int n)", "value -> ?"),
            ("const void *other_blob(row *r, int column)", "object value -> ?"),
            ("const void *kind_blob(row *r, int column)", "object value -> ?"),
            ("const void *many_blob(row *r)", "object -> ?"),
            ("const void *list_blob(row *r)", "object -> ?"),
            ("const void *name_blob(row *r, const char *name)", "object text -> ?"),
            ("const void *word_text(row *r)", "object -> ?"),
            ("const void *conn_data(row *r)", "object -> ?"),
            ("const void *conn_user(row *r)", "object -> ?"),
            ("const void *flag_blob(row *r, int *out)", "object ? -> ?"),
            ("const void *none_blob(row *r)", "object -> ?"),
            ("const void *part_blob(row *r)", "object -> ?"),
            ("const void *rowtext(row *r)", "object -> ?"),
            ("const void *text(row *r)", "object -> ?"),
        ],
    );
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
fn a_text_that_is_decided_is_counted_unless_a_nul_ends_it() {
    let args = (0..2).map(|index| Expr::Param { index }).collect();
    let counted = Expr::Call { function: "row_bytes".into(), args };
    assert_eq!(decided("const unsigned char *row_text(row *r, int column)", None), Some(counted));
    assert_eq!(decided("const char *row_text(row *r, int column)", None), None);
    assert_eq!(decided("const unsigned char *row_name(row *r, int column)", None), None);
    let own = Some(Expr::Param { index: 1 });
    assert_eq!(decided("const unsigned char *row_text(row *r, int column)", own.clone()), own);
}
