//! Functions: comments, attributes, redeclarations, definitions, parameters.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use hotcell_header::Job;
use hotcell_model::api::{Api, Attribute, Function};
use hotcell_model::types::Type;

fn parse(fixture: &str) -> Api {
    let header = format!("{}/tests/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
    hotcell_header::parse(&Job::new([header])).unwrap_or_else(|error| panic!("{error}"))
}

fn function<'a>(api: &'a Api, name: &str) -> &'a Function {
    let found: Vec<_> = api.functions.iter().filter(|function| function.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

#[test]
fn comments_are_those_of_the_function() {
    let api = parse("functions.h");
    for (name, expect) in [
        ("documented", Some("Adds.\n\nTwo paragraphs.")),
        ("behind", Some("Documented behind, as in zlib.\n\nIndented by three.")),
        ("behind_too", Some("Also behind.")),
        ("lines", Some("Line comments,\ntwo of them.")),
        ("sqlite_style", Some("SQLite's style.")),
        ("undocumented", None),
        ("twice", Some("The first declaration has the comment.")),
        // Of functions all of it is read.
        ("headed_run", Some("==== Frees it; text may be NULL ====")),
        ("headed_found", Some("--- DEPRECATED ---\nUse the other one.")),
    ] {
        assert_eq!(function(&api, name).doc.as_deref(), expect, "{name}");
    }
    // What stands above several types is of none of them, and what touches one is its own.
    assert_eq!(api.records["headed"].doc, None);
    assert_eq!(api.records["touched"].doc.as_deref(), Some("---- A pair ----"));
    assert_eq!(api.enums["headed_kind"].doc, None);
    assert_eq!(api.enums["touched_kind"].doc.as_deref(), Some("---- A way ----"));
}

#[test]
fn declarations_are_those_of_c() {
    let api = parse("functions.h");
    for (name, expect) in [
        (
            "headed_run",
            "int headed_run(headed *it, touched *pair, const char *text, int (*step)(void *, int), void *user)",
        ),
        ("headed_found", "void (*headed_found(const char *name, void (*otherwise)(int)))(int)"),
    ] {
        assert_eq!(function(&api, name).signature(), expect);
    }
}

#[test]
fn redeclarations_are_one_function() {
    let api = parse("functions.h");
    let twice = function(&api, "twice");
    assert_eq!(twice.signature(), "int twice(int count, const char *text)");
    assert_eq!(twice.attributes, [Attribute::Nonnull { params: vec![1] }]);
    assert_eq!(twice.location.line, 40);
    let names: Vec<_> = api.functions.iter().map(|function| function.name.as_str()).collect();
    let position = |name| names.iter().position(|n| *n == name).unwrap();
    assert!(position("twice") < position("between"), "in order of the first declaration");
    let late = function(&api, "late_prototype");
    assert_eq!((late.prototyped, late.params.len()), (true, 1));
}

#[test]
fn attributes_are_read_directly_and_through_macros() {
    let api = parse("functions.h");
    let nonnull = |params: &[u32]| Attribute::Nonnull { params: params.to_vec() };
    for (name, expect) in [
        ("quits_c11", vec![Attribute::Noreturn]),
        ("quits_gnu", vec![Attribute::Noreturn]),
        ("quits_macro", vec![Attribute::Noreturn]),
        ("quits_before", vec![Attribute::Noreturn]),
        ("fresh", vec![Attribute::Malloc]),
        ("first_and_third", vec![nonnull(&[0, 2])]),
        ("all_pointers", vec![nonnull(&[])]),
        ("by_type", vec![nonnull(&[0, 3])]),
        ("logs", vec![Attribute::Format]),
        ("old_one", vec![Attribute::Deprecated]),
        ("owned", vec![Attribute::Annotate { text: "own: \"caller\" )))".into() }]),
        ("calls", vec![]),
        ("undocumented", vec![]),
    ] {
        assert_eq!(function(&api, name).attributes, expect, "{name}");
    }
    assert!(function(&api, "quits_macro").noreturn());
}

#[test]
fn only_definitions_are_inline() {
    let api = parse("functions.h");
    for (name, expect) in
        [("defined", true), ("defined_later", true), ("declared_static", false), ("documented", false)]
    {
        assert_eq!(function(&api, name).inline, expect, "{name}");
    }
}

#[test]
fn arrays_decay_and_keep_their_length() {
    let api = parse("zoo.h");
    let params = &function(&api, "takes_arrays").params;
    let seen: Vec<_> = params
        .iter()
        .map(|param| {
            let constant = param.ty.pointee().map(|(_, constant)| constant);
            (param.name.as_deref().unwrap(), param.ty.written.as_str(), param.array_length, constant)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("digest", "unsigned char *", Some(32), Some(false)),
            ("id", "unsigned char *", Some(16), Some(false)),
            ("matrix", "int (*)[3]", Some(2), Some(false)),
            ("names", "const char **", None, Some(false)),
            ("four", "const int *", Some(4), Some(true)),
            ("at_least", "int *", Some(8), Some(false)),
            ("n", "int", None, None),
            ("variable", "int *", None, Some(false)),
            ("key", "const unsigned char *", Some(16), Some(true)),
        ]
    );
    let open: Vec<_> =
        params.iter().filter(|param| param.open_array).filter_map(|it| it.name.as_deref()).collect();
    assert_eq!(open, ["names", "variable"]);
    let api = parse("odd_declarations.h");
    // What a function it is passed is given says nothing of the function.
    assert_eq!(function(&api, "several").attributes, [Attribute::Nonnull { params: vec![0, 1, 4] }]);
}

#[test]
fn qualifiers_of_values_are_dropped() {
    let api = parse("zoo.h");
    let params = &function(&api, "takes_qualified").params;
    let seen: Vec<_> = params.iter().map(|p| (p.ty.written.as_str(), p.ty.canonical.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("const char *", "const char *"),
            ("char **", "char **"),
            ("int", "int"),
            ("int *", "int *"),
            ("const_text", "const char *"),
            ("const point *", "const point *"),
            ("volatile int *", "volatile int *"),
        ]
    );
    let (pointee, constant) = params[4].ty.pointee().unwrap();
    assert_eq!((pointee.written.as_str(), constant), ("char", true));
    assert_eq!(params[6].ty.kind, Type::Unsupported { reason: "it points to volatile memory".into() });
}

#[test]
fn function_pointers_have_signatures() {
    let api = parse("zoo.h");
    let takes = function(&api, "takes_functions");
    let signature = |ty: &hotcell_model::types::CType| match &ty.kind {
        Type::FunctionPointer { signature } => {
            let params = signature.params.iter();
            let params = params.map(|(name, ty)| (name.clone().unwrap_or_default(), ty.written.clone()));
            (params.collect::<Vec<_>>(), signature.result.written.clone(), signature.variadic)
        }
        kind => panic!("{} is {kind:?}", ty.written),
    };
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, ty)| (name.to_string(), ty.to_string())).collect()
    };
    let compare = own(&[("left", "const void *"), ("right", "const void *")]);
    assert_eq!(signature(&takes.params[0].ty), (compare, "int".into(), false));
    let callback = own(&[("user", "void *"), ("code", "int")]);
    assert_eq!(signature(&takes.params[1].ty), (callback.clone(), "void".into(), false));
    assert_eq!(signature(&takes.params[2].ty), (callback, "void".into(), false));
    assert_eq!(signature(&takes.params[3].ty), (own(&[("a", "int"), ("b", "char")]), "int".into(), false));
    assert_eq!(takes.params[3].ty.written, "int (*)(int, char)");
    let returns = function(&api, "returns_function");
    assert_eq!(signature(&returns.result), (own(&[("", "int")]), "void".into(), false));
}

#[test]
fn what_has_no_prototype_is_not_variadic() {
    let api = parse("zoo.h");
    let unprototyped = function(&api, "unprototyped");
    assert!(!unprototyped.prototyped && !unprototyped.variadic);
    let variadic = function(&api, "variadic");
    assert!(variadic.prototyped && variadic.variadic);
}

/// What C allows, and no package: the rest of the header is read.
#[test]
fn what_cannot_be_in_a_package_is_left_out_alone() {
    let folder = tempfile::tempdir().unwrap();
    let parse = |folder: &std::path::Path, text: &str| {
        std::fs::write(folder.join("a.h"), text).unwrap();
        let mut job = Job::new([folder.join("a.h").display().to_string()]);
        job.include_dirs.push(folder.to_owned());
        let api = hotcell_header::parse(&job).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(api.flaw(), None);
        api
    };
    let strange = "\
int a\u{200b}(void);
int plain(int b\u{200d}, __typeof__(\"text\") *c);
struct s { int x\u{200b}; };
__attribute__((annotate(\"two\\nlines\"))) int noted(void);
#define M(a\\\nb) 1
#define N(\\u00e9) 1
#define C { \"\u{1b}[0m\" }
";
    let api = parse(folder.path(), strange);
    let names: Vec<&str> = api.functions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["plain", "noted"]);
    assert_eq!(function(&api, "plain").params[0].name, None);
    assert_eq!(function(&api, "noted").attributes, [Attribute::Annotate { text: "two\nlines".into() }]);
    assert_eq!(api.records["s"].layout, None);
    assert_eq!(api.function_macros.get("M").unwrap(), &["ab"]);
    assert!(!api.function_macros.contains_key("N"));
    assert_eq!(api.initializers["C"], "{ \"\\033[0m\" }");
    let lines = folder.path().join("two\nlines");
    std::fs::create_dir(&lines).unwrap();
    std::fs::write(lines.join("b.h"), "struct { int x; } hidden; int from_b(void);").unwrap();
    let mut job = Job::new(["b.h"]);
    job.include_dirs.push(lines);
    let api = hotcell_header::parse(&job).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(api.flaw(), None);
    assert!(function(&api, "from_b").location.file.ends_with("two\\nlines/b.h"));
}

#[test]
fn a_symbol_of_another_name_is_read() {
    let api = parse("odd_declarations.h");
    for (name, expect) in [
        ("renamed", "other"),
        ("renamed_later", "other"),
        ("named_alike", "named_alike"),
        ("several", "several"),
    ] {
        assert_eq!(function(&api, name).symbol(), expect);
    }
}

/// To the parser they have prototypes. What compilers make of them takes other types than they say.
#[test]
fn definitions_with_names_in_their_parentheses_have_no_prototype() {
    let api = parse("odd_declarations.h");
    for (name, expect) in [
        ("old_style", (false, 0)),
        ("old_style_two", (false, 0)),
        ("old_style_in_parentheses", (false, 0)),
        ("old_style_with_texts", (false, 0)),
        ("declared_before", (true, 1)),
        ("new_style", (true, 2)),
        ("of_type", (true, 1)),
        ("nothing", (false, 0)),
    ] {
        let function = function(&api, name);
        assert_eq!((function.prototyped, function.params.len()), expect, "{name}");
        assert!(!function.variadic, "{name}");
    }
}
