//! Objects whose state is known: each step of a query gives the next row, and objects of a worker that is gone are refused.

use std::time::Duration;

use hotcell::dynamic::{Outcome, Value};
use hotcell::rt::Handle;

use super::{Client, ints};
use crate::subject::Subject;

/// Rows of a query.
const ROWS: i128 = 3;

impl Client {
    /// Opens a database, goes through a query, and lets both go.
    pub(super) fn objects(&mut self, subject: &Subject) {
        let Some(db) = self.handle(subject, "open", &ints([0])) else { return };
        let text = Value::Text("rows".to_owned());
        let Some(query) = self.handle(subject, "prepare", &[db.clone().into(), text]) else { return };
        for number in 1..=ROWS {
            if self.random.once_in(4) {
                std::thread::sleep(Duration::from_millis(self.random.below(30)));
            }
            let Some(row) = self.handle(subject, "step", &[query.clone().into()]) else { return };
            let sent = self.sends();
            self.returns(subject, sent, subject.call("number", &[row.into()]), number);
        }
        let sent = self.sends();
        let made = subject.call("step", &[query.into()]);
        self.ends(subject, sent, made, |outcome| matches!(outcome.returned, Some(Value::Null)));
    }

    /// The object that a call gives.
    fn handle(&mut self, subject: &Subject, name: &str, args: &[Value]) -> Option<Handle> {
        let sent = self.sends();
        let made = subject.call(name, args);
        let found = made.as_ref().ok().and_then(handle_of);
        self.ends(subject, sent, made, |outcome| handle_of(outcome).is_some());
        found
    }
}

fn handle_of(outcome: &Outcome) -> Option<Handle> {
    let values = outcome.returned.iter().chain(outcome.outs.iter().map(|(_, value)| value));
    values.into_iter().find_map(|value| match value {
        Value::Handle(handle) => Some(handle.clone()),
        _ => None,
    })
}
