//! The host's side of a lane: whatever a worker writes, at whatever time, the host does what the protocol says.

use std::sync::Arc;

use hotcell_protocol::Place;
use hotcell_protocol::wire::{self, ReplyState, reply_head};
use hotcell_shm::{
    Access, Arena, CallHead, ForkGuard, HostChannel, HostLane, Mapping, Outer, ReplyHead, Seals, SegmentFile,
    Waited, Window, clock,
};

use super::memory;
use crate::Target;
use crate::script::Script;

pub(crate) const TARGET: Target = Target {
    name: "lane",
    about: "a host that calls, nests, grants and answers, and a worker that writes anything anywhere in between: each look of the host gives what the protocol says, results are found in granted memory and nowhere else",
    longest: 1024,
    short: 4_000,
    run,
};

const LANES: usize = 3;

/// Bytes of windows, by number from 2.
const WINDOWS: [usize; 3] = [4096, 8192, 16_384];

fn run(input: &[u8]) {
    let mut script = Script::new(input);
    let mut scene = Scene::new(script.below(LANES - 1));
    while !script.is_over() && !scene.over {
        scene.step(&mut script);
    }
    scene.look_back();
}

/// A call under way.
struct Open {
    id: u64,
    slot: usize,
    /// What its caller is to do next.
    state: State,
    /// What the arena kept of the call around, where there is one.
    outer: Option<Outer>,
    /// Windows granted to it, by number.
    windows: Vec<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    NeedsSpace,
    CallsBack,
}

struct Scene {
    channel: Arc<HostChannel>,
    lane: HostLane,
    index: usize,
    arena: Arena,
    fork: Arc<ForkGuard>,
    /// As the worker has the reply segment.
    reply: Mapping,
    /// The commit word that was accepted last, by slot: the protocol's own account.
    accepted: [u32; memory::SLOTS],
    calls: Vec<Open>,
    /// Calls of depth 0 so far.
    rounds: usize,
    ids: u64,
    windows: u16,
    /// The window that was announced last, by number: a call by itself has it from its start. No nested call's ever is.
    announced: Option<u16>,
    dead: bool,
    over: bool,
}

impl Scene {
    fn new(index: usize) -> Scene {
        let channel = HostChannel::create(LANES as u32, 7, 1).expect("there is memory for a channel");
        let lane = match index {
            0 => channel.lane(0),
            index => channel.lane_apart(index as u32),
        };
        let reply = channel.files().1.map(Access::ReadWrite).expect("a worker maps its segment");
        Scene {
            channel,
            lane,
            index,
            arena: Arena::default(),
            fork: Arc::new(ForkGuard::new().expect("there is memory for a guard")),
            reply,
            accepted: [0; memory::SLOTS],
            calls: Vec::new(),
            rounds: 0,
            ids: 0,
            windows: 0,
            announced: None,
            dead: false,
            over: false,
        }
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.below(8) {
            0 => self.call(script),
            1 | 2 => self.forge(script),
            3 => memory::scribble(script, &self.reply),
            4 | 5 => self.look(script),
            6 => self.go_on(script),
            _ if script.u8() == 0 => {
                self.channel.bury();
                self.dead = true;
            }
            _ => self.find(script),
        }
    }

    /// Publishes a call, if one may be made now.
    fn call(&mut self, script: &mut Script<'_>) {
        let outer = match self.calls.last() {
            None => {
                let _ = self.arena.reset();
                None
            }
            Some(open) if open.state == State::CallsBack => {
                let depth = self.lane.depth();
                if !self.lane.descend() {
                    assert_eq!(u32::from(depth), wire::STACK_SLOTS, "calls nest as deep as there are slots");
                    return;
                }
                Some(self.arena.descend())
            }
            Some(_) => return,
        };
        let slot = match outer {
            None => self.rounds % wire::RING_SLOTS as usize,
            Some(_) => wire::RING_SLOTS as usize - 1 + self.calls.len(),
        };
        self.rounds += usize::from(outer.is_none());
        self.ids += 1;
        self.lane.open_call();
        let bytes = script.take(8);
        self.lane.put_bytes(0, bytes, 8 - bytes.len());
        self.lane.publish(CallHead { function: 1, args_length: 8, call_id: self.ids, time: 0 });
        let windows = match outer {
            None => self.announced.into_iter().collect(),
            Some(_) => Vec::new(),
        };
        self.calls.push(Open { id: self.ids, slot, state: State::Waiting, outer, windows });
    }

    /// Writes a reply such as a worker might write, for a slot of the call in progress or any other.
    fn forge(&mut self, script: &mut Script<'_>) {
        let (id, current) = self.calls.last().map_or((self.ids, 0), |open| (open.id, open.slot));
        let slot = if script.below(4) == 0 { script.below(memory::SLOTS) } else { current };
        let at = memory::slot(self.index, slot);
        let state = u64::from(script.u8() % 10);
        self.reply.store(at + reply_head::STATE, if state == 9 { script.u16() } else { state as u16 });
        self.reply.store(at + reply_head::CALL_ID, script.near(&[id, id, id, 0]));
        self.reply.store(at + reply_head::ERRNO, script.u8() as u32);
        let length = script.near(&[0, 8, wire::MAX_RESULT as u64, u64::from(u32::MAX)]);
        self.reply.store(at + reply_head::RESULT_LENGTH, length as u32);
        self.reply.store(at + reply_head::VALUE, self.place(script));
        let commit = script.near(&[1, 1, 1, 0, 2, u64::from(u32::MAX)]) as u32;
        let word = self.reply.word(at + reply_head::COMMIT);
        word.store(self.accepted[slot].wrapping_add(commit), std::sync::atomic::Ordering::Release);
    }

    /// A place that is often a good one, or nearly.
    fn place(&self, script: &mut Script<'_>) -> u64 {
        let slot = self.calls.last().map_or(0, |open| open.slot);
        let start = (memory::slot(self.index, slot) + wire::RESULT_OFFSET) as u64;
        let segment = script.one_of(&[1, 2, 3, 4, 0, 511, u16::MAX]);
        let ends = [0, start, start + wire::MAX_RESULT as u64, 4096, 8192, 16_384];
        match script.below(16) {
            0 => script.u64(),
            _ => memory::place(segment, script.near(&ends)),
        }
    }

    /// Has the host look, and compares what it sees with what is there: nobody writes meanwhile.
    fn look(&mut self, script: &mut Script<'_>) {
        let Some(open) = self.calls.last() else { return };
        if open.state != State::Waiting {
            return;
        }
        let (id, slot) = (open.id, open.slot);
        let at = memory::slot(self.index, slot);
        let commit: u32 = self.reply.load(at + reply_head::COMMIT);
        let expected = self.expected(at, id, commit, self.accepted[slot]);
        let seen = match script.below(2) {
            0 => self.lane.glance(id, clock::now(), 0),
            _ => Some(self.lane.wait(id, clock::now(), 0, 1)),
        };
        // A wait whose time is over, and a look that sees nothing, are the same.
        let seen = seen.unwrap_or(Waited::DeadlinePassed);
        let same = match (seen, expected) {
            (Waited::Violation(_), Waited::Violation(_)) => true,
            (seen, expected) => seen == expected,
        };
        assert!(same, "the host sees {seen:?}, and there is {expected:?}");
        match seen {
            Waited::Reply(head) => self.heard(slot, commit, head),
            Waited::DeadlinePassed => {}
            Waited::Dead | Waited::Violation(_) => self.over = true,
        }
    }

    /// What the protocol says of a reply half as it stands.
    fn expected(&self, at: usize, id: u64, commit: u32, accepted: u32) -> Waited {
        if commit == accepted {
            return if self.dead { Waited::Dead } else { Waited::DeadlinePassed };
        }
        let state = ReplyState::from_raw(self.reply.load(at + reply_head::STATE));
        let length: u32 = self.reply.load(at + reply_head::RESULT_LENGTH);
        let its = self.reply.load::<u64>(at + reply_head::CALL_ID) == id;
        match state {
            Some(state)
                if commit == accepted.wrapping_add(1) && its && length as usize <= wire::MAX_RESULT =>
            {
                let (errno, value) = (reply_head::ERRNO, reply_head::VALUE);
                let (errno, value) = (self.reply.load(at + errno), self.reply.load(at + value));
                Waited::Reply(ReplyHead { state, errno, result_length: length, value })
            }
            _ => Waited::Violation("one of several"),
        }
    }

    fn heard(&mut self, slot: usize, commit: u32, head: ReplyHead) {
        self.accepted[slot] = commit;
        let mut block = vec![0; head.result_length as usize];
        self.lane.copy_result(&mut block);
        let open = self.calls.last_mut().expect("somebody was called");
        match head.state {
            ReplyState::NeedSpace => open.state = State::NeedsSpace,
            ReplyState::Callback => open.state = State::CallsBack,
            _ => self.end(),
        }
    }

    /// The call under way has ended.
    fn end(&mut self) {
        if let Some(Open { outer: Some(outer), .. }) = self.calls.pop() {
            self.arena.ascend(outer);
            self.lane.ascend();
        }
    }

    /// Answers the worker.
    fn go_on(&mut self, script: &mut Script<'_>) {
        let Some(open) = self.calls.last_mut() else { return };
        match open.state {
            State::Waiting => return,
            State::CallsBack => {
                let returned = (script.below(2) == 0).then(|| script.u64());
                self.lane.resume_callback(returned);
            }
            State::NeedsSpace if script.below(2) == 0 => self.lane.resume(None),
            State::NeedsSpace => {
                let nested = open.outer.is_some();
                let Some(&length) = WINDOWS.get(usize::from(self.windows)) else {
                    self.lane.resume(None);
                    open.state = State::Waiting;
                    return;
                };
                let (_, mapping) =
                    SegmentFile::create(length, Seals::Reply).expect("there is memory for a window");
                let id = wire::SEGMENT_FIRST_ADDED + self.windows;
                let granted = self.arena.add_window(Window::new(id, mapping, &self.fork), nested);
                self.windows += 1;
                open.windows.push(id);
                assert_eq!(granted.announce, !nested, "each is larger than those before, and of its call");
                if granted.announce {
                    self.lane.announce_window(granted.place, granted.length);
                    self.announced = Some(id);
                }
                self.lane.resume(Some((granted.place, granted.length)));
            }
        }
        open.state = State::Waiting;
    }

    /// Follows a reference: what is found lies in the call's slot or in a window that was granted to it.
    fn find(&mut self, script: &mut Script<'_>) {
        let Some(open) = self.calls.last() else { return };
        let place = Place::from_raw(self.place(script));
        let length = script.near(&[0, 8, 500, wire::MAX_RESULT as u64, 4096, 16_384, u64::MAX]);
        let fixed = script.below(3) * 8;
        let end = u128::from(place.offset()) + u128::from(length);
        let block = memory::slot(self.index, open.slot) + wire::RESULT_OFFSET;
        let lies = match place.segment() {
            1 => place.offset() >= (block + fixed) as u64 && end <= (block + wire::MAX_RESULT) as u128,
            id if open.windows.contains(&id) => {
                end <= WINDOWS[usize::from(id - wire::SEGMENT_FIRST_ADDED)] as u128
            }
            _ => false,
        };
        let found = self.lane.locate(&self.arena, fixed, place, length);
        assert_eq!(found.is_some(), lies, "{place:?} and {length} bytes");
        if let Some(found) = found {
            let mut data = vec![1];
            assert!(found.append_to(&mut data));
            assert_eq!(data.len() as u64, 1 + length);
        }
        let held = self.arena.hold(place, length);
        assert!(held.is_none_or(|held| lies && held.len() as u64 == length));
    }

    /// What is believed of a worker when it has ended.
    fn look_back(&self) {
        for lane in 0..LANES as u32 {
            let (id, _) = self.channel.executing(lane);
            let function = self.channel.function_of(lane, id);
            assert!(function.is_none_or(|function| function == 1), "nothing else was called");
        }
        assert!(self.channel.ended_in().is_none_or(|lane| lane < LANES as u32));
        let _ = (self.channel.crash_record(), self.channel.refusals());
        let state = self.channel.state_record();
        assert_eq!(state.lost & !hotcell_shm::STATE_PARTS, 0, "parts that nobody knows");
        for denial in [self.channel.refused(), self.channel.denied()].into_iter().flatten() {
            assert!(denial.text.len() <= wire::denial_record::SIZE);
        }
    }
}
