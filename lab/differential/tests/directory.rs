//! Where libraries work while they are compared: in a folder of the run's own, on both sides.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

#[allow(dead_code, reason = "several tests share it")]
#[path = "support/library.rs"]
mod library;

use hotcell_differential::{Settings, run};
use library::{compile, job};

const HEADER: &str = "
int note_write(const char *name, int mode);
int note_read(const char *name);
int note_is_in_root(void);
";

const SOURCE: &str = r#"
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "note.h"
int note_write(const char *name, int mode)
{
    FILE *file = fopen(name, "w");
    if (file == NULL) return -1;
    fprintf(file, "%d", mode);
    return fclose(file);
}
int note_read(const char *name)
{
    int n = -1;
    FILE *file = fopen(name, "r");
    if (file == NULL) return -2;
    if (fscanf(file, "%d", &n) != 1) n = -3;
    fclose(file);
    return n;
}
int note_is_in_root(void)
{
    char path[4096];
    return getcwd(path, sizeof path) == NULL ? -1 : strcmp(path, "/") == 0;
}
"#;

const CONTRACT: &str = r#"
hotcell = 1
library = "note"
headers = ["note.h"]
link = ["libnote.so"]
"#;

const RECIPES: &str = r#"
[values]
name = ["'hotcell-differential-note'"]
[scenario]
"a file is written and read" = [
    "note_is_in_root()",
    "note_read('hotcell-differential-note')",
    "note_write('hotcell-differential-note', 42)",
    "note_read('hotcell-differential-note')",
]
"#;

#[test]
fn what_has_no_folder_in_its_name_is_in_the_runs_own() {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "note", HEADER, SOURCE);
    let job = job(folder.path(), CONTRACT, RECIPES);
    let recipes = Some(folder.path().join("differential.toml"));
    let report = run(&job, &Settings { recipes, show: true, ..Settings::default() }).unwrap();
    assert!(report.passed(), "{report}");
    let told = report.to_string();
    for step in [
        "note_is_in_root(): returned 0",
        "note'): returned -2",
        "note', 42): returned 0",
        "note'): returned 42",
    ] {
        assert!(told.contains(step), "{step}: {told}");
    }
    let here = std::env::current_dir().unwrap();
    for place in [Path::new("/"), folder.path(), &here, &std::env::temp_dir()] {
        assert!(!place.join("hotcell-differential-note").exists(), "{}", place.display());
    }
}
