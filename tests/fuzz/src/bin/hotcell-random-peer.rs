//! A worker that does with its memory and its control socket what the data of each call say.
//!
//! It is no library's worker: it maps what it is given, and answers. Where the data are over it answers that the call has
//! returned, so that its host does not wait for it.
#![allow(clippy::unwrap_used, reason = "a panic ends only this process, and its host sees that")]

use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hotcell_fuzz::peer::{Memory, Peer};
use hotcell_protocol::wire::{Hello, Packet, SegmentAdd, SegmentReady, Welcome};
use hotcell_shm::control::ControlSocket;
use hotcell_shm::{Access, Mapping, Seals, SegmentFile};

fn main() {
    // SAFETY: the host starts a worker with its control socket as descriptor 3, and nothing else here owns it.
    let socket = ControlSocket::from_fd(unsafe { OwnedFd::from_raw_fd(3) });
    let packet = socket.receive_from_host().unwrap().unwrap();
    let hello = Hello::decode(packet.body.first_chunk().unwrap());
    let mut descriptors = packet.descriptors.into_iter();
    let request = adopt(descriptors.next().unwrap(), hello.request_length, Seals::Request);
    let reply = adopt(descriptors.next().unwrap(), hello.reply_length, Seals::Reply);
    // It claims to be as restricted as one can be.
    let Hello { functions, fingerprint, capabilities, .. } = hello;
    let welcome = Welcome { capabilities, level: u32::MAX, functions, fingerprint };
    socket.send(Packet::Welcome, &welcome.encode(), &[]).unwrap();
    let socket = Arc::new(socket);
    let windows = Arc::new(Mutex::new(Vec::new()));
    let (hearing, mapped) = (Arc::clone(&socket), Arc::clone(&windows));
    std::thread::spawn(move || hear(&hearing, &mapped));
    let send = move |packet: &[u8]| {
        let _ = rustix::io::write(socket.as_fd(), packet);
    };
    let pause = || std::thread::sleep(Duration::from_micros(20));
    Peer::new(Memory { request, reply, windows }, send, pause).serve();
}

fn adopt(fd: OwnedFd, length: u64, seals: Seals) -> Mapping {
    let access = if seals == Seals::Request { Access::ReadOnly } else { Access::ReadWrite };
    SegmentFile::adopt(fd, length, seals).unwrap().map(access).unwrap()
}

/// Maps what is added, and ends with the host.
fn hear(socket: &ControlSocket, windows: &Mutex<Vec<(u16, Mapping)>>) {
    while let Ok(Some(packet)) = socket.receive_from_host() {
        match packet.kind {
            Packet::SegmentAdd => {
                let add = SegmentAdd::decode(packet.body.first_chunk().unwrap());
                let fd = packet.descriptors.into_iter().next().unwrap();
                if add.writable != 0 {
                    windows.lock().unwrap().push((add.id, adopt(fd, add.length, Seals::Reply)));
                }
                let _ = socket.send(Packet::SegmentReady, &SegmentReady { id: add.id }.encode(), &[]);
            }
            Packet::Shutdown => break,
            _ => {}
        }
    }
    std::process::exit(0);
}
