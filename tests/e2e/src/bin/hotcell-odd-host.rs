//! Hosts that do what hosts do: fork, ignore SIGCHLD, reap every child. Prints what became of their calls.

use hotcell::{Error, Options};
use hotcell_faulty::Faulty;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("fork") => fork(),
        Some("descriptors") => descriptors(),
        Some("ignore-sigchld") => {
            // Binding runs a compiler, and std waits for it.
            let faulty = open(Options::default());
            // SAFETY: no handler is installed; nothing else in this program changes signals.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
            crash(&faulty);
        }
        Some("reap-everything") => {
            let faulty = open(Options::default());
            std::thread::spawn(|| {
                loop {
                    // SAFETY: the status is not asked for.
                    unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) };
                }
            });
            crash(&faulty);
        }
        other => panic!("no such host: {other:?}"),
    }
}

/// The child must be refused and must not harm the parent's session by dropping its copy.
fn fork() {
    let faulty = open(Options::default());
    say("parent before", faulty.int("add", &[1, 2]));
    // SAFETY: the other threads (the monitor) are not in the child, which uses nothing that they may have
    // locked: it asks for one call, drops the session and leaves.
    match unsafe { libc::fork() } {
        0 => {
            say("child", faulty.int("add", &[1, 2]));
            drop(faulty);
            // SAFETY: ends the child without the exit handlers of a test program.
            unsafe { libc::_exit(0) };
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` is valid for writes.
            unsafe { libc::waitpid(child, &mut status, 0) };
            println!("child ended with {status}");
            say("parent after", faulty.int("add", &[1, 2]));
            println!("generation {}", faulty.session().generation());
        }
    }
}

/// Descriptors that are open when a worker is started must not reach it.
fn descriptors() {
    let file = std::fs::File::open("/dev/null").expect("/dev/null is there");
    for _ in 0..50 {
        // SAFETY: a duplicate of an open descriptor; it stays open, without close-on-exec, on purpose.
        assert!(unsafe { libc::dup(std::os::fd::AsRawFd::as_raw_fd(&file)) } >= 0);
    }
    say("descriptors", open(Options::default()).int("descriptors", &[]));
}

fn crash(faulty: &Faulty) {
    for fault in ["null_dereference", "abort", "exit"] {
        let args: &[i128] = if fault == "exit" { &[3] } else { &[] };
        say(fault, faulty.int(fault, args));
        say("next", faulty.int("add", &[1, 2]));
    }
}

fn open(options: Options) -> Faulty {
    Faulty::open(options).unwrap_or_else(|error| panic!("{error}"))
}

fn say(what: &str, outcome: Result<i128, Error>) {
    match outcome {
        Ok(number) => println!("{what}: {number}"),
        Err(error) => println!("{what}: {}: {}", error.kind(), error.message()),
    }
}
