//! What the files of modules say of places in them, when somebody asks. A library has named these files, and may have made them: each is read on a thread of its
//! own, as far as its time and a bound on its bytes go, and is left where the kernel holds it up.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use hotcell_elf::Place;
use object::ReadCache;

use super::aside::Aside;
use super::open_plain;

/// How long one file is read, and how long all of a stack are.
const ONE: Duration = Duration::from_secs(1);
const ALL: Duration = Duration::from_secs(2);

/// Files that are read.
static FILES: Aside = Aside::new();

/// What the files of modules, as they lie there now, say of places in them: each by the name of its module and from its first byte on. `None` where a file
/// says nothing, is no plain file, or took too long.
pub fn locate(sought: &[(&str, u64)]) -> Vec<Option<Place>> {
    locate_within(sought, ONE, ALL)
}

fn locate_within(sought: &[(&str, u64)], one: Duration, all: Duration) -> Vec<Option<Place>> {
    let mut modules: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, (module, _)) in sought.iter().enumerate() {
        modules.entry(module).or_default().push(index);
    }
    let (mut places, until) = (vec![None; sought.len()], Instant::now() + all);
    for (module, indices) in modules {
        let offsets: Vec<u64> = indices.iter().map(|&index| sought[index].1).collect();
        let share = Share::of(until.saturating_duration_since(Instant::now()), one);
        for (index, place) in indices.into_iter().zip(in_module(module, offsets, share)) {
            places[index] = place;
        }
    }
    places
}

/// What a file has of the time that is left for all.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// In which it comes back by itself.
    own: Duration,
    /// In which it is waited for: the kernel may hold it up for as long again.
    waited: Duration,
}

impl Share {
    fn of(left: Duration, one: Duration) -> Share {
        let own = one.min(left / 2);
        Share { own, waited: 2 * own }
    }
}

fn in_module(module: &str, offsets: Vec<u64>, share: Share) -> Vec<Option<Place>> {
    // What has no file is not looked for.
    if share.own.is_zero() || !module.starts_with('/') {
        return Vec::new();
    }
    let (module, until) = (module.to_owned(), Instant::now() + share.own);
    let work = move || open_plain(Path::new(&module)).map(|file| of_file(file, &offsets, until));
    FILES.within(share.waited, work).and_then(Result::ok).unwrap_or_default()
}

fn of_file(file: File, offsets: &[u64], until: Instant) -> Vec<Option<Place>> {
    hotcell_elf::places(&ReadCache::new(file), offsets, until)
}

#[cfg(test)]
mod tests;
