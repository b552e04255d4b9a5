//! When to call, and what the calls took: blocks of calls, the clock read between blocks only.

use std::time::{Duration, Instant};

/// How much is called, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Before each call, if there is one.
    pub(crate) pause: Option<Duration>,
    /// Calls between two looks at the clock, where there is no pause.
    pub(crate) calls: u32,
    /// How long is called before that counts.
    pub(crate) warm: Duration,
    /// How long is measured, where there is no pause.
    pub(crate) time: Duration,
    /// How many calls are measured, where there is one.
    pub(crate) paused_calls: u32,
}

impl Plan {
    pub(crate) fn new(pause: Option<Duration>, quick: bool) -> Plan {
        Plan {
            pause,
            calls: 8,
            warm: Duration::from_millis(50),
            time: Duration::from_millis(if quick { 50 } else { 300 }),
            paused_calls: if quick { 20 } else { 200 },
        }
    }

    /// With so many calls in a block.
    pub(crate) fn blocks_of(self, calls: u32) -> Plan {
        Plan { calls, ..self }
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// First of all.
    pub(crate) pause: Option<Duration>,
    pub(crate) calls: u32,
}

/// A measurement under way.
pub(crate) struct Clock {
    plan: Plan,
    made: Instant,
    started: Instant,
    /// Nanoseconds of a call in each block that counts.
    samples: Vec<f64>,
    /// Since when blocks count.
    warm: Option<Instant>,
}

impl Clock {
    pub(crate) fn new(plan: &Plan) -> Clock {
        let now = Instant::now();
        Clock { plan: *plan, made: now, started: now, samples: Vec::new(), warm: None }
    }

    /// `None` when there was enough.
    pub(crate) fn next(&mut self) -> Option<Step> {
        if let (Some(since), false) = (self.warm, self.samples.is_empty()) {
            let enough = match self.plan.pause {
                Some(_) => self.samples.len() >= self.plan.paused_calls as usize,
                None => since.elapsed() >= self.plan.time,
            };
            if enough {
                return None;
            }
        }
        let calls = if self.plan.pause.is_some() { 1 } else { self.plan.calls };
        Some(Step { pause: self.plan.pause, calls })
    }

    /// The calls of a step begin.
    pub(crate) fn start(&mut self) {
        self.started = Instant::now();
    }

    /// They have returned.
    pub(crate) fn stop(&mut self) {
        let now = Instant::now();
        let calls = if self.plan.pause.is_some() { 1 } else { self.plan.calls };
        if self.warm.is_some() {
            self.samples.push((now - self.started).as_nanos() as f64 / f64::from(calls));
        } else if now - self.made >= self.plan.warm {
            self.warm = Some(now);
        }
    }

    /// The block in the middle.
    pub(crate) fn median(mut self) -> f64 {
        self.samples.sort_by(f64::total_cmp);
        self.samples.get(self.samples.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(plan: Plan) -> (usize, Clock) {
        let (mut clock, mut steps) = (Clock::new(&plan), 0);
        while clock.next().is_some() {
            clock.start();
            clock.stop();
            steps += 1;
        }
        (steps, clock)
    }

    #[test]
    fn so_many_paused_calls_count_after_the_first() {
        let pause = Some(Duration::from_millis(1));
        let plan = Plan { warm: Duration::ZERO, paused_calls: 7, ..Plan::new(pause, true) };
        assert_eq!(Clock::new(&plan).next(), Some(Step { pause, calls: 1 }));
        let (steps, clock) = steps(plan);
        assert_eq!((steps, clock.samples.len()), (8, 7));
    }

    #[test]
    fn blocks_go_on_until_there_was_time_enough() {
        let plan = Plan { warm: Duration::ZERO, time: Duration::from_millis(2), ..Plan::new(None, true) };
        assert_eq!(Clock::new(&plan.blocks_of(3)).next(), Some(Step { pause: None, calls: 3 }));
        let (_, clock) = steps(plan);
        assert!(clock.made.elapsed() >= plan.time && !clock.samples.is_empty());
        let (steps, _) = steps(Plan { time: Duration::ZERO, ..plan });
        assert_eq!(steps, 2, "one that does not count, and one that does");
    }

    #[test]
    fn the_middle_is_told() {
        let mut clock = Clock::new(&Plan::new(None, true));
        clock.samples = vec![9.0, 1.0, 3.0];
        assert_eq!(clock.median(), 3.0);
    }
}
