//! Process ids that are given again: nobody but the worker and what it left behind is signalled.

use std::process::Command;

/// The host collects its children itself, and gives the number of each worker away at once.
#[test]
fn who_has_the_number_of_a_worker_lives() {
    let output = Command::new(env!("CARGO_BIN_EXE_hotcell-odd-host")).arg("reused-numbers").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let expect = match rustix::process::getuid().is_root() || said.contains("took") {
        true => "took 200 numbers, all live\ngeneration 201\n",
        // Only the administrator, of the machine or a container, can choose numbers.
        false => "no number can be chosen here\n",
    };
    assert_eq!(said, expect);
}
