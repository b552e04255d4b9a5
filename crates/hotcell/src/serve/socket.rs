//! Packets of a client's socket: a JSON object each, and descriptors.

use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use hotcell_shm::lock::{Mutex, MutexGuard};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketType, recvmsg, sendmsg, sockopt,
};
use serde_json::Value;

use super::message::Message;

/// Bytes of a packet.
pub(super) const LONGEST: usize = 64 << 10;

/// Descriptors that a client may attach.
const ATTACHED: usize = 4;

/// Descriptors that are attached here at most: two files, and an eventfd for each lane.
const MOST: usize = 128;

/// How long a client may take to make room for a packet.
const PATIENCE: Duration = Duration::from_secs(5);

/// This end of a socket.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    /// Locked by whoever sends.
    sending: Mutex<()>,
}

/// The right to send. What is sent with it comes in this order.
pub(super) struct Sending<'a>(&'a Socket, #[expect(dead_code, reason = "it is held")] MutexGuard<'a, ()>);

/// Why there is no packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The other side is gone, or does not read.
    Gone,
    /// It broke this rule.
    Broken(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Gone => f.write_str("the other side is gone"),
            Trouble::Broken(rule) => f.write_str(rule),
        }
    }
}

fn broken(rule: &str) -> Trouble {
    Trouble::Broken(rule.to_owned())
}

impl Socket {
    /// Takes an end, which came from outside.
    pub(super) fn of(fd: OwnedFd) -> Result<Socket, Trouble> {
        let is_one = sockopt::socket_type(&fd) == Ok(SocketType::SEQPACKET)
            && sockopt::socket_domain(&fd) == Ok(AddressFamily::UNIX);
        if !is_one {
            return Err(broken("a descriptor is no socket of packets (SOCK_SEQPACKET of AF_UNIX)"));
        }
        // Whatever its other owner has made of it.
        rustix::io::ioctl_fionbio(&fd, false).map_err(|_| Trouble::Gone)?;
        let limit = sockopt::set_socket_timeout(&fd, sockopt::Timeout::Send, Some(PATIENCE));
        limit.map_err(|_| Trouble::Gone)?;
        Ok(Socket { fd, sending: Mutex::default() })
    }

    /// Waits for the right to send.
    pub(super) fn sending(&self) -> Sending<'_> {
        Sending(self, self.sending.lock())
    }

    /// Sends one packet.
    pub(super) fn send(&self, packet: &Value, attached: &[BorrowedFd<'_>]) -> Result<(), Trouble> {
        self.sending().send(packet, attached)
    }

    /// Takes a packet, if there is one. `None` at the end of the socket.
    pub(super) fn receive(&self) -> Result<Option<Option<Message>>, Trouble> {
        let mut buffer = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ATTACHED))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let received = recvmsg(&self.fd, &mut [IoSliceMut::new(&mut buffer)], &mut ancillary, flags);
        let received = match received {
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
            Err(Errno::CONNRESET) => return Ok(Some(None)),
            Err(errno) => return Err(Trouble::Broken(format!("the socket cannot be read: {errno}"))),
        };
        let mut attached = Vec::new();
        for part in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = part {
                attached.extend(rights);
            }
        }
        // There may be room for more than was asked for.
        if received.flags.intersects(ReturnFlags::CTRUNC) || attached.len() > ATTACHED {
            return Err(broken("a packet has too many descriptors"));
        }
        if received.flags.intersects(ReturnFlags::TRUNC) {
            return Err(broken("a packet is longer than 64 KiB"));
        }
        if received.bytes == 0 && attached.is_empty() {
            return Ok(Some(None));
        }
        Message::read(&buffer[..received.bytes], attached).map(|message| Some(Some(message)))
    }

    /// Has both sides see its end.
    pub(super) fn end(&self) {
        let _ = rustix::net::shutdown(&self.fd, Shutdown::Both);
    }
}

impl Sending<'_> {
    pub(super) fn send(&self, packet: &Value, attached: &[BorrowedFd<'_>]) -> Result<(), Trouble> {
        let text = packet.to_string();
        if text.len() > LONGEST {
            return Err(broken("what is to be sent is longer than 64 KiB"));
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !attached.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(attached));
        }
        let parts = [IoSlice::new(text.as_bytes())];
        let sent =
            rustix::io::retry_on_intr(|| sendmsg(&self.0.fd, &parts, &mut ancillary, SendFlags::NOSIGNAL));
        sent.map(drop).map_err(|_| Trouble::Gone)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::net::{SocketFlags, socketpair};
    use serde_json::json;

    use super::*;

    fn pair() -> (Socket, OwnedFd) {
        let both = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (own, other) = both.unwrap();
        (Socket::of(own).unwrap(), other)
    }

    fn send(to: &OwnedFd, bytes: &[u8], descriptors: usize) {
        let file = File::open("/dev/null").unwrap();
        let attached = vec![file.as_fd(); descriptors];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if descriptors > 0 {
            ancillary.push(SendAncillaryMessage::ScmRights(&attached));
        }
        sendmsg(to, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::empty()).unwrap();
    }

    #[test]
    fn packets_have_an_end_and_descriptors_a_number() {
        let (socket, client) = pair();
        assert!(matches!(socket.receive(), Ok(None)), "there is none yet");
        send(&client, b"{\"kind\":\"close\"}", 0);
        assert!(matches!(socket.receive(), Ok(Some(Some(_)))));
        let refused = |bytes: &[u8], descriptors| {
            send(&client, bytes, descriptors);
            match socket.receive() {
                Err(Trouble::Broken(rule)) => rule,
                other => panic!("{other:?}"),
            }
        };
        let mut long = json!({ "kind": "close", "x": "y".repeat(LONGEST) }).to_string();
        assert!(refused(long.as_bytes(), 0).contains("longer than 64 KiB"));
        long.truncate(LONGEST);
        assert!(refused(long.as_bytes(), 0).contains("no JSON object"));
        assert!(refused(b"{}", ATTACHED + 1).contains("too many descriptors"));
        assert!(refused(b"{}", ATTACHED * 4).contains("too many descriptors"));
        assert!(refused(b"", 1).contains("no JSON object"));
        drop(client);
        assert!(matches!(socket.receive(), Ok(Some(None))), "the end");
        assert_eq!(socket.send(&json!({}), &[]), Err(Trouble::Gone));
    }

    #[test]
    fn what_would_not_fit_is_not_sent() {
        let (socket, _client) = pair();
        let long = json!({ "kind": "x", "text": "y".repeat(LONGEST) });
        assert!(matches!(socket.send(&long, &[]), Err(Trouble::Broken(_))));
    }

    #[test]
    fn other_descriptors_are_no_sockets_of_packets() {
        let stream = std::os::unix::net::UnixStream::pair().unwrap().0;
        for other in [File::open("/dev/null").unwrap().into(), OwnedFd::from(stream)] {
            assert!(matches!(Socket::of(other), Err(Trouble::Broken(_))));
        }
    }
}
