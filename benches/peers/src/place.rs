//! Where both sides run, and how often is called.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Where and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Back to back, a CPU for each.
    TwoCores { near: usize, far: usize },
    /// Back to back, where the kernel puts them.
    Anywhere,
    /// Back to back, one CPU for both.
    OneCore(usize),
    /// The same, with a pause before each call: both sides sleep.
    OneCoreEvery1ms(usize),
}

impl Place {
    pub(crate) fn named(name: &str, near: &str, far: &str) -> Result<Place> {
        let number = |text: &str| text.parse().with_context(|| format!("`{text}` is no number of a CPU"));
        match name {
            "two-cores" => Ok(Place::TwoCores { near: number(near)?, far: number(far)? }),
            "anywhere" => Ok(Place::Anywhere),
            "one-core" => Ok(Place::OneCore(number(near)?)),
            "one-core.every-1ms" => Ok(Place::OneCoreEvery1ms(number(near)?)),
            _ => bail!("no place is `{name}`"),
        }
    }

    /// Puts this process, which has one thread so far, there, and so all that it starts.
    pub(crate) fn enter(&self) -> Result<()> {
        match *self {
            Place::Anywhere => Ok(()),
            Place::TwoCores { near, .. } => pin(near),
            Place::OneCore(cpu) | Place::OneCoreEvery1ms(cpu) => pin(cpu),
        }
    }

    /// Starts what answers where it belongs.
    pub(crate) fn far<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        let Place::TwoCores { near, far } = *self else { return start() };
        pin(far)?;
        let started = start();
        pin(near)?;
        started
    }

    pub(crate) fn pause(&self) -> Option<Duration> {
        matches!(self, Place::OneCoreEvery1ms(_)).then_some(Duration::from_millis(1))
    }
}

/// This thread, and what it starts from now on.
fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("pinning to CPU {cpu}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_names() {
        let named = |name| Place::named(name, "0", "1").unwrap();
        assert_eq!(named("two-cores"), Place::TwoCores { near: 0, far: 1 });
        assert_eq!((named("anywhere"), named("one-core")), (Place::Anywhere, Place::OneCore(0)));
        assert!(named("one-core.every-1ms").pause().is_some() && named("one-core").pause().is_none());
        assert!(Place::named("two-cores", "0", "-").is_err() && Place::named("nowhere", "0", "1").is_err());
    }
}
