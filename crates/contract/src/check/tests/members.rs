//! Fields of structures in expressions.

use serde_json::json;

use super::support::{bound, line};
use crate::check::tests::api;

#[test]
fn a_size_is_a_field_of_what_is_passed() {
    let lines = "[function.f]\nparams.l = { in = \"struct\" }\nparams.out = { out = \"buffer\", capacity = \"l.from.x * l.level\" }\n";
    let function = bound(&api(&["int f(const struct line *l, unsigned char *out)"]), lines, "f");
    let field = |path: &str| json!({"expr": "field", "of": {"expr": "param", "index": 0}, "path": path});
    let size = &function["params"][1]["role"]["value"]["capacity"]["size"];
    assert_eq!(
        *size,
        json!({"expr": "binary", "op": "mul", "left": field("from.x"), "right": field("level")})
    );
}

#[test]
fn misuse_of_fields_is_said() {
    let out = |expression: &str| format!("params.out = {{ out = \"buffer\", capacity = \"{expression}\" }}");
    let reads = "params.l = { in = \"struct\" }\n";
    let declaration = "int f(const struct line *l, unsigned char *out, int n)";
    for (declaration, lines, expect) in [
        (
            declaration,
            format!("{reads}{}", out("l.levl")),
            "6:44: `l` has no field `levl` that travels = did you mean `level`?",
        ),
        (declaration, format!("{reads}{}", out("l.from")), "6:44: `l.from` is no number"),
        (
            "int f(struct person *why)",
            "params.why = { out = \"struct\" }\nerror = { fails = \"nonzero\", message = \"why.id\" }\n[struct.person]\nfields.name = { string = \"utf-8\", nullable = true }\nfields.id = { string = \"utf-8\" }"
                .to_owned(),
            "6:41: `why.id` is no number = a function gives it, which `prelude` may have behind its `#include`: `static inline \
             const char *id_of(const struct person *it) { return it->id; }`, and `message = \"id_of(why)\"`",
        ),
        (
            declaration,
            format!("{reads}{}", out("n.from")),
            "6:44: `n` is no structure whose fields go with the call",
        ),
        (
            declaration,
            format!("{reads}{}", out("LIMIT.from")),
            "6:44: `LIMIT` is no parameter: only what is passed has fields",
        ),
        (
            declaration,
            format!("params.l = {{ in = \"struct\", nullable = true }}\n{}", out("l.level")),
            "6:44: `l` may be NULL, which has no fields = leave `nullable` out, or say how much there is by a parameter",
        ),
        (
            "int f(struct line *l, unsigned char *out)",
            format!("params.l = {{ out = \"struct\" }}\n{}", out("l.level")),
            "6:44: `l.level` is not known before the call = this is needed before the call is made: use what goes in",
        ),
    ] {
        line(&[declaration], &lines, expect);
    }
}
