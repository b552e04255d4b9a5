//! The control socket at the worker's end: whatever comes as the first packet or as a segment, it is taken or refused, and
//! no descriptor is left behind.

use std::os::fd::{AsFd as _, OwnedFd};

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, Packet, capabilities, hello, lane_open, packet_head, segment_add};
use hotcell_shm::SegmentTable;
use hotcell_shm::control::ControlSocket;
use hotcell_worker::seam;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::packets;
use crate::Target;
use crate::script::Script;

pub(crate) const TARGET: Target = Target {
    name: "control-worker",
    about: "a hello, segments and lanes of any form, with any descriptors: taken as they are meant or refused, numbers are used once, and what is mapped is as long as it says",
    longest: 2048,
    short: 3_000,
    run,
};

/// Most packets of an input.
const MOST: u32 = 32;

fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let (host, worker) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .expect("there is room for a socket");
    let worker = ControlSocket::from_fd(worker);
    let segments = SegmentTable::new();
    for _ in 0..MOST {
        if script.is_over() {
            return;
        }
        let (kind, body) = match script.u8() {
            250.. => (Packet::LaneOpen, lane_open::SIZE),
            choice if choice % 4 == 0 => (Packet::Hello, hello::SIZE),
            _ => (Packet::SegmentAdd, segment_add::SIZE),
        };
        let packet = packets::packet(&mut script, &[kind.raw(); 5], &[body; 5]);
        let count = script.one_of(&[1, 1, 1, 0, 2, 3, 4, 5]);
        let given: Vec<OwnedFd> = (0..count).map(|_| packets::descriptor(&mut script)).collect();
        let descriptors: Vec<_> = given.iter().map(|fd| fd.as_fd()).collect();
        if !packets::send(&host, &packet, &descriptors) {
            continue;
        }
        match kind {
            Packet::LaneOpen => {
                let agreed = script.one_of(&[0, capabilities::LANES, u64::MAX]);
                if let Ok(lane) = seam::open_lane(&worker, agreed) {
                    assert_ne!(agreed & capabilities::LANES, 0, "a lane that was not agreed on");
                    assert!(
                        packet[packet_head::SIZE..].starts_with(&lane.to_le_bytes()),
                        "another lane than was asked for"
                    );
                }
            }
            Packet::Hello => {
                if let Ok(taken) = seam::receive_hello(&worker) {
                    assert_eq!(taken, count, "descriptors got lost");
                }
            }
            _ => {
                let Ok(id) = seam::add_segment(&worker, &segments) else { continue };
                assert_eq!(count, 1, "a segment comes with one descriptor");
                assert!((wire::SEGMENT_FIRST_ADDED..wire::SEGMENT_BATCH).contains(&id), "{id}");
                let length = rustix::fs::fstat(&given[0]).expect("it is open").st_size as u64;
                assert!(segments.address(Place::new(id, 0), length).is_some());
                assert!(segments.address(Place::new(id, 0), length + 1).is_none());
            }
        }
    }
}
