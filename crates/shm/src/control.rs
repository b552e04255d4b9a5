//! The control socket between a host and its worker: packets of fixed layouts, and descriptors, which only
//! ever travel from host to worker.

use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use hotcell_protocol::negotiate;
use hotcell_protocol::wire::{self, Packet as Kind, PacketHead, packet_head};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair, sockopt,
};

/// The rule that descriptors broke which did not fit.
const CUT_OFF: &str = "more descriptors than allowed";

/// Descriptors one packet may carry.
pub const MAX_DESCRIPTORS: usize = 128;

/// One end of a control socket.
#[derive(Debug)]
pub struct ControlSocket {
    fd: OwnedFd,
    sending: SendFlags,
    serial: AtomicU64,
}

/// A packet that was received and whose head was checked.
#[derive(Debug)]
pub struct Received {
    /// What it is.
    pub kind: Kind,
    /// The sender's count of its packets.
    pub serial: u64,
    /// What follows the head.
    pub body: Vec<u8>,
    /// Descriptors; empty at the host's end.
    pub descriptors: Vec<OwnedFd>,
    /// Process id the kernel vouches for, at the host's end.
    pub sender: Option<u32>,
}

/// Why a packet was not received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlError {
    /// The kernel says no.
    System(Errno),
    /// The other side broke this rule.
    Violation(&'static str),
    /// This process has no room for the descriptors that came.
    NoDescriptors,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlError::System(errno) => write!(f, "control socket: {errno}"),
            ControlError::Violation(rule) => write!(f, "control socket: {rule}"),
            ControlError::NoDescriptors => f.write_str("no room for another descriptor"),
        }
    }
}

impl std::error::Error for ControlError {}

impl From<Errno> for ControlError {
    fn from(errno: Errno) -> Self {
        ControlError::System(errno)
    }
}

impl ControlSocket {
    /// Makes a pair: the host's end, which learns from the kernel who sent each packet, and the worker's.
    pub fn pair() -> Result<(ControlSocket, OwnedFd), Errno> {
        let (host, worker) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_passcred(&host, true)?;
        // A host never waits for a worker that does not read: an honest one's queue is never full.
        let sending = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        Ok((ControlSocket { sending, ..ControlSocket::from_fd(host) }, worker))
    }

    /// An end that was inherited.
    pub fn from_fd(fd: OwnedFd) -> ControlSocket {
        ControlSocket { fd, sending: SendFlags::NOSIGNAL, serial: AtomicU64::new(0) }
    }

    /// Sends one packet.
    pub fn send(&self, kind: Kind, body: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        let length = packet_head::SIZE + body.len();
        if length > wire::MAX_PACKET || descriptors.len() > MAX_DESCRIPTORS {
            return Err(Errno::MSGSIZE);
        }
        let head = PacketHead {
            magic: wire::MAGIC as u32,
            major: wire::VERSION_MAJOR,
            minor: wire::VERSION_MINOR,
            kind: kind.raw(),
            flags: 0,
            length: length as u32,
            serial: self.serial.fetch_add(1, Ordering::Relaxed) + 1,
        };
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        let head = head.encode();
        let parts = [IoSlice::new(&head), IoSlice::new(body)];
        // A peer that closed its end is an error here, never a SIGPIPE.
        rustix::io::retry_on_intr(|| sendmsg(&self.fd, &parts, &mut ancillary, self.sending))?;
        Ok(())
    }

    /// Receives one packet at the host's end: descriptors are a violation, and so is a packet that did not
    /// come from the process `worker`.
    pub fn receive_from(&self, worker: u32) -> Result<Option<Received>, ControlError> {
        // Room for credentials alone: descriptors do not fit, so the kernel drops them and says so.
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
        let received = self.receive(&mut space, RecvFlags::DONTWAIT)?;
        match received {
            Some(packet) if packet.sender != Some(worker) => {
                Err(ControlError::Violation("a packet did not come from the worker itself"))
            }
            Some(packet) if !packet.descriptors.is_empty() => {
                Err(ControlError::Violation("a worker sent descriptors"))
            }
            other => Ok(other),
        }
    }

    /// Receives one packet at the worker's end; waits for it. `None` when the host is gone.
    pub fn receive_from_host(&self) -> Result<Option<Received>, ControlError> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        // A host sends no more descriptors than fit: if some are cut off, this process cannot hold them.
        match self.receive(&mut space, RecvFlags::empty()) {
            Err(ControlError::Violation(CUT_OFF)) => Err(ControlError::NoDescriptors),
            other => other,
        }
    }

    fn receive(
        &self,
        space: &mut [MaybeUninit<u8>],
        flags: RecvFlags,
    ) -> Result<Option<Received>, ControlError> {
        let mut buffer = [0; wire::MAX_PACKET];
        let mut ancillary = RecvAncillaryBuffer::new(space);
        let flags = flags | RecvFlags::CMSG_CLOEXEC;
        let message = loop {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            match recvmsg(&self.fd, &mut parts, &mut ancillary, flags) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        };
        let (mut descriptors, mut sender) = (Vec::new(), None);
        for part in ancillary.drain() {
            match part {
                RecvAncillaryMessage::ScmRights(fds) => descriptors.extend(fds),
                RecvAncillaryMessage::ScmCredentials(who) => {
                    sender = u32::try_from(who.pid.as_raw_nonzero().get()).ok();
                }
                _ => {}
            }
        }
        // An empty packet brings its sender's credentials along, the end of the stream brings nothing.
        let empty_handed = sender.is_none() && descriptors.is_empty();
        if message.bytes == 0 && empty_handed && !message.flags.intersects(ReturnFlags::CTRUNC) {
            return Ok(None);
        }
        if message.flags.intersects(ReturnFlags::CTRUNC) {
            return Err(ControlError::Violation(CUT_OFF));
        }
        if message.flags.intersects(ReturnFlags::TRUNC) {
            return Err(ControlError::Violation("a packet is too long"));
        }
        let packet = &buffer[..message.bytes];
        let Some((head, body)) = packet.split_first_chunk::<{ packet_head::SIZE }>() else {
            return Err(ControlError::Violation("a packet is shorter than its head"));
        };
        let head = PacketHead::decode(head);
        let own = (wire::VERSION_MAJOR, wire::VERSION_MINOR);
        if head.magic != wire::MAGIC as u32 || negotiate(own, (head.major, head.minor)).is_err() {
            return Err(ControlError::Violation("a packet of another protocol"));
        }
        if head.length as usize != packet.len() {
            return Err(ControlError::Violation("a packet's length is wrong"));
        }
        let Some(kind) = Kind::from_raw(head.kind) else {
            return Err(ControlError::Violation("a packet of unknown kind"));
        };
        Ok(Some(Received { kind, serial: head.serial, body: body.to_vec(), descriptors, sender }))
    }
}

impl AsFd for ControlSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
