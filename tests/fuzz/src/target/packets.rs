//! Packets on a control socket, as the other side may send them.

use std::fs::File;
use std::io::{IoSlice, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use hotcell_protocol::wire::{self, PacketHead, packet_head};
use hotcell_shm::{Seals, SegmentFile};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::script::Script;

/// A packet: a head that is often right, and a body of this length, which is often the right one.
pub(crate) fn packet(script: &mut Script<'_>, kinds: &[u16], bodies: &[usize]) -> Vec<u8> {
    let kind = script.near(&kinds.iter().map(|&kind| kind.into()).collect::<Vec<_>>()) as u16;
    let length = script.near(&bodies.iter().map(|&length| length as u64).collect::<Vec<_>>());
    let length = (length as usize).min(wire::MAX_PACKET + 8);
    let mut body = script.take(length).to_vec();
    if script.below(4) != 0 {
        body.resize(length, 0);
    }
    let whole = packet_head::SIZE + body.len();
    let mut head = PacketHead {
        magic: wire::MAGIC as u32,
        major: wire::VERSION_MAJOR,
        minor: wire::VERSION_MINOR,
        kind,
        flags: 0,
        length: whole as u32,
        serial: 1,
    };
    match script.below(16) {
        0 => head.magic ^= 1 << (script.u8() % 32),
        1 => head.major = script.u16(),
        2 => head.minor = script.u16(),
        3 => head.length = script.near(&[whole as u64, 0, u32::MAX.into()]) as u32,
        4 => return script.take(script.clone().below(64)).to_vec(),
        _ => {}
    }
    [&head.encode()[..], &body].concat()
}

/// Sends it, with descriptors. False where the kernel takes no such packet.
pub(crate) fn send(socket: &OwnedFd, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> bool {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fits = descriptors.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    fits && sendmsg(socket, &[IoSlice::new(packet)], &mut ancillary, flags).is_ok()
}

/// A descriptor, which is often that of a segment.
pub(crate) fn descriptor(script: &mut Script<'_>) -> OwnedFd {
    let sizes = [4096, 8192, 1 << 20];
    let segment = |seals, length| {
        let (file, _) = SegmentFile::create(length, seals).expect("there is memory for a segment");
        file.as_fd().try_clone_to_owned().expect("there is room for a descriptor")
    };
    match script.below(8) {
        0 => File::open("/dev/null").expect("it is everywhere").into(),
        1 => {
            let mut file = tempfile::tempfile().expect("there is room for a file");
            file.write_all(&[0; 4096]).expect("there is room for a file");
            file.into()
        }
        2..5 => segment(Seals::Request, script.one_of(&sizes)),
        _ => segment(Seals::Reply, script.one_of(&sizes)),
    }
}
