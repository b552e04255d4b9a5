//! The control thread: adds segments, answers probes, notices the end of the host.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hotcell_protocol::wire::{
    Cancel, Event, LaneOpen, LaneReady, Packet, SegmentAdd, SegmentReady, capabilities,
};
use hotcell_sandbox::with_sent_signals_blocked;
use hotcell_shm::control::{ControlError, ControlSocket, Received};
use hotcell_shm::{Access, Seals, SegmentFile, SegmentTable};

use crate::cancels;
use crate::report::{Failure, REPORTED};
use crate::serve::Worker;

/// Bytes of the control thread's stack.
const STACK: usize = 128 * 1024;

/// How often a stopping worker is woken again (see `WorkerChannel::nudge`).
const NUDGE: Duration = Duration::from_millis(1);

/// Starts the thread, with all signals blocked that are sent: they belong to the serving thread and the library. The threads that it
/// starts for lanes begin like that, too. What they do before they serve may be denied already: the C library looks for the number of
/// processors once it has made some heaps for threads.
pub(crate) fn start(worker: &'static Worker) -> io::Result<()> {
    let thread = std::thread::Builder::new().stack_size(STACK).name("hotcell-control".into());
    with_sent_signals_blocked(|| thread.spawn(move || run(worker))).map(drop)
}

fn run(worker: &'static Worker) -> ! {
    let (socket, segments) = (&*worker.socket, worker.segments);
    loop {
        let packet = match socket.receive_from_host() {
            Ok(Some(packet)) => packet,
            // The host is gone: nobody will ever read a reply.
            Ok(None) => exit(0),
            Err(ControlError::NoDescriptors) => {
                Failure::new(Event::NoDescriptors, "the library holds every descriptor it may have")
                    .send(socket);
                exit(REPORTED)
            }
            Err(error) => give_up(socket, &error.to_string()),
        };
        match packet.kind {
            Packet::SegmentAdd => match add_segment(packet, segments) {
                Ok(id) => drop(socket.send(Packet::SegmentReady, &SegmentReady { id }.encode(), &[])),
                Err(text) => give_up(socket, &text),
            },
            Packet::LaneOpen => match open_lane(&packet, worker) {
                Ok(ready) => drop(socket.send(Packet::LaneReady, &ready.encode(), &[])),
                Err(text) => give_up(socket, &text),
            },
            Packet::Cancel => match cancel_of(&packet, worker.capabilities) {
                Ok(cancel) => cancels::stop(worker, cancel),
                Err(text) => give_up(socket, &text),
            },
            Packet::Ping => drop(socket.send(Packet::Pong, &[], &[])),
            Packet::Shutdown => {
                worker.stopping.store(true, Ordering::SeqCst);
                loop {
                    worker.channel.nudge();
                    std::thread::sleep(NUDGE);
                }
            }
            _ => give_up(socket, "a packet that a host does not send"),
        }
    }
}

pub(crate) fn add_segment(packet: Received, segments: &SegmentTable) -> Result<u16, String> {
    let body = packet.body.first_chunk().ok_or("a segment packet is too short")?;
    let add = SegmentAdd::decode(body);
    let mut descriptors = packet.descriptors.into_iter();
    let (Some(fd), None) = (descriptors.next(), descriptors.next()) else {
        return Err("a segment packet carries one descriptor".into());
    };
    let (seals, access) = match add.writable {
        0 => (Seals::Request, Access::ReadOnly),
        _ => (Seals::Reply, Access::ReadWrite),
    };
    let mapped = SegmentFile::adopt(fd, add.length, seals).and_then(|file| file.map(access));
    let mapping = mapped.map_err(|errno| format!("segment {}: {errno}", add.id))?;
    segments.add(add.id, mapping).map_err(|errno| format!("segment {}: {errno}", add.id))?;
    Ok(add.id)
}

fn open_lane(packet: &Received, worker: &'static Worker) -> Result<LaneReady, String> {
    let lane = lane_of(packet, worker.capabilities)?;
    Ok(LaneReady { lane, errno: worker.threads.open(worker, lane)? })
}

/// The lane that a packet wants opened, where that was agreed on.
pub(crate) fn lane_of(packet: &Received, agreed: u64) -> Result<u32, String> {
    let body = packet.body.first_chunk().ok_or("a lane packet is too short")?;
    if agreed & capabilities::LANES == 0 {
        return Err("a lane of its own was not agreed on".into());
    }
    Ok(LaneOpen::decode(body).lane)
}

/// The call that a packet wants stopped, where that was agreed on.
pub(crate) fn cancel_of(packet: &Received, agreed: u64) -> Result<Cancel, String> {
    let body = packet.body.first_chunk().ok_or("a packet that stops a call is too short")?;
    if agreed & capabilities::CANCEL == 0 {
        return Err("to stop calls was not agreed on".into());
    }
    Ok(Cancel::decode(body))
}

fn give_up(socket: &ControlSocket, text: &str) -> ! {
    Failure::new(Event::HostViolation, text).send(socket);
    exit(REPORTED)
}

/// Ends the process at once: the serving thread may be deep inside the library.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: runs no handlers and returns never.
    unsafe { libc::_exit(code) }
}
