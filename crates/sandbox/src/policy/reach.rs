//! How far a policy reaches: calls that the kernel's rules of paths and ports judge, and what keeps them from going past these.

use super::{Decision, Policy, Syscall, Then};
use crate::condition::{self, Comparison};
use crate::tables::{COMPUTE, FILES, LOAD, NETWORK};

/// Calls that open, make, rename, remove or shorten files: Landlock judges their paths.
const JUDGED_BY_PATH: [&str; 19] = [
    "open",
    "openat",
    "openat2",
    "creat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mknod",
    "mknodat",
    "truncate",
];

/// Of these, those that shorten what may only be read, where Landlock does not judge that. Opening is [guarded](OPENING) instead.
const SHORTENING: [&str; 2] = ["truncate", "openat2"];

/// Calls that keep what the rules of `files` say of them, whatever lines of a user's are added: `O_TRUNC` without a right to write.
const OPENING: [&str; 2] = ["open", "openat"];

/// The same of the rules of `network`, where there can be a socket of TCP: `MSG_FASTOPEN` connects past the rule of ports.
const SENDING: [&str; 3] = ["sendto", "sendmsg", "sendmmsg"];

/// What speaks TCP and is no socket of TCP to the kernel's rules of ports: `IPPROTO_MPTCP`, `IPPROTO_SMC` and `AF_SMC`.
const PAST_PORTS: &str = "arg2 != 262 && arg2 != 256 && arg0 != 43";

/// Flags that the kernel takes with the kind of a socket: none, `SOCK_CLOEXEC`, `SOCK_NONBLOCK`, both.
const FLAGS: [u64; 4] = [0, libc::SOCK_CLOEXEC as u64, libc::SOCK_NONBLOCK as u64, 0x80800];

/// Arguments that `socket` has.
const OF_SOCKET: u8 = 3;

/// How an argument of a call is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    No,
    /// The 32 bits of C's `int`.
    Half,
    /// All of it, with 0: it points somewhere.
    Whole,
}

impl Policy {
    /// How an argument of a call is looked at: by what says what the call does, and by the rules of all profiles.
    pub(crate) fn compares(syscall: &Syscall, place: usize) -> Compared {
        let rules = [FILES, NETWORK, COMPUTE, LOAD].into_iter().flatten();
        let rules = rules.filter(|rule| rule.calls.contains(&syscall.name)).map(Decision::of);
        let comparisons: Vec<Comparison> = rules.flat_map(|rule| rule.when).flatten().collect();
        let here: Vec<_> = comparisons.iter().filter(|one| usize::from(one.argument) == place).collect();
        if syscall.choices.iter().any(|&choice| usize::from(choice) == place) {
            return Compared::Half;
        }
        match here.iter().any(|one| one.wide) {
            true => Compared::Whole,
            false if here.is_empty() => Compared::No,
            false => Compared::Half,
        }
    }

    /// Keeps calls that are allowed from going past the kernel's rules of paths and ports, also where a user allows them.
    pub(super) fn keep_in_reach(&mut self) {
        let no_other = condition::parse(PAST_PORTS).expect("a test reads it");
        self.narrow("socket", &[no_other], Then::Deny);
        self.narrow_as(FILES, &OPENING);
        if self.opens_ports() {
            self.narrow_as(NETWORK, &SENDING);
        }
    }

    fn narrow_as(&mut self, rules: &[super::Rule], calls: &[&str]) {
        for rule in rules {
            let guard = Decision::of(rule);
            for call in rule.calls.iter().filter(|call| calls.contains(call)) {
                self.narrow(call, &guard.when, guard.otherwise);
            }
        }
    }

    /// Where the call is allowed, one of these has to hold besides.
    fn narrow(&mut self, call: &str, guard: &[Vec<Comparison>], otherwise: Then) {
        let Some(decision) = self.decisions.get_mut(call).filter(|it| it.then == Then::Allow) else { return };
        if decision.when.is_empty() || decision.otherwise == Then::Allow {
            *decision = Decision { when: guard.to_vec(), then: Then::Allow, otherwise };
            return;
        }
        let both = |all: &Vec<Comparison>| {
            let also = |one: &Vec<Comparison>| all.iter().chain(one).copied().collect::<Vec<_>>();
            guard.iter().map(also).collect::<Vec<_>>()
        };
        // What holds anyway is not said twice.
        let holds_anyway =
            |all: &Vec<Comparison>| guard.iter().any(|one| one.iter().all(|it| all.contains(it)));
        decision.when = decision
            .when
            .iter()
            .flat_map(|all| if holds_anyway(all) { vec![all.clone()] } else { both(all) })
            .collect();
    }

    /// Whether the kernel's rules of paths judge the call, whatever line allows it.
    pub(crate) fn is_judged_by_path(call: &str) -> bool {
        JUDGED_BY_PATH.contains(&call)
    }

    /// Whether a call is allowed that only the kernel's rules of paths keep from everything, whatever its arguments are to be.
    pub(crate) fn opens_paths(&self) -> bool {
        JUDGED_BY_PATH.iter().any(|call| self.allows(call))
    }

    /// Whether a call is allowed that shortens files, which the rules of paths judge from version 3 on.
    pub(crate) fn shortens(&self) -> bool {
        SHORTENING.iter().any(|call| self.allows(call))
    }

    fn allows(&self, call: &str) -> bool {
        self.decisions.get(call).is_some_and(|it| it.then == Then::Allow)
    }

    /// Whether a socket of TCP can be made, which only the kernel's rules of ports keep from everywhere.
    pub(crate) fn opens_ports(&self) -> bool {
        let Some(decision) = self.decisions.get("socket") else { return self.default == Then::Allow };
        let families = [libc::AF_INET, libc::AF_INET6];
        let protocols = [0, libc::IPPROTO_TCP];
        families.iter().any(|&family| {
            FLAGS.iter().any(|&flags| {
                let kind = libc::SOCK_STREAM as u64 | flags;
                protocols
                    .iter()
                    .any(|&protocol| decision.may_allow(&[family as u64, kind, protocol as u64, 0, 0, 0]))
            })
        })
    }

    /// Whether the call keeps what the rules of `files` say of it.
    pub(crate) fn is_guarded(call: &str) -> bool {
        OPENING.contains(&call)
    }
}

impl Decision {
    /// Whether `socket` can be allowed with these arguments. The kernel looks at 32 bits of three of them: comparisons of more may hold.
    fn may_allow(&self, arguments: &[u64; 6]) -> bool {
        let may_hold = |one: &Comparison| one.wide || one.argument >= OF_SOCKET || one.holds(arguments, 0);
        let then = self.when.is_empty() || self.when.iter().any(|all| all.iter().all(may_hold));
        (then && self.then == Then::Allow) || self.otherwise == Then::Allow
    }
}
