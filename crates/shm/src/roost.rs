//! Where the serving thread of a worker waits: far from its caller, polling, or near to it, asleep.
//!
//! Two threads that poll pass a message in the time a cache line takes to another core. Two that sleep pay for being
//! woken, and dearly across cores: the core must leave its idle state, which in a virtual machine takes an exit of the
//! hypervisor, and tens of microseconds. On one core a wake-up is a switch of threads, a few microseconds. So a thread
//! that is called densely polls on a core of its own; when calls grow rare it goes to sleep on its caller's, and costs
//! nothing there.
//!
//! | state | waits by | leaves it when |
//! |---|---|---|
//! | far | polling, `spin` nanoseconds at most | no call came in that time, or the caller is on this CPU: near |
//! | near | sleeping on the caller's CPU | [`DENSE`] calls in a row came within half of `spin`: far |
//!
//! The two bounds differ so that calls at one distance do not drive it back and forth.
//!
//! Near, the thread is bound to its caller's CPU, and stays so while calls take no time: to be bound and freed again for each
//! would cost as much as the wake-up. Behind a call that took longer it is free for the next ones. Whatever could
//! tell that it is bound, or inherit it, calls [`rise`] first.

use std::cell::Cell;

use hotcell_protocol::wire;
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use crate::clock;
use crate::doors::Doors;

/// Calls in a row that must come quickly before the thread polls.
const DENSE: u32 = 8;

/// As far as [`DENSE`] is doubled when there turns out to be no other CPU.
const PATIENT: u32 = 1 << 12;

/// Nanoseconds that a call may take on its caller's CPU for the next to be executed there too. Longer ones have time to move.
const SHORT: u64 = 100_000;

thread_local! {
    /// Where this thread is bound to; in no roost, for [`rise`] is called from anywhere on it.
    static BOUND: Cell<Option<Bound>> = const { Cell::new(None) };
}

/// How the serving thread waits.
#[derive(Debug)]
pub struct Roost {
    pub(crate) doors: Doors,
    spin: u64,
    far: bool,
    /// Whether it stays bound when a call comes, and since when it was at work.
    stays: bool,
    woke: u64,
    /// Calls in a row that came quickly, and how many are needed.
    dense: u32,
    needed: u32,
    /// Since when it waits, while near.
    since: u64,
    /// The CPU of the last caller it waited for near, and whether the one before was there too.
    seen: u32,
    steady: bool,
    /// Lane of the last call: it is taken for that of the next.
    pub(crate) caller: u32,
}

/// A thread that is bound to one CPU: to which, and where it may run otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    only: CpuSet,
    home: CpuSet,
}

/// The CPU the calling thread runs on; it may be another right after.
#[inline]
pub(crate) fn this_cpu() -> u32 {
    // In a model all threads are on one CPU, to which none can be bound.
    if cfg!(all(test, loom)) { wire::CPU_UNKNOWN } else { sched_getcpu() as u32 }
}

impl Roost {
    /// Of the thread that serves all lanes without one of their own. It polls for `spin` nanoseconds before it sleeps; with 0
    /// never.
    pub fn new(spin: u64) -> Roost {
        Roost {
            doors: Doors::CHANNEL,
            spin,
            far: spin > 0,
            stays: false,
            woke: u64::MAX,
            dense: 0,
            needed: DENSE,
            since: 0,
            seen: wire::CPU_UNKNOWN,
            steady: false,
            caller: 0,
        }
    }

    /// Of the thread that serves this lane alone.
    pub fn of_lane(spin: u64, lane: u32) -> Roost {
        Roost { doors: Doors::of_lane(lane), caller: lane, ..Roost::new(spin) }
    }

    /// Nanoseconds to poll for now.
    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        if self.far { self.spin } else { 0 }
    }

    /// Nothing came while it polled, or could come.
    pub(crate) fn give_way(&mut self) {
        self.far = false;
        self.dense = 0;
    }

    /// Begins to wait near the caller.
    pub(crate) fn begin(&mut self, caller: u32) {
        self.since = clock::now();
        self.stays = self.since.checked_sub(self.woke).is_some_and(|time| time < SHORT);
        self.steady = self.seen == caller;
        self.seen = caller;
    }

    /// Where it will sleep: on the CPU of its caller, if he has been there for a while and it may run there. Comes with
    /// what binds it, if it is not bound there already. Callers on several CPUs wake it best where the kernel has it run.
    pub(crate) fn place(&self) -> (u32, Option<Bound>) {
        if let Some(bound) = BOUND.get() {
            if self.steady && only(&bound.home, self.seen) == Some(bound.only) {
                return (self.seen, None);
            }
            rise();
        }
        // Asked every time: whoever runs this machine may have said so meanwhile.
        let home = if self.steady { sched_getaffinity(None).ok() } else { None };
        match home.and_then(|home| Some(Bound { only: only(&home, self.seen)?, home })) {
            // With nowhere else to go it need not be bound.
            Some(bound) => (self.seen, Some(bound).filter(|bound| bound.only != bound.home)),
            None => (this_cpu(), None),
        }
    }

    /// Goes there. Against a thread that is busy there this returns only when that one gives way.
    pub(crate) fn settle(&self, place: Option<Bound>) {
        if let Some(bound) = place.filter(|bound| sched_setaffinity(None, &bound.only).is_ok()) {
            BOUND.set(Some(bound));
        }
    }

    /// Has slept. It stays where it is for a call that will take no time, as the last one did.
    pub(crate) fn wake(&mut self) {
        if !self.stays {
            rise();
        }
    }

    /// A call came to the thread that waited near. When calls have become dense it moves away from its caller.
    pub(crate) fn called(&mut self, caller: u32) {
        self.woke = clock::now();
        if self.spin == 0 {
            return;
        }
        let quickly = self.woke.saturating_sub(self.since) < self.spin / 2;
        self.dense = if quickly { self.dense + 1 } else { 0 };
        if self.dense < self.needed {
            return;
        }
        self.dense = 0;
        rise();
        let mut there_is_another = this_cpu() != caller;
        if !there_is_another
            && let Ok(home) = sched_getaffinity(None)
            && let Some(others) = others(&home, caller)
            && sched_setaffinity(None, &others).is_ok()
        {
            there_is_another = true;
            let _ = sched_setaffinity(None, &home);
        }
        self.far = this_cpu() != caller;
        // With no CPU to go to, asking at every turn would cost more than it brings.
        self.needed = if there_is_another { DENSE } else { (self.needed * 2).min(PATIENT) };
    }
}

/// Lets the calling thread run where it may again, if it serves calls and is bound near its caller; unless somebody else has
/// said meanwhile where it may. Before what could tell that it is bound, or inherit it: a new thread, a forked child, a
/// count of the CPUs.
pub fn rise() {
    if let Some(Bound { only, home }) = BOUND.take()
        && sched_getaffinity(None).is_ok_and(|now| now == only)
    {
        // Else it stays where it is, which only makes it slower.
        let _ = sched_setaffinity(None, &home);
    }
}

/// This CPU alone, if it is one of them.
fn only(home: &CpuSet, cpu: u32) -> Option<CpuSet> {
    let index = usize::try_from(cpu).ok().filter(|&index| index < CpuSet::MAX_CPU)?;
    let mut only = CpuSet::new();
    only.set(index);
    home.is_set(index).then_some(only)
}

/// All of them but this one, if there are any.
fn others(home: &CpuSet, cpu: u32) -> Option<CpuSet> {
    let mut others = *home;
    if let Some(index) = usize::try_from(cpu).ok().filter(|&index| index < CpuSet::MAX_CPU) {
        others.unset(index);
    }
    (others.count() > 0).then_some(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus(list: &[usize]) -> CpuSet {
        let mut set = CpuSet::new();
        list.iter().for_each(|&cpu| set.set(cpu));
        set
    }

    #[test]
    fn it_is_bound_only_to_a_cpu_it_may_run_on() {
        let home = cpus(&[0, 2]);
        assert_eq!(only(&home, 2), Some(cpus(&[2])));
        assert_eq!(only(&home, 1), None);
        assert_eq!(only(&home, wire::CPU_UNKNOWN), None);
        assert_eq!(others(&home, 2), Some(cpus(&[0])));
        assert_eq!(others(&home, 7), Some(home));
        assert_eq!(others(&home, wire::CPU_UNKNOWN), Some(home));
        assert_eq!(others(&cpus(&[3]), 3), None);
    }

    #[test]
    fn dense_calls_make_it_poll_and_rare_ones_sleep() {
        let mut roost = Roost::new(u64::MAX);
        assert!(roost.polls() > 0);
        roost.give_way();
        assert_eq!(roost.polls(), 0);
        // It cannot be on a CPU that is none: nothing is in the way of polling.
        for _ in 0..DENSE {
            assert_eq!(roost.polls(), 0);
            roost.begin(wire::CPU_UNKNOWN);
            roost.called(wire::CPU_UNKNOWN);
        }
        assert_eq!(roost.polls(), u64::MAX);
        let mut never = Roost::new(0);
        for _ in 0..2 * DENSE {
            never.begin(wire::CPU_UNKNOWN);
            never.called(wire::CPU_UNKNOWN);
        }
        assert_eq!(never.polls(), 0);
    }

    #[test]
    fn calls_that_are_not_quick_in_a_row_leave_it_asleep() {
        let mut roost = Roost::new(1_000_000_000_000);
        roost.give_way();
        for call in 0..4 * DENSE {
            roost.begin(wire::CPU_UNKNOWN);
            if call % DENSE == 0 {
                roost.since = 0;
            }
            roost.called(wire::CPU_UNKNOWN);
        }
        assert_eq!(roost.polls(), 0);
    }

    #[test]
    fn it_stays_near_for_short_calls_and_rises_for_whoever_asks() {
        let before = sched_getaffinity(None).unwrap();
        let mut roost = Roost::new(1);
        let cpu = this_cpu();
        let here = cpus(&[cpu as usize]);
        let now = || sched_getaffinity(None).unwrap();
        let settle = |roost: &mut Roost| {
            roost.begin(cpu);
            let (place, bound) = roost.place();
            roost.settle(bound);
            place
        };
        settle(&mut roost);
        assert_eq!(now(), before, "the caller may be gone already");
        assert_eq!(settle(&mut roost), cpu);
        assert_eq!(now(), here);
        // Nothing is known yet of how long calls take.
        roost.wake();
        assert_eq!(now(), before);
        roost.called(cpu);
        settle(&mut roost);
        roost.wake();
        assert_eq!(now(), here, "the last call took no time");
        rise();
        assert_eq!(now(), before);
        settle(&mut roost);
        roost.called(cpu);
        roost.woke -= SHORT.min(roost.woke);
        settle(&mut roost);
        roost.wake();
        assert_eq!(now(), before, "the last call took long");
    }

    #[test]
    fn what_somebody_else_says_of_where_it_may_run_stays() {
        let before = sched_getaffinity(None).unwrap();
        let mut roost = Roost::new(1);
        let cpu = this_cpu();
        for _ in 0..2 {
            roost.begin(cpu);
            let (_, bound) = roost.place();
            roost.settle(bound);
        }
        sched_setaffinity(None, &others(&before, cpu).unwrap_or(before)).unwrap();
        let said = sched_getaffinity(None).unwrap();
        rise();
        assert_eq!(sched_getaffinity(None).unwrap(), said);
    }
}
