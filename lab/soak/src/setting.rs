//! How the sessions of a soak are isolated and kept: a row for each.

use std::time::Duration;

use hotcell::{Guard, Limits, Options, Profile, Recycle, Restart, Sandbox, Waiting};

/// How a session runs.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    profile: Profile,
    waiting: Waiting,
    guard: Guard,
    spares: u32,
    /// Calls at a time.
    pub(crate) lanes: u32,
    /// Sessions of a pool; 0 where there is none.
    pub(crate) pooled: u32,
    /// What is done to it besides.
    pub(crate) role: Role,
}

/// What is done to a session that is not done to every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Any,
    /// Its library is loaded anew.
    Reloaded,
    /// Its workers wear out: by calls, threads, descriptors.
    Worn,
    /// Its workers are stopped, and never go on.
    Stopped,
    /// It has a breaker that opens soon.
    Broken,
}

/// The time of a call that nothing is done to.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// That of calls to workers that are stopped for good.
const SHORT: Duration = Duration::from_secs(5);

/// What opens a breaker here.
pub(crate) const BREAKER: Restart = Restart {
    faults: 3,
    within: Duration::from_secs(30),
    pause: Duration::from_millis(100),
    longest_pause: Duration::from_secs(1),
};

const fn row(name: &'static str, profile: Profile, waiting: Waiting, spares: u32, lanes: u32) -> Setting {
    Setting { name, profile, waiting, guard: Guard::None, spares, lanes, pooled: 0, role: Role::Any }
}

pub(crate) const SETTINGS: [Setting; 11] = [
    row("basic", Profile::Basic, Waiting::Balanced, 0, 1),
    row("compute", Profile::Compute, Waiting::Balanced, 1, 1),
    row("files", Profile::Files, Waiting::Economy, 1, 1),
    Setting { guard: Guard::All, ..row("network, guarded", Profile::Network, Waiting::Economy, 0, 1) },
    row("custom, polling", Profile::Custom, Waiting::Latency, 0, 1),
    row("several at a time", Profile::Compute, Waiting::Balanced, 1, 4),
    Setting { pooled: 3, ..row("pool", Profile::Compute, Waiting::Economy, 0, 1) },
    Setting { role: Role::Reloaded, ..row("reloaded", Profile::Compute, Waiting::Balanced, 1, 2) },
    Setting { role: Role::Worn, ..row("worn", Profile::Compute, Waiting::Balanced, 1, 1) },
    Setting { role: Role::Stopped, ..row("stopped", Profile::Compute, Waiting::Balanced, 1, 1) },
    Setting { role: Role::Broken, ..row("with a breaker", Profile::Compute, Waiting::Balanced, 0, 1) },
];

impl Setting {
    /// Which row it is.
    pub(crate) fn number(&self) -> usize {
        SETTINGS.iter().position(|setting| setting.name == self.name).unwrap_or(0)
    }

    /// What time its calls have, unless they say so themselves.
    pub(crate) fn time(&self) -> Duration {
        if self.role == Role::Stopped { SHORT } else { DEADLINE }
    }

    pub(crate) fn options(&self) -> Options {
        let worn = Recycle {
            every: Duration::from_millis(50),
            calls: Some(60),
            threads: Some(20),
            descriptors: Some(40),
            ..Recycle::default()
        };
        Options {
            deadline: self.time(),
            start_deadline: DEADLINE,
            sandbox: Some(Sandbox::of(self.profile)),
            waiting: self.waiting,
            guard: Some(self.guard),
            spares: self.spares,
            callers: self.lanes,
            restart: if self.role == Role::Broken { BREAKER } else { Restart::ALWAYS },
            recycle: (self.role == Role::Worn).then_some(worn),
            limits: Limits { memory: Some(128 << 20), ..Limits::default() },
            ..Options::default()
        }
    }
}
