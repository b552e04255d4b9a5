//! Calls of a client, in the memory that it shares with a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hotcell_model::interface::Interface;
use hotcell_model::layout::{Carries, WireKind};
use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, ReplyState, reference};
use hotcell_shm::{Arena, CallHead, ForkGuard, Grant, HostLane, ReplyHead, Seals, Waited, Window, clock};
use serde_json::{Value, json};

use super::Client;

/// How long a call may take where nothing else is said.
const TIME: Duration = Duration::from_secs(30);

/// How a call failed.
#[derive(Debug)]
pub enum Fault {
    /// Its worker ended: what was said of that.
    Ended(Value),
    /// What it needs was refused.
    Refused(Value),
    /// It ended in another state.
    State(ReplyHead),
}

/// A lane of a worker, with the memory of one caller.
#[derive(Debug)]
pub struct Lane {
    client: Arc<Client>,
    generation: u64,
    lane: HostLane,
    arena: Arena,
    fork: Arc<ForkGuard>,
    time: Duration,
}

/// What a call is passed.
#[derive(Debug, Clone, Copy)]
pub enum Arg<'a> {
    /// A number.
    Int(i64),
    /// Data.
    Bytes(&'a [u8]),
    /// A text, which ends with a zero byte there.
    Text(&'a str),
    /// Room for so many bytes of results.
    Room(u64),
    /// Nothing: the shim finds it out.
    Skipped,
}

impl Lane {
    pub(super) fn new(client: &Arc<Client>, generation: u64, lane: u32) -> Lane {
        let channel = client.channel(generation);
        Lane {
            client: Arc::clone(client),
            generation,
            lane: if lane == 0 { channel.lane(0) } else { channel.lane_apart(lane) },
            arena: Arena::default(),
            fork: Arc::new(ForkGuard::new().expect("there is a page for it")),
            time: TIME,
        }
    }

    /// The same, where a call may take so long.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Lane {
        self.time = time;
        self
    }

    /// The worker that it is a lane of.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What is said of the end of its worker.
    pub fn ended(&self) -> Value {
        self.client.ended(self.generation)
    }

    /// Calls a function that returns a number.
    pub fn int(&mut self, interface: &Interface, name: &str, args: &[i64]) -> Result<i64, Fault> {
        let args: Vec<Arg<'_>> = args.iter().map(|number| Arg::Int(*number)).collect();
        self.call(interface, name, &args).map(|(number, _)| number)
    }

    /// Calls a function: what it returns, and what it filled.
    pub fn call(
        &mut self,
        interface: &Interface,
        name: &str,
        args: &[Arg<'_>],
    ) -> Result<(i64, Vec<u8>), Fault> {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let (index, function) = interface.function(name).unwrap_or_else(|| panic!("`{name}` is not bound"));
        let call_id = IDS.fetch_add(1, Ordering::Relaxed);
        // A window that was announced before is in force.
        if let Some(granted) = self.arena.reset().filter(|granted| granted.announce) {
            self.lane.announce_window(granted.place, granted.length);
        }
        self.lane.open_call();
        let mut data = function.layout.args.size as usize;
        for (position, arg) in args.iter().enumerate() {
            if matches!(arg, Arg::Skipped) {
                continue;
            }
            let block = &function.layout.args;
            let param = Carries::Param { index: position };
            let field = match arg {
                Arg::Room(_) => block.field(Carries::Capacity { index: position }),
                _ => block.field(param),
            };
            let field = field.unwrap_or_else(|| panic!("`{name}` takes nothing at {position}"));
            match (arg, field.kind) {
                (Arg::Int(number), WireKind::I32) => self.lane.put(field.offset as usize, *number as i32),
                (Arg::Int(number), WireKind::U64) => self.lane.put(field.offset as usize, *number as u64),
                (Arg::Room(bytes), WireKind::U64) => self.lane.put(field.offset as usize, *bytes),
                (Arg::Bytes(_) | Arg::Text(_), WireKind::Reference) => {
                    let (bytes, tail) = match arg {
                        Arg::Text(text) => (text.as_bytes(), 1),
                        Arg::Bytes(bytes) => (*bytes, 0),
                        _ => continue,
                    };
                    let place = self.place(bytes, tail, &mut data)?;
                    self.lane.put(field.offset as usize + reference::PLACE, place.raw());
                    self.lane.put(field.offset as usize + reference::LENGTH, bytes.len() as u64);
                }
                other => panic!("`{name}`, {position}: {other:?}"),
            }
        }
        let time = self.time.as_nanos() as u64;
        let args_length = data as u16;
        self.lane.publish(CallHead { function: index, args_length, call_id, time });
        let head = self.wait(call_id, name)?;
        if head.state != ReplyState::Returned {
            return Err(Fault::State(head));
        }
        let mut block = vec![0; function.layout.result.size as usize];
        self.lane.copy_result(&mut block);
        Ok((returned(function, &block), self.filled(function, &block)))
    }

    /// Puts data behind the argument block, or where there is no room into a segment.
    fn place(&mut self, bytes: &[u8], tail: usize, used: &mut usize) -> Result<Place, Fault> {
        let at = used.next_multiple_of(8);
        if at + bytes.len() + tail <= wire::MAX_ARGS {
            self.lane.put_bytes(at, bytes, tail);
            *used = at + bytes.len() + tail;
            return Ok(self.lane.args_place(at));
        }
        loop {
            if let Some(place) = self.arena.copy_in(bytes, tail) {
                return Ok(place);
            }
            let length = self.arena.wanted(bytes.len() + tail);
            let grown = self.client.grow(self.generation, Seals::Request, length);
            let (id, mapping) = grown.map_err(Fault::Refused)?;
            self.arena.add_request(Grant { id, mapping });
        }
    }

    /// Waits for the final reply; grants what is asked for meanwhile.
    fn wait(&mut self, call_id: u64, name: &str) -> Result<ReplyHead, Fault> {
        let deadline = clock::now() + self.time.as_nanos() as u64;
        loop {
            match self.lane.wait(call_id, clock::now(), 20_000, deadline) {
                Waited::Reply(head) if head.state == ReplyState::NeedSpace => self.grant(head.value)?,
                Waited::Reply(head) => return Ok(head),
                Waited::Dead => return Err(Fault::Ended(self.client.ended(self.generation))),
                Waited::DeadlinePassed => {
                    self.client.say(&json!({
                        "kind": "kill", "generation": self.generation.to_string(), "lane": self.lane.index(),
                        "function": name, "call": call_id.to_string(), "why": "deadline",
                    }));
                    return Err(Fault::Ended(self.client.ended(self.generation)));
                }
                Waited::Violation(rule) => panic!("the worker breaks a rule: {rule}"),
            }
        }
    }

    fn grant(&mut self, needed: u64) -> Result<(), Fault> {
        let needed = needed as usize;
        let granted = match self.arena.regrant(needed, false) {
            Some(granted) => granted,
            None => {
                let length = self.arena.wanted_window(needed);
                let grown = self.client.grow(self.generation, Seals::Reply, length);
                let (id, mapping) = grown.map_err(Fault::Refused)?;
                self.arena.add_window(Window::new(id, mapping, &self.fork), false)
            }
        };
        if granted.announce {
            self.lane.announce_window(granted.place, granted.length);
        }
        self.lane.resume(Some((granted.place, granted.length)));
        Ok(())
    }

    /// The data of the first reference of the results.
    fn filled(&self, function: &hotcell_model::interface::Function, block: &[u8]) -> Vec<u8> {
        let fields = &function.layout.result.fields;
        let Some(field) = fields.iter().find(|field| field.kind == WireKind::Reference) else {
            return Vec::new();
        };
        let word = |at: usize| {
            let at = field.offset as usize + at;
            u64::from_le_bytes(block[at..at + 8].try_into().expect("8 bytes"))
        };
        let place = Place::from_raw(word(reference::PLACE));
        let located = self.lane.locate(&self.arena, block.len(), place, word(reference::LENGTH));
        let mut bytes = Vec::new();
        assert!(located.expect("it lies where it may").append_to(&mut bytes));
        bytes
    }
}

fn returned(function: &hotcell_model::interface::Function, block: &[u8]) -> i64 {
    let Some(field) = function.layout.result.field(Carries::Returned) else { return 0 };
    let at = field.offset as usize;
    match field.kind {
        WireKind::I32 => i64::from(i32::from_le_bytes(block[at..at + 4].try_into().expect("4 bytes"))),
        _ => i64::from_le_bytes(block[at..at + 8].try_into().expect("8 bytes")),
    }
}
