//! Structures and numbers of which comments say which way they go.

use super::described;

fn see(declaration: &str, doc: &str) -> String {
    described(&[declaration, "void face_free(face *f)", "plain_vector *vectors(int n)"], doc)
}

#[test]
fn a_structure_that_a_comment_speaks_of_is_one() {
    let kerning = "@input:\n  face ::\n    A face.\n\n@output:\n  v ::\n    The vector, in 16.16 format.\n\n@note:\n  No.";
    for (declaration, doc, expect) in [
        ("void get_kerning(face *face, plain_vector *v)", kerning, "object structure(InOut) -> void"),
        (
            "void turn(plain_vector *v, int angle)",
            "@param[in,out] v The vector.",
            "structure(InOut) value -> void",
        ),
        ("int size(const plain_vector *v)", "@v: (in): a vector", "structure(In) -> value"),
        // Without a comment it may be several: the library hands out some.
        ("void turn(plain_vector *v, int angle)", "Turns it.", "? value -> void"),
        // The comment speaks of several, the name does, or a number may count them.
        ("void turn(plain_vector *v, int angle)", "@param[out] v Array of vectors.", "? value -> void"),
        ("void turn(plain_vector *vs, int angle)", "@param[out] vs The vector.", "? value -> void"),
        ("void turn(plain_vector *v, int count)", "@param[out] v The vector.", "? value -> void"),
        ("int size(plain_vector *v)", "@v: (out) (array length=3): vectors", "? -> value"),
        // What goes in may be needed later, and what holds more than numbers is no value.
        ("void face_set_delta(face *f, plain_vector *v)", "@param[in] v The vector.", "object ? -> void"),
        ("void face_bend(face *f, const plain_vector *v)", "@param[in] v The vector.", "object ? -> void"),
        ("void face_watch(face *f, plain_vector *v)", "@param[out] v The vector.", "object ? -> void"),
        ("void turn(full_vector *v, int angle)", "@param[in,out] v The vector.", "? value -> void"),
    ] {
        assert_eq!(see(declaration, doc), expect, "{declaration} {doc}");
    }
}

#[test]
fn a_number_that_goes_both_ways_is_one() {
    for (declaration, doc, expect) in [
        ("int step(long *n)", "@param[in,out] n The counter.", "changing -> value"),
        ("int step(long *n)", "@output:\n  n ::\n    In 26.6 fixed point.", "number -> value"),
        ("int step(long *n)", "@param[in,out] n The 16 counters.", "? -> value"),
        ("int step(long *n)", "@param[in] n The counter.", "? -> value"),
        ("int step_set(long *n)", "@param[in,out] n The counter.", "? -> value"),
    ] {
        assert_eq!(see(declaration, doc), expect, "{declaration} {doc}");
    }
}

#[test]
fn what_a_function_ends_is_no_copy_of_a_structure() {
    let doc = "Clean up.\n\\param[in] v vector to be cleaned up";
    assert_eq!(see("void plain_vector_cleanup(plain_vector *v)", doc), "? -> void");
    assert_eq!(see("long vector_length(const plain_vector *v)", doc), "structure(In) -> value");
}
