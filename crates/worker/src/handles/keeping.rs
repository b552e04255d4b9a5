//! Objects that keep others alive, as calls make them do so.
//!
//! What is kept cannot be taken, and neither can what it belongs to, nor be made stale, before its keeper has gone. A keeper is
//! always an object that somebody owns: the nearest above the one that was named. What becomes of a keeper goes on
//! keeping: where it is taken over, what the same call was passed besides, for it may be there now; and what comes out of a call as
//! owned keeps what was kept by that which went in, for it may have been a part of that, or be a copy. A part of what is kept is kept.

use std::collections::HashSet;

use hotcell_protocol::RawHandle;
use hotcell_protocol::wire::Refusal;

use super::entries::NONE;
use super::holds::Keeper;
use super::{Handles, Known, Need, Tie};

impl Handles {
    /// Whether the call in progress may have an object kept, by this one if it is there already. Not while a call that is open may
    /// end it, nor what is only lent to a callback, and not by what must not go before it: neither would ever go.
    pub(crate) fn may_keep(&self, kept: RawHandle, keeper: RawHandle) -> Result<(), Refusal> {
        let index = self.entries.find(kept)?;
        if self.upwards(kept).any(|index| self.entries[index].tie == Tie::ForNow) {
            return Err(Refusal::NotOwned);
        }
        let entries = self.entries_of(index).map(|entry| self.entries.name(entry));
        let keeper = self.owner(keeper);
        for entry in entries {
            if self.is_to_end(entry) {
                return Err(Refusal::InUse);
            }
            match (self.owner(entry), keeper) {
                (Some(kept), Some(keeper)) if kept != keeper && self.waits_for(keeper, kept) => {
                    return Err(Refusal::KeptInCircle);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether a call that is open may end this, or what it belongs to, or make stale what that has lent.
    fn is_to_end(&self, handle: RawHandle) -> bool {
        let mut needs: &[Need] = &[Need::Owned];
        self.upwards(handle).any(|at| {
            let needs = std::mem::replace(&mut needs, &[Need::Owned, Need::IdleBelow]);
            self.uses.is_passed_anywhere(self.entries.name(at), needs)
        })
    }

    /// Has an object kept until another one has gone: this one, or the nearest above it that is owned. Where there is none, it is
    /// kept for ever; where that one has gone, until the end of the outermost call.
    pub(crate) fn keep_object(&mut self, kept: RawHandle, keeper: RawHandle, slot: u32) {
        if self.entries.find(kept).is_err() {
            return;
        }
        let keeper = match self.owner(keeper) {
            Some(owner) => Keeper::Object(owner),
            None if keeper.is_none() || self.entries.find(keeper).is_ok() => Keeper::Ever,
            None => Keeper::Calls(self.uses.thread(), keeper),
        };
        self.holds.add(kept, keeper, slot);
    }

    /// The keeper lets go of what it was given in this slot, when the calls that may still look at it have ended: those around
    /// this one, and those of other threads that were passed the keeper.
    pub(crate) fn let_object_go(&mut self, keeper: RawHandle, slot: u32) {
        let Some(owner) = self.owner(keeper) else { return };
        let threads = self.uses.threads_with(|handle| self.owner(handle) == Some(owner));
        self.holds.let_go(owner, slot, &threads);
    }

    /// Refuses to end an object where anything else keeps it, or something below it.
    pub(super) fn not_kept(&self, index: u32) -> Result<(), Refusal> {
        self.not_kept_but_by(index, true, self.entries.name(index))
    }

    /// Refuses to make stale what an object has lent where anything keeps it, or what it has lent: it may look at what that has
    /// lent in turn.
    pub(super) fn not_looked_at(&self, index: u32) -> Result<(), Refusal> {
        self.not_kept_but_by(index, false, RawHandle::NONE)
    }

    /// What only calls keep that are open is in use by them: it is free when they have ended.
    fn not_kept_but_by(&self, index: u32, also_owned: bool, but: RawHandle) -> Result<(), Refusal> {
        if self.holds.is_empty() {
            return Ok(());
        }
        let is_kept = |which: fn(Keeper) -> bool| {
            let by = |at| self.keepers(at).any(|keeper| keeper != Keeper::Object(but) && which(keeper));
            by(index) || self.entries.any_below(index, also_owned, |at, _| by(at))
        };
        match is_kept(|_| true) {
            false => Ok(()),
            true if is_kept(|keeper| !matches!(keeper, Keeper::Calls(..))) => Err(Refusal::Kept),
            true => Err(Refusal::InUse),
        }
    }

    /// What keeps an object, by whichever handle.
    fn keepers(&self, index: u32) -> impl Iterator<Item = Keeper> {
        self.entries_of(index).flat_map(|entry| self.holds.keepers(self.entries.name(entry)))
    }

    /// This entry, and those that its object has besides: one for each that lends it.
    fn entries_of(&self, index: u32) -> impl Iterator<Item = u32> {
        let lent = match self.objects.get(&self.entries[index].key()) {
            Some(Known::Lent(list)) => Some(list.values().copied()),
            Some(Known::Once(_)) | None => None,
        };
        std::iter::once(index).chain(lent.into_iter().flatten().filter(move |other| *other != index))
    }

    /// An object is taken by the call in progress, which may have put it into another that it was passed.
    ///
    /// What was copied for it goes with those others, too.
    pub(super) fn hand_over_kept(&mut self, taken: RawHandle) {
        if self.holds.is_empty() && self.copies.is_empty() {
            return;
        }
        let kept = self.holds.kept_by(taken, self.uses.thread());
        let others = self.uses.passed().filter(|(handle, need)| *handle != taken && *need != Need::Owned);
        let heirs: HashSet<RawHandle> = others.filter_map(|(handle, _)| self.owner(handle)).collect();
        for heir in heirs {
            self.keep_all(&kept, heir);
            self.copies.share(taken, heir);
        }
    }

    /// A new object keeps what was kept by that which its call was passed, and is kept by what kept one of its type: it may have
    /// been a part of that. So do copies stay for it that were made for what the call was passed, unless it goes before that.
    pub(super) fn inherit_kept(&mut self, new: RawHandle) {
        if self.holds.is_empty() && self.copies.is_empty() {
            return;
        }
        let sources: HashSet<RawHandle> =
            self.uses.passed().map(|(handle, _)| self.owner(handle).unwrap_or(handle)).collect();
        let above: HashSet<RawHandle> = self.upwards(new).map(|index| self.entries.name(index)).collect();
        for source in sources.into_iter().filter(|source| *source != new) {
            let kept = self.holds.kept_by(source, self.uses.thread());
            self.keep_all(&kept, new);
            if !above.contains(&source) {
                self.copies.share(source, new);
            }
        }
        let wholes: HashSet<RawHandle> =
            self.uses.passed().map(|(handle, _)| handle).filter(|whole| whole.kind() == new.kind()).collect();
        for whole in wholes.into_iter().filter(|whole| *whole != new) {
            for keeper in self.holds.keepers(whole).collect::<Vec<_>>() {
                self.holds.add(new, keeper, 0);
            }
        }
    }

    fn keep_all(&mut self, kept: &[RawHandle], keeper: RawHandle) {
        for kept in kept {
            if self.entries.find(*kept).is_ok() && *kept != keeper {
                self.holds.add(*kept, Keeper::Object(keeper), 0);
            }
        }
    }

    /// The nearest object that somebody owns, from this one on upwards.
    fn owner(&self, handle: RawHandle) -> Option<RawHandle> {
        let owned = self.upwards(handle).find(|index| self.entries[*index].tie == Tie::Owned);
        owned.map(|index| self.entries.name(index))
    }

    /// The entry of this object, and of all that it belongs to.
    fn upwards(&self, handle: RawHandle) -> impl Iterator<Item = u32> {
        let first = self.entries.find(handle).ok();
        std::iter::successors(first, |index| self.entries.find(self.entries[*index].parent).ok())
    }

    /// Whether an object can only go when another one has: because that belongs to it, or keeps it, at any remove.
    fn waits_for(&self, object: RawHandle, other: RawHandle) -> bool {
        let (mut seen, mut open) = (HashSet::from([object]), vec![object]);
        while let Some(object) = open.pop() {
            if object == other {
                return true;
            }
            let Ok(index) = self.entries.find(object) else { continue };
            let mut awaited: Vec<RawHandle> = self.keepers_of(index).collect();
            let mut at = self.entries[index].first_child;
            while at != NONE {
                let name = self.entries.name(at);
                if self.entries[at].tie == Tie::Owned {
                    awaited.push(name);
                }
                awaited.extend(self.keepers_of(at));
                at = self.entries.first_below(at, index);
            }
            open.extend(awaited.into_iter().filter(|awaited| seen.insert(*awaited)));
        }
        false
    }

    fn keepers_of(&self, kept: u32) -> impl Iterator<Item = RawHandle> {
        self.keepers(kept).filter_map(|keeper| match keeper {
            Keeper::Object(keeper) => Some(keeper),
            Keeper::Calls(..) | Keeper::Ever => None,
        })
    }
}
