//! Callbacks at 1 kHz for ten seconds while host and worker are profiled: none is lost, none comes twice.

use std::process::Command;

#[test]
fn callbacks_at_1_khz_under_a_profiler_are_all_there_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_hotcell-profiled-host")).output();
    let output = output.expect("the host starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout);
    let mut said: Vec<&str> = said.lines().collect();
    said.sort_unstable();
    let all = "10000 callbacks, in order true, wrong answers 0, interrupted";
    let expected = ["Balanced", "Economy", "Latency"].map(|waiting| format!("{waiting}: {all}"));
    assert_eq!(said, [&*expected[0], &*expected[1], &*expected[2], "host: interrupted"]);
}
