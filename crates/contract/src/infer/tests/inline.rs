//! Objects that inline functions make and end, and other ways to end one.

use super::library::{header, known};
use super::{describe, empty, infer_in, library, prototype};

/// What becomes of a function where those called so are inline.
fn with_inline(others: &[&str], declaration: &str, inline: &[&str]) -> String {
    let all: Vec<&str> = others.iter().copied().chain([declaration]).collect();
    let mut api = header(&all);
    for function in &mut api.functions {
        function.inline = inline.contains(&function.name.as_str());
    }
    let mut function = prototype::parse(declaration);
    function.inline = inline.contains(&function.name.as_str());
    let mut draft = empty(&function);
    let verdict = infer_in(&function, &api, &known(&api), &mut draft);
    describe(&draft, &verdict)
}

#[test]
fn inline_functions_make_and_end_objects() {
    let others = ["full_chain *chain_new(void)", "void chain_free(full_chain *c)"];
    let inline = ["chain_new", "chain_free", "chain_load"];
    let check = |declaration: &str, expect: &str| {
        assert_eq!(with_inline(&others, declaration, &inline), expect, "{declaration}");
    };
    check("int chain_length(const full_chain *c)", "object -> value");
    check("int chain_run(full_chain *c, int level)", "object value -> value");
    // What the library fills it takes for memory of the caller's, whatever was in it; inline functions know what they make.
    check("int chain_decode(full_chain *c, int level)", "? value -> value");
    check("int chain_copy(const full_chain *from, full_chain *to)", "object ? -> value");
    check("int chain_load(full_chain *c, int level)", "object value -> value");
    // Of what is never defined callers have no memory.
    let hidden = ["chain *chain_new(void)", "void chain_free(chain *c)"];
    assert_eq!(
        with_inline(&hidden, "int chain_decode(chain *c, int level)", &inline),
        "object value -> value"
    );
}

#[test]
fn a_variant_of_the_release_ends_the_object_too() {
    library::check(
        &["full_file *file_open(int kind, double x)", "void file_close(full_file *f)"],
        &[
            ("int file_close_r(full_file *f)", "ended -> value"),
            ("void file_close_v2(full_file *f)", "ended -> void"),
            // It closes a part, says more, or returns something.
            ("int file_close_part(full_file *f)", "? -> value"),
            ("int file_close_r(full_file *f, int n)", "? value -> value"),
            ("char *file_close_v2(full_file *f)", "? -> ?"),
        ],
    );
}

#[test]
fn what_inline_functions_open_of_another_library_is_no_object_of_theirs() {
    let all = [
        "full_stream *side_open(int n)",
        "void side_close(full_stream *s)",
        "int wisdom_save(full_stream *s, int n)",
    ];
    let mut api = header(&all);
    for function in &mut api.functions {
        function.inline = function.name.starts_with("side");
    }
    for record in api.records.values_mut() {
        record.location.primary = false;
    }
    let function = prototype::parse(all[2]);
    let mut draft = empty(&function);
    let verdict = infer_in(&function, &api, &known(&api), &mut draft);
    assert_eq!(describe(&draft, &verdict), "? value -> value");
}
