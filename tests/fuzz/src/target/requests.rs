//! Requests: whatever a host writes, a worker answers it by the protocol, or says which rule it broke.
//!
//! Worker, shim and library are the real ones, in this process. The host does not overlap what it grants with other memory,
//! and its nested calls keep the rules: behind a broken one a worker would end this process.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use hotcell::rt;
use hotcell_protocol::wire::{self, channel_head, lane_host};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::{Access, HostChannel, Seals, SegmentFile, sealed_copy};
use hotcell_worker::seam::Rig;

use super::memory;
use crate::Target;
use crate::script::Script;
use crate::yard;

mod host;

use host::Host;

pub(crate) const TARGET: Target = Target {
    name: "requests",
    about: "calls and batches of any content, nested or not, with answers of any kind: worker and shim answer each by the protocol, or name the rule it broke",
    longest: 2048,
    short: 1_500,
    run,
};

const EPOCH: u16 = 7;

/// Calls of an input.
const MOST: u32 = 24;

/// Segments by number from 2: two windows, then request memory.
const SEGMENTS: [(usize, Seals); 3] = [(4096, Seals::Reply), (16_384, Seals::Reply), (4096, Seals::Request)];

/// The number of the request memory.
const DATA: u16 = 4;

/// Functions of the library.
fn functions() -> &'static [rt::Function] {
    static LOADED: OnceLock<()> = OnceLock::new();
    let package = yard::bound().package;
    LOADED.get_or_init(|| {
        let shim = sealed_copy(package.shim).expect("there is memory for the shim");
        let open = |path| OwnedFd::from(File::open(path).expect("the library was just compiled"));
        let libraries: Vec<OwnedFd> = yard::bound().libraries.iter().map(open).collect();
        let count = package.functions.len() as u32;
        Rig::load(&shim, &libraries, count, package.fingerprint).expect("the shim is of this package");
    });
    package.functions
}

fn run(input: &[u8]) {
    let functions = functions();
    let (mut rig, host) = scene(input);
    let host = Mutex::new(host);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                lock(&host).answer();
                std::thread::yield_now();
            }
        });
        let _over = Over(&over);
        // Most functions are about objects.
        for name in ["yard_new", "yard_sign_new", "yard_new"] {
            let function = lock(&host).make(functions, name);
            assert_eq!(rig.serve(), Ok(true), "{name}");
            lock(&host).check(function);
        }
        for _ in 0..MOST {
            let mut at_work = lock(&host);
            if at_work.script.is_over() {
                return;
            }
            let function = at_work.call(functions);
            drop(at_work);
            match rig.serve() {
                Ok(true) => lock(&host).check(function),
                Ok(false) => panic!("a call that was published is not found"),
                // A worker ends.
                Err(rule) => return assert!(!rule.is_empty()),
            }
        }
    });
}

/// Ends the other thread, however this one ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn lock<'a, 'h>(host: &'a Mutex<Host<'h>>) -> MutexGuard<'a, Host<'h>> {
    host.lock().unwrap_or_else(PoisonError::into_inner)
}

fn scene(input: &[u8]) -> (Rig, Host<'_>) {
    let segment = |length, seals| SegmentFile::create(length, seals).expect("there is memory for a segment");
    let length = HostChannel::create(1, EPOCH, 1).expect("there is memory for a channel").files().0.length();
    let (request_file, request) = segment(length, Seals::Request);
    let (reply_file, reply) = segment(length, Seals::Reply);
    for side in [&request, &reply] {
        side.store(channel_head::MAGIC, wire::MAGIC);
        side.store(channel_head::MAJOR, wire::VERSION_MAJOR);
        side.store(channel_head::EPOCH, EPOCH);
        side.store(channel_head::LANES, 1u32);
        side.store(channel_head::RING_SLOTS, wire::RING_SLOTS);
        side.store(channel_head::STACK_SLOTS, wire::STACK_SLOTS);
        side.store(channel_head::SLOT_STRIDE, wire::SLOT_STRIDE as u32);
    }
    request.store(wire::LINE + wire::channel_host::ACTIVE, 1u64);
    request.store(memory::lane(0) + lane_host::CPU, wire::CPU_UNKNOWN);
    let (mut added, mut own) = (Vec::new(), Vec::new());
    for (id, (length, seals)) in (wire::SEGMENT_FIRST_ADDED..).zip(SEGMENTS) {
        let (file, mapping) = segment(length, seals);
        let access = if seals == Seals::Reply { Access::ReadWrite } else { Access::ReadOnly };
        added.push((id, file.map(access).expect("there is room for a map")));
        own.push(mapping);
    }
    let (_, socket) = ControlSocket::pair().expect("there is room for a socket");
    let rig = Rig::new(&request_file, &reply_file, added, ControlSocket::from_fd(socket));
    let data = own.pop().expect("the last is the request memory");
    let host = Host::new(Script::new(input), request, reply, data);
    (rig.expect("the segments are as they should be"), host)
}
