//! Contracts that can be read, and those that cannot with what is said about them.

use std::time::Duration;

use hotcell_model::interface::{GuardWord, SandboxLines, SandboxProfile, SandboxRequire};

use crate::contract::Contract;
use crate::diagnostic::render;

const HEAD: &str = "hotcell = 1\nlibrary = \"z\"\nheaders = [\"zlib.h\"]\n";

/// What is said: line, column, message, and the label and help where there are any.
fn said(text: &str) -> Vec<String> {
    let found = Contract::parse(text, "bind.toml").expect_err("must be refused");
    let one = |d: &crate::Diagnostic| {
        assert_eq!(d.file.as_deref(), Some("bind.toml"));
        let place = match (d.line(text), d.column(text)) {
            (Some(line), Some(column)) => format!("{line}:{column}: "),
            _ => String::new(),
        };
        let label = if d.label.is_empty() { String::new() } else { format!(" [{}]", d.label) };
        let help = d.help.as_ref().map(|help| format!(" = {help}")).unwrap_or_default();
        format!("{place}{}{label}{help}", d.message)
    };
    found.iter().map(one).collect()
}

#[test]
fn the_keys_of_a_file_have_their_values() {
    let text = r#"
hotcell = 1
library = "sqlite3"
headers = ["sqlite3.h", "<extra.h>"]
link = ["./libsqlite3.so", "m"]
include = ["sqlite3_*"]
exclude = ["sqlite3_win32_*"]
include_dirs = ["vendor/include"]
defines = ["NDEBUG", "LEVEL=3"]
prelude = "typedef int size;"
isolation = "process"
threads = "serialized"
deadline = "500ms"
"#;
    let contract = Contract::parse(text, "bind.toml").unwrap();
    assert_eq!(contract.library(), "sqlite3");
    assert_eq!(contract.headers(), ["sqlite3.h", "<extra.h>"]);
    assert_eq!(contract.link(), ["./libsqlite3.so", "m"]);
    assert_eq!(contract.include_dirs(), ["vendor/include"]);
    assert_eq!(contract.defines(), ["NDEBUG", "LEVEL=3"]);
    assert_eq!(contract.prelude(), Some("typedef int size;"));
    assert_eq!(contract.deadline(), Some(Duration::from_millis(500)));
    assert_eq!(Contract::parse(HEAD, "bind.toml").unwrap().link(), ["z"]);
}

#[test]
fn a_bare_contract_has_a_name_and_a_library() {
    for (library, name) in [
        ("z", "z"),
        ("libz.so.1", "z"),
        ("./build/libfoo.so", "foo"),
        ("plugin.so", "plugin"),
        ("libfoo", "libfoo"),
    ] {
        let contract = Contract::bare(&["a.h".into()], library);
        assert_eq!((contract.library(), contract.link()), (name, &[library.to_owned()][..]));
        assert_eq!(contract.headers(), ["a.h"]);
    }
}

#[test]
fn a_file_must_be_toml_of_a_known_version() {
    for (text, expect) in [
        ("", "1:1: the contract does not say its version = begin the file with `hotcell = 1`"),
        (
            "hotcell = 2\nnonsense = 1\n",
            "1:11: this program reads contracts of version 1, not 2 [another version] = use the version of hotcell that \
             the contract was written for, or a later one",
        ),
        ("hotcell = \"1\"\n", "1:11: `hotcell` is an integer, not a text [must be an integer]"),
        (
            "hotcell = 99999999999999999999\n",
            "1:11: `hotcell` does not fit an integer of a contract [must lie between -9223372036854775808 and \
             9223372036854775807]",
        ),
    ] {
        assert_eq!(said(text), [expect]);
    }
    assert_eq!(
        said("hotcell = 1\n"),
        [
            "1:1: the contract does not say its `library` = add `library = \"z\"`",
            "1:1: the contract does not say its `headers` = add `headers = [\"zlib.h\"]`"
        ]
    );
    let [syntax] = &said("hotcell = 1\nlibrary = \"z\nheaders = []\n")[..] else { panic!("one error") };
    assert!(syntax.starts_with("2:1"), "{syntax}");
    let [twice] = &said(&format!("{HEAD}library = \"z\"\n"))[..] else { panic!("one error") };
    assert!(twice.starts_with("4:1: duplicate key"), "{twice}");
}

#[test]
fn keys_of_the_file() {
    for (line, expect) in [
        ("includes = []", "4:1: a contract has no key `includes` [unknown key] = did you mean `include`?"),
        (
            "zzzzzz = 1",
            "4:1: a contract has no key `zzzzzz` [unknown key] = a contract has the keys `hotcell`, `library`, \
             `headers`, `link`, `include`, `exclude`, `include_dirs`, `defines`, `prelude`, `globals`, `isolation`, \
             `threads`, `deadline`, `init`, `shutdown`, `health`, `abi`, `layouts`, `nullable`, `guard`, `sandbox`, `recycle`, `tries`, `leaves`, `handle`, `struct`, `error` and `function`",
        ),
        ("layouts = \"no\"", "4:11: `layouts` is true or false, not a text [must be true or false]"),
        (
            "restore = [\"f()\"]",
            "4:1: `restore` is not supported by this version [not yet] = it is part of the planned vocabulary; leave \
             the functions out that need it",
        ),
        (
            "[handle]\nsqlite3 = { relase = \"f\" }",
            "5:13: a handle has no key `relase` [unknown key] = did you mean `release`?",
        ),
        (
            "isolation = \"inline\"",
            "4:13: `isolation = \"inline\"` is not available yet [not yet] = this version knows `process`",
        ),
        (
            "isolation = \"proces\"",
            "4:13: `isolation` cannot be \"proces\" [unknown word] = did you mean `process`?",
        ),
        (
            "threads = \"perhandle\"",
            "4:11: `threads` cannot be \"perhandle\" [unknown word] = did you mean `per-handle`?",
        ),
        (
            "[handle]\nsqlite3 = { affine = \"own\" }",
            "5:22: `affine` is true or false, not a text [must be true or false]",
        ),
        (
            "threads = \"many\"",
            "4:11: `threads` cannot be \"many\" [unknown word] = `threads` is one of `serialized`, `per-handle` and `reentrant`",
        ),
        ("link = []", "4:8: `link` is empty [name at least one]"),
        ("link = \"z\"", "4:8: `link` is a list of texts, not a text [must be a list of texts]"),
        ("link = [\"z\", 1]", "4:14: `link` is a list of texts, not an integer [must be a list of texts]"),
        ("prelude = true", "4:11: `prelude` is a text, not true or false [must be a text]"),
        (
            "include = [\"a{b\"]",
            "4:14: `a{b` is no pattern: nothing closes this brace = write `{a,b}` for one of several, as in \
             `\"open_{read,write}*\"`",
        ),
        (
            "include = [\"a?\"]",
            "4:12: `a?` is no function and no pattern = write the name of a function, with `*` for any letters and `{a,b}` \
             for one of several",
        ),
        (
            "defines = [\"-DX\"]",
            "4:12: `-DX` defines nothing = write \"NAME\" or \"NAME=VALUE\", without `-D`",
        ),
        (
            "deadline = \"2 minutes\"",
            "4:12: `2 minutes` is no duration = write a whole number above 0 and its unit: \"500ms\", \"2s\", \"1m\"",
        ),
        (
            "deadline = \"0s\"",
            "4:12: `0s` is no duration = write a whole number above 0 and its unit: \"500ms\", \"2s\", \"1m\"",
        ),
        ("deadline = 5", "4:12: `deadline` is a text, not an integer [must be a text]"),
        ("function = 1", "4:12: `function` is a table, not an integer [must be a table]"),
    ] {
        assert_eq!(said(&format!("{HEAD}{line}\n")), [expect], "{line}");
    }
    assert_eq!(
        said("hotcell = 1\nlibrary = \"../z\"\nheaders = [\"a.h\"]\n"),
        [
            "2:11: `../z` is no name of a library = write a name such as \"z\" or \"sqlite3\"; paths belong into `link`"
        ]
    );
}

#[test]
fn keys_of_a_function() {
    for (line, expect) in [
        (
            "idempotence = true",
            "5:1: a function has no key `idempotence` [unknown key] = did you mean `idempotent`?",
        ),
        (
            "pure = true",
            "5:1: `pure` is not supported by this version [not yet] = it is part of the planned vocabulary; leave \
             the functions out that need it",
        ),
        ("idempotent = 1", "5:14: `idempotent` is true or false, not an integer [must be true or false]"),
        (
            "error = { message = \"f()\" }",
            "5:9: this error rule does not say when a call failed = add `fails = \"nonzero\"`, `\"zero\"`, \
             `\"negative\"`, `\"null\"` or an expression",
        ),
        (
            "error = { fails = \"zero\", mesage = \"f()\" }",
            "5:27: an error rule has no key `mesage` [unknown key] = did you mean `message`?",
        ),
        (
            "error = { fails = \"result = 0\" }",
            "5:27: `=` means nothing in an expression = write `==` to compare",
        ),
        (
            "result = { out = \"valu\" }",
            "5:18: `out` cannot be \"valu\" [unknown word] = did you mean `value`?",
        ),
        (
            "result = { out = \"shared\" }",
            "5:18: `out = \"shared\"` is not available yet [not yet] = this version knows `value`, `status`, `ignored`, \
             `buffer`, `owned`, `borrowed`, `struct`, `structs` and `texts`",
        ),
        (
            "result = { out = \"buffer\" }",
            "5:12: `out = \"buffer\"` needs `length` = add `length = \"…\"`: how much of it there is",
        ),
        (
            "result = { out = \"value\", nullable = true }",
            "5:27: `nullable` does not go with `out = \"value\"` = it stands alone",
        ),
        (
            "result = { strng = \"utf-8\" }",
            "5:12: a result has no key `strng` [unknown key] = did you mean `string`?",
        ),
    ] {
        assert_eq!(said(&format!("{HEAD}[function.f]\n{line}\n")), [expect], "{line}");
    }
}

#[test]
fn items_of_parameters() {
    for (item, expect) in [
        (
            "{ }",
            "5:12: this item does not say what the value is for = add one of `in`, `out`, `inout`, `string`, \
             `fixed` and `callback`",
        ),
        (
            "{ in = \"value\", out = \"value\" }",
            "5:28: an item says one thing: `in`, `out`, `inout`, `string`, `fixed` or `callback` [a second direction]",
        ),
        ("{ in = \"buffr\" }", "5:19: `in` cannot be \"buffr\" [unknown word] = did you mean `buffer`?"),
        (
            "{ in = \"map\" }",
            "5:19: `in = \"map\"` is not available yet [not yet] = this version knows `value`, `buffer`, `handle`, \
             `handles`, `consumed`, `struct`, `structs`, `texts`, `file`, `descriptor`, `cursor`, `range`, `address`, `fields` and `part`",
        ),
        (
            "{ string = \"locale\" }",
            "5:23: `string = \"locale\"` is not available yet [not yet] = this version knows `utf-8`, `bytes`, `utf-16`, \
             `utf-32` and `latin-1`",
        ),
        ("{ string = \"utf8\" }", "5:23: `string` cannot be \"utf8\" [unknown word] = did you mean `utf-8`?"),
        (
            "{ in = \"value\", lenght = \"n\" }",
            "5:28: a parameter has no key `lenght` [unknown key] = did you mean `length`?",
        ),
        (
            "{ in = \"value\", alias = true }",
            "5:28: `alias` is not supported by this version [not yet] = it is part of the planned vocabulary; \
             leave the functions out that need it",
        ),
        (
            "{ out = \"struct\", valid_on_error = true }",
            "5:30: `valid_on_error` does not go with `out = \"struct\"` = write `inout = \"struct\"`: what a failed call \
             leaves in it is then in the caller's own structure",
        ),
        (
            "{ in = \"value\", length = \"n\" }",
            "5:28: `length` does not go with `in = \"value\"` = it stands alone",
        ),
        (
            "{ in = \"buffer\", capacity = \"n\" }",
            "5:29: `capacity` does not go with `in = \"buffer\"` = it goes with `length`, `unit`, `nullable` and `until`",
        ),
        (
            "{ fixed = \"a; b\" }",
            "5:22: `fixed` is one C expression = write a macro, a number, `sizeof(…)` or `NULL`",
        ),
        (
            "{ in = \"buffer\", unit = \"bits\" }",
            "5:36: `unit` cannot be \"bits\" [unknown word] = `unit` is one of `bytes` and `elements`",
        ),
        (
            "{ callback = \"call\", user_data = \"u\", on_failure = true }",
            "5:63: `on_failure` is an integer, not true or false [must be an integer]",
        ),
        (
            "{ callback = \"call\", user_data = \"u\", params = { a = { in = \"value\" } } }",
            "5:72: `in = \"value\"` is not available yet [not yet] = this version knows `buffer`, `texts`, \
             `handle` and `handles`",
        ),
        (
            "{ callback = \"call\", user_data = \"u\", until = \"db\" }",
            "5:50: `until` does not go with `callback = \"call\"` = it goes with `user_data`, `user_data_from`, `stream`, \
             `on_failure`, `nullable` and `params`",
        ),
        (
            "{ callback = \"call\", user_data = \"u\", threads = \"any\" }",
            "5:50: `threads` does not go with `callback = \"call\"` = it goes with `user_data`, `user_data_from`, `stream`, \
             `on_failure`, `nullable` and `params`",
        ),
        (
            "{ callback = \"kept\", user_data = \"u\", threads = \"all\" }",
            "5:60: `threads` cannot be \"all\" [unknown word] = `threads` is one of `calls` and `any`",
        ),
        (
            "{ callback = \"keep\", user_data = \"u\" }",
            "5:25: `callback` cannot be \"keep\" [unknown word] = `callback` is one of `call`, `kept` and `told`",
        ),
        (
            "{ callback = \"kept\", user_data = \"u\", user_data_from = \"f(\" }",
            "5:70: the expression ends too early",
        ),
        (
            "{ callback = \"kept\", user_data = \"u\", params = { a = { in = \"handles\" } } }",
            "5:67: `in = \"handles\"` needs `length` = add `length = \"…\"`: the parameter with the length",
        ),
        (
            "{ inout = \"struct\", starts = false }",
            "5:41: `starts` is the name of a function, or `true` = name the function that ends the object",
        ),
        (
            "{ in = \"consumed\", invalidates = true }",
            "5:31: `invalidates` does not go with `in = \"consumed\"` = it goes with `on_success`, `nullable` and `handle`",
        ),
        (
            "{ out = \"text\", encoding = \"locale\" }",
            "5:39: `encoding = \"locale\"` is not available yet [not yet] = this version knows `utf-8`, `bytes`, `utf-16`, \
             `utf-32` and `latin-1`",
        ),
        (
            "{ in = \"buffer\", length = true }",
            "5:38: `length` is a text, not true or false [must be a text]",
        ),
        ("{ in = \"buffer\", length = \"n * \" }", "5:43: the expression ends too early"),
        (
            "{ in = \"buffer\", length = 'n % 2' }",
            "5:41: `%` means nothing in an expression = an expression has integers, names, fields, calls, `sizeof(type)`, \
             + - * / == != < <= > >= && || and parentheses",
        ),
        // Behind an escape columns are not counted; the whole text is shown.
        ("{ in = \"buffer\", length = \"\\u006e m\" }", "5:38: an operator is missing before this"),
        ("{ in = \"buffer\", length = \"\"\"n m\"\"\" }", "5:43: an operator is missing before this"),
        ("7", "5:12: `x` is a table, not an integer [must be a table]"),
    ] {
        assert_eq!(said(&format!("{HEAD}[function.f]\nparams.x = {item}\n")), [expect], "{item}");
    }
}

#[test]
fn keys_of_structures_and_of_life() {
    for (lines, expect) in [
        (
            "[struct.s]\nresiden = true",
            "5:1: a structure has no key `residen` [unknown key] = did you mean `resident`?",
        ),
        ("[struct.s]\nfields.a = { own = false }", "5:20: `own` is `true`, or is not there"),
        (
            "[struct.s]\nfields.a = { in = \"buffer\" }",
            "5:14: `in = \"buffer\"` needs `length` = add `length = \"…\"`: the field with the length of the data",
        ),
        (
            "[struct.s]\nfields.a = { out = \"value\" }",
            "5:20: `out = \"value\"` is not available yet [not yet] = this version knows `buffer`, `data`, \
             `structs`, `texts` and `struct`",
        ),
        ("init = [\"f(\"]", "4:12: the expression ends too early"),
        ("init = \"f()\"", "4:8: `init` is a list of texts, not a text [must be a list of texts]"),
        (
            "[function.\"a b\"]",
            "4:11: `a b` is no function and no pattern = write the name of a function, with `*` for any letters and `{a,b}` \
             for one of several",
        ),
    ] {
        assert_eq!(said(&format!("{HEAD}{lines}\n")), [expect], "{lines}");
    }
}

#[test]
fn all_errors_are_said_in_order() {
    let text = format!(
        "{HEAD}threads = \"many\"\nisolation = 1\n[function.f]\nparams.x = {{ in = \"x\" }}\nnope = 1\n"
    );
    let found = said(&text);
    let lines: Vec<&str> = found.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["4", "5", "7", "8"]);
}

#[test]
fn an_error_points_into_an_expression() {
    let text = format!("{HEAD}[function.f]\nparams.x = {{ in = \"buffer\", length = \"n * (m\" }}\n");
    let found = Contract::parse(&text, "bind.toml").unwrap_err();
    let expect = r#"error: this `(` is not closed
 --> bind.toml:5:43
  |
5 | params.x = { in = "buffer", length = "n * (m" }
  |                                           ^
"#;
    assert_eq!(render(&found, &text, false), expect);
}

#[test]
fn the_reference_can_be_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    let read = |page: &str| std::fs::read_to_string(folder.join(page)).unwrap();
    let pages = [
        "contract.md",
        "added.md",
        "adapted.md",
        "families.md",
        "fields.md",
        "structures.md",
        "supervision.md",
        "state.md",
    ];
    let page = pages.map(read).concat();
    let blocks = page.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("toml\n"));
    let mut read = 0;
    for block in blocks {
        if block.starts_with("hotcell") {
            Contract::parse(block, "contract.md").unwrap_or_else(|e| panic!("{}", render(&e, block, false)));
        }
        if block.starts_with('[') {
            let text = format!("{HEAD}{block}");
            Contract::parse(&text, "contract.md").unwrap_or_else(|e| panic!("{}", render(&e, &text, false)));
        }
        // What makes another function does so in a table of its own only.
        let lines = block
            .lines()
            .filter(|_| !block.contains("\nof = "))
            .filter(|line| ["params.", "result =", "error ="].iter().any(|k| line.starts_with(k)));
        for line in lines {
            let text = format!("{HEAD}[function.f]\n{line}\n");
            Contract::parse(&text, "contract.md").unwrap_or_else(|e| panic!("{}", render(&e, &text, false)));
            read += 1;
        }
    }
    assert!(read > 60, "{read}");
}

#[test]
fn a_guard_is_a_word() {
    let guard = |line: &str| Contract::parse(&format!("{HEAD}{line}\n"), "bind.toml").map(|it| it.guard);
    assert_eq!(guard("").unwrap(), GuardWord::None);
    for (word, expect) in
        [("none", GuardWord::None), ("sampled", GuardWord::Sampled), ("all", GuardWord::All)]
    {
        assert_eq!(guard(&format!("guard = \"{word}\"")).unwrap(), expect);
    }
    let text = format!("{HEAD}guard = \"sample\"\n");
    let [wrong] = &said(&text)[..] else { panic!("one error") };
    assert!(wrong.contains("did you mean `sampled`?"), "{wrong}");
}

#[test]
fn a_sandbox_is_a_word_or_a_table() {
    let sandbox = |line: &str| Contract::parse(&format!("{HEAD}{line}\n"), "bind.toml").unwrap().sandbox;
    assert_eq!(sandbox(""), SandboxLines::default());
    assert_eq!(sandbox("sandbox = \"compute\""), SandboxLines::default());
    for (word, profile) in [
        ("files", SandboxProfile::Files),
        ("network", SandboxProfile::Network),
        ("custom", SandboxProfile::Custom),
        ("basic", SandboxProfile::Basic),
    ] {
        assert_eq!(sandbox(&format!("sandbox = \"{word}\"")).profile, profile);
    }
    let all = "sandbox = { profile = \"custom\", read = [\"/a\"], write = [\"/b\", \"/c\"], connect = [443], bind = [0, 65535], \
               allow = [\"memfd_create\"], refuse = [\"/d/*\"], load = [\"/e\"], write_xor_execute = true, require = \"strict\" }";
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let expect = SandboxLines {
        profile: SandboxProfile::Custom,
        read: texts(&["/a"]),
        write: texts(&["/b", "/c"]),
        connect: vec![443],
        bind: vec![0, 65535],
        allow: texts(&["memfd_create"]),
        refuse: texts(&["/d/*"]),
        load: texts(&["/e"]),
        write_xor_execute: true,
        require: SandboxRequire::Strict,
    };
    assert_eq!(sandbox(all), expect);
}

#[test]
fn what_is_wrong_with_a_sandbox_is_said() {
    for (line, expect) in [
        ("sandbox = \"file\"", "4:11: `sandbox` cannot be \"file\" [unknown word] = did you mean `files`?"),
        (
            "sandbox = { profile = \"compute\", read = [\"/a\"] }",
            "4:34: the profile `compute` has no `read` = it belongs to the profiles `files` and `custom`",
        ),
        (
            "sandbox = { profile = \"basic\", write_xor_execute = true }",
            "4:32: the profile `basic` has no `write_xor_execute` = without a wall there is nothing of the kind",
        ),
        (
            "sandbox = { profile = \"files\", write_xor_execute = \"yes\" }",
            "4:52: `write_xor_execute` is true or false, not a text [must be true or false]",
        ),
        (
            "sandbox = { profile = \"network\", allow = [\"shmget\"] }",
            "4:34: the profile `network` has no `allow` = it belongs to the profile `custom`",
        ),
        (
            "sandbox = { profile = \"files\", read = [\"data\"] }",
            "4:40: `data` is not absolute = write the path from `/` on; one that is known at run time goes into \
             `Options::sandbox`",
        ),
        (
            "sandbox = { profile = \"files\", read = [\"/etc/../root\"] }",
            "4:40: `/etc/../root` goes up by `..` = write where it comes to: behind a link that is another place than it looks",
        ),
        (
            "sandbox = { profile = \"network\", connect = [70000] }",
            "4:45: a port is a number from 0 to 65535",
        ),
        (
            "sandbox = { profile = \"files\", require = \"strong\" }",
            "4:42: `require` cannot be \"strong\" [unknown word] = `require` is one of `strict` and `namespaces`",
        ),
        (
            "sandbox = { profile = \"files\", require = \"namespaces\" }",
            "4:42: a sandbox with files, while it loads too, or with calls in `allow` has no namespaces of its own = write `require = \"strict\"`: that \
             is the most",
        ),
        (
            "sandbox = { profile = \"custom\", allow = [\"memfd_create\"], require = \"namespaces\" }",
            "4:69: a sandbox with files, while it loads too, or with calls in `allow` has no namespaces of its own = write `require = \"strict\"`: that \
             is the most",
        ),
        (
            "sandbox = { read = [\"/a\"] }",
            "4:11: this sandbox does not say its `profile` = add `profile = \"files\"`, or another of `compute`, `files`, \
             `network`, `custom` and `basic`",
        ),
    ] {
        assert_eq!(said(&format!("{HEAD}{line}\n")), [expect], "{line}");
    }
}

/// There is no place to point at.
#[test]
fn what_lies_too_deep_says_how() {
    let text = format!("hotcell = 1\n{}b = 1\n", "a.".repeat(5000));
    let wrong = Contract::parse(&text, "bind.toml").unwrap_err();
    assert!(wrong[0].help.as_ref().is_some_and(|help| help.contains("dots between them")), "{wrong:?}");
}
