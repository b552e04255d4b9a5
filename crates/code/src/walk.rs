//! One function, along all the ways through it.

use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpKind};

use crate::calls;
use crate::image::{Image, Target};
use crate::solve::{Question, lost};
use crate::state::{KEPT, Place, RAX, RDX, RSP, State};
use crate::step;
use crate::summary::{Gone, Use};
use crate::value::{Number, Offset, Value};

/// What is found on a walk.
#[derive(Debug)]
pub(crate) struct Walked {
    /// What the function does, as far as the functions that it calls are known.
    pub(crate) does: Use,
    /// What it depends on.
    pub(crate) asked: BTreeSet<Question>,
}

/// How many instructions of a function are looked at, those counted again that are come to in another way.
const STEPS: usize = 60_000;

/// A walk that is going on.
pub(crate) struct Walk<'w> {
    pub(crate) image: &'w Image,
    answers: &'w dyn Fn(Question) -> Option<Use>,
    pub(crate) does: Use,
    asked: BTreeSet<Question>,
    /// How often something was asked.
    pub(crate) asks: usize,
    /// That an address in the frame is where other code may find it.
    pub(crate) frame_known: bool,
    /// That the pointer, or what was read behind it, was somewhere in the frame.
    pub(crate) in_frame: bool,
    /// That something may have been written into the frame where nobody knows.
    pub(crate) frame_open: bool,
    /// That something was read out of the frame, and taken for what had been written there.
    pub(crate) frame_read: bool,
    /// That the call which is looked at may release the pointer.
    pub(crate) released: bool,
    /// The calls whose results are followed, where that is not what the function is given.
    pub(crate) sites: Option<Sites>,
    /// The calls that may make memory.
    pub(crate) made: BTreeSet<u64>,
    /// That nothing was known any more in some place.
    confused: bool,
    /// That what was read out of the frame may be something else.
    stale: bool,
    pub(crate) info: InstructionInfoFactory,
    starts: BTreeMap<u64, State>,
    waiting: BTreeSet<u64>,
}

/// Calls whose results are followed.
#[derive(Debug, Clone)]
pub(crate) enum Sites {
    /// All that make memory.
    All,
    /// The one at this address.
    One(u64),
}

/// How many calls of a function may make memory.
const SITES: usize = 16;

/// Whether what a function returns is memory that it has made, or NULL: on each way it comes from a call that has made it, and no such call's
/// memory is released or has gone anywhere else. What says so is that nothing is `gone`; the pointer is what is `returned` then, in whichever registers.
fn made(image: &Image, question: Question, answers: &dyn Fn(Question) -> Option<Use>) -> Walked {
    let all = follow(image, question, true, Some(Sites::All), answers);
    let mut walked = Walked { does: Use::default(), asked: all.asked };
    if all.confused || all.stale || !all.does.returned.is_whole() || all.made.len() > SITES {
        walked.does = lost(question.entry);
        // `if (!one) one = malloc(…); return one;`
        let mut sites = all.made.iter().take(SITES);
        let stored = |site: &u64| {
            let Followed { does, asked, .. } =
                follow(image, question, true, Some(Sites::One(*site)), answers);
            walked.asked.extend(asked);
            let back = does.returned.is_pointer();
            does.gone.filter(|gone| back && matches!(gone, Gone::Stored(_)))
        };
        if let Some(gone) = sites.find_map(stored) {
            walked.does.gone = Some(gone);
        }
        return walked;
    }
    for site in &all.made {
        let one = follow(image, question, true, Some(Sites::One(*site)), answers);
        walked.asked.extend(one.asked);
        let [first, ..] = one.does.returned.0;
        // What leads to itself may be found by what is read behind it.
        let within = one.does.into_itself.is_some()
            && (one.does.inner_gone.is_some()
                || one.does.inner_released
                || one.does.in_parts
                || one.does.halved.meets(one.does.own));
        let kept = one.does.gone.is_some() || within;
        match first.pointer {
            None if !one.stale && !one.confused => {}
            Some(Offset::Is(0)) if !kept && !one.stale => {
                walked.does.written = walked.does.written.join(one.does.written);
                walked.does.ended.0 &= one.does.ended.0;
                walked.does.own = walked.does.own.join(one.does.own);
                walked.does.into_itself = walked.does.into_itself.take().or(one.does.into_itself);
                for (back, other) in walked.does.returned.0.iter_mut().zip(one.does.returned.0) {
                    back.pointer = back.pointer.or(other.pointer);
                }
            }
            _ => {
                // That it is stored where others find it says more than that it is not in sight.
                let stored = one.does.gone.filter(|gone| matches!(gone, Gone::Stored(_)));
                let lost = lost(question.entry);
                walked.does = Use { gone: stored.or(lost.gone.clone()), ..lost };
                return walked;
            }
        }
    }
    walked
}

/// Follows a pointer through a function: also `to_the_end` when it is out of sight, for what is done with it where it is seen.
pub(crate) fn walk(
    image: &Image,
    question: Question,
    to_the_end: bool,
    answers: impl Fn(Question) -> Option<Use>,
) -> Walked {
    match question.place {
        Place::Made => made(image, question, &answers),
        _ => {
            let Followed { does, asked, .. } = follow(image, question, to_the_end, None, &answers);
            Walked { does, asked }
        }
    }
}

/// What is found on one walk.
struct Followed {
    does: Use,
    asked: BTreeSet<Question>,
    made: BTreeSet<u64>,
    confused: bool,
    stale: bool,
}

fn follow(
    image: &Image,
    question: Question,
    to_the_end: bool,
    sites: Option<Sites>,
    answers: &dyn Fn(Question) -> Option<Use>,
) -> Followed {
    let mut walk = Walk {
        image,
        answers,
        does: Use::default(),
        asked: BTreeSet::new(),
        asks: 0,
        frame_known: false,
        in_frame: matches!(question.place, Place::Stack(_)),
        frame_open: false,
        frame_read: false,
        released: false,
        sites,
        made: BTreeSet::new(),
        confused: false,
        stale: false,
        info: InstructionInfoFactory::new(),
        starts: BTreeMap::from([(question.entry, State::begin(question.place))]),
        waiting: BTreeSet::from([question.entry]),
    };
    let mut left = STEPS;
    while let Some(start) = walk.waiting.pop_first() {
        if !to_the_end && walk.does.gone.is_some() && walk.does.inner_gone.is_some() {
            break;
        }
        if walk.straight(start, question.entry, &mut left) {
            continue;
        }
        if !to_the_end {
            walk.does = lost(start);
            break;
        }
        walk.lose_all(start);
    }
    if walk.frame_known && walk.in_frame {
        walk.lose_all(question.entry);
    }
    if walk.frame_read && (walk.frame_open || walk.frame_known) {
        walk.stale = true;
        walk.does.returned.0[0].alien = true;
    }
    Followed {
        does: walk.does,
        asked: walk.asked,
        made: walk.made,
        confused: walk.confused,
        stale: walk.stale,
    }
}

impl Walk<'_> {
    /// What a function does that is called, as far as it is known.
    pub(crate) fn ask(&mut self, question: Question) -> Use {
        self.asked.insert(question);
        self.asks += 1;
        (self.answers)(question).unwrap_or_default()
    }

    /// That nothing is known any more.
    pub(crate) fn lose_all(&mut self, address: u64) {
        self.confused = true;
        self.does.lose(Some(Gone::Lost(address)));
        self.does.lose_inner(Some(Gone::Lost(address)));
    }

    /// What goes out of sight with a value.
    pub(crate) fn lose(&mut self, value: Value, gone: &Gone) {
        if value.pointer.is_some() {
            self.does.lose(Some(gone.clone()));
        }
        if value.inner {
            self.does.lose_inner(Some(gone.clone()));
        }
    }

    /// From one place to where the way forks or ends. `false` where the code is not understood.
    fn straight(&mut self, start: u64, entry: u64, left: &mut usize) -> bool {
        let (Some(code), Some(piece)) = (self.image.code(start), self.image.piece(start)) else {
            return false;
        };
        let mut state = self.starts[&start].clone();
        let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        let mut called = false;
        loop {
            if *left == 0 || !decoder.can_decode() {
                return false;
            }
            *left -= 1;
            let address = decoder.ip();
            if !piece.contains(&address) {
                // Behind a call that does not return there is none of the function.
                return called;
            }
            called = false;
            if address != start && self.starts.contains_key(&address) {
                self.go_on(address, &state);
                return true;
            }
            decoder.decode_out(&mut instruction);
            if instruction.is_invalid() {
                return false;
            }
            match instruction.flow_control() {
                FlowControl::Next => {
                    if !step::step(self, &mut state, &instruction) {
                        return false;
                    }
                }
                FlowControl::Call | FlowControl::IndirectCall => {
                    step::look_up(self, &state, &instruction);
                    let target = self.target(&state, &instruction);
                    if !calls::call(self, &mut state, target, address) {
                        return true;
                    }
                    called = true;
                }
                FlowControl::ConditionalBranch => return self.fork(&state, &instruction),
                FlowControl::UnconditionalBranch => {
                    return self.jump(state, instruction.near_branch_target(), entry, address);
                }
                FlowControl::IndirectBranch => {
                    step::look_up(self, &state, &instruction);
                    return self.jump_indirect(state, &instruction);
                }
                FlowControl::Return => return self.end(&state, address),
                FlowControl::Exception => return true,
                FlowControl::Interrupt => return instruction.mnemonic() == Mnemonic::Int3,
                FlowControl::XbeginXabortXend => return false,
            }
        }
    }

    /// Goes on at an address, with what is known on this way besides.
    fn go_on(&mut self, address: u64, state: &State) {
        // Nothing more can come of it, unless it is to be seen that nothing is written.
        if self.sites.is_none() && self.does.noisy && !state.leads() {
            self.does.surely.0 &= state.written;
            self.does.ended.0 &= state.ended;
            self.does.returned.0[0].alien = true;
            return;
        }
        let new = match self.starts.get_mut(&address) {
            Some(known) => known.join(state),
            None => {
                self.starts.insert(address, state.clone());
                true
            }
        };
        if new {
            self.waiting.insert(address);
        }
    }

    /// Both ways of a condition.
    fn fork(&mut self, state: &State, instruction: &Instruction) -> bool {
        let (mut taken, mut not) = (state.clone(), state.clone());
        if let Some(compared) = state.compared {
            match instruction.mnemonic() {
                Mnemonic::Ja => not.bound(compared, compared.number),
                Mnemonic::Jae => not.bound(compared, compared.number.saturating_sub(1)),
                Mnemonic::Jbe => taken.bound(compared, compared.number),
                Mnemonic::Jb => taken.bound(compared, compared.number.saturating_sub(1)),
                _ => {}
            }
        }
        let null = state.compared.filter(|compared| compared.width == 8 && compared.number == 0);
        let equal = match instruction.mnemonic() {
            Mnemonic::Je => Some(true),
            Mnemonic::Jne => Some(false),
            _ => None,
        };
        if let (Some(sites), Some(compared), Some(equal)) = (&self.sites, null, equal) {
            let everywhere = matches!(sites, Sites::One(_));
            taken.there(compared.register, everywhere, !equal);
            not.there(compared.register, everywhere, equal);
        }
        if let (Some(compared), Some(equal)) = (null, equal) {
            let zero = if equal { &mut taken } else { &mut not };
            zero.set_general(compared.register, Value::NULL);
        }
        self.go_on(instruction.near_branch_target(), &taken);
        self.go_on(instruction.next_ip(), &not);
        true
    }

    /// A jump to another place of the function, or to another function that returns for this one.
    fn jump(&mut self, mut state: State, target: u64, entry: u64, address: u64) -> bool {
        let called = calls::through(self.image, target);
        let last = match called {
            // What lies below the stack, or where no argument does, is this function's still.
            Target::Here(_) => {
                self.image.piece(entry).is_some_and(|piece| !piece.contains(&target)) && !state.hides()
            }
            Target::OfC(_) | Target::Elsewhere(_) => true,
        };
        if last && state.general(RSP) == Value::frame(0) {
            return self.call_last(&mut state, Some(called), address);
        }
        self.go_on(target, &state);
        true
    }

    /// A call that returns for this function.
    fn call_last(&mut self, state: &mut State, target: Option<Target>, address: u64) -> bool {
        // The address to return to is there already.
        state.set_general(RSP, Value::frame(8));
        if !calls::call(self, state, target, address) {
            return true;
        }
        state.set_general(RSP, Value::frame(0));
        self.end(state, address)
    }

    /// A jump by a table, or to a function that a pointer leads to.
    fn jump_indirect(&mut self, mut state: State, instruction: &Instruction) -> bool {
        let target = self.target(&state, instruction);
        if target.is_none()
            && instruction.op0_kind() == OpKind::Register
            && let Number::Place { table, last } = state.get(instruction.op0_register()).number
        {
            for entry in 0..=u64::from(last) {
                let place = table.wrapping_add(4 * entry);
                let Some(distance) = self.image.distance(place) else { return false };
                let target = table.wrapping_add_signed(i64::from(distance));
                if !self.image.is_code(target) {
                    return false;
                }
                self.go_on(target, &state);
            }
            return true;
        }
        let last = state.general(RSP) == Value::frame(0) && !state.hides();
        // Without an address it may as well go on in this function.
        if !last || target.is_none() && state.leads() {
            return false;
        }
        self.call_last(&mut state, target, instruction.ip())
    }

    /// Where a call or a jump goes: `None` where only a pointer says.
    fn target(&self, state: &State, instruction: &Instruction) -> Option<Target> {
        match instruction.op0_kind() {
            OpKind::NearBranch64 => Some(calls::through(self.image, instruction.near_branch_target())),
            OpKind::Memory => match step::address(state, instruction).number {
                Number::Address(at) => self.image.slot(at).cloned().or_else(|| self.image.allocator(at)),
                _ => None,
            },
            OpKind::Register => match state.get(instruction.op0_register()).number {
                Number::Address(address) => Some(Target::Here(address)),
                Number::Read(address) => self.image.allocator(address),
                _ => None,
            },
            _ => None,
        }
    }

    /// What is returned.
    fn end(&mut self, state: &State, address: u64) -> bool {
        if state.general(RSP) != Value::frame(0) {
            return false;
        }
        // What a function has to give back as it was holds nothing of its own: else somebody looks for it there.
        let kept = KEPT.into_iter().filter(|number| *number != RSP).map(|number| state.general(number));
        let kept = kept.fold(Value::NONE, Value::join);
        if kept.leads() {
            self.lose(kept, &Gone::Lost(address));
        }
        let vectors = state.vector(0).join(state.vector(1));
        for (back, value) in
            self.does.returned.0.iter_mut().zip([state.general(RAX), state.general(RDX), vectors])
        {
            back.join(value);
        }
        self.does.surely.0 &= state.written;
        // Where NULL is returned there is nothing to be ended.
        if self.sites.is_none() || state.general(RAX).pointer.is_some() {
            self.does.ended.0 &= state.ended;
        }
        true
    }
}
