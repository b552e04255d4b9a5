//! Cases whose calls go in batches, as far as they can.

use std::sync::Arc;

use hotcell::dynamic::{Batch, Value, never_in_a_batch};
use hotcell::{Done, Error, Ticket, dynamic};
use hotcell_model::interface::Param;

use super::Running;
use crate::plan::{Case, Input, Step};
use crate::seen::Outcome;

/// A step of a batch.
enum Put {
    /// It is an entry.
    Sent(Ticket<dynamic::Outcome>),
    /// It was refused, and is none.
    Refused(Error),
    /// An object that it speaks of never came to be.
    Absent,
}

impl Running {
    /// As [`Running::run`], with calls that follow each other in one batch. Comes with how many calls were entries. `None`
    /// when the batch ended the worker, or failed as a whole: then it is not known of each what came of it.
    pub(super) fn run_batched(self: &Arc<Self>, case: &Case) -> Option<(Vec<Outcome>, usize)> {
        // What is told while a batch runs belongs to any of its entries.
        let most = if case.steps.iter().any(calls_back) { 1 } else { usize::MAX };
        let (mut outcomes, mut entries) = (Vec::new(), 0);
        let mut steps = &case.steps[..];
        while let [first, behind @ ..] = steps {
            let count = self.together(steps).min(most);
            if count == 0 {
                outcomes.push(self.step(first));
                steps = behind;
            } else {
                outcomes.extend(self.batch(&steps[..count])?);
                entries += count;
                steps = &steps[count..];
            }
            if outcomes.last().is_some_and(Outcome::ends_process) {
                break;
            }
        }
        Some((outcomes, entries))
    }

    /// How many of the first steps can be in one batch: none is passed what another gives.
    fn together(&self, steps: &[Step]) -> usize {
        let mut given = Vec::new();
        let ends = |step: &Step| {
            let function = &self.interface.functions[usize::from(step.function)];
            let takes_given = step.args.iter().any(|input| match input {
                Input::Object(number) | Input::Resident(number, _) => given.contains(number),
                _ => false,
            });
            given.extend(step.gives.iter().map(|(_, number)| *number));
            takes_given || never_in_a_batch(function).is_some()
        };
        steps.iter().position(ends).unwrap_or(steps.len())
    }

    /// What comes of each of these steps, in one batch.
    fn batch(self: &Arc<Self>, steps: &[Step]) -> Option<Vec<Outcome>> {
        let mut batch = Batch::new(&self.session, &self.interface);
        let puts: Vec<Put> = steps.iter().map(|step| self.put(&mut batch, step)).collect();
        self.state().calls.push(Vec::new());
        let ran = batch.run();
        let calls = self.state().calls.pop().unwrap_or_default();
        let alone = steps.len() == 1;
        let mut done = match ran {
            Ok(done) if done.fault().is_none() || alone => done,
            Err(error) if alone => return Some(vec![self.step_failed(&steps[0], &error)]),
            _ => return None,
        };
        let taken = puts.into_iter().zip(steps).map(|(put, step)| self.take(&mut done, put, step));
        let mut outcomes: Vec<Outcome> = taken.collect();
        if !calls.is_empty() {
            let then = Box::new(outcomes.pop()?);
            outcomes.push(Outcome::Called { calls, then });
        }
        Some(outcomes)
    }

    fn put(self: &Arc<Self>, batch: &mut Batch, step: &Step) -> Put {
        let function = &self.interface.functions[usize::from(step.function)];
        let params = function.params.iter().filter(|it: &&Param| it.role.value.is_argument());
        let args: Option<Vec<Value>> =
            params.zip(&step.args).map(|(param, input)| self.value(param, input)).collect();
        match args.map(|args| batch.add(step.function, args)) {
            None => Put::Absent,
            Some(Ok(ticket)) => Put::Sent(ticket),
            Some(Err(error)) => Put::Refused(error),
        }
    }

    fn take(&self, done: &mut Done, put: Put, step: &Step) -> Outcome {
        let function = &self.interface.functions[usize::from(step.function)];
        match put {
            Put::Absent => Outcome::Absent,
            Put::Refused(error) => self.failed(step, function, &error),
            Put::Sent(ticket) => match done.take(ticket) {
                Ok(outcome) => self.returned(step, function, outcome),
                Err(error) => self.failed(step, function, &error),
            },
        }
    }

    fn step_failed(&self, step: &Step, error: &Error) -> Outcome {
        self.failed(step, &self.interface.functions[usize::from(step.function)], error)
    }
}

fn calls_back(step: &Step) -> bool {
    step.args.iter().any(|input| matches!(input, Input::Callback(_)))
}
