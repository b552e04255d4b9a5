//! Inputs that end workers: who has done so often enough is refused for a while, so that one bad file cannot use up a pool.
//!
//! An input goes by a number: a keyed hash of what the host itself has filled in for the call. The key is the list's own, and
//! nobody can choose two inputs that share a number. The number is taken when a worker has ended, and of a call that is to be
//! sent only while an input of its function is in quarantine.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, DefaultHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use hotcell_shm::lock::Mutex;
use serde_json::{Value, json};

use crate::rt::Package;
use crate::session::{Notices, QUARANTINE};

/// When an input is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarantineRule {
    /// How many workers it has ended by then. 2; with 0 none is ever refused.
    pub crashes: u32,
    /// The longest time between two of these. 1 hour.
    pub within: Duration,
    /// How long it is refused. 1 hour.
    pub lasts: Duration,
    /// How many inputs are refused at a time, and how many are known besides that have not ended enough workers yet. 1000.
    pub most: usize,
}

/// A list of inputs that have ended workers. Clones are the same list; so a pool has one, and sessions can share one.
///
/// An input is what goes into a call of a function: numbers, texts, data and structures, not objects. Calls without data have
/// none, nor have those whose data lie where the library can write, and calls in batches.
///
/// ```
/// let quarantine = hotcell::Quarantine::new(hotcell::QuarantineRule { crashes: 3, ..Default::default() });
/// let options = hotcell::Options { quarantine: quarantine.clone(), ..Default::default() };
/// assert!(quarantine.inputs().is_empty());
/// ```
#[derive(Clone)]
pub struct Quarantine(Arc<Shared>);

struct Shared {
    rule: QuarantineRule,
    key: RandomState,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    inputs: HashMap<InputId, Known>,
    /// The functions that some of them are refused of.
    refused: HashSet<([u8; 32], u16)>,
    /// When the first of them is refused no longer.
    next: Option<Instant>,
    /// The sessions whose calls look.
    sessions: Vec<Weak<Notices>>,
}

/// What an input goes by in its list. Another list, or the same in another process, has another number for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputId(u64);

/// An input that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// What it goes by.
    pub input: InputId,
    /// The library.
    pub library: &'static str,
    /// The function.
    pub function: &'static str,
    /// How many workers it has ended.
    pub crashes: u32,
    /// When it ended the last of them.
    pub last: SystemTime,
    /// How long it is refused from now on.
    pub left: Duration,
    /// Calls that were refused for it.
    pub refused: u64,
}

/// Whose input it was.
#[derive(Clone, Copy)]
pub(crate) struct Culprit {
    pub(crate) package: &'static Package,
    pub(crate) index: u16,
    pub(crate) function: &'static str,
}

/// What is known of an input.
struct Known {
    of: Culprit,
    crashes: u32,
    last: Instant,
    last_time: SystemTime,
    /// Until when it is refused, if it is.
    until: Option<Instant>,
    refused: u64,
}

/// As far as clocks are added to.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Quarantine {
    /// An empty list.
    pub fn new(rule: QuarantineRule) -> Quarantine {
        Quarantine(Arc::new(Shared { rule, key: RandomState::new(), list: Mutex::default() }))
    }

    /// When it refuses.
    #[cfg(feature = "serve")]
    pub(crate) fn rule(&self) -> QuarantineRule {
        self.0.rule
    }

    /// A list that refuses nothing.
    pub fn off() -> Quarantine {
        Quarantine::new(QuarantineRule { crashes: 0, ..QuarantineRule::default() })
    }

    /// The inputs that are refused now, those first that go last.
    pub fn inputs(&self) -> Vec<Quarantined> {
        let now = Instant::now();
        let mut list = self.0.list.lock();
        list.expire(now);
        let quarantined = list.inputs.iter().filter_map(|(input, known)| known.quarantined(*input, now));
        let mut inputs: Vec<Quarantined> = quarantined.collect();
        inputs.sort_by_key(|it| (std::cmp::Reverse(it.left), it.input));
        inputs
    }

    /// How many inputs are refused now.
    pub fn count(&self) -> usize {
        let mut list = self.0.list.lock();
        list.expire(Instant::now());
        list.inputs.values().filter(|known| known.until.is_some()).count()
    }

    /// Lets an input go, and forgets what it has done. False where it is not refused.
    pub fn release(&self, input: InputId) -> bool {
        let mut list = self.0.list.lock();
        list.expire(Instant::now());
        let is_refused = list.inputs.get(&input).is_some_and(|known| known.until.is_some());
        if is_refused {
            list.inputs.remove(&input);
            list.tell();
        }
        is_refused
    }

    /// Lets all inputs go, and forgets what they have done: when the library was mended, for instance.
    pub fn release_all(&self) {
        let mut list = self.0.list.lock();
        list.inputs.clear();
        list.tell();
    }

    /// Has a session look when there is an input in quarantine.
    pub(crate) fn tells(&self, notices: &Arc<Notices>) {
        let mut list = self.0.list.lock();
        list.sessions.retain(|session| session.strong_count() > 0);
        list.sessions.push(Arc::downgrade(notices));
        list.tell();
    }

    /// Whether it ever refuses any.
    pub(crate) fn is_on(&self) -> bool {
        self.0.rule.crashes > 0 && self.0.rule.most > 0
    }

    /// What makes numbers of inputs.
    pub(crate) fn hasher(&self) -> DefaultHasher {
        self.0.key.build_hasher()
    }

    /// Whether an input of this function is refused.
    pub(crate) fn has_of(&self, package: &Package, index: u16) -> bool {
        let mut list = self.0.list.lock();
        list.expire(Instant::now());
        list.refused.contains(&(package.fingerprint, index))
    }

    /// For how long this one is refused, if it is.
    pub(crate) fn refuses(&self, input: InputId) -> Option<Duration> {
        let now = Instant::now();
        let mut list = self.0.list.lock();
        list.expire(now);
        let known = list.inputs.get_mut(&input)?;
        let left = known.until?.saturating_duration_since(now);
        known.refused += 1;
        Some(left)
    }

    /// A call with this input has ended its worker.
    pub(crate) fn note(&self, input: InputId, of: Culprit) {
        self.note_at(input, of, Instant::now());
    }

    fn note_at(&self, input: InputId, of: Culprit, now: Instant) {
        let rule = &self.0.rule;
        let mut list = self.0.list.lock();
        list.expire(now);
        if !list.inputs.contains_key(&input) {
            list.make_room(rule.most - 1, |known| known.until.is_none());
        }
        let known = list.inputs.entry(input).or_insert_with(|| Known::of(of, now));
        if now.saturating_duration_since(known.last) > rule.within {
            known.crashes = 0;
        }
        known.crashes = known.crashes.saturating_add(1);
        (known.last, known.last_time) = (now, SystemTime::now());
        if known.crashes >= rule.crashes {
            known.until = Some(now + rule.lasts.min(YEAR));
            list.make_room(rule.most, |known| known.until.is_some());
            list.tell();
        }
    }
}

impl List {
    /// Forgets the inputs whose time is over.
    fn expire(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.inputs.retain(|_, known| known.until.is_none_or(|until| now < until));
            self.tell();
        }
    }

    /// Forgets the most dispensable of these until there are no more than that: what is refused no longer the soonest, or has
    /// ended a worker the longest ago.
    fn make_room(&mut self, most: usize, of_these: impl Fn(&Known) -> bool) {
        while self.inputs.values().filter(|known| of_these(known)).count() > most {
            let these = self.inputs.iter().filter(|(_, known)| of_these(known));
            let least = these.min_by_key(|(_, known)| (known.until, known.last));
            let Some(input) = least.map(|(input, _)| *input) else { return };
            self.inputs.remove(&input);
        }
    }

    /// Notes of which functions there are inputs to look for, and tells the sessions whether there are any.
    fn tell(&mut self) {
        let refused = || self.inputs.values().filter(|known| known.until.is_some());
        let next = refused().filter_map(|known| known.until).min();
        let functions = refused().map(|known| (known.of.package.fingerprint, known.of.index)).collect();
        (self.next, self.refused) = (next, functions);
        let any = next.is_some();
        self.sessions.iter().filter_map(Weak::upgrade).for_each(|notices| notices.set(QUARANTINE, any));
    }
}

impl Known {
    fn of(of: Culprit, now: Instant) -> Known {
        Known { of, crashes: 0, last: now, last_time: SystemTime::now(), until: None, refused: 0 }
    }

    fn quarantined(&self, input: InputId, now: Instant) -> Option<Quarantined> {
        let left = self.until?.saturating_duration_since(now);
        let Known { of: Culprit { package, function, .. }, crashes, last_time, refused, .. } = *self;
        Some(Quarantined {
            input,
            library: package.library,
            function,
            crashes,
            last: last_time,
            left,
            refused,
        })
    }
}

impl Quarantined {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        let last = self.last.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        json!({
            "input": self.input.to_string(),
            "library": self.library,
            "function": self.function,
            "crashes": self.crashes,
            "last_unix_ms": u64::try_from(last).unwrap_or(u64::MAX),
            "left_ms": self.left.as_secs_f64() * 1e3,
            "refused": self.refused,
        })
    }
}

impl InputId {
    pub(crate) fn of(hash: u64) -> InputId {
        InputId(hash)
    }
}

impl fmt::Display for InputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for InputId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(InputId)
    }
}

impl Default for Quarantine {
    fn default() -> Self {
        Quarantine::new(QuarantineRule::default())
    }
}

impl Default for QuarantineRule {
    fn default() -> Self {
        let hour = Duration::from_secs(3600);
        QuarantineRule { crashes: 2, within: hour, lasts: hour, most: 1000 }
    }
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantine").field("rule", &self.0.rule).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
