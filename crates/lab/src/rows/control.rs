//! Calls that do not return, return elsewhere, or return what they cannot.

use hotcell::ErrorKind::*;

use crate::failure::Failure;
use crate::row::End::*;
use crate::row::Expected::*;
use crate::row::{Direct, Ran, Row, Stop};
use crate::session::Session;
use crate::stage::{Stage, number, object, told, wait_for_end, wait_while};
use crate::value::Value;
use crate::via::Via;

pub(crate) const ROWS: &[Row] =
    &[
        Row::new(
            "F1",
            "infinite loop",
            Direct::new(&["loop"], Hangs),
            |stage| stage.int_within(300, "loop", &[]),
            Fails(Hung, &["300ms"]),
        ),
        Row::new(
            "F2",
            "infinite loop that calls back",
            Direct::new(&["visit_for_ever"], Hangs),
            visit_for_ever,
            Fails(LimitExceeded, &["more than 1000 times"]),
        ),
        Row::new(
            "F3",
            "deadlock with itself",
            Direct::new(&["deadlock"], Hangs),
            |stage| stage.int_within(300, "deadlock", &[]),
            Fails(Hung, &["300ms"]),
        ),
        Row::new(
            "F4",
            "sleep beyond the deadline, then return",
            Direct::new(&["sleep", "60000"], Hangs),
            |stage| stage.int_within(300, "sleep", &[5_000]),
            Fails(Hung, &["300ms"]),
        ),
        Row::new(
            "F5",
            "abort()",
            Direct::new(&["abort"], Dies("SIGABRT")),
            |stage| stage.int("abort", &[]),
            Fails(Crashed, &["SIGABRT"]),
        ),
        Row::new(
            "F6",
            "exit(0) in the middle of a call",
            Direct::new(&["exit", "0"], Exits(0)),
            |stage| stage.int("exit", &[0]),
            Fails(Exited, &["exit(0)"]),
        ),
        Row::new(
            "F7",
            "exit(3) on bad input",
            Direct::new(&["give_up", "3"], Exits(3)).says("this input is not for me"),
            |stage| stage.int("give_up", &[3]),
            Fails(Exited, &["exit(3)", "this input is not for me"]),
        ),
        Row::new(
            "F8",
            "_exit from another thread",
            Direct::new(&["exit_in_thread", "4"], Exits(4)),
            |stage| stage.int("exit_in_thread", &[4]),
            Fails(Exited, &["exit(4)"]),
        ),
        Row::new(
            "F9",
            "longjmp over the caller's frames",
            Direct::new(&["jump_out"], GoesOn)
                .says("returned -7, and 0 of its callbacks ended")
                .elsewhere(&[(Via::Go, Exits(2), "fatal error: exitsyscall")]),
            jump_out,
            Fails(ProtocolViolation, &["jumped (longjmp) out of a call"]),
        ),
        Row::new(
            "F10",
            "longjmp within the library",
            Direct::new(&["jump_within", "3"], GoesOn).says("returned -1"),
            |stage| stage.int("jump_within", &[3]),
            Fails(LibraryError, &[]),
        ),
        Row::new(
            "F11",
            "C++ exception out of an extern \"C\" function",
            Direct::new(&["throw"], Dies("SIGABRT")).says("the answer is not 42"),
            |stage| stage.int("throw", &[]),
            Fails(Crashed, &["SIGABRT", "std::runtime_error", "the answer is not 42"]),
        ),
        Row::new(
            "F12",
            "pure virtual call",
            Direct::new(&["pure_virtual"], Dies("SIGABRT")).says("pure virtual method called"),
            |stage| stage.int("pure_virtual", &[]),
            Fails(Crashed, &["SIGABRT", "pure virtual method called"]),
        ),
        Row::new(
            "F13",
            "failed assertion",
            Direct::new(&["assert", "1"], Dies("SIGABRT")).says("the value must be 42"),
            |stage| stage.int("assert", &[1]),
            Fails(Crashed, &["SIGABRT", "the value must be 42"]),
        ),
        Row::new(
            "F14",
            "illegal instruction",
            Direct::new(&["illegal_instruction"], Dies("SIGILL")),
            |stage| stage.int("illegal_instruction", &[]),
            Fails(Crashed, &["SIGILL"]),
        ),
        Row::new(
            "F15",
            "pthread_exit on the caller's thread",
            Direct::new(&["exit_thread"], Exits(0)).elsewhere(&[(Via::Go, Hangs, "")]),
            |stage| stage.int("exit_thread", &[]),
            Fails(Exited, &["ended the thread that executed the call"]),
        ),
        Row::new(
            "F16",
            "values that their types do not have",
            Direct::new(&["odd_colour"], GoesOn).says("returned 99"),
            odd_values,
            Gives("enumerator 99, truth true, number NaN"),
        ),
        Row::new(
            "F17",
            "a callback that fails",
            Direct::new(&["throw_through"], Hangs)
                .says("caught")
                // What is raised there is printed, and lost.
                .elsewhere(&[(Via::Python, GoesOn, "returned and caught 0 of 2")]),
            |stage| {
                let mut fails = |_: &[Value]| Err("the program's own failure".to_owned());
                let locked = stage.call_with("locked", &[Value::Callback], &mut fails);
                // Its lock is free: the library was returned to.
                let again = stage.call_with("locked", &[Value::Callback], &mut |_| Ok(Value::Int(9)))?;
                if number(&again) != Some(9) {
                    return Err(Stop::Wrong(format!("the lock is lost: {again:?}")));
                }
                Ok(told(&locked?))
            },
            Fails(CallbackFailed, &["the program's own failure"]),
        ),
        Row::new(
            "F18",
            "a callback that calls back, without end",
            Direct::new(&["recurse"], Dies("SIGSEGV"))
                // Each level ends at its own limit of depth, and the library calls on.
                .elsewhere(&[(Via::Python, Hangs, "")]),
            recurse,
            Fails(LimitExceeded, &["8"]),
        ),
        Row::new(
            "F19",
            "a caller that gives up in the middle of a call",
            Direct::new(&["loop"], Hangs),
            gives_up,
            Fails(Cancelled, &["executed: maybe"]),
        ),
    ];

fn visit_for_ever(stage: &mut Stage<'_>) -> Ran {
    stage.open(|options| options.max_callbacks = 1_000)?;
    let db = object(&stage.call("open", &[Value::Int(0)])?)?;
    let mut seen = 0;
    let visited =
        stage.call_with("visit", &[db, Value::Int(i128::from(i32::MAX)), Value::Callback], &mut |_| {
            seen += 1;
            Ok(Value::Int(0))
        });
    match seen {
        1_000.. => Ok(told(&visited?)),
        fewer => Err(Stop::Wrong(format!("it called back {fewer} times: {visited:?}"))),
    }
}

/// Another thread gives the call up as soon as it is under way.
fn gives_up(stage: &mut Stage<'_>) -> Ran {
    let session = stage.session()?;
    let worker = session.worker_pid();
    let called = session.stats().number("calls");
    let begun = session.begin("loop", &[]);
    let under_way = wait_while(|| session.stats().number("calls") == called, "the call is not under way");
    let given_up = begun.give_up();
    under_way?;
    wait_for_end(worker)?;
    match session.stats().faults().as_slice() {
        [] => Ok(told(&given_up?)),
        faults => Err(Stop::Wrong(format!("it counts as a fault: {faults:?}"))),
    }
}

fn jump_out(stage: &mut Stage<'_>) -> Ran {
    let session = stage.session()?;
    let mut inner = None;
    let outer = stage.call_with("outer", &[Value::Callback], &mut |args| {
        let number = args.iter().find_map(|value| match value {
            Value::Int(number) => Some(*number),
            _ => None,
        });
        let ran = session.call("inner", &[Value::Int(number.unwrap_or(0))]);
        let failed = ran.as_ref().map(drop).map_err(ToString::to_string);
        inner = Some(ran);
        failed.map(|()| Value::Int(1))
    });
    // Both were under way: neither has a result.
    match (inner, outer) {
        (Some(Err(error)), Err(_)) => Err(error.into()),
        (inner, outer) => Err(Stop::Wrong(format!("inside {inner:?}, outside {outer:?}"))),
    }
}

fn odd_values(stage: &mut Stage<'_>) -> Ran {
    let colour = stage.int("odd_colour", &[])?;
    let truth = stage.int("odd_truth", &[])?;
    let number = stage.int("not_a_number", &[])?;
    Ok(format!("enumerator {colour}, truth {truth}, number {number}"))
}

fn recurse(stage: &mut Stage<'_>) -> Ran {
    let session = stage.session()?;
    let mut deepest = None;
    match deeper(&session, &mut deepest) {
        Err(_) => Err(deepest.map_or_else(|| Stop::Wrong("no call was refused".into()), Stop::from)),
        Ok(returned) => Ok(returned),
    }
}

/// A call that is made in its own callback, and so on; the first error of all.
fn deeper(session: &Session, first: &mut Option<Failure>) -> Result<String, String> {
    let mut inner = |_: &[Value]| deeper(session, first).map(|_| Value::Int(1));
    match session.call_with("outer", &[Value::Callback], &mut inner) {
        Ok(outcome) => Ok(told(&outcome)),
        Err(error) => {
            let text = error.to_string();
            first.get_or_insert(error);
            Err(text)
        }
    }
}
