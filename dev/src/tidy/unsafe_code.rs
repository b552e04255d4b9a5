//! Rules about where unsafe code may stand.

use super::Finding;
use super::code::lines_with_word;
use super::tree::Tree;

/// Crates whose work is to do what the compiler cannot check.
const MAY_BE_UNSAFE: &[&str] = &[
    "crates/shm/",
    "crates/sandbox/",
    "crates/worker/",
    "crates/capi/",
    "crates/bench/",
    "crates/lab/",
    "clients/python/",
    "lab/direct/",
    // A macro of libFuzzer's crate writes its entry.
    "tests/fuzz/guided/",
];

/// And where in them.
const PLACES: &[&str] = &[
    "crates/shm/src/",
    "crates/sandbox/src/sys/",
    "crates/sandbox/src/sys.rs",
    "crates/worker/src/",
    "crates/capi/src/",
    // What contained calls are compared with, and what they are attacked by.
    "crates/bench/src/sys/",
    "crates/lab/src/sys.rs",
    // What Python's interface is made of.
    "clients/python/src/ffi.rs",
    "clients/python/src/ffi/",
    "lab/direct/src/",
    "crates/shm/tests/",
    "tests/e2e/src/bin/",
    "tests/fuzz/src/bin/",
];

/// Every other crate forbids it, so that nobody has to look there.
pub(crate) fn forbidden(tree: &Tree) -> Vec<Finding> {
    let roots = tree.rust().filter(|it| it.path.ends_with("src/lib.rs") || it.path.ends_with("src/main.rs"));
    let strict = roots.filter(|it| !MAY_BE_UNSAFE.iter().any(|crate_| it.path.starts_with(crate_)));
    strict
        .filter(|it| !it.code().contains("#![forbid(unsafe_code)]"))
        .map(|it| Finding::file(&it.path, "put `#![forbid(unsafe_code)]` behind the first comment"))
        .collect()
}

/// The word itself stands only where a reviewer expects it.
pub(crate) fn confined(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|it| !PLACES.iter().any(|place| it.path.starts_with(place))) {
        let code = file.code();
        for line in lines_with_word(code, "unsafe") {
            let message = format!("`unsafe` belongs into {}", PLACES.join(", "));
            findings.push(Finding::line(&file.path, line, message));
        }
    }
    findings
}

/// Where the Go runtime does what its compiler cannot check.
const GO_PLACE: &str = "clients/go/internal/shm/";

/// What a program by cgo is called in the folder of its example: it shows what that takes.
const BY_CGO: &str = "/direct/with_cgo.go";

/// The program of the lab that calls a library by cgo, which shows what comes of that.
const CGO_PLACE: &str = "crates/lab/via/go/direct/";

/// The package of that name is imported there only, by tests, and by cgo.
pub(crate) fn confined_in_go(tree: &Tree) -> Vec<Finding> {
    let go = tree.files().filter(|it| it.extension() == "go" && !it.path.ends_with("_test.go"));
    let by_cgo = |path: &str| path.ends_with(BY_CGO) || path.starts_with(CGO_PLACE);
    let elsewhere = go.filter(|it| !it.path.starts_with(GO_PLACE) && !by_cgo(&it.path));
    let imports = elsewhere.flat_map(|file| (1..).zip(file.text.lines()).map(move |line| (file, line)));
    imports
        .filter(|(_, (_, line))| line.trim().trim_start_matches("import ") == "\"unsafe\"")
        .map(|(file, (number, _))| {
            Finding::line(&file.path, number, format!("`unsafe` belongs into {GO_PLACE}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn crates_forbid_unsafe() {
        let good = "//! A.\n\n#![forbid(unsafe_code)]\n";
        check(
            forbidden,
            &[
                (&[("crates/a/src/lib.rs", good), ("dev/src/main.rs", good), ("crates/a/src/b.rs", "")], ""),
                (
                    &[("crates/a/src/lib.rs", "//! A.\n// #![forbid(unsafe_code)]")],
                    "crates/a/src/lib.rs: put",
                ),
                (&[("dev/src/main.rs", "")], "dev/src/main.rs: put"),
                (&[("crates/shm/src/lib.rs", ""), ("crates/worker/src/main.rs", "")], ""),
            ],
        );
    }

    #[test]
    fn unsafe_is_confined() {
        let code = "//! No unsafe.\nfn a() { unsafe { b() } }";
        check(
            confined,
            &[
                (&[("crates/shm/src/lane.rs", code), ("crates/sandbox/src/sys/fork.rs", code)], ""),
                (&[("crates/sandbox/src/sys.rs", code), ("crates/worker/src/load.rs", code)], ""),
                (&[("crates/bench/src/sys/direct.rs", code)], ""),
                (&[("crates/bench/src/raw.rs", code)], "crates/bench/src/raw.rs:2: `unsafe`"),
                (&[("crates/sandbox/src/policy.rs", code)], "crates/sandbox/src/policy.rs:2: `unsafe`"),
                (&[("crates/hotcell/tests/a.rs", code)], "crates/hotcell/tests/a.rs:2"),
                (&[("crates/model/src/lib.rs", "// unsafe\nconst A: &str = \"unsafe\";")], ""),
            ],
        );
    }

    #[test]
    fn unsafe_is_confined_in_go() {
        let code = "package a\n\nimport (\n\t\"unsafe\"\n)\n";
        check(
            confined_in_go,
            &[
                (&[("clients/go/internal/shm/a.go", code), ("clients/go/rt/a_test.go", code)], ""),
                (&[("examples/a/direct/with_cgo.go", code)], ""),
                (&[("crates/lab/via/go/direct/a.go", code)], ""),
                (&[("crates/lab/via/go/driver/a.go", code)], "crates/lab/via/go/driver/a.go:"),
                (&[("clients/go/rt/a.go", code)], "clients/go/rt/a.go:4: `unsafe`"),
                (&[("clients/go/a.go", "package a\n\nimport \"unsafe\"\n")], "clients/go/a.go:3: `unsafe`"),
                (&[("clients/go/a.go", "package a\n\n// \"unsafe\" is not here.\n")], ""),
            ],
        );
    }
}
