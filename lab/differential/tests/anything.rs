//! Libraries without recipes: what needs no object is called, faults included.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use hotcell_bind::{Job, Source};
use hotcell_differential::{Compared, Report, Settings, run};

const HEADER: &str = r"
int odd_add(int a, int b);
double odd_half(double x);
const char *odd_name(int number);
int odd_crash(int address);
int odd_leave(int status);
int odd_stay(int zero);
int odd_run(const char *command);
unsigned odd_address(void);
struct odd;
void odd_none(struct odd *odd);
";

const SOURCE: &str = r#"
#include <stdlib.h>
int odd_add(int a, int b) { return (int)((unsigned)a + (unsigned)b); }
double odd_half(double x) { return x / 2; }
const char *odd_name(int number) { return number == 7 ? "\xff\xfe" : number < 0 ? 0 : "name"; }
int odd_crash(int address) { return *(volatile int *)(long)(address & 1); }
int odd_leave(int status) { exit(status & 0x7f); }
int odd_stay(int zero) { while (zero == 0) { } return zero; }
int odd_run(const char *command) { return system(command); }
unsigned odd_address(void) { void *memory = malloc(1 << 20); return (unsigned)((unsigned long)memory >> 12); }
struct odd;
void odd_none(struct odd *odd) { (void)odd; }
"#;

fn compile(folder: &Path) -> Job {
    fs::write(folder.join("odd.h"), HEADER).unwrap();
    fs::write(folder.join("odd.c"), SOURCE).unwrap();
    let library = folder.join("libodd.so");
    let mut command = Command::new("cc");
    command.args(["-w", "-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(folder.join("odd.c"));
    assert!(command.status().unwrap().success());
    let header = folder.join("odd.h").display().to_string();
    Job {
        source: Source::Headers {
            headers: vec![header],
            library: library.display().to_string(),
            any_null: true,
        },
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    }
}

fn group<'a>(report: &'a Report, name: &str) -> &'a Compared {
    report.groups.iter().find(|group| group.name == name).unwrap_or_else(|| panic!("{name}: {report}"))
}

#[test]
fn a_library_nobody_has_described() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { patience: std::time::Duration::from_secs(2), ..Settings::default() };
    let report = run(&compile(folder.path()), &settings).unwrap();
    assert!(report.passed(), "{report}");
    for (name, most_ended) in [("odd_add", 0), ("odd_half", 0), ("odd_name", 0)] {
        let group = group(&report, name);
        assert!(group.equal > 15 && group.ended == most_ended, "{report}");
    }
    // A signal and a status are compared as results are.
    for name in ["odd_crash", "odd_leave"] {
        let group = group(&report, name);
        assert!(group.equal > 15 && group.ended == group.equal, "{report}");
    }
    // What hangs once is not tried with every value.
    let stay = group(&report, "odd_stay");
    assert!(stay.ended == 1 && stay.left_out > 10, "{report}");
    let reason = |name: &str| report.skipped.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
    assert_eq!(reason("odd_run"), Some("it reaches beyond its process"), "{report}");
    assert_eq!(reason("odd_address"), Some("it is never the same twice"), "{report}");
}

#[test]
fn the_mathematics_library() {
    let job = Job {
        source: Source::Headers { headers: vec!["math.h".into()], library: "m".into(), any_null: true },
        only: None,
        include_dirs: Vec::new(),
        defines: Vec::new(),
        library_dirs: Vec::new(),
    };
    for function in ["sin", "pow", "ldexp", "fmaf", "lround", "nan"] {
        let settings = Settings { only: Some(function.into()), ..Settings::default() };
        let report = run(&job, &settings).unwrap();
        assert!(report.passed() && report.equal() > 10, "{report}");
    }
}
