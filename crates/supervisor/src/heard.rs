//! What a worker says on its control socket. It is the worker's word: it can only ever harm the worker's own calls.

use hotcell_protocol::wire::{
    Cancel, Event, EventPacket, LaneReady, Packet, SEGMENT_FIRST_ADDED, SegmentReady, Welcome,
};
use hotcell_shm::control::Received;

use crate::end::Report;
use crate::output::escape;
use crate::worker::State;

/// Reports of one worker that are listened to: an honest one sends one and ends.
const REPORTS: u32 = 16;

impl State {
    /// Takes in one packet. `Err` is the rule that it breaks.
    pub(crate) fn hear(&mut self, packet: &Received) -> Result<(), &'static str> {
        match packet.kind {
            Packet::Welcome => {
                let body = packet.body.first_chunk().ok_or("a welcome is too short")?;
                if self.welcome.replace(Welcome::decode(body)).is_some() {
                    return Err("a second welcome");
                }
            }
            Packet::SegmentReady => {
                let body = packet.body.first_chunk().ok_or("a segment report is too short")?;
                let id = SegmentReady::decode(body).id;
                let offered = SEGMENT_FIRST_ADDED..SEGMENT_FIRST_ADDED + self.offered;
                if !offered.contains(&id) || !self.mapped.insert(id) {
                    return Err("a report of a segment that was not offered");
                }
            }
            Packet::LaneReady => {
                let body = packet.body.first_chunk().ok_or("a lane report is too short")?;
                let LaneReady { lane, errno } = LaneReady::decode(body);
                let asked = self.lanes.get_mut(&lane).filter(|said| said.is_none());
                *asked.ok_or("a report of a lane that was not asked for")? = Some(errno);
            }
            Packet::CancelDone => {
                let body = packet.body.first_chunk().ok_or("the report of a stopped call is too short")?;
                self.hear_cancelled(Cancel::decode(body))?;
            }
            Packet::Event => {
                let (head, text) = packet.body.split_first_chunk().ok_or("an event is too short")?;
                let head = EventPacket::decode(head);
                let event = Event::from_raw(head.event).ok_or("an event of unknown kind")?;
                let text = text.get(..head.text_length as usize).ok_or("an event's text is cut off")?;
                self.reports += 1;
                if self.reports > REPORTS {
                    return Err("reports without end");
                }
                let text = escape(&String::from_utf8_lossy(text));
                self.report = Some(Report { event, errno: head.detail, text });
            }
            Packet::Pong => {
                if !std::mem::take(&mut self.probed) {
                    return Err("an answer to a probe that was not sent");
                }
                self.owes = None;
            }
            _ => return Err("a packet that a worker does not send"),
        }
        Ok(())
    }
}
