//! Which threads stand in line for objects. What a call asks there may call the same session: that call would stand behind the one
//! that asks, on its own thread, and neither would go on.

use std::cell::RefCell;
use std::sync::Arc;

use super::Families;

thread_local! {
    /// By their addresses, for whose families this thread stands in line.
    static HERE: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// This thread stands in line for families of a session.
pub(super) struct InLine(());

impl InLine {
    /// `None` where it does already.
    pub(super) fn of(families: &Arc<Families>) -> Option<InLine> {
        let address = Arc::as_ptr(families).addr();
        let joined = HERE.try_with(|here| {
            let mut here = here.borrow_mut();
            let first = !here.contains(&address);
            if first {
                here.push(address);
            }
            first
        });
        // While the thread ends, nothing is asked any more.
        joined.unwrap_or(true).then(|| InLine(()))
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        // Who came last goes first.
        let _ = HERE.try_with(|here| here.borrow_mut().pop());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stands_once_in_a_line() {
        let (own, other) = (Arc::new(Families::default()), Arc::new(Families::default()));
        let first = InLine::of(&own).expect("nobody stands here");
        let second = InLine::of(&other).expect("that is another line");
        assert!(InLine::of(&own).is_none() && InLine::of(&other).is_none());
        drop(second);
        assert!(InLine::of(&own).is_none() && InLine::of(&other).is_some());
        let elsewhere = std::thread::scope(|scope| scope.spawn(|| InLine::of(&own).is_some()).join());
        assert_eq!(elsewhere.ok(), Some(true));
        drop(first);
        assert!(InLine::of(&own).is_some());
    }
}
