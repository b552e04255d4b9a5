//! Notes that are left while somebody has the turn, in every interleaving, by loom (`cargo dev loom`).

use loom::sync::Arc;

use super::*;
use crate::session::turnstile::Turnstile;

/// Two threads drop an object each while another has the turn: whoever comes to it, all are sent, each once.
#[test]
fn no_note_is_lost() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let shared = Arc::new((Releases::default(), Turnstile::new([Box::new(0u32)].into_iter())));
        let turn = shared.1.take().expect("nobody has it yet");
        let drops = [1, 2].map(|raw| {
            let shared = Arc::clone(&shared);
            loom::thread::spawn(move || {
                let (handle, release) =
                    (RawHandle::from_raw(raw), Release { function: 0, offset: 0, image: 0 });
                shared.0.leave(Note {
                    generation: 1,
                    handle,
                    release,
                    failed: false,
                    thread: raw,
                    claim: None,
                });
                send(&shared);
            })
        });
        shared.1.put(0, turn);
        if shared.0.any() {
            send(&shared);
        }
        for thread in drops {
            thread.join().expect("no thread of the model panics");
        }
        assert!(!shared.0.any() && shared.0.first().is_none(), "a note stays");
        assert_eq!(shared.1.take(), Some(Box::new(2)), "how many were sent");
    });
}

/// Sends notes if the turn is free, as [`Session::send_what_is_left`] does.
fn send((releases, seats): &(Releases, Turnstile<u32>)) {
    releases.send_while_free(seats, |mut sent| {
        let Some(sweeping) = releases.sweeping() else { panic!("who has the turn sends them") };
        while releases.first().is_some() {
            releases.take();
            *sent += 1;
        }
        drop(sweeping);
        seats.put_for_others(0, sent);
        Swept::All
    });
}
