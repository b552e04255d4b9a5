//! What is made of what the kernel, the worker and the host know of an end.

use std::sync::Arc;

use hotcell_shm::CrashRecord;
use hotcell_supervisor::{HowEnded, Report, Sent};

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
const SIGXFSZ: i32 = 25;
const SI_USER: i32 = 0;
const SI_TKILL: i32 = -6;

fn end(how: HowEnded) -> End {
    End {
        how,
        crash: None,
        denied: None,
        served: true,
        sandbox: Arc::default(),
        refusal: None,
        heap_fault: None,
        stack: None,
        report: None,
        violation: None,
        killed_by_host: false,
        sent: Sent::default(),
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
    crashed_as(number, 1)
}

/// Ended by a signal with this code, as its handler has noted.
fn crashed_as(number: i32, code: i32) -> End {
    let (address, pc, sp, stack_low, stack_high) = (0, 0, 0, 0, 0);
    let crash = CrashRecord { signal: number, code, address, pc, sp, stack_low, stack_high, lane: Some(0) };
    End { crash: Some(crash), ..signalled(number) }
}

/// The host has sent it SIGABRT, and SIGKILL behind that if it had to.
fn by_host(kill: bool, end: End) -> End {
    End { killed_by_host: true, sent: Sent { abort: true, kill }, ..end }
}

fn killed() -> End {
    by_host(false, crashed_as(SIGABRT, SI_USER))
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
    // Without a word of its handler, which the library may have taken away, or killed behind that.
    check(&by_host(false, signalled(SIGABRT)), hung(), WhyEnded::Fault(ErrorKind::Hung));
    check(&by_host(true, signalled(SIGKILL)), hung(), WhyEnded::Fault(ErrorKind::Hung));
    // Told to stop, and killed behind that.
    check(&End { retired: true, ..by_host(true, signalled(SIGKILL)) }, None, WhyEnded::Stopped);
    // Nobody knows how it ended.
    check(&by_host(false, end(HowEnded::Unknown)), hung(), WhyEnded::Fault(ErrorKind::Hung));
}

#[test]
fn what_ended_it_before_the_host_could_is_why() {
    let hung = || Some(Because::call(ErrorKind::Hung, "f"));
    let crashed_so = WhyEnded::Fault(ErrorKind::Crashed);
    for (end, why) in [
        (crashed(SIGSEGV), crashed_so),
        // `abort`, and a failed `assert`.
        (crashed_as(SIGABRT, SI_TKILL), crashed_so),
        (end(HowEnded::Exited(3)), WhyEnded::Fault(ErrorKind::Exited)),
        (end(HowEnded::Exited(0)), WhyEnded::Fault(ErrorKind::Exited)),
        (signalled(SIGKILL), WhyEnded::Signalled),
        (signalled(SIGXFSZ), crashed_so),
    ] {
        let told = check(&end, hung(), why);
        // The host was about to, for the call or for nobody needed it: what is told is the same.
        assert_eq!(check(&by_host(false, end.clone()), hung(), why), told);
        if end.how != HowEnded::Exited(0) {
            let stopped = End { retired: true, ..by_host(false, end) };
            assert_eq!(check(&stopped, None, why), told);
        }
    }
    let aborted = by_host(true, crashed_as(SIGABRT, SI_TKILL));
    check(&aborted, hung(), crashed_so);
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
fn a_call_is_why_and_the_first_of_several_whatever_was_to_end_the_worker_besides() {
    let worn = || Because::worn(Worn { by: Wear::Calls, value: 7, limit: 7 });
    let hung = || Because::call(ErrorKind::Hung, "f");
    let given_up = || Because::call(ErrorKind::Cancelled, "g");
    let (hung_so, given_up_so) = (WhyEnded::Fault(ErrorKind::Hung), WhyEnded::Cancelled);
    let orders: [(Vec<Because>, _, _); 7] = [
        (vec![Because::reloaded(), hung()], hung_so, Some("f")),
        (vec![hung(), Because::reloaded()], hung_so, Some("f")),
        (vec![worn(), given_up()], given_up_so, Some("g")),
        (vec![given_up(), worn()], given_up_so, Some("g")),
        (vec![hung(), given_up(), Because::reloaded()], hung_so, Some("f")),
        (vec![Because::reloaded(), given_up(), hung()], given_up_so, Some("g")),
        (vec![worn(), Because::reloaded()], WhyEnded::Worn(Wear::Calls), None),
    ];
    for (order, why, function) in orders {
        let ends = ends();
        ends.serves(1);
        order.into_iter().for_each(|because| ends.because(1, because));
        ends.note(1, 11, &killed(), Some("h".into()));
        let (_, last) = ends.last(1);
        assert_eq!((last[0].why, last[0].function.as_deref()), (why, function));
    }
}

#[test]
fn what_ended_by_itself_tells_its_own_function_and_what_somebody_killed_none() {
    let ends = ends();
    let of = |generation, end: End| {
        ends.serves(generation);
        ends.because(generation, Because::call(ErrorKind::Hung, "f"));
        ends.note(generation, 11, &by_host(false, end), Some("g".into()));
        ends.last(1).1.remove(0).function
    };
    assert_eq!(of(1, crashed_as(SIGABRT, SI_USER)).as_deref(), Some("f"));
    assert_eq!(of(2, crashed_as(SIGABRT, SI_TKILL)).as_deref(), Some("g"));
    assert_eq!(of(3, signalled(SIGKILL)), None);
}

#[test]
fn a_reason_of_the_host_holds_only_of_one_that_serves() {
    let ends = ends();
    ends.because(1, Because::reloaded());
    ends.note(1, 11, &killed(), None);
    ends.serves(2);
    ends.because(2, Because::call(ErrorKind::Hung, "f"));
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

#[test]
fn what_its_handler_noted_is_believed_where_the_kernel_says_so_or_the_host_overtook_it() {
    let overtaken = |end: End| End { crash: crashed_as(SIGABRT, SI_USER).crash, ..end };
    for (end, is_as_noted) in [
        (crashed(SIGSEGV), true),
        (by_host(false, crashed_as(SIGABRT, SI_USER)), true),
        // It was killed before the signal could end it whose handler had noted it.
        (by_host(true, overtaken(signalled(SIGKILL))), true),
        // By somebody else, or behind a note of the library's own end.
        (overtaken(signalled(SIGKILL)), false),
        (by_host(false, overtaken(signalled(SIGKILL))), false),
        (by_host(true, End { crash: crashed_as(SIGABRT, SI_TKILL).crash, ..signalled(SIGKILL) }), false),
        (by_host(true, End { crash: crashed(SIGSEGV).crash, ..signalled(SIGKILL) }), false),
        (End { crash: crashed(SIGSEGV).crash, ..signalled(SIGABRT) }, false),
        (end(HowEnded::Exited(0)), false),
    ] {
        assert_eq!(end.is_as_noted(), is_as_noted, "{end:?}");
    }
}
