//! Hosts that fork, that ignore SIGCHLD, that reap every child: contained calls work there too.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

fn host(kind: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_hotcell-odd-host")).arg(kind).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_forked_child_is_refused_and_harms_nobody() {
    let said = host("fork");
    let expected = [
        "parent before: 3",
        "child: ForkedClient: the process was forked after the session was opened",
        "child ended with 0",
        "parent after: 3",
        "generation 1",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_child_that_is_forked_beside_threads_that_wait_has_sessions_of_its_own() {
    let said = host("fork-beside-waiters");
    let expected =
        ["parent before: 3", "child: 3", "child: 3", "child: 3", "child ended with 0", "parent after: 3"];
    assert_eq!(said, expected);
}

#[test]
fn a_child_that_is_forked_while_its_parent_opens_a_session_opens_its_own() {
    let said = host("fork-beside-openers");
    let child =
        |what: &str| [format!("{what}: 3"), "files are read: true".into(), "child ended with 0".into()];
    let children = ["monitor", "what was read", "rounds"].map(child).concat();
    assert_eq!(said, [&children[..], &["parent: 3".into()], &children].concat());
}

#[test]
fn a_child_that_is_forked_in_a_callback_is_refused_and_harms_nobody() {
    let said = host("fork-in-callback");
    let expected = [
        r#"child: ["ForkedClient", "ForkedClient", "ForkedClient"]"#,
        "child ended with 0, parent: Ok((1, 0))",
        r#"child: ["ForkedClient", "ForkedClient", "ForkedClient"]"#,
        "child ended with 0, parent: Ok((1, 0))",
        "generation 1",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_child_that_is_forked_with_calls_in_flight_is_refused_and_harms_nobody() {
    let said = host("fork-in-flight");
    let expected = [
        "child: [Err(ForkedClient), Err(ForkedClient)]",
        "child ended with 0, parent: [Ok(10), Ok(1)]",
        "generation 1",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_child_that_is_forked_in_between_leaves_results_and_releases_alone() {
    let said = host("fork-in-between");
    let expected = [
        "child: ForkedClient",
        "child ended with 0, parent: read, Ok((1, 0))",
        "living Ok(1)",
        "generation 1",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_child_that_is_forked_on_the_dispatcher_thread_ends_with_its_callback() {
    let child = [
        "child: ForkedClient: the process was forked after the session was opened",
        "child: None",
        "child ended with 0",
    ];
    let said = host("fork-on-the-dispatcher");
    assert_eq!(said, [&child[..], &child, &["parent: 0", "parent: 21", "generation 1"]].concat());
}

#[test]
fn a_child_that_is_forked_beside_the_dispatcher_thread_is_refused_and_harms_nobody() {
    let expected = [
        "child: ForkedClient: the process was forked after the session was opened",
        "child ended with 0",
        "parent: 0",
        "parent: 9",
        "generation 1",
    ];
    assert_eq!(host("fork-beside-the-dispatcher"), expected);
}

#[test]
fn a_forked_child_does_not_reach_the_buffers_of_its_parent() {
    let expected = [
        "parent before: Some(200000)",
        "child: refused",
        "child: refused",
        "child: Err(ForkedClient)",
        "child ended with 0",
        "parent after: Some(200000), Some(0)",
        "generation 1",
    ];
    assert_eq!(host("fork-with-buffers"), expected);
}

#[test]
fn a_host_without_descriptors_keeps_its_worker() {
    let said = host("no-descriptors");
    let (tries, end) = said.split_at(140);
    for tries in tries.chunks(2) {
        assert!(tries[0].starts_with("in: LimitExceeded: no descriptor for a segment of"), "{tries:?}");
        assert!(tries[1].starts_with("out: LimitExceeded: no descriptor for a segment of"), "{tries:?}");
        assert!(tries.iter().all(|said| said.ends_with("Limit { what: Fds, value: 0 }")), "{tries:?}");
    }
    let (entries, end) = end.split_at(2);
    assert!(entries[0].contains("Limit { what: Output, "), "{entries:?}");
    assert!(entries[1].starts_with("entry: LimitExceeded: no descriptor for a segment of"), "{entries:?}");
    assert_eq!(end, ["again: well", "item: well", "generation 1"]);
}

#[test]
fn open_descriptors_do_not_reach_the_worker() {
    // Input, output, errors, the control socket, four devices that hold nothing, and no more than two of the library's own
    // making.
    let said = host("descriptors");
    let open: u32 = said[0].strip_prefix("descriptors: ").unwrap().parse().unwrap();
    assert!((8..=10).contains(&open), "{said:?}");
}

#[test]
fn a_stolen_status_is_not_misreported() {
    for kind in ["ignore-sigchld", "reap-everything"] {
        let said = host(kind);
        assert_eq!(said.len(), 6, "{said:?}");
        assert!(said[0].starts_with("null_dereference: Crashed: SIGSEGV"), "{kind}: {said:?}");
        assert!(said[2].starts_with("abort: Crashed: SIGABRT"), "{kind}: {said:?}");
        // Nothing but the status tells of an exit: it is lost, and that is what is said.
        let exit = &said[4];
        assert!(exit.starts_with("exit: WorkerLost") || exit.starts_with("exit: Exited"), "{kind}: {said:?}");
        assert!([1, 3, 5].iter().all(|&next| said[next] == "next: 3"), "{kind}: {said:?}");
    }
}
