//! What is done for a client that orders it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hotcell_protocol::{ErrorKind, LimitExceededReason};
use hotcell_shm::{Seals, SegmentFile, sealed_copy};
use hotcell_supervisor::{Asking, CancelOutcome, SegmentError};
use serde_json::{Value, json};

use super::attended::Attended;
use super::client::{News, Offer};
use super::message::{Direction, Order};
use super::{options, refusal};
use crate::dynamic;
use crate::error::{Cause, Error, Result};
use crate::session::served::Hears;
use crate::session::{Serving, Session};

/// Bytes that a segment may have: as many as a place can say.
const LARGEST: u64 = 1 << 40;

/// Bytes that options may have as they are told: a packet has room for them and the rest.
const OPTIONS: usize = 48 << 10;

/// The longest that a client's order is waited with.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

impl Attended {
    /// Does it and answers; or does not, for this reason.
    pub(super) fn obey(&self, id: u64, order: Order) -> Result<()> {
        match order {
            Order::Open { interface, shim, options } => {
                self.open(id, interface, shim, &options).inspect_err(|_| self.is_not_opened())
            }
            Order::Worker { left, function } => self.worker(id, left, &function),
            Order::Lane { generation, lane, left } => self.lane(id, generation, lane, left),
            Order::Grow { generation, direction, bytes, left } => {
                self.grow(id, generation, direction, bytes, left)
            }
            Order::Cancel { generation, lane, call, left } => self.cancel(id, (generation, lane, call), left),
            Order::Stats => self.answer_at_length(id, "stats", &self.opened().stats().to_json()),
            Order::Frames { generation } => {
                let stack = self.opened().last_stack_of(generation);
                let frames = stack.map_or_else(|| json!([]), |stack| stack.to_json());
                self.answer_at_length(id, "frames", &frames)
            }
        }
    }

    /// Answers with what has no room in a packet: it goes as a memory file.
    fn answer_at_length(&self, id: u64, kind: &str, answer: &Value) -> Result<()> {
        let text = answer.to_string();
        let Ok(file) = sealed_copy(text.as_bytes()) else {
            let message = "there is no memory file for an answer".to_owned();
            return Err(self.opened().error_for_client(ErrorKind::LimitExceeded, Cause::None, message));
        };
        let packet = json!({ "kind": kind, "id": id, "bytes": text.len() });
        self.client.tell(&packet, &[file.as_fd()]);
        Ok(())
    }

    fn opened(&self) -> &Session {
        self.session.get().expect("nothing else is taken before it is open")
    }

    fn open(&self, id: u64, interface: (OwnedFd, u64), shim: (OwnedFd, u64), said: &Value) -> Result<()> {
        let known = self.known.package(interface, shim)?;
        let invalid =
            |message| refusal(ErrorKind::InvalidArgument, Cause::None, known.package.library, message);
        let options = options::read(said).map_err(invalid)?;
        let options = dynamic::recycle(&known.interface).with(options);
        let options = dynamic::leaving(&known.interface, options);
        let options = dynamic::trying(&known.interface, options);
        let told = options::write(&options);
        let length = told.to_string().len();
        if length > OPTIONS {
            let message =
                format!("options: with all that is in force they have {length} bytes, of {OPTIONS}");
            return Err(invalid(message));
        }
        let hears = Arc::clone(&self.client) as Arc<dyn Hears>;
        let session = Session::for_client(known.package, known.rules, options, self.client.pid(), hears)?;
        let session = session.open_for_client(&|| self.client.is_there())?;
        let session = self.session.get_or_init(|| session);
        let (callers, spin, time) = session.for_callers_to_know();
        let more = json!({
            "session": session.id(),
            "callers": callers,
            "spin_ns": spin,
            "time_ns": time.to_string(),
            "options": told,
        });
        self.serve("opened", id, Duration::MAX, "", &more)?;
        session.fill_spares_for_client();
        Ok(())
    }

    fn worker(&self, id: u64, left: Duration, function: &str) -> Result<()> {
        self.serve("serves", id, left, function, &json!({}))
    }

    /// Finds or brings up a worker, and tells of it.
    fn serve(&self, kind: &str, id: u64, left: Duration, function: &str, more: &Value) -> Result<()> {
        let session = self.opened();
        let until = Instant::now() + left.min(YEAR);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (worker, lacks_spares) = session.for_callers(function, left, &|| self.client.is_there())?;
            let mut packet = json!({
                "kind": kind,
                "id": id,
                "generation": worker.generation().to_string(),
                "capabilities": worker.capabilities(),
                "level": worker.level().names(),
            });
            let members = packet.as_object_mut().expect("it is one");
            members.extend(more.as_object().cloned().unwrap_or_default());
            // One that ended just now is replaced by another at the next look.
            let told = self.client.tell_of(&worker, || session.is_had(&worker), &packet);
            drop(worker);
            if lacks_spares {
                session.fill_spares_for_client();
            }
            if told || !self.client.is_there() {
                return Ok(());
            }
        }
    }

    fn lane(&self, id: u64, generation: u64, lane: u32, left: Duration) -> Result<()> {
        let session = self.opened();
        session.open_lane_for_client(&*self.had(generation)?, lane, left.min(YEAR))?;
        self.client.tell(&json!({ "kind": "ready", "id": id }), &[]);
        Ok(())
    }

    /// Has the library stop a call, and tells what became of that as soon as it is known, or the time is over.
    fn cancel(&self, id: u64, (generation, lane, call): (u64, u32, u64), left: Duration) -> Result<()> {
        let worker = self.had(generation)?;
        let outcome = match worker.begin_cancel(lane, call) {
            Asking::Asked => {
                worker.wait_cancelled(lane, Instant::now() + left.min(YEAR)).map(CancelOutcome::name)
            }
            Asking::Impossible => Some("impossible"),
            Asking::OwesAnother => {
                // A lane has one call at a time, and that ends when the answer is there: the client has lost its way.
                self.client.hear(News::Over { in_order: false });
                return Ok(());
            }
        };
        self.client.tell(&json!({ "kind": "cancelled", "id": id, "outcome": outcome }), &[]);
        Ok(())
    }

    /// Adds a segment: made here, mapped there, sealed, and only then the worker's.
    fn grow(&self, id: u64, generation: u64, direction: Direction, bytes: u64, left: Duration) -> Result<()> {
        let until = Instant::now() + left.min(YEAR);
        let worker = self.had(generation)?;
        let session = self.opened();
        let wrong = |kind, cause, message| Err(session.error_for_client(kind, cause, message));
        let Some(length) = usize::try_from(bytes).ok().filter(|_| (1..=LARGEST).contains(&bytes)) else {
            let message = format!("a segment has 1 to {LARGEST} bytes, and not {bytes}");
            return wrong(ErrorKind::InvalidArgument, Cause::None, message);
        };
        let seals = match direction {
            Direction::Request => Seals::Request,
            Direction::Reply => Seals::Reply,
        };
        let file = match SegmentFile::fixed(length) {
            Ok(file) => file,
            Err(errno) => return Err(not_added(session, SegmentError::of_system(errno), bytes)),
        };
        let packet = json!({ "kind": "segment", "id": id, "generation": generation.to_string() });
        if self.client.offer_and_wait(Offer::Segment(id), &packet, &[file.as_fd()]).is_err() {
            // It has lost its session, and hears nothing any more.
            return Ok(());
        }
        let added = file.seal(seals).map_err(SegmentError::of_system);
        match added.and_then(|()| worker.give_segment(&file, seals, until)) {
            Ok(number) => {
                self.client.tell(&json!({ "kind": "ready", "id": id, "number": number }), &[]);
                Ok(())
            }
            Err(error) => Err(not_added(session, error, bytes)),
        }
    }

    /// A worker that the client has; one that it has no longer has ended, or it has let go of it.
    fn had(&self, generation: u64) -> Result<Arc<Serving>> {
        self.opened().had(generation).ok_or_else(|| {
            let message = format!("worker {generation} has ended");
            self.opened().error_for_client(ErrorKind::WorkerLost, Cause::None, message)
        })
    }
}

/// Why a worker has no further segment.
fn not_added(session: &Session, error: SegmentError, bytes: u64) -> Error {
    let limit = |what, value| Cause::Limit { what, value };
    let (kind, cause, message) = match error {
        SegmentError::TooMany => (
            ErrorKind::LimitExceeded,
            limit(LimitExceededReason::Memory, bytes),
            "the worker has as many segments as it may have: another has room again".to_owned(),
        ),
        SegmentError::NoDescriptor(errno) => (
            ErrorKind::LimitExceeded,
            limit(LimitExceededReason::Fds, 0),
            format!("no descriptor for a segment of {bytes} bytes: {errno}"),
        ),
        SegmentError::System(errno) => (
            ErrorKind::LimitExceeded,
            limit(LimitExceededReason::Memory, bytes),
            format!("no memory for a segment of {bytes} bytes: {errno}"),
        ),
        SegmentError::WorkerEnded => {
            (ErrorKind::WorkerLost, Cause::None, "the worker ended meanwhile".to_owned())
        }
        SegmentError::DeadlinePassed => {
            (ErrorKind::Hung, Cause::None, "the worker has not mapped a segment in time".to_owned())
        }
    };
    session.error_for_client(kind, cause, message)
}
