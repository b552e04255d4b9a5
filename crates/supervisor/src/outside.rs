//! What of a worker's restrictions can be seen from outside, where it has no say.

use std::fs;

/// The restrictions that the kernel does not confirm. Of threads it looks at the first, which serves.
pub(crate) fn missing(pid: u32, walled: bool) -> Vec<&'static str> {
    match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => of_status(&status, walled),
        Err(_) => vec!["a look at the worker from outside (/proc is not readable)"],
    }
}

fn of_status(status: &str, walled: bool) -> Vec<&'static str> {
    /// Two filters: of the load phase, and of the profile.
    const FILTERS: u32 = 2;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim).unwrap_or_default()
    };
    let filters = || {
        field("Seccomp") == "2" && field("Seccomp_filters").parse().is_ok_and(|count: u32| count >= FILTERS)
    };
    let capabilities = || {
        ["CapEff", "CapPrm"]
            .into_iter()
            .all(|name| field(name).trim_matches('0').is_empty() && !field(name).is_empty())
    };
    let mut missing = Vec::new();
    if field("NoNewPrivs") != "1" {
        missing.push("no-new-privileges (seen from outside)");
    }
    if walled && !filters() {
        missing.push("system-call-filter (seen from outside)");
    }
    if walled && !capabilities() {
        missing.push("no-capabilities (seen from outside)");
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALLED: &str = "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t2\n";

    #[test]
    fn what_the_kernel_says_counts() {
        assert_eq!(of_status(WALLED, true), [""; 0]);
        for (from, to, expect) in [
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "no-new-privileges"),
            ("filters:\t2", "filters:\t1", "system-call-filter"),
            ("Seccomp:\t2", "Seccomp:\t0", "system-call-filter"),
            ("CapEff:\t0000000000000000", "CapEff:\t0000000000000200", "no-capabilities"),
            ("CapPrm:\t0000000000000000", "CapPrm:\t000001ffffffffff", "no-capabilities"),
            ("CapPrm:\t0000000000000000\n", "", "no-capabilities"),
        ] {
            let missing = of_status(&WALLED.replace(from, to), true);
            assert!(missing.len() == 1 && missing[0].starts_with(expect), "{missing:?} for {to}");
        }
        assert_eq!(of_status("", true).len(), 3);
        assert_eq!(of_status("NoNewPrivs:\t1", false), [""; 0]);
    }

    #[test]
    fn this_process_has_no_wall() {
        assert!(missing(std::process::id(), true).iter().any(|it| it.starts_with("system-call-filter")));
        assert!(!missing(0, true).is_empty());
    }
}
