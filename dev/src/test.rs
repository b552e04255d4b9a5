//! `cargo dev test`: everything a change must pass, the fast parts first.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::process::{cargo, show, step, watch};
use crate::{conformance, examples, generate, go, install, models, python, setup, tidy};

pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let filter = match arguments {
        [] => None,
        [filter] => Some(filter.as_str()),
        [_, surplus, ..] => bail!("unexpected argument `{surplus}`: one FILTER is enough"),
    };
    step("setup", setup::run)?;
    step("gen --check", || generate::run(root, generate::Mode::Check))?;
    step("tidy", || tidy::run(root))?;
    // Tests start `hotcell` and `hotcell-worker` from the folder they are built into themselves.
    step("build", || show(&mut cargo(root, ["build", "--workspace", "--bins"])))?;
    step("test", || {
        // One that fails does not keep the others from being told.
        let words = ["test", "--workspace", "--no-fail-fast"].into_iter().chain(filter);
        let mut tests = 0;
        watch(&mut cargo(root, words), |line| tests += announced(line))?;
        ensure!(
            tests > 0,
            "no test ran{}",
            filter.map(|it| format!(": none has `{it}` in its name")).unwrap_or_default()
        );
        println!("   {tests} tests");
        Ok(())
    })?;
    if filter.is_some() {
        return Ok(());
    }
    step("go", || go::test(root))?;
    python::run(root, &[])?;
    install::test(root)?;
    conformance::run(root, &[])?;
    step("examples", || examples::run(root, &[]))?;
    step("loom", || models::run(root))
}

/// How many tests a line of the test harness announces: `running 12 tests`.
fn announced(line: &str) -> usize {
    line.strip_prefix("running ")
        .and_then(|rest| rest.split_once(" test"))
        .and_then(|(count, _)| count.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_tests_are_counted() {
        for (line, count) in [
            ("running 12 tests", 12),
            ("running 1 test", 1),
            ("running 0 tests", 0),
            ("running late", 0),
            ("", 0),
        ] {
            assert_eq!(announced(line), count, "{line:?}");
        }
    }

    #[test]
    fn a_second_filter_is_refused_before_anything_runs() {
        let error = run(Path::new("."), &["one".to_owned(), "two".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("`two`"), "{error}");
    }
}
