//! A client as its session's workers see it: what it is told, and what it has said.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use hotcell_shm::lock::{Condvar, Mutex};
use hotcell_shm::{EventFd, HostChannel};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use serde_json::{Value, json};

use super::socket::{Sending, Socket, Trouble};
use crate::session::Serving;
use crate::session::served::Hears;

/// How long a client may take to map what it was offered.
const PATIENCE: Duration = Duration::from_secs(5);

/// What has happened, for the thread of a session to tell its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// A worker has ended.
    Ended(u64),
    /// Nothing is left of a worker.
    Gone(u64),
    /// A worker serves nobody new.
    Retired(u64),
    /// A worker is worn.
    Worn(u64),
    /// The session is over: its workers are stopped in order, or at once.
    Over { in_order: bool },
}

/// The client of one session.
#[derive(Debug)]
pub(super) struct Client {
    socket: Socket,
    pid: u32,
    /// Ends when its process does, whoever else has its sockets.
    process: Arc<Option<OwnedFd>>,
    state: Mutex<State>,
    changed: Condvar,
    news: Sender<News>,
    bell: OwnedFd,
}

#[derive(Debug, Default)]
struct State {
    /// What it was offered, and whether it has mapped that.
    offers: BTreeMap<Offer, bool>,
    /// Workers that have served it, and of which something is left.
    served: BTreeSet<u64>,
    is_over: bool,
}

/// What a client is to map before it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Offer {
    /// The channel of a worker.
    Channel(u64),
    /// The segment of an order.
    Segment(u64),
}

impl Client {
    pub(super) fn new(
        socket: Socket,
        pid: u32,
        process: Arc<Option<OwnedFd>>,
    ) -> io::Result<(Arc<Client>, Receiver<News>)> {
        let (news, inbox) = mpsc::channel();
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let (state, changed) = (Mutex::default(), Condvar::new());
        Ok((Arc::new(Client { socket, pid, process, state, changed, news, bell }), inbox))
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Waits until it has said something, or there are news of it, or it is gone. False in the last case.
    pub(super) fn wait(&self) -> bool {
        let gone = {
            let mut fds =
                vec![PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
            fds.extend(self.process.iter().map(|process| PollFd::new(process, PollFlags::IN)));
            // Interrupted or out of memory: who has called looks at everything anyway.
            let _ = poll(&mut fds, None);
            fds.get(2).is_some_and(|process| process.revents().intersects(PollFlags::IN))
        };
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        !gone
    }

    /// Has the session's thread see to this.
    pub(super) fn hear(&self, news: News) {
        // Nobody is there any more who would.
        let _ = self.news.send(news);
        let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
    }

    /// Whether it is there, as far as is known.
    pub(super) fn is_there(&self) -> bool {
        !self.state.lock().is_over
    }

    /// Its session is over: what waits for it waits no longer, and it is offered nothing more.
    pub(super) fn end(&self) {
        self.state.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Tells it something. One that cannot be told loses its session.
    pub(super) fn tell(&self, packet: &Value, attached: &[BorrowedFd<'_>]) -> bool {
        self.told(self.socket.send(packet, attached))
    }

    /// Tells it of a worker that serves, if `is_had` says that it will hear of its end, too. False if not.
    pub(super) fn tell_of(&self, worker: &Serving, is_had: impl FnOnce() -> bool, packet: &Value) -> bool {
        let sending: Sending<'_> = self.socket.sending();
        if !is_had() {
            return false;
        }
        self.state.lock().served.insert(worker.generation());
        self.told(sending.send(packet, &[]));
        true
    }

    fn told(&self, sent: Result<(), Trouble>) -> bool {
        if sent.is_err() {
            self.lose();
        }
        sent.is_ok()
    }

    /// It loses its session.
    fn lose(&self) {
        self.end();
        self.hear(News::Over { in_order: false });
    }

    /// Offers something, and waits until it is mapped.
    pub(super) fn offer_and_wait(
        &self,
        offer: Offer,
        packet: &Value,
        attached: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        self.state.lock().offers.insert(offer, false);
        let mapped = self.tell(packet, attached) && self.is_mapped(offer);
        self.state.lock().offers.remove(&offer);
        match mapped {
            true => Ok(()),
            false if self.is_there() => {
                self.lose();
                Err(io::Error::new(io::ErrorKind::TimedOut, "the client did not map what it was offered"))
            }
            false => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client is gone")),
        }
    }

    fn is_mapped(&self, offer: Offer) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state.lock();
        while !state.is_over && state.offers.get(&offer) == Some(&false) {
            if self.changed.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        !state.is_over && state.offers.get(&offer) == Some(&true)
    }

    /// Notes that it has mapped something. False where that was not offered.
    pub(super) fn has_mapped(&self, offer: Offer) -> bool {
        let mut state = self.state.lock();
        let before = state.offers.get_mut(&offer).map(|mapped| std::mem::replace(mapped, true));
        drop(state);
        self.changed.notify_all();
        before == Some(false)
    }

    /// Whether nothing is left of a worker that never served it.
    pub(super) fn never_had(&self, generation: u64) -> bool {
        !self.state.lock().served.remove(&generation)
    }
}

impl hotcell_supervisor::Client for Client {
    fn offer(&self, generation: u64, channel: &HostChannel) -> io::Result<()> {
        let (request, reply) = channel.files();
        let eventfds = channel.eventfds().iter().map(EventFd::as_fd);
        let attached: Vec<_> = [request.as_fd(), reply.as_fd()].into_iter().chain(eventfds).collect();
        let packet = json!({
            "kind": "channel",
            "generation": generation.to_string(),
            "epoch": channel.epoch(),
            "lanes": channel.lanes(),
            "request_bytes": request.length(),
            "reply_bytes": reply.length(),
        });
        self.offer_and_wait(Offer::Channel(generation), &packet, &attached)
    }

    fn sealed(&self, generation: u64) -> io::Result<()> {
        match self.tell(&json!({ "kind": "sealed", "generation": generation.to_string() }), &[]) {
            true => Ok(()),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn ended(&self, generation: u64) {
        self.hear(News::Ended(generation));
    }

    fn gone(&self, generation: u64) {
        self.hear(News::Gone(generation));
    }
}

impl Hears for Client {
    fn retired(&self, generation: u64) {
        self.hear(News::Retired(generation));
    }

    fn worn(&self, generation: u64) {
        self.hear(News::Worn(generation));
    }
}
