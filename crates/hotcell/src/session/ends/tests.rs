//! What is made of what the kernel, the worker and the host know of an end.

use std::sync::Arc;

use hotcell_shm::CrashRecord;
use hotcell_supervisor::Report;

use super::*;
use crate::rt::{Guard, SandboxLines};

static PACKAGE: Package = Package {
    runtime: 1,
    library: "moon",
    fingerprint: [7; 32],
    reentrant: false,
    functions: &[],
    handles: &[],
    sandbox: SandboxLines::DEFAULT,
    guard: Guard::None,
    shim: &[],
};

const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

fn end(how: HowEnded) -> End {
    End {
        how,
        crash: None,
        denied: None,
        refusal: None,
        heap_fault: None,
        report: None,
        violation: None,
        killed_by_host: false,
        retired: false,
        too_many_threads: None,
        too_much_on_disk: None,
        signals_put_back: 0,
        cpu_limit: None,
    }
}

fn signalled(number: i32) -> End {
    end(HowEnded::Signalled(number))
}

/// Ended by an instruction, as its handler has noted.
fn crashed(number: i32) -> End {
    let (address, pc, sp, stack_low, stack_high) = (0, 0, 0, 0, 0);
    let crash =
        CrashRecord { signal: number, code: 1, address, pc, sp, stack_low, stack_high, lane: Some(0) };
    End { crash: Some(crash), ..signalled(number) }
}

fn killed() -> End {
    End { killed_by_host: true, ..signalled(SIGABRT) }
}

fn retired() -> End {
    End { retired: true, ..end(HowEnded::Exited(0)) }
}

fn check(end: &End, because: Option<Because>, why: WhyEnded) -> String {
    let (found, fault) = judged(end, because, true);
    assert_eq!(found, why, "{end:?}: {}", fault.message);
    fault.message
}

#[test]
fn what_the_host_had_in_mind_is_why_where_the_host_ended_it() {
    let hung = || Some(Because::call(ErrorKind::Hung, "f"));
    check(&killed(), hung(), WhyEnded::Fault(ErrorKind::Hung));
    check(&killed(), Some(Because::call(ErrorKind::Cancelled, "f")), WhyEnded::Cancelled);
    check(&killed(), Some(Because::reloaded()), WhyEnded::Reloaded);
    let worn = Worn { by: Wear::Calls, value: 7, limit: 7 };
    let told = check(&retired(), Some(Because::worn(worn)), WhyEnded::Worn(Wear::Calls));
    assert_eq!(told, "it was worn by calls: 7 of 7");
    check(&retired(), None, WhyEnded::Stopped);
    // Told to stop, and killed behind that.
    check(&End { retired: true, ..killed() }, None, WhyEnded::Stopped);
}

#[test]
fn what_ended_it_before_the_host_could_is_why() {
    let hung = || Some(Because::call(ErrorKind::Hung, "f"));
    for by_host in [false, true] {
        let faster = End { killed_by_host: by_host, ..crashed(SIGSEGV) };
        check(&faster, hung(), WhyEnded::Fault(ErrorKind::Crashed));
    }
    check(&signalled(SIGKILL), hung(), WhyEnded::Signalled);
    check(&end(HowEnded::Exited(3)), hung(), WhyEnded::Fault(ErrorKind::Exited));
    let rule = End { violation: Some("a rule".into()), ..killed() };
    assert_eq!(check(&rule, hung(), WhyEnded::Fault(ErrorKind::ProtocolViolation)), "a rule");
}

#[test]
fn without_a_word_of_the_host_it_is_what_the_kernel_says() {
    check(&signalled(SIGKILL), None, WhyEnded::Signalled);
    check(&crashed(SIGSEGV), None, WhyEnded::Fault(ErrorKind::Crashed));
    check(&end(HowEnded::Exited(0)), None, WhyEnded::Fault(ErrorKind::Exited));
    check(&end(HowEnded::Unknown), None, WhyEnded::Fault(ErrorKind::WorkerLost));
}

#[test]
fn one_that_did_not_come_up_says_why() {
    let report = Report { event: wire::Event::LoadFailed, errno: 0, text: "no such library".into() };
    let end = End { report: Some(report), ..end(HowEnded::Exited(1)) };
    let (why, fault) = judged(&end, None, false);
    assert_eq!((why, &*fault.message), (WhyEnded::Fault(ErrorKind::LoadFailed), "no such library"));
}

fn ends() -> Arc<Ends> {
    Arc::new(Ends::of(&PACKAGE))
}

#[test]
fn the_first_reason_of_the_host_holds_and_only_of_one_that_serves() {
    let ends = ends();
    ends.because(1, Because::reloaded());
    ends.note(1, 11, &killed(), None);
    ends.serves(2);
    ends.because(2, Because::call(ErrorKind::Hung, "f"));
    ends.because(2, Because::reloaded());
    ends.note(2, 12, &killed(), Some("g".into()));
    // Found dead as it was to serve.
    ends.note(3, 13, &crashed(SIGSEGV), Some("g".into()));
    ends.serves(3);
    let (count, last) = ends.last(KEPT);
    assert_eq!(count, 3);
    let told: Vec<_> = last
        .iter()
        .map(|end| (end.number, end.generation, end.served, end.why, end.function.as_deref()))
        .collect();
    let fault = WhyEnded::Fault;
    assert_eq!(
        told,
        [
            (1, 1, false, fault(ErrorKind::Crashed), None),
            (2, 2, true, fault(ErrorKind::Hung), Some("f")),
            (3, 3, true, fault(ErrorKind::Crashed), Some("g")),
        ]
    );
    assert!(ends.known.lock().serving.is_empty());
}

#[test]
fn the_last_are_kept_and_all_are_counted() {
    let ends = ends();
    (1..=KEPT as u64 + 5).for_each(|generation| ends.note(generation, 1, &signalled(SIGKILL), None));
    let (count, last) = ends.last(KEPT);
    assert_eq!((count, last.len()), (KEPT as u64 + 5, KEPT));
    assert_eq!((last[0].number, last[KEPT - 1].number), (6, KEPT as u64 + 5));
    assert_eq!(ends.last(SHOWN).1[0].number, count - SHOWN as u64 + 1);
}
