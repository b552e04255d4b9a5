//! Somebody else, who calls the same library in a worker of their own all the while: every call of theirs must be right.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hotcell::dynamic::{self, Value};
use hotcell::{Options, Session, Waiting};
use hotcell_faulty::carried;

use crate::failure::Failure;
use crate::via::There;

/// Between two of their calls.
const PAUSE: Duration = Duration::from_millis(1);

/// How long one more call of theirs is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Default)]
pub(crate) struct Account {
    right: AtomicU64,
    wrong: AtomicU64,
    stop: AtomicBool,
}

/// They call in this program, or in that which makes the calls of the rows.
#[derive(Debug)]
pub(crate) enum Bystander<'a> {
    Here { account: Arc<Account>, thread: Option<JoinHandle<()>> },
    There(&'a There),
}

impl Bystander<'_> {
    pub(crate) fn start(options: Options) -> Result<Bystander<'static>, Failure> {
        let session = Session::open(carried().package, Options { waiting: Waiting::Economy, ..options })?;
        let account = Arc::new(Account::default());
        let theirs = Arc::clone(&account);
        let thread = thread::spawn(move || call(&session, &theirs));
        Ok(Bystander::Here { account, thread: Some(thread) })
    }

    pub(crate) fn there(there: &There) -> Result<Bystander<'_>, Failure> {
        there.bystander().map(|_| Bystander::There(there))
    }

    /// Where they are now: right and wrong calls.
    pub(crate) fn mark(&self) -> (u64, u64) {
        match self {
            Bystander::Here { account, .. } => {
                (account.right.load(Ordering::Relaxed), account.wrong.load(Ordering::Relaxed))
            }
            // Where they cannot be asked they do not get on.
            Bystander::There(there) => there.bystander().unwrap_or_default(),
        }
    }

    /// Whether they got on since then, with right results alone.
    pub(crate) fn was_unharmed_since(&self, mark: (u64, u64)) -> bool {
        let patience = Instant::now() + PATIENCE;
        let mut now = self.mark();
        // The call that was under way may have begun before.
        while now.0 < mark.0 + 2 && now.1 == mark.1 && Instant::now() < patience {
            thread::sleep(PAUSE);
            now = self.mark();
        }
        now.0 >= mark.0 + 2 && now.1 == mark.1
    }
}

impl Drop for Bystander<'_> {
    fn drop(&mut self) {
        let Bystander::Here { account, thread } = self else { return };
        account.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = thread.take() {
            // It does not panic; and if it did, it has been counted as standing still.
            let _ = thread.join();
        }
    }
}

fn call(session: &Session, account: &Account) {
    let interface = &carried().interface;
    let Some(function) = interface.function("faulty_add") else { return };
    for turn in 0.. {
        if account.stop.load(Ordering::Relaxed) {
            return;
        }
        let sum = dynamic::call(session, interface, function, &[Value::Int(turn % 1000), Value::Int(7)]);
        let right = sum.is_ok_and(|sum| sum.returned == Some(Value::Int(turn % 1000 + 7)));
        let which = if right { &account.right } else { &account.wrong };
        which.fetch_add(1, Ordering::Relaxed);
        thread::sleep(PAUSE);
    }
}
