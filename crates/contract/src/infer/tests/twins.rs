//! Texts that a library has in UTF-16 beside UTF-8, and what only looks so.

use super::library::check;

const OTHERS: &[&str] = &[
    "void db_free(db *d)",
    "db *db_new(void)",
    "const char *db_errmsg(db *d)",
    "const void *db_errmsg16(db *d)",
    "const char *db_name(db *d, int index)",
    "const void *db_name16(db *d, int index)",
    "const char *db_path(db *d)",
    "const void *db_path16(db *d)",
    "int db_is(const char *name)",
    "int db_match(const char *text, int n)",
];

#[test]
fn the_same_function_with_16_behind_its_name_returns_utf16() {
    let utf16 = [OTHERS, &["int db_is_utf16(db *d)"]].concat();
    check(
        &utf16,
        &[
            ("const void *db_errmsg16(db *d)", "object -> text16"),
            ("const void *db_name16(db *d, int index)", "object value -> text16"),
            ("const void *db_raw16(db *d)", "object -> ?"),
            ("int db_is16(const void *name)", "utf16 -> value"),
            ("int db_match16(const void *text, int n)", "? value -> value"),
        ],
    );
}

#[test]
fn two_pairs_are_a_coincidence_and_so_are_headers_without_utf16() {
    check(OTHERS, &[("const void *db_errmsg16(db *d)", "object -> ?")]);
    let few = [&OTHERS[..6], &["int db_is_utf16(db *d)"]].concat();
    check(&few, &[("const void *db_errmsg16(db *d)", "object -> ?")]);
}
