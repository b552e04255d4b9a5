//! The page of the vocabulary: each row is declared, decided and checked, and what comes of it is what the row says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use hotcell_bind::{Job, Source, check};
use hotcell_e2e::cli::Folder;

const PAGE: &str = include_str!("../../../docs/reference/vocabulary.md");

/// What every row may use.
const INCLUDES: &str = "#include <complex.h>\n#include <stdarg.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n#include <wchar.h>\n";

/// What exports the names of all rows.
const LIBRARY: &str = "void f(void) {}\nvoid g(void) {}\nvoid bound(void) {}\nint f_level;\n";

/// Keys of a contract that are of no function.
const OF_THE_FILE: [&str; 6] = ["struct.", "handle.", "function.", "globals ", "sandbox ", "link "];

struct Row<'a> {
    c: &'a str,
    lines: Vec<&'a str>,
    says: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let code = |cell: &'static str| -> Vec<&'static str> { cell.split('`').skip(1).step_by(2).collect() };
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" |").collect();
        let [c, lines, says] = cells[..] else { panic!("{line}") };
        Some(Row { c: c.trim_end_matches('`'), lines: code(lines), says: says.trim() })
    };
    PAGE.lines().filter_map(row).collect()
}

/// What becomes of the row's function.
fn becomes(folder: &Folder, row: &Row<'_>) -> String {
    folder.write("row.h", format!("{INCLUDES}{}\n", row.c));
    let (of_file, of_function): (Vec<&str>, Vec<&str>) =
        row.lines.iter().partition(|line| OF_THE_FILE.iter().any(|key| line.starts_with(key)));
    let mut contract =
        format!("hotcell = 1\nlibrary = \"row\"\nheaders = [\"row.h\"]\n{}\n", of_file.join("\n"));
    if !of_function.is_empty() {
        contract.push_str(&format!("[function.f]\n{}\n", of_function.join("\n")));
    }
    folder.write("bind.toml", &contract);
    let job = Job {
        source: Source::Contract(folder.path().join("bind.toml")),
        only: None,
        include_dirs: vec![folder.path().to_owned()],
        defines: Vec::new(),
        library_dirs: vec![folder.path().to_owned()],
    };
    let checked = match check(&job) {
        Ok(checked) => checked,
        Err(error) => return format!("error: {}", error.message),
    };
    let is_meant = |name: &str| name.eq_ignore_ascii_case("f");
    if let Some(out) = checked.interface.left_out.iter().find(|out| is_meant(&out.name)) {
        return format!("left out: {}", out.reason);
    }
    match checked.interface.functions.iter().any(|function| is_meant(&function.name)) {
        true => "bound".to_owned(),
        false => "nothing".to_owned(),
    }
}

#[test]
fn every_row_becomes_what_it_says() {
    let folder = Folder::new();
    folder.write("row.c", LIBRARY);
    folder.compile_with("row", &["-Wl,-soname,librow.so"]);
    let rows = rows();
    assert!(rows.len() > 80, "{}", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let becomes = becomes(&folder, row);
            let (how, says) = row.says.split_once(": ").unwrap_or((row.says, ""));
            // What stands behind `bound` is for people.
            let right = becomes.starts_with(how) && (how == "bound" || becomes.contains(says));
            (!right).then(|| format!("{} {:?}\n  says {}\n  is {becomes}", row.c, row.lines, row.says))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
