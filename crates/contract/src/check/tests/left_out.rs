//! Functions that are left out, and the warnings about them.

use std::collections::BTreeSet;

use hotcell_model::api::Attribute;
use hotcell_model::interface::Status;

use super::support::{api, contract, run};
use crate::check::{Checked, Link, Selection, check};
use crate::contract::Contract;
use crate::diagnostic::render;

#[track_caller]
fn left_out(declarations: &[&str], lines: &str, name: &str) -> (Status, String, Option<String>) {
    let text = contract(lines);
    let checked = run(&api(declarations), &text, Selection::Only(name));
    let checked = checked.unwrap_or_else(|found| panic!("{}", render(&found, &text, false)));
    assert!(checked.interface.functions.is_empty(), "bound: {:?}", checked.interface.functions);
    let out = checked.interface.left_out.into_iter().next().unwrap();
    (out.status, out.reason, out.help)
}

#[test]
fn what_is_not_known_is_never_bound() {
    let (status, reason, _) = left_out(&["void f(void *thing, char *other)"], "", "f");
    assert_ne!(status, Status::Bound);
    assert!(!reason.is_empty());
    let lines = "[function.f]\nparams.a = { in = \"buffer\" }\nresult = { out = \"value\" }\n";
    let (status, reason, _) = left_out(&["int f(const short *a)"], lines, "f");
    assert_eq!(status, Status::Undecided, "{reason}");
}

#[test]
fn what_cannot_be_called_says_why() {
    let lines = "[function.f]\nparams.a = { in = \"value\" }\nresult = { out = \"value\" }\n";
    let (status, reason, _) = left_out(&["int f(int a, ...)"], lines, "f");
    assert_eq!(status, Status::Unsupported, "{reason}");
    let (status, ..) = left_out(&["int f()"], "[function.f]\nresult = { out = \"value\" }\n", "f");
    assert_eq!(status, Status::Unsupported);

    let names: Vec<String> = (0..130).map(|n| format!("p{n}")).collect();
    let params: Vec<String> = names.iter().map(|name| format!("long {name}")).collect();
    let declaration = format!("void f({})", params.join(", "));
    let lines: Vec<String> =
        names.iter().map(|name| format!("params.{name} = {{ in = \"value\" }}")).collect();
    let (status, reason, _) =
        left_out(&[&declaration], &format!("[function.f]\n{}\n", lines.join("\n")), "f");
    let expect = "its arguments take 1040 bytes, more than the 992 of a call";
    assert_eq!((status, reason.as_str()), (Status::Unsupported, expect));

    // Each of them is held against each other, whatever a contract says of them.
    let many = |count: usize| {
        let pair = |n| format!("const unsigned char *data{n}, unsigned long data{n}_len");
        format!("void f({})", (0..count / 2).map(pair).collect::<Vec<_>>().join(", "))
    };
    let (status, reason, help) = left_out(&[&many(202)], "", "f");
    assert_eq!((status, reason.as_str()), (Status::Unsupported, "it has more than 200 parameters"));
    assert_eq!(help, None);
    let (_, reason, _) = left_out(&[&many(200)], "", "f");
    assert_ne!(reason, "it has more than 200 parameters");
}

#[test]
fn streams_of_stdio_are_of_one_process() {
    let (status, reason, help) = left_out(&["int f(FILE *to, int mode)"], "", "f");
    let expect = "`to` is a stream, and nothing says whether it is read or written to";
    let line = "[function.f]\nparams.to = { in = \"file\" } # or { out = \"file\" } when it is written to";
    assert_eq!((status, reason.as_str(), help.as_deref()), (Status::Undecided, expect, Some(line)));
    let (status, reason, _) = left_out(&["FILE *f(int mode)"], "", "f");
    let expect =
        "the result: it is a stream of C's stdio (`FILE *`), and no line of `[handle]` makes that an object";
    assert_eq!((status, reason.as_str()), (Status::Unsupported, expect));
    // Whoever says that they are objects of the worker can open some there.
    let lines = "handle.FILE = { release = \"close\" }\n[function.open]\nresult = { out = \"owned\" }\n";
    let declarations = ["FILE *open(int n)", "int close(FILE *to)", "int f(FILE *to, int mode)"];
    let checked = run(&api(&declarations), &contract(lines), Selection::Contract).unwrap();
    assert_eq!(checked.interface.functions.len(), 3);
}

#[test]
fn what_is_not_exported_comes_first() {
    let mut api = api(&["int f(int a, ...)", "int g(void)"]);
    api.functions[1].inline = true;
    let text = contract("[function.g]\nresult = { out = \"value\" }\n");
    let contract = Contract::parse(&text, "bind.toml").unwrap();
    let (sonames, exports) = (["libz.so.1".to_owned()], BTreeSet::new());
    let link = Link { sonames: &sonames, exports: Some(&exports), shadowed: None, code: &[] };
    let Checked { interface, warnings, .. } = check(&contract, &api, link, Selection::Contract).unwrap();
    assert_eq!(warnings, []);
    let names: Vec<&str> = interface.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["g"]);
    let out = &interface.left_out[0];
    assert_eq!((out.name.as_str(), out.status), ("f", Status::NotExported));
    assert_eq!(out.reason, "libz.so.1 does not export it");

    // By the symbol that the header gives it.
    let symbol = |name: &str| Attribute::Symbol { name: name.into() };
    for (name, expect) in [
        ("other", "libz.so.1 does not export `other`, by which the header calls it"),
        ("oth\u{1b}er", "libz.so.1 does not export the symbol by which the header calls it"),
    ] {
        api.functions[0].attributes = vec![symbol(name)];
        let checked = check(&contract, &api, link, Selection::Contract).unwrap();
        assert_eq!(checked.interface.left_out[0].reason, expect);
    }

    let unknown = Link { exports: None, ..link };
    let checked = check(&contract, &api, unknown, Selection::Contract).unwrap();
    assert_eq!(checked.interface.left_out[0].status, Status::Unsupported);
}

#[test]
fn what_another_library_answers_for_is_not_called() {
    let mut api = api(&["int rand(void)", "int seed(void)", "int dup(int a)"]);
    api.functions[2].inline = true;
    let text = contract("[function.seed]\nerror = { fails = \"rand()\" }\n");
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    let (exports, shadowed) = (names(&["rand", "seed"]), names(&["rand", "dup"]));
    let sonames = ["libz.so.1".to_owned()];
    let link = Link { sonames: &sonames, exports: Some(&exports), shadowed: Some(&shadowed), code: &[] };
    let bare = Contract::bare(&["test.h".into()], "z");
    let Checked { interface, .. } = check(&bare, &api, link, Selection::Contract).unwrap();
    let bound: Vec<&str> = interface.functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(bound, ["seed", "dup"]);
    let out = &interface.left_out[0];
    assert_eq!((out.name.as_str(), out.status), ("rand", Status::Unsupported));
    assert!(out.reason.contains("which would be called instead"), "{}", out.reason);
    // Nor does an expression call it.
    let contract = Contract::parse(&text, "bind.toml").unwrap();
    let refused = check(&contract, &api, link, Selection::Contract).unwrap_err();
    assert!(
        refused[0].message.starts_with("another library in the worker has a function `rand` too"),
        "{refused:?}"
    );
}

#[test]
fn gaps_are_joined_and_can_be_pasted() {
    use hotcell_model::evidence::Fact;
    use hotcell_model::interface::Role;

    let api = api(&["void f(struct point *a, int n)"]);
    let function = &api.functions[0];
    let names = crate::check::names::names(function);
    let contract = Contract::bare(&["test.h".into()], "z");
    let site = crate::check::decide::Site {
        contract: &contract,
        api: &api,
        known: crate::infer::Known {
            api: &api,
            functions: &crate::infer::functions::Functions::of(&api),
            uses: &crate::infer::uses::Uses::default(),
            handles: &crate::handles::Handles::default(),
            structs: &crate::structs::Structs::default(),
            exports: None,
            shadowed: None,
            code: &[],
            against: &[],
        },
        exports: None,
        shadowed: None,
        function,
        names: &names,
    };
    let finish = |params: Vec<Option<Fact<Role>>>| {
        let draft = crate::infer::Draft { params, result: None };
        let decided = crate::check::decide::Decided {
            draft,
            error: None,
            uses: Vec::new(),
            requires: None,
            cancel: None,
            keeps: Vec::new(),
            copied: Vec::new(),
            places: Vec::new(),
            doubtful: Vec::new(),
        };
        crate::check::finish::finish(site, decided, Vec::new(), &mut Vec::new()).unwrap().err()
    };
    let out = finish(vec![None, None]).unwrap();
    assert_eq!(
        out.reason,
        "nothing says what `a` (`struct point *`) is for; nothing says what `n` (`int`) is for"
    );
    assert_eq!(out.help.as_deref(), Some("[function.f]\nparams.n = { in = \"value\" }"));
    // A suggestion and a length of nothing are no ground to call.
    let suggested = Fact {
        value: Role::Value,
        evidence: hotcell_model::evidence::Evidence::Suggested { rule: "guess".into() },
    };
    let fixed = Fact::decided(Role::Fixed { c: "NULL".into() }, 1);
    assert_eq!(finish(vec![Some(fixed.clone()), Some(suggested)]).unwrap().status, Status::Undecided);
    let length = Fact::proven(Role::LengthOf { param: 0, unit: hotcell_model::interface::Unit::Bytes });
    let out = finish(vec![Some(fixed.clone()), Some(length)]).unwrap();
    assert_eq!(out.reason, "what `n` is the length of is not decided to be a buffer");
}

#[test]
fn warnings_point_at_what_has_no_effect() {
    let text = contract(
        "include = [\"g\", \"crc32_*\"]\nexclude = [\"h\"]\n[function.f]\nparams.a = { in = \"buffer\" }\n\
         result = { out = \"value\" }\n",
    );
    let api = api(&["int f(const short *a, ...)", "int gg(void)"]);
    let checked = run(&api, &text, Selection::Contract).unwrap();
    let rendered = render(&checked.warnings, &text, false);
    let left_out = "warning: `f` is left out: ";
    for expect in [
        "warning: `g` matches no function of the headers\n --> bind.toml:4:12\n",
        "warning: `crc32_*` matches no function of the headers\n",
        "warning: `h` matches no function of the headers\n --> bind.toml:5:12\n",
        left_out,
        " --> bind.toml:6:11\n",
        "warning: no function can be called: the only one is left out\n",
    ] {
        assert!(rendered.contains(expect), "{expect}\n---\n{rendered}");
    }
    let nothing = contract("exclude = [\"*\"]\n");
    let checked = run(&api, &nothing, Selection::Contract).unwrap();
    assert_eq!(render(&checked.warnings, &nothing, false), "warning: no function is selected\n");
}

#[test]
fn computing_with_an_unbound_callee_needs_it_bound() {
    let declarations = ["void f(char *out, size_t n)", "size_t bound(size_t n)"];
    let lines = "[function.f]\nparams.n = { in = \"value\" }\nparams.out = { out = \"buffer\", capacity = \"bound(n + 1)\" }\n";
    let (status, reason, help) = left_out(&declarations, lines, "f");
    assert_eq!(status, Status::Undecided);
    assert_eq!(reason, "an expression computes with `bound`, which is not bound itself");
    assert!(help.unwrap().contains("`include`"));
    let both = contract(&format!(
        "{lines}[function.bound]\nparams.n = {{ in = \"value\" }}\nresult = {{ out = \"value\" }}\n"
    ));
    let checked = run(&api(&declarations), &both, Selection::Contract).unwrap();
    assert_eq!(checked.interface.functions.len(), 2);
}
