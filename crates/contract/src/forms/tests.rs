//! Functions that a contract adds, as C and as errors.

use std::collections::BTreeSet;

use hotcell_model::api::{Constant, ConstantValue, Location, Variable};

use super::*;
use crate::check::tests::{api, ctype};
use crate::diagnostic::render;

/// What is added, or what is wrong.
fn added(contract: &str) -> Result<Vec<String>, String> {
    let text = format!("hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n{contract}\n");
    let mut api = api(&[
        "int set(void *k, int option, ...)",
        "int plain(int n)",
        "int hidden(int n, ...)",
        "int print(struct _IO_FILE *to, int fd)",
    ]);
    let location = Location { file: "zlib.h".into(), line: 1, primary: true };
    for (name, value) in [("OPT_A", 1), ("OPT_BOTH", 2), ("OPT_C", 3)] {
        let value = ConstantValue::Int(value);
        api.constants.insert(name.into(), Constant { value, location: location.clone() });
    }
    for (name, ty, constant) in [("level", "int", false), ("name", "char *", true), ("secret", "int", false)]
    {
        let (name, ty) = (name.into(), ctype(ty));
        api.variables.push(Variable { name, ty, constant, doc: None, location: location.clone() });
    }
    api.function_macros.insert("twice".into(), vec!["k".into(), "n".into()]);
    let functions: BTreeSet<String> = ["set", "plain", "print"].into_iter().map(str::to_owned).collect();
    let variables: BTreeSet<String> = ["level", "name"].into_iter().map(str::to_owned).collect();
    let exports = Exports { functions: Some(&functions), variables: Some(&variables) };
    let mut contract = Contract::parse(&text, "bind.toml").map_err(|found| render(&found, &text, false))?;
    match add_forms(&mut contract, &api, exports) {
        Ok(warnings) if warnings.is_empty() => Ok(contract.added().to_vec()),
        Ok(found) | Err(found) => Err(render(&found, &text, false)),
    }
}

#[test]
fn a_form_is_a_function_in_c() {
    let check = |contract: &str, expect: &[&str]| {
        let added = added(contract).unwrap();
        assert_eq!(added, expect, "{contract}");
    };
    check(
        "[function.set_text]\nof = \"set\"\nfurther = \"const char *text, int list[4], int (*call)(int, void *)\"",
        &[
            "/** Calls `set`. */ static inline int (set_text)(void *k, int option, const char *text, int list[4], int (*call)(int, void *)) { return (set)(k, option, text, list, call); }",
        ],
    );
    check(
        "[function.\"set_long_*\"]\nof = \"set\"\nfurther = \"long n\"\neach.option = [\"OPT_{A,BOTH}\"]",
        &[
            "/** Calls `set` with `OPT_A`. */ static inline int (set_long_a)(void *k, long n) { return (set)(k, OPT_A, n); }",
            "/** Calls `set` with `OPT_BOTH`. */ static inline int (set_long_both)(void *k, long n) { return (set)(k, OPT_BOTH, n); }",
        ],
    );
    check(
        "[function.twice]\ndeclare = \"const char *twice(void *k, int n);\"",
        &[
            "/** The macro `twice`. */ static inline const char *(twice)(void *k, int n) { return twice(k, n); }",
        ],
    );
    check(
        "globals = [\"{level,name}\"]",
        &[
            "/** The value of the variable `level`. */ static inline int (level_get)(void) { return level; }",
            "/** Changes the variable `level`. */ static inline void (level_set)(int value) { level = value; }",
            "/** The value of the variable `name`. */ static inline char *(name_get)(void) { return name; }",
        ],
    );
    check("[function.plain]\nparams.n = { in = \"value\" }", &[]);
}

#[test]
fn what_cannot_be_added_is_said() {
    for (contract, expect) in [
        ("[function.a]\nof = \"sett\"", "the headers declare no function `sett`"),
        ("[function.a]\nof = \"hidden\"", "the library does not export `hidden`"),
        ("[function.a]\nof = \"plain\"\nfurther = \"int n\"", "`plain` takes no further arguments"),
        ("[function.a]\nof = \"set\"\nfurther = \"int option\"", "`set` has a parameter `option` already"),
        ("[function.a]\nof = \"set\"\nfurther = \"int\"", "`int` has no name"),
        ("[function.a]\nof = \"set\"\nfurther = \"int n, ...\"", "`...` does not say which arguments"),
        ("[function.a]\nof = \"set\"\nfurther = \"int n) { exit(1); } int b(int m\"", "it has '{' in it"),
        ("[function.a]\nof = \"set\"\nfurther = \"int (n\"", "a bracket is not closed"),
        (
            "[function.plain]\nof = \"set\"\nfurther = \"int n\"",
            "the headers have a function `plain` already",
        ),
        ("[function.a]\nfurther = \"int n\"", "`further` makes another function, which needs `of`"),
        (
            "[function.\"a*\"]\nof = \"set\"\nfurther = \"int n\"",
            "`a*` is a pattern, and this is one function",
        ),
        ("[function.a]\nof = \"set\"\neach.option = [\"OPT_*\"]", "does not say how the functions of `each`"),
        ("[function.\"a_*\"]\nof = \"set\"\neach.wrong = [\"OPT_*\"]", "`set` has no parameter `wrong`"),
        (
            "[function.\"a_*\"]\nof = \"set\"\neach.option = [\"OTP_*\"]",
            "`OTP_*` matches no integer constant",
        ),
        ("[function.twice]\ndeclare = \"int twice(void *k)\"", "the macro `twice` takes 2 arguments, not 1"),
        ("[function.twice]\ndeclare = \"twice(void *k, int n)\"", "it does not say what it returns"),
        ("[function.twice]\ndeclare = \"int other(void *k, int n)\"", "it does not declare `twice(…)`"),
        ("[function.plain]\ndeclare = \"int plain(int n)\"", "it is a function: leave `declare` out"),
        ("[function.a]\nof = \"set\"\ndeclare = \"int a(void)\"", "`of` and `declare` do not go together"),
        ("[function.a]\nof = \"print\"\nparams.fd = { in = \"file\" }", "a file is a `FILE *`"),
        ("[function.a]\nof = \"set\"\nparams.k = { in = \"address\" }", "is a pointer to a pointer"),
        ("[function.a]\nof = \"set\"\nparams.k = { out = \"descriptor\" }", "a descriptor is an `int`"),
        (
            "[function.a]\nof = \"print\"\nparams.fd = { in = \"descriptor\" }",
            "add `memfd_create` to `allow`",
        ),
        (
            "[function.print]\nparams.to = { in = \"file\" }",
            "a stream makes another function, which needs `of`",
        ),
        ("globals = [\"secret\"]", "`secret` is not read or written: the library does not export it"),
        ("globals = [\"levle\"]", "`levle` matches no variable of the headers"),
    ] {
        let found = added(contract).expect_err(contract);
        assert!(found.contains(expect), "{contract}\n{found}");
    }
}

#[test]
fn what_the_compiler_says_is_said_of_the_line() {
    let text = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n[function.a]\nof = \"set\"\nfurther = \"txet *t\"\n";
    let mut contract = Contract::parse(text, "bind.toml").unwrap();
    let exports = Exports { functions: None, variables: None };
    add_forms(&mut contract, &api(&["int set(int option, ...)"]), exports).unwrap();
    let found = not_c(&contract, 1, "unknown type name 'txet'");
    let text = render(&[found], text, false);
    assert!(text.contains("`a` is not what C understands: unknown type name 'txet'"), "{text}");
    assert!(text.contains("bind.toml:5"), "{text}");
}
