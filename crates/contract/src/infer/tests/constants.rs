//! Objects of which a library has a table, and those that only look so.

use super::library::check;

const TABLE: &[&str] = &[
    "const struct digest *lib_md5(void)",
    "const struct digest *lib_sha1(void)",
    "const struct digest *lib_sha256(void)",
    "const struct digest *lib_sha512(void)",
    "const struct digest *lib_sm3(void)",
];

#[test]
fn a_table_of_constants_is_the_librarys_own() {
    check(
        TABLE,
        &[
            ("const struct digest *lib_sha256(void)", "-> constant"),
            ("int lib_size(const struct digest *d)", "object -> value"),
            // These may return another one tomorrow.
            ("const struct digest *lib_default(void)", "-> ?"),
            ("const struct digest *lib_get_digest(void)", "-> ?"),
            ("const struct digest *lib_current(void)", "-> ?"),
            ("const struct digest *lib_new_digest(void)", "-> ?"),
            // Others than constants are returned for something that is passed.
            ("const struct digest *lib_digest(int n)", "value -> ?"),
            ("const struct digest *lib_digest_of(const struct digest *d)", "object -> ?"),
            ("struct digest *lib_changed(void)", "-> ?"),
            // What is `const` in C may be changed through no handle.
            ("int lib_digest_set_size(struct digest *d, int size)", "? value -> value"),
        ],
    );
}

#[test]
fn few_are_no_table_and_what_can_be_ended_is_no_constant() {
    check(&TABLE[..3], &[("const struct digest *lib_sha1(void)", "-> ?")]);
    let ended = [TABLE, &["void lib_digest_release(const struct digest *d)"]].concat();
    check(&ended, &[("const struct digest *lib_sha1(void)", "-> ?")]);
    let defined: Vec<String> = TABLE.iter().map(|text| text.replace("digest", "open_digest")).collect();
    let defined: Vec<&str> = defined.iter().map(String::as_str).collect();
    check(&defined, &[("const struct open_digest *lib_sha1(void)", "-> ?")]);
}
