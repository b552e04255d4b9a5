//! When a worker is worn, by what is seen of it from outside: the limits, and the arithmetic.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hotcell_supervisor::{ThreadSeen, Usage};
use serde_json::{Value, json};

use crate::memory::Heap;
use crate::stack::Stack;

/// When the worker of a session is replaced, though it has not failed: between calls, of which none fails for it.
///
/// A worker is looked at [every](Recycle::every) so often, by a thread of the process that looks at all of them; nothing of it
/// is done in calls. One that is over a limit gives way to another, or to a spare, once nobody holds an object of it; see
/// [`Recycle::patience`] for those that are held for ever.
///
/// ```
/// let recycle = hotcell::Recycle { calls: Some(100_000), ..Default::default() };
/// let options = hotcell::Options { recycle: Some(recycle), ..Default::default() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recycle {
    /// How often it is looked at. 10 s; not less than 10 ms.
    pub every: Duration,
    /// Calls that it may serve; a batch is one, and calls from callbacks do not count. No limit.
    pub calls: Option<u64>,
    /// How old it may get. No limit.
    pub age: Option<Duration>,
    /// Bytes that it may have in memory (RSS), for no longer than [`Recycle::memory_for`] at a stretch. 800 MiB.
    pub memory: Option<u64>,
    /// How long it may have more. 5 min.
    pub memory_for: Duration,
    /// Descriptors that it may have more than the fewest that were seen. 128.
    pub descriptors: Option<u64>,
    /// Threads that it may have more than the fewest that were seen, those aside that serve calls. 50.
    pub threads: Option<u64>,
    /// Live bytes of the library that only grow: by how much the least of a few looks may lie above that of the looks before,
    /// summed up for as long as it never falls. No limit.
    pub leaked: Option<u64>,
    /// How long a worn worker stays for the sake of objects that somebody holds, and of callbacks that it keeps. When that is
    /// over they go with it, and using such an object is [`StaleHandle`](crate::ErrorKind::StaleHandle). `None`: for as long as
    /// they are held.
    pub patience: Option<Duration>,
    /// How long a worker without a call may owe the answer to the question whether it is alive. Then it is replaced, with its
    /// objects. It is asked whenever it is looked at, and judged at the third look at the earliest. 30 s. `None`: it is not asked.
    pub probe: Option<Duration>,
}

impl Default for Recycle {
    fn default() -> Self {
        Recycle {
            every: Duration::from_secs(10),
            calls: None,
            age: None,
            memory: Some(800 << 20),
            memory_for: Duration::from_secs(300),
            descriptors: Some(128),
            threads: Some(50),
            leaked: None,
            patience: None,
            probe: Some(Duration::from_secs(30)),
        }
    }
}

/// What a worker was worn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wear {
    /// Calls.
    Calls,
    /// Age, in milliseconds.
    Age,
    /// Bytes in memory.
    Memory,
    /// Descriptors.
    Descriptors,
    /// Threads.
    Threads,
    /// Bytes that were allocated and not freed.
    Leaked,
    /// Parts of its process's state that the library has changed and that could not be put back.
    State,
    /// It did not say that it is alive: for so many milliseconds.
    Silence,
}

impl Wear {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Wear::Calls => "calls",
            Wear::Age => "age",
            Wear::Memory => "memory",
            Wear::Descriptors => "descriptors",
            Wear::Threads => "threads",
            Wear::Leaked => "leaked",
            Wear::State => "state",
            Wear::Silence => "silence",
        }
    }
}

/// That a worker is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worn {
    /// Which.
    pub by: Wear,
    /// What was seen.
    pub value: u64,
    /// What there may be.
    pub limit: u64,
}

impl fmt::Display for Worn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} of {}", self.by.name(), self.value, self.limit)
    }
}

/// What was seen of a worker when it was found worn, before it was replaced.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The limit that it is over.
    pub worn: Worn,
    /// When.
    pub time: SystemTime,
    /// Its process id.
    pub pid: u32,
    /// Which worker of the session it is.
    pub generation: u64,
    /// Calls that it has served.
    pub calls: u64,
    /// Bytes in memory.
    pub resident: u64,
    /// Descriptors, where the kernel tells.
    pub descriptors: Option<u64>,
    /// Its threads, by name and state.
    pub threads: Vec<ThreadSeen>,
    /// Where they were, those first of which there were most.
    pub stacks: Vec<Stack>,
    /// Functions that it was executing, by its own word.
    pub executing: Vec<&'static str>,
    /// Objects of it that somebody held.
    pub objects: usize,
    /// What the library had of memory, by function.
    pub heap: Heap,
    /// What it had printed last.
    pub output: String,
}

impl Snapshot {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let time = self.time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let thread = |it: &ThreadSeen| json!({ "name": it.name, "state": it.state, "count": it.count });
        json!({
            "worn_by": self.worn.by.name(),
            "value": self.worn.value,
            "limit": self.worn.limit,
            "time_unix_ms": u64::try_from(time).unwrap_or(u64::MAX),
            "pid": self.pid,
            "generation": self.generation,
            "calls": self.calls,
            "resident": self.resident,
            "descriptors": self.descriptors,
            "threads": self.threads.iter().map(thread).collect::<Vec<_>>(),
            "stacks": self.stacks.iter().map(Stack::to_json).collect::<Vec<_>>(),
            "executing": self.executing,
            "objects": self.objects,
            "heap": self.heap.to_json(),
            "output": self.output,
        })
    }
}

/// What is seen of a worker at one look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) calls: u64,
    pub(crate) age: Duration,
    pub(crate) usage: Usage,
    /// Live bytes of the library.
    pub(crate) live: u64,
    /// Parts of the state that could not be put back.
    pub(crate) lost: u64,
}

/// What is known of a worker from look to look.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The fewest threads, and the fewest descriptors.
    fewest: Option<(u64, u64)>,
    /// Since when it has had too much in memory.
    over: Option<Instant>,
    live: Tide,
}

/// The low water of a number that rises and falls, and by how much it has risen since it fell last.
#[derive(Debug, Default)]
struct Tide {
    /// The least of the looks under way, and how many they are.
    least: u64,
    looks: u32,
    /// That of the looks before, and that of those behind which it last fell.
    before: Option<u64>,
    base: u64,
}

/// Looks of which the least counts: what a call has for a while is not there at all of them.
const LOOKS: u32 = 6;

impl Tide {
    /// By how much it has risen.
    fn look(&mut self, number: u64) -> u64 {
        self.least = if self.looks == 0 { number } else { self.least.min(number) };
        self.looks += 1;
        if self.looks == LOOKS {
            if self.before.is_none_or(|before| self.least < before) {
                self.base = self.least;
            }
            self.before = Some(self.least);
            self.looks = 0;
        }
        self.before.map_or(0, |before| before.saturating_sub(self.base))
    }
}

impl History {
    /// The limit that the worker is over, if it is over one.
    pub(crate) fn look(&mut self, seen: &Seen, recycle: &Recycle, now: Instant) -> Option<Worn> {
        let threads = seen.usage.threads.saturating_sub(seen.usage.serving);
        let (fewest_threads, fewest_open) = self.fewest.unwrap_or((u64::MAX, u64::MAX));
        let open = seen.usage.descriptors;
        let fewest = (fewest_threads.min(threads), open.map_or(fewest_open, |open| fewest_open.min(open)));
        self.fewest = Some(fewest);
        let is_over = recycle.memory.is_some_and(|most| seen.usage.resident > most);
        self.over = is_over.then(|| self.over.unwrap_or(now));
        let long = self.over.is_some_and(|since| now.saturating_duration_since(since) >= recycle.memory_for);
        let leaked = self.live.look(seen.live);
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let over = |by, value: u64, limit: Option<u64>| {
            limit.filter(|limit| value > *limit).map(|limit| Worn { by, value, limit })
        };
        let served = recycle.calls.filter(|most| seen.calls >= *most);
        let served = served.map(|limit| Worn { by: Wear::Calls, value: seen.calls, limit });
        over(Wear::Memory, seen.usage.resident, recycle.memory.filter(|_| long))
            .or(over(Wear::Leaked, leaked, recycle.leaked))
            .or(over(Wear::Threads, threads - fewest.0, recycle.threads))
            .or(over(Wear::Descriptors, open.unwrap_or(0).saturating_sub(fewest.1), recycle.descriptors))
            .or(over(Wear::State, seen.lost, Some(0)))
            .or(served)
            .or(over(Wear::Age, milliseconds(seen.age), recycle.age.map(milliseconds)))
    }
}

#[cfg(test)]
mod tests;
