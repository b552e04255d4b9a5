//! What a call does with what it is given.

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic};

use crate::image::{Image, Target};
use crate::libc::{Arg, Known, Returns, known_function, writes_text};
use crate::memory::Amount;
use crate::solve::Question;
use crate::state::{ARGUMENTS, KEPT, Place, RAX, RDI, RDX, RSP, State};
use crate::summary::{Bytes, Ended, Extent, Gone, Returned, Use};
use crate::value::{Number, Offset, Value};
use crate::walk::{Sites, Walk};

/// Functions from which one call returns more than once.
const COMES_BACK: [&str; 7] =
    ["setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp", "vfork", "getcontext", "swapcontext"];

/// Registers besides in which something may be given: to what is nested, and to the kernel.
const FURTHER: [usize; 1] = [10];

/// Registers in which nothing is given by the rules of C, but how many real numbers there are.
const NO_ARGUMENTS: [usize; 2] = [RAX, 11];

/// Where a call goes that the linker has led over a jump of its own.
pub(crate) fn through(image: &Image, address: u64) -> Target {
    let Some(code) = image.code(address) else { return Target::Here(address) };
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    for _ in 0..2 {
        if !decoder.can_decode() {
            break;
        }
        decoder.decode_out(&mut instruction);
        let jumps = instruction.mnemonic() == Mnemonic::Jmp && instruction.is_ip_rel_memory_operand();
        if let (true, Some(target)) = (jumps, image.slot(instruction.ip_rel_memory_address())) {
            return target.clone();
        }
        if instruction.mnemonic() != Mnemonic::Endbr64 {
            break;
        }
    }
    Target::Here(address)
}

/// A call, behind which `state` is what it leaves. `false` where it does not return.
pub(crate) fn call(walk: &mut Walk<'_>, state: &mut State, target: Option<Target>, address: u64) -> bool {
    walk.released = false;
    // Whoever has an address in the frame may write there.
    if (0..16).any(|number| !KEPT.contains(&number) && state.general(number).frame.is_some()) {
        state.fill();
    }
    let returns = goes_to(walk, state, target, address);
    if walk.released && matches!(walk.sites, Some(Sites::One(_))) {
        state.released();
    }
    returns
}

/// The same, wherever what is followed is afterwards.
fn goes_to(walk: &mut Walk<'_>, state: &mut State, target: Option<Target>, address: u64) -> bool {
    match target {
        Some(Target::Here(entry)) => {
            here(walk, state, entry, address);
            if walk.sites.is_some() {
                let does = walk.ask(Question { entry, place: Place::Made });
                if does.gone.is_none() {
                    made(walk, state, &does, address);
                }
            }
        }
        Some(Target::OfC(name)) => match known_function(&name) {
            Some(known) => {
                let text = writes_text(&name);
                let to = state.general(RDI);
                let there = to.pointer.is_some() && to.frame.is_none() && !to.inner && !to.other;
                state.ended |= text && there && known.returns != Returns::Begun;
                return elsewhere(walk, state, known, text, address);
            }
            // What comes back there once more finds registers as they were.
            None if COMES_BACK.contains(&name.as_str()) => walk.lose_all(address),
            None => unknown(walk, state, &Gone::Handed(name), address),
        },
        Some(Target::Elsewhere(name)) => unknown(walk, state, &Gone::Handed(name), address),
        None => unknown(walk, state, &Gone::Lost(address), address),
    }
    true
}

/// What comes back of a call that returns memory which it has made, or NULL alone.
fn made(walk: &mut Walk<'_>, state: &mut State, does: &Use, address: u64) {
    if !does.returned.is_pointer() {
        state.set_general(RAX, Value::NULL);
        return;
    }
    walk.made.insert(address);
    if matches!(walk.sites, Some(Sites::One(site)) if site != address) {
        state.set_general(RAX, Value::OTHER);
        return;
    }
    // Of two that one call has made nobody can tell which is where.
    if matches!(walk.sites, Some(Sites::One(_))) && state.leads() {
        walk.lose(Value::pointer(), &Gone::Lost(address));
    }
    walk.does.writes(does.written, Offset::Is(0));
    state.ended = does.ended.0;
    walk.does.own = walk.does.own.join(does.own);
    if let Some(gone) = &does.into_itself {
        walk.does.into_itself.get_or_insert_with(|| gone.clone());
    }
    state.set_general(RAX, Value::MADE);
    let [_, second, vector] = does.returned.0.map(|back| back.pointer.map(|_| Value::pointer().somewhere()));
    if let Some(value) = second {
        state.set_general(RDX, value);
    }
    if let Some(value) = vector {
        for number in 0..2 {
            state.set_vector(number, state.vector(number).join(value));
        }
    }
}

/// What comes back: in the registers for a number, for a second one, and for real numbers.
struct Results {
    registers: [Value; 3],
    /// What the first is, where that is known on all ways.
    whole: Option<Value>,
}

impl Results {
    /// Takes up what a function returns that is given a value: of itself, and of what was read behind it.
    fn join(&mut self, does: &Use, shifted: impl Fn(Offset) -> Value, inner: Value) {
        for (result, back) in self.registers.iter_mut().zip(does.returned.0) {
            if let Some(by) = back.pointer {
                *result = result.join(shifted(by));
            }
            if back.inner {
                *result = result.join(inner);
            }
        }
    }
}

/// A function of this library.
fn here(walk: &mut Walk<'_>, state: &mut State, entry: u64, address: u64) {
    let kept = KEPT.into_iter().filter(|number| *number != RSP && state.general(*number).matters());
    let kept = kept.fold(0, |all, number| all | 1 << number);
    if kept != 0 && walk.image.registers.taken(walk.image, entry) & kept != 0 {
        // It is called as no compiler calls.
        walk.lose_all(address);
    }
    let mut results = Results { registers: [Value::OTHER; 3], whole: None };
    let asked = walk.asks;
    // A compiler that sees all calls of a function may hand over what it likes in any register.
    let nothing_in = if walk.image.is_exported(entry) { &NO_ARGUMENTS[..] } else { &[] };
    for number in (0..16).filter(|number| !KEPT.contains(number) && !nothing_in.contains(number)) {
        let place = Place::Register(u8::try_from(number).unwrap_or(u8::MAX));
        given(walk, state, Question { entry, place }, state.general(number), &mut results, address);
    }
    for number in 0..16 {
        let place = Place::Vector(u8::try_from(number).unwrap_or(u8::MAX));
        given(walk, state, Question { entry, place }, state.vector(number), &mut results, address);
    }
    let Some(Offset::Is(top)) = state.general(RSP).frame else {
        walk.lose_all(address);
        return;
    };
    let on_stack: Vec<(i64, Value)> = state.slots_given(top).collect();
    for (at, value) in on_stack {
        let place = Place::Stack(at.saturating_sub(top).saturating_add(8));
        given(walk, state, Question { entry, place }, value, &mut results, address);
    }
    // What is passed by value may have been copied there.
    let anywhere = state.anywhere();
    walk.lose(anywhere, &Gone::Lost(address));
    walk.frame_known |= anywhere.frame.is_some();
    // What it does that is given nothing of this is not looked at.
    walk.does.noisy |= walk.asks == asked;
    over(walk.image, state, Some(entry));
    let Results { registers: [first, second, vector], whole } = results;
    state.set_general(RAX, whole.unwrap_or(first));
    state.set_general(RDX, second);
    for number in 0..2 {
        if vector.matters() {
            state.set_vector(number, state.vector(number).join(vector));
        }
    }
}

/// What a function of this library does with something that it finds in one place.
fn given(
    walk: &mut Walk<'_>,
    state: &mut State,
    question: Question,
    value: Value,
    results: &mut Results,
    address: u64,
) {
    if !value.matters() {
        return;
    }
    let does = walk.ask(question);
    let elsewhere =
        does.inner_written || does.inner_released || does.released || value.other && does.written.is_any();
    walk.does.noisy |= does.noisy
        || does.kept().is_some()
        || does.inner_gone.is_some()
        || value.frame.is_some() && elsewhere;
    if value.leads() {
        if value.pointer.is_some() && does.read.is_any() {
            let told = does.measured && !does.unmeasured && value.pointer == Some(Offset::Is(0));
            walk.does.measured |= told;
            walk.does.unmeasured |= !told;
        }
        walk.does.add(&does, value);
        walk.released |= does.released && value.pointer.is_some();
        let shifted = |by: Offset| match by {
            Offset::Is(by) => Value { frame: None, ..value.plus(by) },
            Offset::Any => Value { frame: None, ..value.somewhere() },
        };
        results.join(&does, shifted, Value { inner: true, ..Value::OTHER });
        let in_register = matches!(question.place, Place::Register(_));
        if in_register && value.frame.is_none() && does.gone.is_none() && does.returned.is_whole() {
            let back = if does.returned.is_pointer() { value.join(Value::NULL) } else { Value::NULL };
            results.whole.get_or_insert(back);
        }
        if let (Some(offset), None, false, false) = (value.pointer, value.frame, value.inner, value.other) {
            state.ended |= does.ended.0;
            if let Offset::Is(offset) = offset {
                state.written |= does.surely.behind(offset);
            }
        }
    }
    if let Some(offset) = value.frame {
        let found = frame_given(walk, state, &does, offset, address);
        results.join(&does, |_| Value { frame: Some(Offset::Any), ..Value::NONE }, found);
    }
}

/// What a function of this library does that is given an address in the frame: what it finds there is to it what was read behind a
/// pointer, and may come back.
fn frame_given(walk: &mut Walk<'_>, state: &mut State, does: &Use, offset: Offset, address: u64) -> Value {
    let lost = does.kept().map(|_| Gone::Lost(address));
    walk.frame_known |= lost.is_some();
    walk.frame_open |= does.written.is_any() || does.inner_written;
    if lost.is_none() && does.inner_gone.is_none() && !does.read.is_any() {
        return Value::NONE;
    }
    // It may go back from there as well.
    let mut found = match does.read {
        read @ Extent::Within(..) if lost.is_none() => found(state, read, offset),
        _ => state.between(None, None),
    };
    if found.frame.is_some() {
        // It leads on to the rest of the frame.
        found = found.join(state.between(None, None));
        walk.frame_known |= does.inner_gone.is_some();
    }
    let found = found.somewhere();
    if !found.matters() {
        return Value::NONE;
    }
    walk.released |= does.inner_released && found.pointer.is_some();
    let halved = halved(state, does.halved, offset);
    walk.take_apart(halved, address);
    let in_parts = does.in_parts.then_some(Gone::Lost(address));
    let gone = does.inner_gone.clone().or(lost).or(in_parts);
    let inner = Use {
        gone: gone.clone(),
        inner_gone: gone,
        released: does.inner_released,
        inner_released: does.inner_released,
        read: Extent::Anywhere,
        written: if does.inner_written { Extent::Anywhere } else { Extent::Nothing },
        inner_written: does.inner_written,
        placed: does.inner_placed,
        inner_placed: does.inner_placed,
        in_parts: true,
        ..Use::default()
    };
    walk.does.unmeasured |= found.pointer.is_some();
    walk.does.add(&inner, found);
    if does.written.is_any() || does.inner_written {
        state.store_anywhere(found);
    }
    found
}

/// What of the frame is read in parts of what an address takes.
fn halved(state: &State, bytes: Bytes, offset: Offset) -> Value {
    let Offset::Is(offset) = offset else {
        return if bytes.is_any() { state.between(None, None) } else { Value::NONE };
    };
    if bytes.beyond {
        return state.between(None, None);
    }
    let each = (0..64).filter(|byte| bytes.first & (1 << byte) != 0);
    each.fold(Value::NONE, |all, byte| {
        let at = offset.saturating_add(byte);
        all.join(state.between(Some(at), Some(at.saturating_add(1))))
    })
}

/// What functions of C's library find in the frame from an address on: they go forwards.
fn found(state: &State, extent: Extent, offset: Offset) -> Value {
    match (extent, offset) {
        (Extent::Nothing, _) => Value::NONE,
        (Extent::Within(start, end), Offset::Is(offset)) => {
            state.between(Some(offset.saturating_add(start)), Some(offset.saturating_add(end)))
        }
        (_, Offset::Is(offset)) => state.between(Some(offset), None),
        (_, Offset::Any) => state.between(None, None),
    }
}

/// A function of which nothing is known: it may do anything with what is in registers for arguments and on the stack.
fn unknown(walk: &mut Walk<'_>, state: &mut State, gone: &Gone, address: u64) {
    walk.does.noisy = true;
    for number in ARGUMENTS.into_iter().chain(FURTHER) {
        let value = state.general(number);
        walk.lose(value, gone);
        if value.frame.is_some() {
            walk.frame_known = true;
            let all = state.between(None, None);
            walk.lose(all, gone);
        }
    }
    let vectors = (0..8).fold(Value::NONE, |all, number| all.join(state.vector(number)));
    walk.lose(vectors, gone);
    walk.frame_known |= vectors.frame.is_some();
    match state.general(RSP).frame {
        Some(Offset::Is(top)) => {
            // Where it takes more than registers hold, the rest lies at the top of the stack.
            let given = state.slots_given(top).fold(state.anywhere(), |all, (_, value)| all.join(value));
            walk.lose(given, gone);
            if given.frame.is_some() {
                walk.frame_known = true;
                walk.lose(state.between(None, None), gone);
            }
        }
        _ => walk.lose_all(address),
    }
    over(walk.image, state, None);
}

/// What registers hold when a call is over.
fn over(image: &Image, state: &mut State, entry: Option<u64>) {
    let (general, vectors) =
        entry.and_then(|entry| image.registers.written(image, entry)).unwrap_or((u32::MAX, u32::MAX));
    for number in (0..16).filter(|number| !KEPT.contains(number)) {
        if general & (1 << number) != 0 {
            state.set_general(number, Value::OTHER);
        }
    }
    for number in 0..32 {
        if vectors & (1 << number) != 0 {
            state.set_vector(number, Value::OTHER);
        }
    }
    state.set_general(RAX, Value::OTHER);
    state.compared = None;
}

/// A function of C's library. `false` where it does not return.
fn elsewhere(walk: &mut Walk<'_>, state: &mut State, known: Known, text: bool, address: u64) -> bool {
    if known.returns == Returns::Never {
        return false;
    }
    let all: Vec<Value> = ARGUMENTS.iter().map(|number| state.general(*number)).collect();
    for (position, value) in all.iter().copied().enumerate() {
        let arg = known.args.get(position).copied().unwrap_or(known.rest);
        argument(walk, state, arg, value, &all, address);
    }
    if known.rest != Arg::Number {
        // What stands on the stack is read like the rest.
        if let Some(Offset::Is(top)) = state.general(RSP).frame {
            let on_stack: Vec<Value> = state.slots_given(top).map(|(_, value)| value).collect();
            for value in on_stack {
                argument(walk, state, known.rest, value, &all, address);
            }
        }
    }
    let result = match known.returns {
        Returns::Argument(position) => all.get(position).copied().unwrap_or(Value::OTHER),
        Returns::Into(position) => {
            all.get(position).map_or(Value::OTHER, |value| value.somewhere().join(Value::OTHER))
        }
        Returns::Perhaps(position) => all.get(position).map_or(Value::OTHER, |value| value.join(Value::NULL)),
        Returns::Other | Returns::New | Returns::Renewed | Returns::Begun | Returns::Never => Value::OTHER,
    };
    over(walk.image, state, None);
    state.set_general(RAX, result);
    let is_new = match known.returns {
        Returns::New | Returns::Begun => true,
        // Where one call is followed, what others have made is not known.
        Returns::Renewed => {
            !matches!(walk.sites, Some(Sites::All)) || all.first().is_some_and(|before| before.is_whole())
        }
        _ => false,
    };
    if is_new && walk.sites.is_some() {
        let mut does = Use { returned: Returned::whole(), ended: Ended(text), ..Use::default() };
        if known.returns == Returns::Begun {
            does.writes(Extent::Anywhere, Offset::Is(0));
        }
        made(walk, state, &does, address);
    }
    true
}

/// What C's library does with one argument.
fn argument(walk: &mut Walk<'_>, state: &mut State, arg: Arg, value: Value, all: &[Value], address: u64) {
    let size = |position: usize| match all.get(position).map(|value| value.number) {
        Some(Number::AtMost { most, width: 8 }) => usize::try_from(most).ok(),
        _ => None,
    };
    let extent = |size: Option<usize>, offset: Offset| match size {
        Some(0) => Extent::Nothing,
        Some(size) => Extent::of(offset, size),
        None => Extent::Anywhere,
    };
    let (reads, writes) = match arg {
        Arg::Number => (None, None),
        Arg::Freed | Arg::Released => {
            walk.does.freed |= arg == Arg::Freed && value.is_begin();
            walk.does.released |= value.pointer.is_some();
            walk.released |= value.pointer.is_some();
            walk.does.inner_released |= value.inner;
            (None, None)
        }
        Arg::Read | Arg::Text | Arg::Compared | Arg::Sent | Arg::ReadInto(_) => (Some(None), None),
        Arg::Written => (None, Some(None)),
        Arg::Both => (Some(None), Some(None)),
        Arg::ReadOf(at) | Arg::SentOf(at) | Arg::Copied(at) => (Some(size(at)), None),
        Arg::WrittenOf(at) => (None, Some(size(at))),
    };
    if let (Some(size), Some(offset)) = (reads, value.pointer) {
        walk.does.reads(extent(size, offset), offset);
    }
    walk.frame_open |= value.frame.is_some() && (writes.is_some() || matches!(arg, Arg::ReadInto(_)));
    if let (Some(size), Some(offset)) = (writes, value.pointer) {
        walk.does.writes(extent(size, offset), offset);
    }
    walk.does.inner_written |= writes.is_some() && value.inner;
    if reads.is_some() && value.pointer.is_some() {
        // What is compared may be data that begins so.
        let from_there = value.pointer == Some(Offset::Is(0));
        walk.does.measured |= arg == Arg::Text && from_there;
        walk.does.unmeasured |= !matches!(arg, Arg::Text | Arg::Compared) || !from_there;
    }
    if let (Some(size), Some(offset)) = (reads, value.frame) {
        // Who holds it against something else sees the addresses that are in it.
        let extent = size.map_or(Extent::Anywhere, |size| Extent::of(Offset::Is(0), size));
        let seen = found(state, extent, offset);
        walk.does.placed |= seen.pointer.is_some();
        walk.does.inner_placed |= seen.inner;
    }
    walk.does.noisy |= writes.is_some() && (value.other || value.inner);
    walk.does.noisy |= matches!(arg, Arg::Freed | Arg::Released | Arg::Sent | Arg::SentOf(_));
    if matches!(arg, Arg::Sent | Arg::SentOf(_)) {
        // Whoever reads it there has the addresses that are in it.
        let gone = Gone::Lost(address);
        if value.leads() {
            walk.does.lose_inner(Some(gone.clone()));
        }
        if let Some(offset) = value.frame {
            let sent = found(state, Extent::Anywhere, offset);
            walk.lose(sent, &gone);
            walk.frame_known |= sent.frame.is_some();
        }
    }
    if let (Arg::ReadInto(at), true) = (arg, value.matters())
        && let Some(to) = all.get(at).copied().filter(|to| *to != Value::at_most(0))
    {
        walk.put(state, to, Amount::UpTo(8), value.somewhere(), &Gone::Stored(address));
    }
    if let (Arg::Copied(at), Some(to)) = (arg, all.first().copied()) {
        copied(walk, state, (value, to), size(at), address);
    }
}

/// Memory that is copied: what it holds may lead on, wherever it is then.
fn copied(
    walk: &mut Walk<'_>,
    state: &mut State,
    (from, to): (Value, Value),
    size: Option<usize>,
    address: u64,
) {
    let mut content = Value::NONE;
    if from.leads() {
        content.inner = true;
    }
    if let Some(offset) = from.frame {
        let extent = size.map_or(Extent::Anywhere, |size| Extent::of(Offset::Is(0), size));
        content = content.join(found(state, extent, offset).somewhere());
    }
    if let Some(size @ ..8) = size {
        walk.take_apart(Value { inner: false, ..content }, address);
        if let Some(offset) = from.pointer {
            walk.does.halved = walk.does.halved.join(Bytes::of(offset, size));
        }
        return;
    }
    if !content.matters() {
        return;
    }
    let amount = size.map_or(Amount::Unknown, Amount::UpTo);
    walk.put(state, to, amount, content, &Gone::Stored(address));
}
