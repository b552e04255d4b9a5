//! Lines that cannot be true, and what is said about them.

use super::support::{ZLIB, api, contract, line, refused, run, said};
use crate::check::{Link, Selection, check};
use crate::contract::Contract;

#[test]
fn a_refusal_looks_like_a_compilers() {
    let lines = "[function.compress2]\nparams.source = { out = \"buffer\" }\n";
    let expect = r#"error: `source` cannot be `out = "buffer"`: it is `const unsigned char *`
 --> bind.toml:5:19
  |
5 | params.source = { out = "buffer" }
  |                   ^^^^^^^^^^^^^^ the function only reads through it
  |
  = help: write `{ in = "buffer", length = … }` or `{ string = "utf-8" }`
"#;
    assert_eq!(refused(&api(ZLIB), lines), expect);
}

#[test]
fn types_contradict_lines() {
    const NUMBER: &str = "write `{ in = \"value\" }`, or no line at all";
    const READ: &str = "write `{ in = \"buffer\", length = … }` or `{ string = \"utf-8\" }`";
    for (ty, item, expect) in [
        ("int", "string = \"utf-8\"", format!("`string`: it is `int` [not a pointer] = {NUMBER}")),
        ("int", "out = \"buffer\"", format!("`out = \"buffer\"`: it is `int` [not a pointer] = {NUMBER}")),
        ("int", "out = \"value\"", format!("`out = \"value\"`: it is `int` [not a pointer] = {NUMBER}")),
        (
            "const int *",
            "out = \"value\"",
            format!("`out = \"value\"`: it is `const int *` [the function only reads through it] = {READ}"),
        ),
        (
            "const int *",
            "in = \"value\"",
            format!("`in = \"value\"`: it is `const int *` [a pointer is no value] = {READ}"),
        ),
        (
            "int *",
            "in = \"value\"",
            "`in = \"value\"`: it is `int *` [a pointer is no value] = write `{ out = \"value\" }`, \
             `{ out = \"buffer\" }` or `{ in = \"buffer\", length = … }`"
                .into(),
        ),
        ("int *", "string = \"bytes\"", "`string`: it is `int *` [a text is a pointer to bytes]".into()),
        ("void *", "string = \"bytes\"", "`string`: it is `void *` [a text is a pointer to bytes]".into()),
        (
            "void *",
            "inout = \"value\"",
            "`inout = \"value\"`: it is `void *` [bytes are a buffer] = write `{ out = \"buffer\" }`".into(),
        ),
        (
            "char **",
            "out = \"value\"",
            "`out = \"value\"`: it is `char **` [it does not point to a number]".into(),
        ),
        (
            "char **",
            "in = \"buffer\"",
            "`in = \"buffer\"`: it is `char **` [a buffer consists of numbers or bytes]".into(),
        ),
        ("callback ", "in = \"value\"", "`in = \"value\"`: it is `callback` [not a number]".into()),
    ] {
        let declaration = format!("void f({ty}x)").replace("intx", "int x");
        line(&[&declaration], &format!("params.x = {{ {item} }}"), &format!("5:14: `x` cannot be {expect}"));
    }
}

#[test]
fn results_and_rules_contradict_types() {
    for (declaration, text, expect) in [
        (
            "void f(void)",
            "result = { out = \"value\" }",
            "5:12: the result cannot be `out = \"value\"`: it is `void` [not a number]",
        ),
        (
            "int f(void)",
            "result = { string = \"utf-8\" }",
            "5:12: the result cannot be `string`: it is `int` [not a pointer]",
        ),
        (
            "int *f(void)",
            "result = { string = \"utf-8\" }",
            "5:12: the result cannot be `string`: it is `int *` [a text is a pointer to bytes]",
        ),
        (
            "int f(void)",
            "result = { out = \"buffer\", length = 4 }",
            "5:12: the result cannot be `out = \"buffer\"`: it is `int` [not a pointer]",
        ),
        (
            "char **f(void)",
            "result = { out = \"buffer\", length = 4 }",
            "5:12: the result cannot be `out = \"buffer\"`: it is `char **` [a buffer consists of numbers or bytes]",
        ),
        (
            "int f(void)",
            "result = { out = \"status\" }",
            "5:12: a status without a rule says nothing = add `error = { fails = … }`",
        ),
        (
            "char *f(void)",
            "result = { string = \"utf-8\", release = \"fre\" }",
            "5:40: the headers declare no function `fre` [unknown function]",
        ),
        (
            "void f(void)",
            "error = { fails = \"nonzero\" }",
            "5:19: the result is never `nonzero`: it is `void` [nothing is returned]",
        ),
        (
            "size_t f(void)",
            "error = { fails = \"negative\" }",
            "5:19: the result is never `negative`: it is `size_t` [it has no sign]",
        ),
        (
            "int f(void)",
            "error = { fails = \"null\" }",
            "5:19: the result is never `null`: it is `int` [not a pointer]",
        ),
        (
            "struct point f(void)",
            "error = { fails = \"zero\" }",
            "5:19: the result is never `zero`: it is `struct point` [not a number]",
        ),
    ] {
        line(&[declaration], text, expect);
    }
    line(
        &["char *f(void)", "void give(char *p, int n)"],
        "result = { string = \"utf-8\", release = \"give\" }",
        "5:40: `give` does not take the pointer alone = it is declared `void give(char *p, int n)`",
    );
}

#[test]
fn names_must_be_known() {
    let lines = "[function.compres2]\n";
    let text = contract(lines);
    let found = run(&api(ZLIB), &text, Selection::Contract).unwrap_err();
    let expect =
        "4:11: the headers declare no function `compres2` [unknown function] = did you mean `compress2`?";
    assert_eq!(said(&found, &text), [expect]);

    for (name, expect) in [
        (
            "uncompres",
            "the headers declare no function `uncompres` [unknown function] = did you mean `uncompress`?",
        ),
        ("nothing_like_it", "the headers declare no function `nothing_like_it` [unknown function]"),
        (
            "deflateInit",
            "`deflateInit` is a function-like macro, not a function [a macro] = say its prototype in C: \
             `declare = \"TYPE deflateInit(TYPE strm, TYPE level)\"`",
        ),
    ] {
        let found = run(&api(ZLIB), &contract(""), Selection::Only(name)).unwrap_err();
        assert_eq!(said(&found, ""), [expect]);
    }

    let f = ["int f(char *out, int size, size_t *len)", "int bound(int n)"];
    for (text, expect) in [
        (
            "params.outt = { out = \"buffer\" }",
            "5:8: `f` has no parameter `outt` [unknown parameter] = did you mean `out`?",
        ),
        (
            "params.zzz = { in = \"value\" }",
            "5:8: `f` has no parameter `zzz` [unknown parameter] = it is declared `int f(char *out, int size, size_t *len)`",
        ),
        (
            "params.out = { out = \"buffer\", capacity = \"sise\" }",
            "5:44: `sise` is neither a parameter of `f` nor a constant [unknown name] = did you mean `size`?",
        ),
        (
            "params.out = { out = \"buffer\", capacity = \"1 + bound\" }",
            "5:48: `bound` is neither a parameter of `f` nor a constant [a function] = write `bound(…)` to call it",
        ),
        (
            "params.out = { out = \"buffer\", capacity = \"bounds(1)\" }",
            "5:44: the headers declare no function `bounds` [unknown function] = did you mean `bound`?",
        ),
        (
            "params.out = { out = \"buffer\", capacity = \"bound(1, 2)\" }",
            "5:44: `bound` takes 1 argument, not 2 = it is declared `int bound(int n)`",
        ),
        (
            "params.out = { out = \"buffer\", capacity = \"sizeof(size)\" }",
            "5:44: `sizeof` takes a type, and `size` is a parameter = write the type, as in `sizeof(int)`",
        ),
        (
            "params.out = { out = \"buffer\", capacity = \"1 + result\" }",
            "5:48: `result` is not known before the call [known after the call] = this is needed before the \
             call is made: use parameters and constants",
        ),
        (
            "params.out = { out = \"buffer\", capacity = \"len\" }",
            "5:44: `len` is a pointer = write `length = \"len\"`: the capacity before and the length after the call",
        ),
        (
            "params.out = { out = \"buffer\", size = \"len\" }",
            "5:39: `len` is a pointer = write `length = \"len\"`: the capacity before and the length after the call",
        ),
        (
            "params.out = { out = \"buffer\", size = \"sizes\" }",
            "5:39: `sizes` is no integer parameter = did you mean `size`?",
        ),
        (
            "params.out = { out = \"buffer\", size = \"32\" }",
            "5:39: `32` is no integer parameter = write `capacity = \"32\"`: `size` names the parameter that is told",
        ),
        (
            "params.out = { out = \"buffer\", size = \"LIMIT\" }",
            "5:39: `LIMIT` is no integer parameter = `size` names the parameter that is told the capacity",
        ),
        (
            "params.size = { in = \"value\" }\nparams.out = { out = \"buffer\", size = \"size\" }",
            "6:39: `size` already is something else = `size` names a parameter no other line speaks about",
        ),
        (
            "params.out = { string = \"utf-8\", length = \"len\" }",
            "5:44: `len` is no integer parameter = the length of a text is a parameter",
        ),
        (
            "params.size = { in = \"value\" }\nparams.out = { string = \"utf-8\", length = \"size\" }",
            "6:44: `size` already is something else = the length of a text is a parameter of its own",
        ),
        (
            "params.len = { out = \"value\" }\nparams.out = { in = \"buffer\", length = \"len\" }",
            "6:41: `len` already is something else = a pointer holds the length of one buffer",
        ),
    ] {
        line(&f, text, expect);
    }
    line(
        &["int f(short *out)"],
        "params.out = { out = \"buffer\", length = \"text\" }",
        "5:42: a text consists of bytes = give the length in another way",
    );
    line(
        &["int f(char *out, int result)"],
        "params.out = { out = \"buffer\", length = \"result + 1\" }",
        "5:42: `result` is ambiguous: `f` has a parameter of that name [the returned value or the parameter?]",
    );
    line(
        &["int f(int __a)"],
        "params.a = { in = \"value\" }\nparams.__a = { in = \"value\" }",
        "6:8: `a` has two lines [the second]",
    );
}

#[test]
fn expressions_have_kinds() {
    let f = [
        "int f(char *out, size_t *len, const char *in, int n)",
        "const char *text(int code)",
        "double ratio(void)",
        "void nothing(void)",
        "int of(const char *in)",
        "struct point where(void)",
    ];
    let rest =
        "params.in = { string = \"utf-8\" }\nparams.n = { in = \"value\" }\nresult = { out = \"value\" }";
    let out = |capacity: &str| {
        format!("params.out = {{ out = \"buffer\", capacity = \"{capacity}\", length = \"len\" }}\n{rest}")
    };
    for (capacity, expect) in [
        ("in", "`in` is a pointer, and must be an integer"),
        ("RATIO", "`RATIO` is a floating-point number, and must be an integer"),
        ("ratio()", "`ratio()` is a floating-point number, and must be an integer"),
        ("text(1)", "`text(1)` is a pointer, and must be an integer"),
        ("nothing()", "`nothing()` is nothing, and must be an integer"),
        ("NULL", "`NULL` is a pointer, and must be an integer"),
        ("VERSION", "`VERSION` is a pointer, and must be an integer"),
        ("of(n)", "`of` takes `const char *` here, and `n` is an integer"),
    ] {
        let column = if capacity == "of(n)" { 47 } else { 44 };
        line(&f, &out(capacity), &format!("5:{column}: {expect}"));
    }
    line(&f, &out("2 * in"), "5:48: `*` does not go with a pointer [`in` is a pointer]");
    line(&f, &out("in < 4"), "5:44: `<` does not go with a pointer [`in` is a pointer]");
    line(&f, &out("where() == 0"), "5:44: `==` does not go with a structure [`where()` is a structure]");
    line(
        &f,
        &out("len * 2"),
        "5:44: `len` is not known before the call [written by the call] = this is needed before the call is made: \
         use parameters that go in, and constants",
    );
    let rule = |error: &str| {
        format!(
            "error = {{ {error} }}\nparams.out = {{ out = \"buffer\", capacity = 9, length = \"len\" }}\n{rest}"
        )
    };
    line(&f, &rule("fails = \"where()\""), "5:20: `where()` is a structure, and must be a condition");
    line(&f, &rule("fails = \"zero\", message = \"n\""), "5:38: `n` is an integer, and must be a text");
    for fine in ["of(in) != 0 && in != NULL", "text(result) == NULL || errno == EAGAIN", "ratio() < RATIO"] {
        let text = contract(&format!(
            "[function.f]\n{}\n",
            rule(&format!("fails = \"{fine}\", message = \"text(result)\""))
        ));
        let bound = run(&api(&f), &text, Selection::Contract);
        assert!(bound.is_ok(), "{fine}: {bound:?}");
    }
    let text = contract(&format!("[function.f]\n{}\n", rule("fails = \"zero\", message = \"out\"")));
    assert!(run(&api(&f), &text, Selection::Contract).is_ok());
}

#[test]
fn a_size_must_not_need_itself() {
    line(
        &["void f(char *out, int n)"],
        "params.out = { out = \"buffer\", capacity = \"n * 2\", size = \"n\" }",
        "5:8: the size of `out` depends on itself = decide the parameters of the size on their own, as in \
         `params.n = { in = \"value\" }`",
    );
}

#[test]
fn what_an_expression_calls_must_be_exported() {
    let api = api(&["int f(char *out)", "int bound(int n)"]);
    let text = contract(
        "[function.f]\nparams.out = { out = \"buffer\", capacity = \"bound(1)\" }\nresult = { out = \"value\" }\n",
    );
    let contract = Contract::parse(&text, "bind.toml").unwrap();
    let (sonames, exports) = (["libz.so.1".to_owned()], ["f".to_owned()].into());
    let link = Link { sonames: &sonames, exports: Some(&exports), shadowed: None, code: &[] };
    let found = check(&contract, &api, link, Selection::Only("f")).unwrap_err();
    let expect = "5:44: the headers declare `bound`, and the library does not export it [not exported]";
    assert_eq!(said(&found, &text), [expect]);
    let unknown = Link { exports: None, ..link };
    assert!(check(&contract, &api, unknown, Selection::Only("f")).is_ok());
}

#[test]
fn only_the_wanted_function_is_checked() {
    let lines = "[function.compress2]\nparams.nope = { in = \"value\" }\n[function.compressBound]\nparams.sourceLen = { in = \"value\" }\nresult = { out = \"value\" }\n";
    let text = contract(lines);
    assert!(run(&api(ZLIB), &text, Selection::Only("compressBound")).is_ok());
    assert!(run(&api(ZLIB), &text, Selection::Contract).is_err());
}

#[test]
fn a_comparison_must_be_able_to_hold() {
    let rule = |declaration: &str, fails: &str| {
        let text = contract(&format!(
            "[function.f]\nresult = {{ out = \"value\" }}\nerror = {{ fails = \"{fails}\" }}\n"
        ));
        let found = run(&api(&[declaration]), &text, Selection::Contract);
        found.map_or_else(
            |found| said(&found, &text).concat(),
            |checked| {
                assert_eq!(checked.interface.functions.len(), 1, "{declaration} {fails}");
                String::new()
            },
        )
    };
    for (declaration, fails, expect) in [
        (
            "size_t f(int x)",
            "result < 0",
            "6:20: `result < 0` can never hold [`result` is `size_t`, from 0 to \
          18446744073709551615] = it has no sign: write the number it has then, as in `result == 18446744073709551615`",
        ),
        ("unsigned f(int x)", "0 > result", "can never hold"),
        ("unsigned char f(int x)", "result == -1", "from 0 to 255] = write `result == 255`"),
        ("int f(int x)", "result == 0xffffffff", "= write `result == -1`"),
        ("int f(int x)", "result == 0x100000000", "= compare with a number that it can be"),
        ("_Bool f(int x)", "result == 2", "from 0 to 1]"),
        ("unsigned f(int x)", "errno != 0 && result > E_LOST", "`result > E_LOST` can never hold"),
        ("unsigned f(int x)", "result == E_LOST - 4294967295", "can never hold"),
        ("int f(unsigned x)", "x < 0", "`x` is `unsigned`"),
    ] {
        let said = rule(declaration, fails);
        assert!(said.contains(expect), "{declaration} {fails}: {said}");
    }
    for (declaration, fails) in [
        ("size_t f(int x)", "result == -1"),
        ("size_t f(int x)", "result == 18446744073709551615"),
        ("size_t f(int x)", "result >= -4095"),
        ("unsigned f(int x)", "result == E_LOST"),
        ("unsigned f(int x)", "result == 0xffffffff"),
        ("unsigned char f(int x)", "result == 255"),
        ("int f(int x)", "result < 0"),
        ("double f(int x)", "result < 0"),
        ("unsigned f(int x)", "result != -1 && x < 0"),
    ] {
        assert_eq!(rule(declaration, fails), "", "{declaration} {fails}");
    }
}

#[test]
fn a_returned_length_is_no_code() {
    let lines = "[function.\"r_*\"]\nerror = { fails = \"nonzero\" }\n[function.r_read]\n\
                 params.buf = { out = \"buffer\", size = \"n\", length = \"result\" }\n";
    let said = refused(&api(&["int r_read(unsigned char *buf, int n)"]), lines);
    assert!(said.contains("`r_read` returns a length") && said.contains("fails = \"negative\""), "{said}");
}
