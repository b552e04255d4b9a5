//! docs/coverage.md, and `check.txt` beside each contract of `examples/`: what the contracts bind, of what the headers declare.
//! `HOTCELL_UPDATE_GOLDEN=1` writes them anew.

mod page;
mod reasons;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hotcell_bind::{Checked, Job, Source};
use hotcell_contract::{Contract, decided_lines, decided_values, matches};
use hotcell_model::interface::Status;
use toml::{Table, Value};

use crate::report;

/// Keys of a contract that say which functions are meant; all others decide something, `exclude` too.
const SELECTION: [&str; 8] =
    ["hotcell", "library", "headers", "link", "include_dirs", "defines", "prelude", "include"];

/// Functions from which on a report has only those that are left out.
const MANY: usize = 200;

/// What a contract covers.
#[derive(Debug)]
struct Row {
    /// The folder's name.
    name: String,
    /// Functions that the headers declare and the library exports.
    exported: usize,
    /// Those of them that are bound when nothing is decided.
    without: usize,
    /// Those of them that are bound with the contract, as they are or in forms that it adds, and those that give back memory.
    bound: usize,
    /// Functions that are bound, those from elsewhere too.
    all_bound: usize,
    /// Lines of the contract that decide.
    lines: usize,
    /// What those lines say, value by value.
    values: usize,
    /// What is left out: a function or a pattern, how many functions that are, and why.
    left_out: Vec<(String, usize, String)>,
    /// What `hotcell check` says.
    report: String,
}

impl Row {
    fn of(folder: &Path) -> Row {
        let contract = folder.join("bind.toml");
        let text = fs::read_to_string(&contract).unwrap();
        let checked = checked(&contract);
        assert_eq!(checked.warnings, [""; 0], "{}", contract.display());
        let bare = self::bare(&text);

        let bound = names(&checked);
        let formed = formed(&text, &bound);
        let is_formed = |name: &str| formed.iter().any(|pattern| matches(pattern, name));
        let without = names(&bare);
        let open = bare.interface.left_out.iter().filter(|it| it.status != Status::NotExported);
        let exported: BTreeSet<&str> =
            without.iter().copied().chain(open.map(|it| it.name.as_str())).collect();
        let entries = report::entries(&checked);
        let refused = checked.interface.left_out.iter().filter(|it| exported.contains(it.name.as_str()));
        let mut left_out: Vec<_> = refused.map(|it| (it.name.clone(), 1, it.reason.clone())).collect();
        let known: BTreeSet<&str> = entries.iter().map(|it| it.name).collect();
        let mut gone: BTreeSet<&str> = exported.difference(&known).copied().collect();
        gone.retain(|name| !is_formed(name));
        for (pattern, reason) in reasons::of_exclude(&text) {
            let count = gone.len();
            gone.retain(|name| !matches(&pattern, name));
            let count = count - gone.len();
            assert!(!reason.is_empty(), "{}: nothing says why `{pattern}` is excluded", contract.display());
            left_out.extend((count > 0).then_some((pattern, count, reason)));
        }
        assert!(gone.is_empty(), "{}: {gone:?} is neither bound nor left out", contract.display());
        Row {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            exported: exported.len(),
            without: exported.intersection(&without).count(),
            bound: exported.iter().filter(|name| bound.contains(*name) || is_formed(name)).count(),
            all_bound: bound.len(),
            lines: decided_lines(&text),
            values: decided_values(&text),
            left_out,
            report: shortened(
                &anstream::adapter::strip_str(&report::text(&checked, &entries, None)).to_string(),
            ),
        }
    }
}

/// What is bound of a contract when nothing is decided.
pub(crate) fn bare(text: &str) -> Checked {
    let scratch = tempfile::tempdir().unwrap();
    let bare = scratch.path().join("bind.toml");
    fs::write(&bare, undecided(text)).unwrap();
    checked(&bare)
}

pub(crate) fn checked(contract: &Path) -> Checked {
    let job = Job {
        source: Source::Contract(contract.to_owned()),
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    };
    hotcell_bind::check(&job).unwrap_or_else(|error| panic!("{}: {error}", contract.display()))
}

fn names(checked: &Checked) -> BTreeSet<&str> {
    checked.interface.functions.iter().map(|it| it.name.as_str()).collect()
}

/// The functions that a worker calls for the functions which are bound: those of forms, those that functions of the prelude stand for,
/// and those that give back memory. Some are patterns.
fn formed(text: &str, bound: &BTreeSet<&str>) -> Vec<String> {
    let contract = Contract::parse(text, "bind.toml").unwrap();
    contract.called_for(&bound.iter().copied().collect::<Vec<_>>())
}

/// A contract for the same functions that decides nothing.
fn undecided(text: &str) -> String {
    let contract: Table = text.parse().unwrap();
    let keys = SELECTION.iter().filter_map(|key| contract.get(*key).map(|value| (key, value)));
    keys.map(|(key, value): (_, &Value)| format!("{key} = {value}\n")).collect()
}

/// A report without what is bound, and what is told of that, when it is long.
fn shortened(report: &str) -> String {
    let bound = |line: &&str| line.starts_with("bound ");
    if report.lines().filter(bound).count() < MANY {
        return report.to_owned();
    }
    let mut dropped = false;
    let stays = |line: &&str| {
        dropped = bound(line) || dropped && line.starts_with(' ');
        !dropped
    };
    report.lines().filter(stays).map(|line| format!("{line}\n")).collect()
}

/// The examples, in the order of their names.
pub(crate) fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|it| it.join("bind.toml").is_file()).collect();
    found.sort();
    found
}

/// Compares a file with what it should be, or writes it; its name when it is stale.
pub(crate) fn stale(path: &Path, text: &str) -> Option<String> {
    if std::env::var_os("HOTCELL_UPDATE_GOLDEN").is_some() {
        fs::write(path, text).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    (committed != text).then(|| path.display().to_string())
}

#[test]
fn coverage_of_the_examples_is_what_is_committed() {
    let rows: Vec<Row> = examples().iter().map(|folder| Row::of(folder)).collect();
    assert!(!rows.is_empty());
    let reports = examples().into_iter().zip(&rows);
    let mut old: Vec<String> =
        reports.filter_map(|(folder, row)| stale(&folder.join("check.txt"), &row.report)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coverage.md");
    old.extend(stale(&path, &page::page(&rows)));
    assert!(old.is_empty(), "stale: {}; run `cargo dev coverage`", old.join(", "));
}

#[test]
fn a_contract_that_decides_nothing_selects_the_same() {
    let text = "hotcell = 1\nlibrary = \"a\"\nheaders = [\"a.h\"]\nexclude = [\"b\"]\ninclude = [\"a*\"]\nnullable = [\"a.b\"]\n";
    let expect = "hotcell = 1\nlibrary = \"a\"\nheaders = [\"a.h\"]\ninclude = [\"a*\"]\n";
    assert_eq!(undecided(text), expect);
}

#[test]
fn what_a_worker_calls_for_a_bound_function_is_bound() {
    let text = "hotcell = 1\nlibrary = \"a\"\nheaders = [\"a.h\"]\n[function.\"set_*\"]\nof = \"set\"\neach.n = [\"A\"]\n\
                [function.\"{put,take}_one\"]\nof = \"$1\"\n[function.in_one]\nstands_for = [\"in_{begin,end}\"]\n\
                [function.other]\nparams.x = { out = \"text\", release = \"give(x, 1)\" }\nresult = { string = \"utf-8\", release = \"free\" }\n";
    let check = |bound: &[&str], expect: &[&str]| {
        let mut found = formed(text, &bound.iter().copied().collect());
        found.sort();
        assert_eq!(found, expect);
    };
    check(&["set_a", "other"], &["free", "give", "set"]);
    check(&["set_a", "put_one"], &["put", "set"]);
    check(&["in_one"], &["in_{begin,end}"]);
    check(&["another"], &[]);
}

#[test]
fn a_long_report_has_what_is_left_out() {
    let bound = "bound      f  inferred\n";
    let rest = "undecided  g  why\n                 what to write\n\n201 functions\n";
    assert_eq!(shortened(&format!("{bound}{rest}")), format!("{bound}{rest}"));
    assert_eq!(shortened(&format!("{}{rest}", bound.repeat(MANY))), rest);
    // What is kept stands below its function.
    let kept = format!("{bound}               a copy of `name` is kept until `db` goes\n");
    assert_eq!(shortened(&format!("{kept}{rest}{}", kept.repeat(MANY))), rest);
}
