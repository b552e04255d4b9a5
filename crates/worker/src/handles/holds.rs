//! Which objects the library goes on using for others: what is kept does not go before its keeper.
//!
//! | a hold is | from | to |
//! |---|---|---|
//! | an object's | `add` | the removal of that object, or `let_go` |
//! | over | the removal of the keeper, or `let_go` | the end of the outermost call of that thread. The library may still be releasing the keeper, or looking at what that let go of |
//! | for ever | `add`, with no keeper that goes | the end of the worker |

use std::collections::HashMap;

use hotcell_protocol::RawHandle;

/// What keeps an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeper {
    /// Another object, which somebody owns.
    Object(RawHandle),
    /// The calls of this thread that are open: this object has gone in one of them.
    Calls(usize, RawHandle),
    /// Nothing that goes.
    Ever,
}

/// That an object is kept. Slot 0 is nobody's; what is in another one can be let go of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    keeper: Keeper,
    slot: u32,
}

/// All holds there are.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// By what is kept.
    by_kept: HashMap<RawHandle, Vec<Hold>>,
    /// What each keeper keeps; some of it may have gone.
    by_keeper: HashMap<RawHandle, Vec<RawHandle>>,
    /// What is kept by open calls, with their thread.
    over: Vec<(usize, RawHandle)>,
}

impl Holds {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.by_kept.is_empty()
    }

    pub(super) fn add(&mut self, kept: RawHandle, keeper: Keeper, slot: u32) {
        let holds = self.by_kept.entry(kept).or_default();
        let hold = Hold { keeper, slot };
        if holds.contains(&hold) {
            return;
        }
        holds.push(hold);
        match keeper {
            Keeper::Object(keeper) => self.by_keeper.entry(keeper).or_default().push(kept),
            Keeper::Calls(thread, _) => self.over.push((thread, kept)),
            Keeper::Ever => {}
        }
    }

    /// What keeps an object.
    pub(super) fn keepers(&self, kept: RawHandle) -> impl Iterator<Item = Keeper> {
        self.by_kept.get(&kept).into_iter().flatten().map(|hold| hold.keeper)
    }

    /// What an object keeps, or kept until it went in a call of this thread.
    pub(super) fn kept_by(&self, keeper: RawHandle, thread: usize) -> Vec<RawHandle> {
        let gone = |kept: &RawHandle| self.keepers(*kept).any(|it| it == Keeper::Calls(thread, keeper));
        let over = self.over.iter().map(|(_, kept)| *kept).filter(gone);
        self.by_keeper.get(&keeper).into_iter().flatten().copied().chain(over).collect()
    }

    /// The keeper lets go of what it keeps in this slot, which calls of these threads keep from then on.
    pub(super) fn let_go(&mut self, keeper: RawHandle, slot: u32, threads: &[usize]) {
        let Some(list) = self.by_keeper.get_mut(&keeper) else { return };
        let gone = Hold { keeper: Keeper::Object(keeper), slot };
        let (by_kept, over) = (&mut self.by_kept, &mut self.over);
        let is_kept = |kept: &RawHandle| {
            let Some(holds) = by_kept.get_mut(kept) else { return false };
            let there = holds.len();
            holds.retain(|hold| *hold != gone);
            if holds.len() < there {
                let calls = |thread: &usize| Hold { keeper: Keeper::Calls(*thread, keeper), slot };
                holds.extend(threads.iter().map(calls));
                over.extend(threads.iter().map(|thread| (*thread, *kept)));
            }
            holds.iter().any(|hold| hold.keeper == gone.keeper)
        };
        list.retain(is_kept);
        if list.is_empty() {
            self.by_keeper.remove(&keeper);
        }
    }

    /// The keeper has gone, in a call of this thread.
    pub(super) fn keeper_went(&mut self, keeper: RawHandle, thread: usize) {
        for kept in self.by_keeper.remove(&keeper).into_iter().flatten() {
            let Some(holds) = self.by_kept.get_mut(&kept) else { continue };
            for hold in holds.iter_mut().filter(|hold| hold.keeper == Keeper::Object(keeper)) {
                hold.keeper = Keeper::Calls(thread, keeper);
            }
            self.over.push((thread, kept));
        }
    }

    /// The outermost call of this thread has ended.
    pub(super) fn end_over(&mut self, thread: usize) {
        for (_, kept) in self.over.extract_if(.., |(of, _)| *of == thread) {
            let Some(holds) = self.by_kept.get_mut(&kept) else { continue };
            holds.retain(|hold| !matches!(hold.keeper, Keeper::Calls(of, _) if of == thread));
            if holds.is_empty() {
                self.by_kept.remove(&kept);
            }
        }
    }

    /// What is kept has gone; what is kept of it from then on is this, if there is anything.
    pub(super) fn kept_went(&mut self, kept: RawHandle, heir: Option<RawHandle>) {
        let Some(holds) = self.by_kept.remove(&kept) else { return };
        let Some(heir) = heir else { return };
        for Hold { keeper, slot } in holds {
            self.add(heir, keeper, slot);
        }
    }
}
