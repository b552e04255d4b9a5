//! Which declarations belong to what was asked for.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use hotcell_header::Job;
use hotcell_model::api::Api;

fn fixtures() -> PathBuf {
    PathBuf::from(format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR")))
}

fn parse(job: &Job) -> Api {
    hotcell_header::parse(job).unwrap_or_else(|error| panic!("{error}"))
}

fn primary(api: &Api) -> BTreeMap<&str, bool> {
    api.functions.iter().map(|function| (function.name.as_str(), function.location.primary)).collect()
}

#[test]
fn files_beside_and_below_the_header_are() {
    let mut job = Job::new([fixtures().join("pack/umbrella.h").to_str().unwrap()]);
    job.include_dirs.push(fixtures());
    let api = parse(&job);
    let primary = primary(&api);
    for (name, expect) in [
        ("of_umbrella", true),
        ("of_part", true),
        ("of_deeper", true),
        ("of_foreign", false),
        ("strlen", false),
    ] {
        assert_eq!(primary[name], expect, "{name}");
    }
}

#[test]
fn a_header_is_found_by_name_in_the_include_directories() {
    let mut job = Job::new(["pack/part.h"]);
    job.include_dirs.push(fixtures());
    let api = parse(&job);
    assert!(primary(&api)["of_part"]);
    assert_eq!(api.functions[0].location.line, 1);
    assert!(api.functions[0].location.file.ends_with("tests/fixtures/pack/part.h"));
}

#[test]
fn of_the_systems_headers_only_those_asked_for_are() {
    let api = parse(&Job::new(["stdlib.h", "math.h"]));
    let primary = primary(&api);
    // `select` is in sys/select.h, which stdlib.h includes; `sqrt` is in bits/mathcalls.h.
    for (name, expect) in [("malloc", true), ("sqrt", true), ("select", false), ("alloca", false)] {
        assert_eq!(primary[name], expect, "{name}");
    }
}

#[test]
fn shared_directories_of_the_system_are_not_one_library() {
    let api = parse(&Job::new(["sys/stat.h"]));
    assert!(primary(&api)["fstat"]);
    let api = parse(&Job::new(["sys/types.h"]));
    assert!(!primary(&api)["select"]);
}

#[test]
fn the_prelude_is() {
    let mut job = Job::new([fixtures().join("needs_prelude.h").to_str().unwrap()]);
    job.prelude = Some("#include <stddef.h>\ntypedef size_t needed_t;\nint of_prelude(void);".into());
    job.defines = vec!["UNUSED".into(), "ALSO=1".into()];
    let api = parse(&job);
    let names: Vec<_> = api.functions.iter().map(|f| (f.name.as_str(), f.location.primary)).collect();
    assert_eq!(names, [("of_prelude", true), ("after_prelude", true)]);
    assert_eq!((api.functions[0].location.file.as_str(), api.functions[0].location.line), ("prelude", 3));
}

#[test]
fn defines_reach_the_headers() {
    let mut job = Job::new([fixtures().join("needs_prelude.h").to_str().unwrap()]);
    job.defines = vec!["needed_t=unsigned short".into()];
    assert_eq!(parse(&job).functions[0].params[0].ty.canonical, "unsigned short");
}
