//! What a batch comes to when it failed as a whole and a callback failed besides.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::rt::Spare;
use crate::rt::{Package, SandboxLines};

static PACKAGE: Package = Package {
    runtime: 1,
    library: "test",
    fingerprint: [0; 32],
    reentrant: false,
    functions: &[],
    handles: &[],
    sandbox: SandboxLines::DEFAULT,
    guard: crate::rt::Guard::None,
    shim: &[],
};

fn context() -> Context {
    Context { package: &PACKAGE, function: "", call_id: 1, generation: 1, call_site: None }
}

fn error(kind: ErrorKind) -> Error {
    context().error(
        Fault { kind, cause: Cause::None, message: String::new() },
        Executed::Maybe,
        String::new(),
    )
}

fn come_of(fault: Option<ErrorKind>, whole: Option<ErrorKind>, raised: Option<Failure>) -> Option<ErrorKind> {
    let memory = Arc::new(Spare::default()).take(&[]);
    let done =
        Done { batch: 1, context: context(), memory, fault: fault.map(error), lane: None, counted: true };
    done.or_failed(whole.map(error), raised).err().map(|error| error.kind())
}

#[test]
fn a_callbacks_failure_is_told_unless_the_worker_broke() {
    let raised = || Some(Failure::Error(error(ErrorKind::CallbackFailed)));
    let (limit, crashed) = (Some(ErrorKind::LimitExceeded), Some(ErrorKind::Crashed));
    assert_eq!(come_of(None, None, None), None);
    assert_eq!(come_of(None, limit, None), limit);
    assert_eq!(come_of(None, None, raised()), Some(ErrorKind::CallbackFailed));
    assert_eq!(come_of(None, limit, raised()), Some(ErrorKind::CallbackFailed));
    assert_eq!(come_of(None, crashed, raised()), crashed);
    assert_eq!(come_of(crashed, None, raised()), None, "each entry says what it met");
}

#[test]
fn a_callbacks_panic_goes_on_whatever_became_of_the_batch() {
    let crashed = Some(ErrorKind::Crashed);
    for (fault, whole) in
        [(None, None), (crashed, None), (None, crashed), (None, Some(ErrorKind::LimitExceeded))]
    {
        let fails = || {
            come_of(fault, whole, Some(Failure::Panic(Box::new("as it is"))));
        };
        let panic = catch_unwind(AssertUnwindSafe(fails)).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"as it is"));
    }
}
