//! The control socket at the host's end: whatever a worker sends, it is heard by the rules or breaks one.

use std::collections::BTreeSet;
use std::os::fd::AsFd as _;

use hotcell_protocol::wire::{self, Packet, event, lane_ready, packet_head, segment_ready, welcome};
use hotcell_shm::control::{ControlError, ControlSocket};
use hotcell_supervisor::seam::Hearing;
use rustix::io::Errno;

use super::packets;
use crate::Target;
use crate::script::Script;

pub(crate) const TARGET: Target = Target {
    name: "control",
    about: "packets of any form, with descriptors or without, from the worker or from another process: each is heard by the rules of the control protocol or is a violation, and no descriptor ever comes in",
    longest: 4096,
    short: 4_000,
    run,
};

/// Segments that were offered, from the first that is added.
const OFFERED: u16 = 3;

/// Lanes that were asked for.
const LANES: [u32; 2] = [1, 2];

/// Most packets of an input.
const MOST: u32 = 64;

fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (host, worker) = ControlSocket::pair().expect("there is room for a socket");
    let mut hearing = Hearing::new(OFFERED, LANES);
    let own = std::process::id();
    let mut reports = 0;
    for _ in 0..MOST {
        if script.is_over() {
            break;
        }
        let kinds = [Packet::Welcome, Packet::SegmentReady, Packet::LaneReady, Packet::Event, Packet::Pong];
        let bodies = [welcome::SIZE, segment_ready::SIZE, lane_ready::SIZE, event::SIZE, event::SIZE + 40];
        let packet = packets::packet(&mut script, &kinds.map(Packet::raw), &bodies);
        let descriptors = if script.below(16) == 0 { vec![worker.as_fd()] } else { Vec::new() };
        if !packets::send(&worker, &packet, &descriptors) {
            continue;
        }
        let sender = if script.below(32) == 1 { own + 1 } else { own };
        let received = match host.receive_from(sender) {
            Ok(received) => received.expect("a packet is no end"),
            Err(ControlError::Violation(_)) => return,
            Err(error) => panic!("{error}"),
        };
        assert!(descriptors.is_empty() && received.descriptors.is_empty(), "a worker's descriptors came in");
        assert_eq!((sender, received.sender), (own, Some(own)), "it came from somebody else");
        assert!((packet_head::SIZE..=wire::MAX_PACKET).contains(&packet.len()));
        assert_eq!(received.body, packet[packet_head::SIZE..]);
        let owed = hearing.owes_an_answer();
        let before = (hearing.is_welcome(), hearing.mapped().count(), hearing.answered().count());
        if hearing.hear(&received).is_err() {
            return;
        }
        let after = (hearing.is_welcome(), hearing.mapped().count(), hearing.answered().count());
        match received.kind {
            Packet::Welcome => assert_eq!((before.0, after.0), (false, true)),
            Packet::SegmentReady => assert_eq!(before.1 + 1, after.1),
            Packet::LaneReady => assert_eq!(before.2 + 1, after.2),
            Packet::Event => reports += 1,
            Packet::Pong => assert_eq!((owed, hearing.owes_an_answer()), (true, false)),
            other => panic!("a worker sends no {other:?}"),
        }
        assert!(reports <= 16, "reports without end");
        let segments: BTreeSet<u16> = hearing.mapped().collect();
        assert!(segments.iter().all(|id| (2..2 + OFFERED).contains(id)), "{segments:?}");
        assert!(hearing.answered().all(|lane| LANES.contains(&lane)));
        let text = hearing.report().map(|report| report.text.as_str()).unwrap_or_default();
        assert!(
            !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'),
            "it could write to a terminal: {text:?}"
        );
    }
    assert_eq!(host.receive_from(own).err(), Some(ControlError::System(Errno::AGAIN)), "nothing is left");
}
