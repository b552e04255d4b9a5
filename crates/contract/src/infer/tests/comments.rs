//! What comments say.

use super::library::{header, known};
use super::{describe, empty, infer_in, prototype};
use crate::infer::comments::{kept, lent, owned, owner, unended};

#[test]
fn comments_say_what_allocates_where_nothing_is_passed() {
    let functions =
        "state *make(void *(*alloc_func)(void *, size_t), void (*free_func)(void *, void *), void *opaque)";
    let others = "void scan(void *(*alloc_func)(void *, size_t), void (*found)(void *, int), void *opaque)";
    let structure = "int add(int n, const full_functions *allocator)";
    let means = "Both must be zero or none. When they are zero, default memory allocators are used.";
    for (declaration, doc, expect) in [
        (functions, means, "fixed fixed fixed -> ?"),
        (functions, "Default memory allocators are used.", "? ? ? -> ?"),
        (functions, "Allocators must not be NULL; the default allocator is not used.", "? ? ? -> ?"),
        (others, means, "? ? ? -> void"),
        (structure, "allocator: an allocator, or NULL to use malloc().", "value fixed -> value"),
        (structure, "Never NULL.", "value ? -> value"),
    ] {
        let mut function = prototype::parse(declaration);
        function.doc = Some(doc.into());
        let mut draft = empty(&function);
        let api = header(&[declaration]);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        assert_eq!(describe(&draft, &verdict), expect, "{doc}");
    }
}

#[test]
fn comments_are_read_by_sentences() {
    let mut function = prototype::parse("int f(const char *s)");
    let mut says = |doc: &str| {
        function.doc = Some(doc.into());
        [owner(&function), lent(&function), owned(&function), kept(&function), unended(&function)]
    };
    for (doc, expect) in [
        ("Links the module.", [false; 5]),
        ("This takes\nownership of it.", [true, false, false, false, false]),
        ("The text is valid until the statement\nis destroyed.", [false; 5]),
        ("It is destroyed. Valid until then.", [true, false, false, false, false]),
        ("Parks it until needed; the pool takes ownership of it.", [true, false, false, false, false]),
        ("Waits until it is empty\nTakes ownership", [true, false, false, false, false]),
        (
            "NULL if it could not be found, else a text that must be freed.",
            [false, false, true, false, false],
        ),
        ("Like g(), but the text must be freed by the caller.", [false, false, true, false, false]),
        ("Do not free it.", [false, true, false, false, false]),
        ("The result must be freed with free().", [false, false, true, false, false]),
        ("It must not be freed by the caller.", [false, true, false, false, false]),
        ("Do not free the returned string.", [false, true, false, false, false]),
        ("The text of f() must be freed.", [false, false, true, false, false]),
        ("The text of g(), however, must be freed.", [false; 5]),
        ("The statement ends within a string literal.", [false; 5]),
        ("The name is not copied.", [false, false, false, true, false]),
        ("The hash, which is not NUL-terminated.", [false, false, false, false, true]),
    ] {
        assert_eq!(says(doc), expect, "{doc}");
    }
}

#[test]
fn comments_stop_rules() {
    let see = |declaration: &str, doc: &str| {
        let api = header(&[declaration, "void ctx_free(ctx *c)"]);
        let mut function = api.functions[0].clone();
        function.doc = Some(doc.into());
        let mut draft = empty(&function);
        let verdict = infer_in(&function, &api, &known(&api), &mut draft);
        describe(&draft, &verdict)
    };
    for (declaration, doc, expect) in [
        ("const char *ctx_name(const ctx *c)", "The name.", "object -> text"),
        ("const char *ctx_name(const ctx *c)", "The name, not NUL-terminated.", "object -> ?"),
        ("const char *ctx_name(const ctx *c)", "A name. It must be freed by g_free.", "object -> ?"),
        ("int ctx_call(ctx *c, const char *name)", "By name.", "object text -> value"),
        ("int ctx_call(ctx *c, const char *name)", "The name is not copied.", "object ? -> value"),
        ("int ctx_call(ctx *c, const char *name)", "Need not be null terminated.", "object ? -> value"),
        (
            "int ctx_write(ctx *c, const void *data, size_t len)",
            "The data must remain valid until the next call.",
            "object ? value -> value",
        ),
    ] {
        assert_eq!(see(declaration, doc), expect, "{declaration} {doc}");
    }
}
