//! Calls that are sent together: batches, and pipelines.

use std::time::Instant;

use hotcell::rt::{Collects as _, Puts as _};

use super::{Client, ints};
use crate::subject::Subject;

impl Client {
    pub(super) fn batch(&mut self, subject: &Subject) {
        let mut batch = subject.batch();
        let add = subject.function("add").0;
        let mut tickets = Vec::new();
        for _ in 0..=self.random.below(20) {
            let numbers = [0; 2].map(|_| self.random.below(1 << 30) as i32);
            match batch.add(add, ints(numbers).to_vec()) {
                Ok(ticket) => tickets.push((ticket, i128::from(numbers[0] + numbers[1]))),
                Err(error) => self.fails(subject.number, self.sends(), error, None),
            }
        }
        let sent = self.sends();
        match batch.run() {
            Ok(mut done) => {
                for (ticket, sum) in tickets {
                    self.returns(subject, sent, done.take(ticket), sum);
                }
            }
            Err(error) => self.fails(subject.number, sent, error, None),
        }
    }

    pub(super) fn pipeline(&mut self, subject: &Subject) {
        let (add, more) = (subject.function("add").0, self.random.below(12));
        let mut pipeline = subject.session.pipeline();
        let (mut tickets, mut sent) = (Vec::new(), self.sends());
        for _ in 0..=more {
            let numbers = [0; 2].map(|_| self.random.below(1 << 30) as i32);
            // Each has its own time, which begins here.
            sent.began = Instant::now();
            match pipeline.entry(add) {
                Ok(mut call) => {
                    call.put_i32(0, numbers[0]);
                    call.put_i32(4, numbers[1]);
                    tickets.push((call.values(|reply| reply.get_i32(0)), numbers[0] + numbers[1], sent));
                }
                Err(error) => self.fails(subject.number, sent, error, None),
            }
        }
        for (ticket, sum, sent) in tickets {
            match pipeline.take(ticket) {
                Ok(found) if found == sum => self.right(sent),
                Ok(found) => self.run.book.wrong(format!("in a pipeline: {found} for {sum}")),
                Err(error) => self.fails(subject.number, sent, error, None),
            }
        }
    }
}
