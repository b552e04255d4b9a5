//! Panics, on whatever thread: those of Hotcell's own, too, which nobody joins.

use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Has them counted from now on.
pub(crate) fn count() {
    static SET: Once = Once::new();
    SET.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            COUNT.fetch_add(1, Ordering::Relaxed);
            before(panic);
        }));
    });
}

/// How many there were.
pub(crate) fn so_far() -> u64 {
    COUNT.load(Ordering::Relaxed)
}
