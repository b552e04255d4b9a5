//! The rule that a promise names the test that proves it.

use super::Finding;
use super::tree::Tree;

const PAGE: &str = "SPECIFICATION.md";

/// Every test that a row of the specification's tables names is there. A row with a cell that says `pending`
/// promises nothing yet.
pub(crate) fn named_tests(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.file(PAGE) else {
        return Vec::new();
    };
    let functions = functions(tree);
    let mut findings = Vec::new();
    for (number, line) in page.lines().filter(|it| it.1.starts_with('|')) {
        for cell in line.split('|').filter(|it| !it.to_lowercase().contains("pending")) {
            let paths = cell.split('`').skip(1).step_by(2).filter(|it| is_path(it));
            for name in paths.filter_map(|it| it.rsplit("::").next()) {
                if !functions.iter().any(|it| it == name) {
                    let message = format!("there is no test `{name}`; write it, or say `pending`");
                    findings.push(Finding::line(PAGE, number, message));
                }
            }
        }
    }
    findings
}

/// `shm::lane::wraps_around`: parts of a Rust path, the last of them a function's name. A type or one of its
/// variants is written with a capital and is none. Of Go it is `go::rt::TestCallsGoThereAndBack`.
fn is_path(text: &str) -> bool {
    let is_name = |it: &str| !it.is_empty() && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let last = text.rsplit("::").next().unwrap_or_default();
    let is_go = text.starts_with("go::") && last.starts_with("Test");
    let is_test = is_go || !last.contains(|c: char| c.is_ascii_uppercase());
    text.contains("::") && text.split("::").all(is_name) && is_test
}

/// The names of all functions in the tree's files of Rust and Python, and of all tests in Go.
fn functions(tree: &Tree) -> Vec<String> {
    let name = |rest: &str| rest.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
    let mut names = Vec::new();
    for file in tree.files().filter(|it| it.path.ends_with("_test.go")) {
        let tests = file.text.lines().filter_map(|line| line.strip_prefix("func ")?.split_once('('));
        names.extend(tests.map(|(name, _)| name.to_owned()));
    }
    for file in tree.rust() {
        let code = file.code();
        for (_, rest) in code.match_indices("fn ").map(|(at, word)| code[at..].split_at(word.len())) {
            names.push(name(rest));
        }
    }
    for file in tree.files().filter(|it| it.extension() == "py") {
        let tests = file.lines().filter_map(|(_, line)| line.trim_start().strip_prefix("def "));
        names.extend(tests.map(name));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn named_tests_are_there() {
        check(
            named_tests,
            &[
                (
                    &[
                        (PAGE, "| a | `python::test_a` |"),
                        ("clients/python/tests/a.py", "def test_a() -> None:"),
                    ],
                    "",
                ),
                (
                    &[(PAGE, "| a | `python::test_a` |"), ("clients/python/tests/a.py", "# def test_a()")],
                    "no test",
                ),
            ],
        );
        let go = ("clients/go/rt/lane_test.go", "package rt\n\nfunc TestWraps(t *testing.T) {\n}\n");
        let code = ("crates/shm/src/lane.rs", "#[test]\nfn wraps_around() {}\n// fn in_a_comment()");
        for (row, expect) in [
            ("| wraps | `shm::lane::wraps_around` |", ""),
            ("| wraps | `go::rt::TestWraps` |", ""),
            ("| wraps | `go::rt::TestWrapsNot` |", "there is no test `TestWrapsNot`"),
            ("| wraps | pending: `shm::lane::not_yet` |", ""),
            (
                "| uses `wire::Packet` and `std::process` is fine | `shm::lane::wraps_around` |",
                "no test `process`",
            ),
            ("| `wire::Packet`, `cargo dev demo` and `a b::c` | pending |", ""),
            ("not a row: `shm::lane::gone`", ""),
            ("| wraps | `shm::lane::wraps` |", "SPECIFICATION.md:3: there is no test `wraps`"),
            ("| a | `shm::lane::wraps_around`, `shm::lane::gone` |", "no test `gone`"),
            ("| a | `shm::lane::in_a_comment` |", "no test `in_a_comment`"),
        ] {
            let page = format!("| promise | test |\n|---|---|\n{row}\n");
            check(named_tests, &[(&[(PAGE, &page), code, go], expect)]);
        }
        check(named_tests, &[(&[code], "")]);
    }
}
