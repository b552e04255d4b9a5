//! Calls that are awaited, and futures that are dropped.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use hotcell::dynamic::Value;

use super::{Client, ints};
use crate::faults::{Kind, To};
use crate::subject::Subject;

/// Calls until the run is over.
pub(crate) async fn awaits(mut client: Client, subject: Subject) {
    while !client.run.is_done() {
        match client.random.below(100) {
            0..3 => client.drop_one(&subject).await,
            3..20 => client.await_total(&subject).await,
            20..30 => client.await_batch(&subject).await,
            _ => client.await_sum(&subject).await,
        }
        if client.random.once_in(50) {
            tokio::time::sleep(Duration::from_millis(client.random.below(3))).await;
        }
    }
}

impl Client {
    async fn await_sum(&mut self, subject: &Subject) {
        let numbers = [0; 2].map(|_| self.random.below(1 << 30) as i32);
        let sent = self.sends();
        let made = subject.clone().awaited("add", ints(numbers).to_vec()).await;
        self.returns(subject, sent, made, i128::from(numbers[0] + numbers[1]));
    }

    async fn await_total(&mut self, subject: &Subject) {
        let length = self.random.below(20_000) as usize;
        let texts = Value::List(vec![Value::Text("y".repeat(length))]);
        let sent = self.sends();
        let made = subject.clone().awaited("total", vec![texts]).await;
        self.returns(subject, sent, made, length as i128);
    }

    async fn await_batch(&mut self, subject: &Subject) {
        let (mut batch, mut tickets) = (subject.batch(), Vec::new());
        for _ in 0..=self.random.below(9) {
            let number = self.random.below(1 << 30) as i32;
            match batch.add(subject.function("add").0, ints([number, 9]).to_vec()) {
                Ok(ticket) => tickets.push((ticket, i128::from(number) + 9)),
                Err(error) => self.fails(subject.number, self.sends(), error, None),
            }
        }
        let sent = self.sends();
        match batch.run_awaited().await {
            Ok(mut done) => {
                for (ticket, sum) in tickets {
                    self.returns(subject, sent, done.take(ticket), sum);
                }
            }
            Err(error) => self.fails(subject.number, sent, error, None),
        }
    }

    /// Drops a future when its call was sent: the library goes on, and nobody else fails.
    async fn drop_one(&mut self, subject: &Subject) {
        let (from, milliseconds) = (Instant::now(), self.random.below(10) as i32);
        {
            let mut call = pin!(subject.clone().awaited("sleep", ints([milliseconds]).to_vec()));
            poll_fn(|task| {
                let _ = call.as_mut().poll(task);
                Poll::Ready(())
            })
            .await;
        }
        self.run.faults.note(Kind::Dropped, To::Session(subject.number, None), from);
    }
}
