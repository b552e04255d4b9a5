//! From the end of a worker to the kind and cause of an error.

use hotcell_protocol::wire::{Event, Phase};
use hotcell_protocol::{ErrorKind, LimitExceededReason};
use hotcell_supervisor::{End, HowEnded, Report, StackLeft, StartError};

use crate::denied::Denied;
use crate::error::{Cause, LeftBy};
use crate::memory::{HeapFault, Shortage};
use crate::session::Blame;
use crate::signals;

/// What an error says of a fault.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) cause: Cause,
    pub(crate) message: String,
}

/// A worker that ended during a call.
pub(crate) fn of_end(end: &End) -> Fault {
    let fault = of_its_end(end);
    // By its own word, which can but make one fault of a worker another.
    let refused =
        end.refusal.filter(|refused| refused.fatal && !end.is_by_host() && end.heap_fault.is_none());
    match (refused, fault.kind) {
        (Some(refused), ErrorKind::Crashed | ErrorKind::Exited) => {
            let shortage = Shortage::of(&refused);
            let message = format!("{shortage}; then: {}", fault.message);
            let cause = Cause::Memory { shortage, ended: fault.message };
            Fault { kind: ErrorKind::OutOfMemory, cause, message }
        }
        _ => fault,
    }
}

/// The stack of the thread that ended a worker, where it ended by what its handler noted.
pub(crate) fn stack_of(end: &End) -> Option<StackLeft> {
    end.stack.clone().filter(|_| end.is_as_noted())
}

/// That a worker ended itself because the host did not answer a callback, in its words.
pub(crate) fn unanswered(end: &End) -> Option<String> {
    match &end.report {
        Some(Report { event: Event::Unanswered, text, .. }) => Some(text.clone()),
        _ => None,
    }
}

fn of_its_end(end: &End) -> Fault {
    if let Some(rule) = &end.violation {
        return violation(rule);
    }
    if let Some(Report { event: Event::HostViolation, text, .. }) = &end.report {
        return violation(text);
    }
    if let Some(message) = unanswered(end) {
        return Fault { kind: ErrorKind::Hung, cause: Cause::None, message };
    }
    if let Some(Report { event: Event::NoDescriptors, text, .. }) = &end.report {
        let cause = Cause::Limit { what: LimitExceededReason::Fds, value: 0 };
        return Fault { kind: ErrorKind::LimitExceeded, cause, message: text.clone() };
    }
    if let Some(value) = end.too_many_threads {
        let cause = Cause::Limit { what: LimitExceededReason::Threads, value };
        let message = format!("the worker had more than the {value} threads that it was given");
        return Fault { kind: ErrorKind::LimitExceeded, cause, message };
    }
    if let Some(value) = end.too_much_on_disk {
        let cause = Cause::Limit { what: LimitExceededReason::Disk, value };
        let message = format!(
            "the library had more than the {value} bytes in its directory for temporary files that it was given; they were removed"
        );
        return Fault { kind: ErrorKind::LimitExceeded, cause, message };
    }
    if let Some(Report { event, text, .. }) = &end.report
        && let Some((kind, how)) = left_by(*event)
    {
        return Fault { kind, cause: Cause::Left { how }, message: text.clone() };
    }
    match end.how {
        HowEnded::Exited(status) => {
            let message = format!("the library ended its process with exit({status})");
            Fault { kind: ErrorKind::Exited, cause: Cause::Exit { status }, message }
        }
        HowEnded::Signalled(number) => signalled(end, number),
        HowEnded::Unknown => match end.crash {
            Some(record) => signalled(end, record.signal),
            None => {
                let message =
                    "the worker ended; this program collected its status with a wait of its own, or \
                               ignores SIGCHLD"
                        .into();
                Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message }
            }
        },
    }
}

/// How a call was left that nobody can answer any more, if that is what a worker reports.
fn left_by(event: Event) -> Option<(ErrorKind, LeftBy)> {
    match event {
        Event::JumpedOut => Some((ErrorKind::ProtocolViolation, LeftBy::Jump)),
        Event::ThreadEnded => Some((ErrorKind::Exited, LeftBy::EndOfThread)),
        _ => None,
    }
}

/// A worker that did not come up.
pub(crate) fn of_start(error: &StartError) -> (Fault, String) {
    let failed = |kind, cause, message| Fault { kind, cause, message };
    match error {
        StartError::System { .. } => {
            (failed(ErrorKind::LoadFailed, Cause::None, error.to_string()), String::new())
        }
        StartError::NotBegun { output, .. } => {
            (failed(ErrorKind::LoadFailed, Cause::None, error.to_string()), output.clone())
        }
        StartError::NotInForce { missing, output } => {
            let cause = Cause::NotInForce { missing: missing.clone() };
            (failed(ErrorKind::LoadFailed, cause, error.to_string()), output.clone())
        }
        StartError::Replaced { replaced, output } => {
            let cause = Cause::Replaced { path: replaced.path.clone() };
            (failed(ErrorKind::LoadFailed, cause, replaced.to_string()), output.clone())
        }
        StartError::Late { output } => {
            let message = "the library did not finish loading in time".into();
            (failed(ErrorKind::LoadFailed, Cause::None, message), output.clone())
        }
        StartError::Ended { end, output } => {
            let fault = match &end.report {
                Some(report) => failed(kind_of_report(report.event), Cause::None, report.text.clone()),
                None => {
                    let Fault { cause, message, .. } = of_end(end);
                    let when = match (&cause, &end.denied) {
                        (Cause::Denied(_), Some(record)) => match record.phase {
                            Phase::Load => "while loading the library",
                            // By the rules of its profile: a thread that a constructor has left, for instance.
                            Phase::Serve => "before it served",
                            Phase::Check => "while the library was checked",
                        },
                        _ => "while loading the library",
                    };
                    failed(ErrorKind::LoadFailed, cause, format!("{when}: {message}"))
                }
            };
            (fault, output.clone())
        }
    }
}

/// A worker of whose end nothing is known.
pub(crate) fn lost() -> Fault {
    let message = "the worker ended without a trace".to_owned();
    Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message }
}

/// A worker that was ended because it did not do in time what a call of this function needed, which was not sent.
pub(crate) fn of_unsent(function: &str) -> Fault {
    let message = format!("the worker was ended: it did not take memory for a call of `{function}` in time");
    Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message }
}

/// A worker that was ended because it had been replaced.
pub(crate) fn drained() -> Fault {
    let message =
        "the library was loaded anew, and the call had not ended when the time of the worker before was over";
    Fault { kind: ErrorKind::WorkerLost, cause: Cause::None, message: message.to_owned() }
}

/// A worker that ended because of a call of another thread, whose fault it was.
pub(crate) fn of_another(suspect: Blame, end: &End) -> Fault {
    let Blame { function, call_id, .. } = suspect;
    let what = if end.killed_by_host {
        "was ended because of".to_owned()
    } else {
        format!("ended ({}) in", of_end(end).message)
    };
    let message = format!("the worker {what} a call of another thread, `{function}` with id {call_id}");
    Fault { kind: ErrorKind::WorkerLost, cause: Cause::Suspect { function, call_id }, message }
}

/// A worker that broke a rule.
pub(crate) fn violation(rule: &str) -> Fault {
    Fault { kind: ErrorKind::ProtocolViolation, cause: Cause::None, message: rule.to_owned() }
}

fn kind_of_report(event: Event) -> ErrorKind {
    match event {
        Event::AbiMismatch => ErrorKind::AbiMismatch,
        Event::SymbolMissing => ErrorKind::SymbolMissing,
        Event::LoadFailed | Event::LaunchFailed | Event::NoDescriptors | Event::GroupRefused => {
            ErrorKind::LoadFailed
        }
        Event::HostViolation | Event::JumpedOut => ErrorKind::ProtocolViolation,
        Event::ThreadEnded => ErrorKind::Exited,
        Event::Unanswered => ErrorKind::Hung,
    }
}

fn signalled(end: &End, number: i32) -> Fault {
    if let Some(denied) = denied(end, number) {
        let message = format!("the sandbox denied {denied}");
        return Fault { kind: ErrorKind::SandboxDenied, cause: Cause::Denied(denied), message };
    }
    if let (SIGXCPU, Some(limit)) = (number, end.cpu_limit) {
        let value = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
        let cause = Cause::Limit { what: LimitExceededReason::Cpu, value };
        let message =
            format!("the worker has taken all of the {value} s of CPU time it was given for its life");
        return Fault { kind: ErrorKind::LimitExceeded, cause, message };
    }
    let name = signals::name(number);
    // The record is the worker's own word; it is believed only where it agrees with the kernel's.
    let record = end.crash.filter(|record| record.signal == number);
    // An instruction caused it, and the kernel says where: not so for an address that no program can have, for instance.
    let located = record.filter(|record| record.code > 0 && record.code != SI_KERNEL && has_address(number));
    let address = located.map(|record| record.address);
    let stack_overflow = end.stack_overflow();
    let sent = record.map_or(number == SIGKILL, |record| matches!(record.code, SI_USER | SI_QUEUE));
    let external = sent && !end.is_by_host();
    let heap = end.heap_fault.as_ref().map(HeapFault::of_record).filter(|heap| match number {
        SIGSEGV | SIGBUS => address.is_some() && heap.address == address,
        _ => number == SIGABRT,
    });
    let message = match address {
        _ if heap.is_some() => {
            let heap = heap.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{name}: {heap}")
        }
        _ if stack_overflow => format!("{name}: the stack overflowed"),
        Some(address) if address < 4096 && number == SIGSEGV => {
            format!("{name} at address {address:#x}: a null pointer was used")
        }
        Some(address) => format!("{name} at address {address:#x}"),
        None if number == SIGSEGV && record.is_some_and(|record| record.code == SI_KERNEL) => {
            format!("{name}: an address that no program can have was used, or an instruction that none may")
        }
        None if external && number == SIGKILL && end.cpu_limit.is_some() => format!(
            "{name}, sent by another process, by the kernel when memory ran out, or because the library went on when its \
             time on CPUs was over"
        ),
        None if external && number == SIGKILL => {
            format!("{name}, sent by another process or by the kernel when memory ran out")
        }
        None if external => format!("{name}, sent by another process"),
        None => name.to_owned(),
    };
    let put_back = (1..=64).contains(&number) && end.signals_put_back >> (number - 1) & 1 == 1;
    let message = match put_back && !end.is_by_host() {
        true => format!(
            "{message}; a handler that the library had set was put back between calls: with `leaves = [\"handlers\"]` in its \
             contract it stays"
        ),
        false => message,
    };
    let pc = record.map(|record| record.pc);
    let cause =
        Cause::Signal { number, name, address, pc, stack_overflow, external, heap: heap.map(Box::new) };
    Fault { kind: ErrorKind::Crashed, cause, message }
}

/// The system call that ended the worker, if one did: the kernel sends SIGSYS for it.
fn denied(end: &End, number: i32) -> Option<Denied> {
    if number != SIGSYS {
        return None;
    }
    match (&end.denied, end.crash.filter(|record| record.signal == number)) {
        (Some(record), _) => Some(Denied::of_record(record).by(
            record,
            &end.sandbox,
            !end.served && record.phase == Phase::Load,
        )),
        // Its own handler was there, and saw the signal sent by somebody.
        (None, Some(_)) => None,
        (None, None) => Some(Denied::unknown()),
    }
}

const SIGSYS: i32 = 31;
const SIGKILL: i32 = 9;
const SIGSEGV: i32 = 11;
const SIGXCPU: i32 = 24;
const SIGBUS: i32 = 7;
const SIGABRT: i32 = 6;
const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGFPE: i32 = 8;

/// The `si_code` of a signal for which the kernel has no more to say; the address is 0 then.
const SI_KERNEL: i32 = 0x80;

/// The `si_code` of a signal that a process sent, by `kill` and by `sigqueue`. Who raises one in himself has another, by `kill` too, as the
/// worker's handler notes it.
const SI_USER: i32 = 0;
const SI_QUEUE: i32 = -1;

/// Whether a signal ends a process for what its code did, and so that the worker's handler notes it, unless the library has
/// another one. All others somebody may have sent, or a timer.
pub(crate) fn is_of_code(signal: i32) -> bool {
    matches!(signal, SIGSEGV | SIGBUS | SIGILL | SIGFPE | SIGABRT | SIGTRAP | SIGSYS)
}

fn has_address(signal: i32) -> bool {
    matches!(signals::name(signal), "SIGSEGV" | "SIGBUS" | "SIGILL" | "SIGFPE" | "SIGTRAP")
}
