//! Telling the host what happened that is no reply.

use hotcell_protocol::wire::{self, Event, EventPacket, Packet};
use hotcell_shm::control::ControlSocket;

/// Exit status after a report: the host goes by the report, not by the number.
pub(crate) const REPORTED: i32 = 1;

/// A failure the host should hear of.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) event: Event,
    pub(crate) errno: i32,
    pub(crate) text: String,
    /// The exit status.
    pub(crate) status: i32,
}

impl Failure {
    pub(crate) fn new(event: Event, text: impl Into<String>) -> Failure {
        Failure { event, errno: 0, text: text.into(), status: REPORTED }
    }

    pub(crate) fn system(event: Event, what: &str, error: &std::io::Error) -> Failure {
        let errno = error.raw_os_error().unwrap_or(0);
        Failure { event, errno, text: format!("{what}: {error}"), status: REPORTED }
    }

    /// Sends the report. If even that fails, the host sees the worker end without a word.
    pub(crate) fn send(&self, control: &ControlSocket) {
        let mut end = self.text.len().min(wire::MAX_TEXT);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let packet = EventPacket { event: self.event.raw(), detail: self.errno, text_length: end as u32 };
        let mut body = packet.encode().to_vec();
        body.extend_from_slice(&self.text.as_bytes()[..end]);
        let _ = control.send(Packet::Event, &body, &[]);
    }
}
