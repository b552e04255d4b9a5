//! The sessions of a soak with their settings, those of pools too, from when they are opened until they are given up.

use std::collections::{BTreeMap, BTreeSet};

use hotcell_shm::lock::Mutex;

use crate::ends::Ends;
use crate::setting::Setting;
use crate::subject::{Subject, opened_by_pools};

#[derive(Debug)]
pub(crate) struct Subjects {
    known: Mutex<Known>,
    /// The setting of sessions that pools open.
    pooled: &'static Setting,
    pub(crate) ends: Ends,
}

#[derive(Debug, Default)]
struct Known {
    all: Vec<(Subject, &'static Setting)>,
    /// Calls at a time of each that there ever was.
    lanes: BTreeMap<usize, u32>,
    /// Those that their pool was told to discard.
    discarded: BTreeSet<usize>,
}

impl Subjects {
    pub(crate) fn new(pooled: &'static Setting) -> Subjects {
        Subjects { known: Mutex::default(), pooled, ends: Ends::default() }
    }

    pub(crate) fn add(&self, subject: Subject, setting: &'static Setting) {
        let mut known = self.known.lock();
        known.lanes.insert(subject.number, setting.lanes);
        known.all.push((subject, setting));
    }

    /// Those that there are now.
    pub(crate) fn all(&self) -> Vec<(Subject, &'static Setting)> {
        self.known.lock().all.clone()
    }

    /// A session was given up by who had it: nobody holds it any longer than until its ends are taken down.
    pub(crate) fn discard(&self, subject: usize) {
        self.known.lock().discarded.insert(subject);
    }

    pub(crate) fn was_discarded(&self, subject: usize) -> bool {
        self.known.lock().discarded.contains(&subject)
    }

    /// Looks for sessions that pools have opened, takes down how workers ended, and lets go of sessions that were discarded.
    pub(crate) fn look(&self) {
        opened_by_pools().into_iter().for_each(|subject| self.add(subject, self.pooled));
        let discarded = self.known.lock().discarded.clone();
        for (subject, setting) in self.all() {
            self.ends.take_down(&subject, setting);
        }
        let mut known = self.known.lock();
        let (gone, all) = std::mem::take(&mut known.all)
            .into_iter()
            .partition::<Vec<_>, _>(|(subject, _)| discarded.contains(&subject.number));
        known.all = all;
        drop(known);
        // That is their end, and takes a while.
        drop(gone);
    }

    /// Calls at a time of each.
    pub(crate) fn lanes(&self) -> BTreeMap<usize, u32> {
        self.known.lock().lanes.clone()
    }

    /// Lets go of them.
    pub(crate) fn clear(&self) {
        let all = std::mem::take(&mut self.known.lock().all);
        drop(all);
        drop(opened_by_pools());
    }
}
