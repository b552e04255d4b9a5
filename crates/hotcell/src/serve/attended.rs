//! A session of a client, from its socket's first packet to the end of its last worker: one thread that hears what the client says and
//! tells it what happens, and a thread for each order, for those wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, LimitExceededReason};
use hotcell_shm::lock::{Condvar, Mutex};
use hotcell_supervisor::Ending;
use serde_json::{Value, json};

use super::bounded::bounded;
use super::client::{Client, News, Offer};
use super::known::Known;
use super::message::{Order, Said};
use super::socket::Trouble;
use crate::error::{Cause, Error};
use crate::session::Session;
use crate::session::served::EndOfWorker;

/// Orders that a session may have under way: more than it has lanes.
const MOST: usize = 256;

/// Threads for orders that the whole process may have: what one client has there shall not keep others from theirs.
const MOST_OF_ALL: usize = 1024;

/// Threads for orders that the process has.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// How long orders that are under way may take when a session ends in order.
const IN_ORDER: Duration = Duration::from_secs(2);

/// A session, and what is under way there.
#[derive(Debug)]
pub(super) struct Attended {
    pub(super) client: Arc<Client>,
    pub(super) known: Arc<Known>,
    pub(super) session: OnceLock<Session>,
    under_way: Mutex<UnderWay>,
    fewer: Condvar,
}

#[derive(Debug, Default)]
struct UnderWay {
    orders: usize,
    opens: bool,
}

/// How the attendance of a client goes on.
enum Next {
    Stay,
    /// It is over. Workers are stopped in order, or at once.
    Over {
        in_order: bool,
    },
}

impl Attended {
    /// Attends a client until it closes its session, or is gone; then there is no worker of it any more.
    pub(super) fn run(client: &Arc<Client>, inbox: &Receiver<News>, known: &Arc<Known>) {
        let attended = Arc::new(Attended {
            client: Arc::clone(client),
            known: Arc::clone(known),
            session: OnceLock::new(),
            under_way: Mutex::default(),
            fewer: Condvar::new(),
        });
        let _end = EndOfSocket(client);
        // What it has said may have had us do what nobody foresaw. Its workers go, and it hears of the end.
        let in_order = catch_unwind(AssertUnwindSafe(|| attended.attend(inbox))).unwrap_or(false);
        client.end();
        // Orders wait for workers, which may be stopped, or hang: they end first.
        if !(in_order && attended.wait_for_orders(Some(Instant::now() + IN_ORDER))) {
            attended.session.get().inspect(|session| session.begin_to_end_all());
            attended.wait_for_orders(None);
        }
        if let Some(session) = attended.session.get() {
            session.end_for_good(in_order);
        }
    }

    /// Comes with whether its workers are to be stopped in order.
    fn attend(self: &Arc<Self>, inbox: &Receiver<News>) -> bool {
        loop {
            if !self.client.wait() {
                return false;
            }
            // What a client is told of workers comes before the answer to what it says next.
            for news in inbox.try_iter() {
                if let Next::Over { in_order } = self.tell(news) {
                    return in_order;
                }
            }
            match self.hear() {
                Ok(Next::Stay) => {}
                Ok(Next::Over { in_order }) => return in_order,
                Err(_) => return false,
            }
        }
    }

    /// Takes one packet, if there is one.
    fn hear(self: &Arc<Self>) -> Result<Next, Trouble> {
        let message = match self.client.socket().receive()? {
            None => return Ok(Next::Stay),
            Some(None) => return Ok(Next::Over { in_order: false }),
            Some(Some(message)) => message,
        };
        let offered = |mapped| match mapped {
            true => Ok(()),
            false => Err(Trouble::Broken("`mapped` of what was not offered".into())),
        };
        match message.said()? {
            Said::Order(id, order) => self.take(id, order)?,
            Said::MappedChannel(generation) => offered(self.client.has_mapped(Offer::Channel(generation)))?,
            Said::MappedSegment(id) => offered(self.client.has_mapped(Offer::Segment(id)))?,
            Said::Kill { generation, call, why } => {
                let session = self.session()?;
                let Some(worker) = session.is_to_blame(generation, &call, why.clone()) else {
                    return Ok(Next::Stay);
                };
                // Before the client is heard again, which asks for another one now.
                session.give_up(generation);
                let dying = Arc::clone(&worker);
                if self.apart(move |_| why.end(&dying)).is_err() {
                    worker.begin_to_end(Ending::Kill);
                }
            }
            Said::Left(generation) => self.session()?.is_left(generation),
            Said::Close => return Ok(Next::Over { in_order: true }),
        }
        Ok(Next::Stay)
    }

    /// The session, of which nothing is said before it is open.
    fn session(&self) -> Result<&Session, Trouble> {
        self.session.get().ok_or_else(|| Trouble::Broken("the session is not open".into()))
    }

    fn take(self: &Arc<Self>, id: u64, order: Order) -> Result<(), Trouble> {
        if matches!(order, Order::Open { .. }) {
            let opens = std::mem::replace(&mut self.under_way.lock().opens, true);
            if opens {
                return Err(Trouble::Broken("a session is opened once".into()));
            }
        } else {
            self.may_order(&order)?;
        }
        let is_open = matches!(order, Order::Open { .. });
        if self.under_way.lock().orders >= MOST {
            return Err(Trouble::Broken(format!("more than {MOST} orders are under way")));
        }
        let begun = self.apart(move |attended| {
            let Err(error) = attended.obey(id, order) else { return };
            attended.refuse(id, &error);
            // The worker that came up has ended before it was told of, and there is no other.
            if is_open && attended.session.get().is_some() {
                attended.client.hear(News::Over { in_order: false });
            }
        });
        if begun.is_err() {
            if is_open {
                self.is_not_opened();
            }
            self.refuse(id, &no_thread());
        }
        Ok(())
    }

    /// Whether that can be ordered of the session at all.
    fn may_order(&self, order: &Order) -> Result<(), Trouble> {
        let (callers, ..) = self.session()?.for_callers_to_know();
        match order {
            Order::Cancel { lane, .. } if *lane >= callers => {
                Err(Trouble::Broken(format!("lane {lane} is none of the client's {callers}")))
            }
            _ => Ok(()),
        }
    }

    /// Does something that waits, on a thread of its own, if there is one.
    fn apart(self: &Arc<Self>, what: impl FnOnce(&Arc<Self>) + Send + 'static) -> Result<(), NoThread> {
        let begun = THREADS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |threads| {
            (threads < MOST_OF_ALL).then_some(threads + 1)
        });
        if begun.is_err() {
            return Err(NoThread);
        }
        self.under_way.lock().orders += 1;
        let own = Arc::clone(self);
        let thread = thread::Builder::new().name("hotcell-order".into());
        let spawned = thread.spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(|| what(&own)));
            // An interface that contradicts itself, for instance: nobody knows what of the order was done.
            if done.is_err() {
                own.client.hear(News::Over { in_order: false });
            }
            own.is_done();
        });
        spawned.map(drop).map_err(|_| {
            self.is_done();
            NoThread
        })
    }

    fn is_done(&self) {
        THREADS.fetch_sub(1, Ordering::Relaxed);
        self.under_way.lock().orders -= 1;
        self.fewer.notify_all();
    }

    /// Notes that it may be opened again, unless it has a session for that: then it ends.
    pub(super) fn is_not_opened(&self) {
        self.under_way.lock().opens = self.session.get().is_some();
    }

    /// Whether none is under way any more by that time.
    fn wait_for_orders(&self, until: Option<Instant>) -> bool {
        let mut under_way = self.under_way.lock();
        while under_way.orders > 0 {
            match until {
                None => self.fewer.wait(&mut under_way),
                Some(until) if self.fewer.wait_until(&mut under_way, until).timed_out() => break,
                Some(_) => {}
            }
        }
        under_way.orders == 0
    }

    pub(super) fn refuse(&self, id: u64, error: &Error) {
        self.client.tell(&json!({ "kind": "refused", "id": id, "error": bounded(error.to_json()) }), &[]);
    }

    /// Tells the client what has happened.
    fn tell(&self, news: News) -> Next {
        let of = |kind, generation: u64| json!({ "kind": kind, "generation": generation.to_string() });
        let packet = match news {
            News::Over { in_order } => return Next::Over { in_order },
            News::Ended(generation) => {
                let ended = self.session.get().and_then(|session| session.end_for_client(generation));
                ended.map(|ended| told(generation, &ended))
            }
            News::Gone(generation) => self.client.never_had(generation).then(|| of("gone", generation)),
            News::Retired(generation) => Some(of("retired", generation)),
            News::Worn(generation) => Some(of("worn", generation)),
        };
        packet.iter().for_each(|packet| _ = self.client.tell(packet, &[]));
        Next::Stay
    }
}

fn told(generation: u64, ended: &EndOfWorker) -> Value {
    let of = ended.blame.as_ref().and_then(|(_, call)| call.as_ref());
    json!({
        "kind": "ended",
        "generation": generation.to_string(),
        "fault": bounded(ended.fault.to_json()),
        "lane": ended.blame.as_ref().map(|(lane, _)| lane),
        "function": of.map(|call| &call.function),
        "call": of.map(|call| call.call_id.to_string()),
        "why": ended.why.as_ref().map(|why| why.name()),
        "stopping": &ended.stopping,
    })
}

/// That there is no thread for an order.
struct NoThread;

fn no_thread() -> Error {
    let cause = Cause::Limit { what: LimitExceededReason::Threads, value: 0 };
    let message = "the server has no thread for an order: others may be done soon".to_owned();
    super::refusal(ErrorKind::LimitExceeded, cause, "", message)
}

/// Whatever becomes of who attends it, a client sees the end of its socket.
struct EndOfSocket<'a>(&'a Client);

impl Drop for EndOfSocket<'_> {
    fn drop(&mut self) {
        self.0.end();
        self.0.socket().end();
    }
}
