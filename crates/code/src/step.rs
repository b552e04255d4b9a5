//! What one instruction does that neither calls nor jumps.

use iced_x86::{Instruction, Mnemonic, OpAccess, OpKind, Register};

use crate::memory::Amount;
use crate::state::{Compared, RAX, RCX, RDI, RSI, RSP, State, general};
use crate::summary::Gone;
use crate::value::{Number, Offset, Value};
use crate::walk::Walk;

/// Takes one step. `false` where nothing is known any more.
pub(crate) fn step(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction) -> bool {
    // Backwards through memory.
    if instruction.mnemonic() == Mnemonic::Std {
        return false;
    }
    let compared = compared(instruction);
    if is_string(instruction) {
        string(walk, state, instruction);
    } else {
        one(walk, state, instruction);
    }
    placed(walk, state, instruction);
    if compared.is_some() || instruction.rflags_modified() != 0 {
        state.compared = compared;
    }
    // A frame whose size nobody knows is one in which nothing is found again.
    matches!(
        state.general(RSP),
        Value { frame: Some(Offset::Is(_)), pointer: None, inner: false, other: false, .. }
    )
}

/// Notes where an address is held against another one, or a place far before it is worked out.
fn placed(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction) {
    /// Loops begin shortly before what they go through.
    const SHORTLY: i64 = -64;
    match instruction.mnemonic() {
        Mnemonic::Cmp | Mnemonic::Test => {
            let side = |operand: u32| match instruction.op_kind(operand) {
                OpKind::Register => Some(state.get(instruction.op_register(operand))),
                OpKind::Memory if instruction.memory_size().size() == 8 => {
                    let at = address(state, instruction);
                    let mut found = at.frame.map_or(Value::OTHER, |offset| state.load(offset, 8));
                    found.inner |= at.leads();
                    Some(found)
                }
                _ => None,
            };
            if let (Some(left), Some(right)) = (side(0), side(1)) {
                walk.does.placed |= left.pointer.is_some() != right.pointer.is_some();
                walk.does.inner_placed |= left.inner || right.inner;
            }
        }
        _ if instruction.op_count() > 0 && instruction.op0_kind() == OpKind::Register => {
            let left = state.get(instruction.op0_register()).pointer;
            walk.does.placed |= matches!(left, Some(Offset::Is(offset)) if offset < SHORTLY);
        }
        _ => {}
    }
}

/// What a comparison holds against what.
fn compared(instruction: &Instruction) -> Option<Compared> {
    if instruction.op0_kind() != OpKind::Register {
        return None;
    }
    let register = instruction.op0_register();
    let number = match (instruction.mnemonic(), instruction.op1_kind()) {
        (Mnemonic::Cmp, OpKind::Register | OpKind::Memory) => return None,
        (Mnemonic::Cmp, _) => u32::try_from(instruction.immediate(1)).ok()?,
        (Mnemonic::Test, OpKind::Register) if instruction.op1_register() == register => 0,
        _ => return None,
    };
    // The second byte of a register is none of its lowest.
    let lowest = !matches!(register, Register::AH | Register::BH | Register::CH | Register::DH);
    let width = u8::try_from(register.size()).ok().filter(|_| lowest)?;
    Some(Compared { register: general(register)?, width, number })
}

fn one(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction) {
    let (left, right) = (instruction.op0_kind(), instruction.op1_kind());
    let registers = left == OpKind::Register && right == OpKind::Register;
    let same = registers && instruction.op0_register() == instruction.op1_register();
    match instruction.mnemonic() {
        Mnemonic::Mov => {
            let mut value = source(walk, state, instruction, 1);
            halve(walk, state, instruction, 1);
            if let Some(number) = read(walk, state, instruction) {
                value.number = number;
            }
            leave(walk, state, instruction, value);
        }
        Mnemonic::Lea => {
            let value = address(state, instruction);
            if instruction.op0_register().size() < 8 {
                walk.take_apart(value, instruction.ip());
            }
            let index = instruction.memory_index();
            if index != Register::None {
                twice(walk, state.get(instruction.memory_base()), state.get(index), instruction.ip());
            }
            state.set(instruction.op0_register(), value);
        }
        Mnemonic::Push => {
            let value = source(walk, state, instruction, 0);
            let top = state.general(RSP).plus(-8);
            state.set_general(RSP, top);
            walk.put(state, top, Amount::All(8), value, &Gone::Stored(instruction.ip()));
        }
        Mnemonic::Pop if left == OpKind::Register => {
            let top = state.general(RSP);
            let value = walk.get_back(state, top, instruction.ip());
            state.set_general(RSP, top.plus(8));
            state.set(instruction.op0_register(), value);
        }
        Mnemonic::Leave => {
            let top = state.get(Register::RBP);
            let value = walk.get_back(state, top, instruction.ip());
            state.set_general(RSP, top.plus(8));
            state.set(Register::RBP, value);
        }
        Mnemonic::Xor | Mnemonic::Sub | Mnemonic::Pxor | Mnemonic::Xorps | Mnemonic::Xorpd if same => {
            state.set(instruction.op0_register(), Value::at_most(0));
        }
        // A carry, in all bits.
        Mnemonic::Sbb if same => state.set(instruction.op0_register(), Value::OTHER),
        Mnemonic::Vpxor | Mnemonic::Vxorps | Mnemonic::Vxorpd
            if instruction.op1_register() == instruction.op2_register() && instruction.op_count() == 3 =>
        {
            state.set(instruction.op0_register(), Value::OTHER);
        }
        Mnemonic::Add | Mnemonic::Sub | Mnemonic::Inc | Mnemonic::Dec if left == OpKind::Register => {
            sum(walk, state, instruction);
        }
        Mnemonic::And if left == OpKind::Register && right != OpKind::Register && right != OpKind::Memory => {
            let register = instruction.op0_register();
            // The lowest bits say how it is aligned.
            if instruction.immediate(1) > 0xfff {
                halve(walk, state, instruction, 0);
            }
            let bound = u32::try_from(instruction.immediate(1)).map_or(Value::OTHER, Value::at_most).number;
            let value = Value { number: bound, ..state.get(register).somewhere() };
            state.set(register, value);
        }
        Mnemonic::Movzx => {
            let number = match right {
                OpKind::Register => state.get(instruction.op1_register()).number,
                _ => Number::Any,
            };
            let widest = if narrow(instruction) == 1 { 255 } else { 65_535 };
            touch(walk, state, instruction);
            let number = if number == Number::Any { Value::at_most(widest).number } else { number };
            state.set(instruction.op0_register(), Value::number(number));
        }
        Mnemonic::Movsxd => {
            let value = distance(state, instruction);
            halve(walk, state, instruction, 1);
            touch(walk, state, instruction);
            state.set(instruction.op0_register(), value);
        }
        _ if instruction.is_jcc_short_or_near() => {}
        _ if is_conditional_move(instruction) => {
            halve(walk, state, instruction, 0);
            halve(walk, state, instruction, 1);
            let value = source(walk, state, instruction, 1).join(state.get(instruction.op0_register()));
            state.set(instruction.op0_register(), value);
        }
        _ => any(walk, state, instruction),
    }
}

/// What is known of an address that is read from the library's own memory.
fn read(walk: &Walk<'_>, state: &State, instruction: &Instruction) -> Option<Number> {
    if instruction.op1_kind() != OpKind::Memory || instruction.memory_size().size() != 8 {
        return None;
    }
    let Number::Address(at) = address(state, instruction).number else { return None };
    let data = walk.image.data(at).map(Number::Address);
    data.or_else(|| walk.image.allocator(at).map(|_| Number::Read(at)))
}

fn is_conditional_move(instruction: &Instruction) -> bool {
    use Mnemonic::{
        Cmova, Cmovae, Cmovb, Cmovbe, Cmove, Cmovg, Cmovge, Cmovl, Cmovle, Cmovne, Cmovno, Cmovnp, Cmovns,
        Cmovo, Cmovp, Cmovs,
    };
    matches!(
        instruction.mnemonic(),
        Cmova
            | Cmovae
            | Cmovb
            | Cmovbe
            | Cmove
            | Cmovg
            | Cmovge
            | Cmovl
            | Cmovle
            | Cmovne
            | Cmovno
            | Cmovnp
            | Cmovns
            | Cmovo
            | Cmovp
            | Cmovs
    )
}

/// Bytes of what is made wider.
fn narrow(instruction: &Instruction) -> usize {
    match instruction.op1_kind() {
        OpKind::Register => instruction.op1_register().size(),
        _ => instruction.memory_size().size(),
    }
}

/// Adds to a register, or takes from it.
fn sum(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction) {
    let register = instruction.op0_register();
    halve(walk, state, instruction, 0);
    if instruction.op_count() > 1 && instruction.op1_kind() == OpKind::Register {
        halve(walk, state, instruction, 1);
    }
    let value = state.get(register);
    let minus = matches!(instruction.mnemonic(), Mnemonic::Sub | Mnemonic::Dec);
    let signed = |number: i64| if minus { number.wrapping_neg() } else { number };
    let after = match (instruction.op_count(), instruction.op1_kind()) {
        (1, _) => value.plus(signed(1)),
        (_, OpKind::Register | OpKind::Memory) => {
            let by = source(walk, state, instruction, 1);
            match (value.number, by.number) {
                (Number::Distance { table, last }, Number::Address(address))
                | (Number::Address(address), Number::Distance { table, last })
                    if table == address && !minus =>
                {
                    Value::number(Number::Place { table, last })
                }
                // How far two places behind the pointer, or in the frame, lie apart.
                _ if minus && apart(value, by) => Value::OTHER,
                _ => {
                    walk.does.placed |= minus && (value.pointer.is_some() || by.pointer.is_some());
                    twice(walk, value, by, instruction.ip());
                    mixed(value, by)
                }
            }
        }
        _ => value.plus(signed(instruction.immediate(1).cast_signed())),
    };
    state.set(register, after);
}

/// Notes that less than all of a register is read that may hold an address.
fn halve(walk: &mut Walk<'_>, state: &State, instruction: &Instruction, operand: u32) {
    let register = instruction.op_register(operand);
    if instruction.op_kind(operand) == OpKind::Register && register.is_gpr() && register.size() < 8 {
        walk.take_apart(state.get(register.full_register()), instruction.ip());
    }
}

/// Notes that two addresses are added, of which one may be taken away again.
fn twice(walk: &mut Walk<'_>, one: Value, other: Value, address: u64) {
    if one.pointer.is_some() && other.pointer.is_some() {
        walk.lose_all(address);
    }
}

fn apart(one: Value, other: Value) -> bool {
    let pointers = one.pointer.is_some() && other.pointer.is_some() && one.frame.or(other.frame).is_none();
    let frames = one.frame.is_some() && other.frame.is_some() && one.pointer.or(other.pointer).is_none();
    let inner = one.inner || other.inner || one.other || other.other;
    (pointers || frames) && !inner
}

/// What may be made of two values.
fn mixed(one: Value, other: Value) -> Value {
    let mut made = match (one.matters(), other.matters()) {
        (true, false) => one.somewhere(),
        (false, true) => other.somewhere(),
        (false, false) => Value::OTHER,
        (true, true) => one.somewhere().join(other.somewhere()),
    };
    made.number = Number::Any;
    made
}

/// A distance out of a table of jumps, or any other number of 32 bits.
fn distance(state: &State, instruction: &Instruction) -> Value {
    if instruction.op1_kind() != OpKind::Memory
        || instruction.memory_index_scale() != 4
        || instruction.memory_displacement64() != 0
    {
        return Value::OTHER;
    }
    match (state.get(instruction.memory_base()).number, state.get(instruction.memory_index()).number) {
        (Number::Address(table), Number::AtMost { most: last, width: 8 }) => {
            Value::number(Number::Distance { table, last })
        }
        _ => Value::OTHER,
    }
}

/// The address that an instruction works out.
pub(crate) fn address(state: &State, instruction: &Instruction) -> Value {
    if matches!(instruction.memory_segment(), Register::FS | Register::GS) {
        return Value::OTHER;
    }
    if instruction.is_ip_rel_memory_operand() {
        return Value { number: Number::Address(instruction.ip_rel_memory_address()), ..Value::OTHER };
    }
    let base = state.get(instruction.memory_base());
    let base = match instruction.memory_base() {
        Register::None => Value::OTHER,
        _ => base.plus(instruction.memory_displacement64().cast_signed()),
    };
    match instruction.memory_index() {
        Register::None => base,
        index if index.is_vector_register() => mixed(base, state.get(index)).somewhere(),
        index => mixed(base, state.get(index)),
    }
}

/// What one of the operands is, which is read.
fn source(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction, operand: u32) -> Value {
    match instruction.op_kind(operand) {
        OpKind::Register => state.get(instruction.op_register(operand)),
        OpKind::Memory => {
            let at = address(state, instruction);
            walk.fetch(state, at, instruction.memory_size().size(), instruction.ip())
        }
        _ => u32::try_from(instruction.immediate(operand)).map_or(Value::OTHER, Value::at_most),
    }
}

/// Reads where a call or a jump goes, when that lies in memory.
pub(crate) fn look_up(walk: &mut Walk<'_>, state: &State, instruction: &Instruction) {
    if instruction.op_count() > 0 && instruction.op0_kind() == OpKind::Memory {
        let at = address(state, instruction);
        walk.fetch(state, at, instruction.memory_size().size(), instruction.ip());
    }
}

/// Leaves a value where the first operand says.
fn leave(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction, value: Value) {
    match instruction.op0_kind() {
        OpKind::Register => state.set(instruction.op0_register(), value),
        _ => {
            let at = address(state, instruction);
            let size = instruction.memory_size().size();
            walk.put(state, at, Amount::All(size), value, &Gone::Stored(instruction.ip()));
        }
    }
}

/// Reads the memory that an instruction names, of which nothing matters that is there.
fn touch(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction) {
    if instruction.op1_kind() == OpKind::Memory {
        source(walk, state, instruction, 1);
    }
}

/// Any other instruction: what it writes may be made of all that it reads.
fn any(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction) {
    let info = walk.info.info(instruction);
    let registers: Vec<(Register, OpAccess)> =
        info.used_registers().iter().map(|used| (used.register(), used.access())).collect();
    let memory: Vec<(u64, OpAccess)> =
        info.used_memory().iter().map(|used| (used.memory_size().size() as u64, used.access())).collect();
    let accesses: Vec<OpAccess> =
        (0..instruction.op_count()).map(|operand| info.op_access(operand)).collect();
    let mut made = Value::NONE;
    for (operand, access) in (0..).zip(&accesses) {
        if instruction.op_kind(operand) == OpKind::Register && reads(*access) {
            made = made.join(state.get(instruction.op_register(operand)));
        }
    }
    let explicit = |register: Register| {
        let named = (0..instruction.op_count()).any(|operand| {
            instruction.op_kind(operand) == OpKind::Register
                && instruction.op_register(operand).full_register() == register.full_register()
        });
        let in_address = [instruction.memory_base(), instruction.memory_index()]
            .iter()
            .any(|used| *used != Register::None && used.full_register() == register.full_register());
        named || in_address
    };
    for (register, access) in &registers {
        if reads(*access) && !explicit(*register) {
            made = made.join(state.get(*register));
            if register.is_gpr() && register.size() < 8 {
                walk.take_apart(state.get(register.full_register()), instruction.ip());
            }
        }
    }
    // Bits are counted from the address on, however many there are.
    let counts =
        matches!(instruction.mnemonic(), Mnemonic::Bt | Mnemonic::Bts | Mnemonic::Btr | Mnemonic::Btc);
    if counts && instruction.op0_kind() == OpKind::Memory && instruction.op1_kind() == OpKind::Register {
        if address(state, instruction).matters() {
            walk.lose_all(instruction.ip());
        }
        return;
    }
    if !matches!(instruction.mnemonic(), Mnemonic::Test | Mnemonic::Cmp) {
        for operand in (0..instruction.op_count()).filter(|operand| reads(accesses[*operand as usize])) {
            halve(walk, state, instruction, operand);
        }
    }
    // Memory that no operand names is on the stack, or that of an instruction which saves much at once.
    let named = accesses.iter().zip(0..).any(|(_, operand)| instruction.op_kind(operand) == OpKind::Memory);
    let at = address(state, instruction);
    for (size, access) in &memory {
        if !named || *size == 0 {
            if at.leads() || !named {
                walk.lose_all(instruction.ip());
            }
            continue;
        }
        if reads(*access) {
            made = made.join(walk.fetch(
                state,
                at,
                usize::try_from(*size).unwrap_or(usize::MAX),
                instruction.ip(),
            ));
        }
    }
    // What is made of an address but by adding is a number: a remainder, a hash.
    let moves = registers.iter().all(|(register, access)| !writes(*access) || register.is_vector_register())
        || instruction.mnemonic() == Mnemonic::Xchg;
    let compares = !registers.iter().any(|(_, access)| writes(*access))
        && !memory.iter().any(|(_, access)| writes(*access));
    let held = matches!(instruction.mnemonic(), Mnemonic::Cmp | Mnemonic::Test);
    if compares && !held {
        walk.does.placed |= made.pointer.is_some();
        walk.does.inner_placed |= made.inner;
    } else if made.pointer.is_some() && !moves && !compares {
        walk.take_apart(Value { inner: false, ..made }, instruction.ip());
    }
    // The stack of real numbers holds eight bytes as they are.
    if made.matters() && instruction.fpu_stack_increment_info().writes_top() {
        walk.lose_all(instruction.ip());
    }
    let made = if made.matters() { made.somewhere() } else { Value::OTHER };
    for (size, access) in &memory {
        if writes(*access) && named && *size > 0 {
            let size = usize::try_from(*size).unwrap_or(usize::MAX);
            let masked = matches!(
                instruction.mnemonic(),
                Mnemonic::Vmaskmovps | Mnemonic::Vmaskmovpd | Mnemonic::Vpmaskmovd | Mnemonic::Vpmaskmovq
            );
            let sure = matches!(access, OpAccess::Write | OpAccess::ReadWrite) && !masked;
            let amount = if sure { Amount::All(size) } else { Amount::UpTo(size) };
            walk.put(state, at, amount, made, &Gone::Stored(instruction.ip()));
        }
    }
    for (register, access) in &registers {
        if writes(*access) {
            let made = match access {
                OpAccess::CondWrite | OpAccess::ReadCondWrite => made.join(state.get(*register)),
                _ => made,
            };
            if made.matters() && !register.is_gpr() && !register.is_vector_register() {
                walk.lose_all(instruction.ip());
            }
            // What is written to half of a register clears the rest, which counts as written whole.
            let half = instruction.op0_kind() == OpKind::Register
                && instruction.op0_register().is_gpr32()
                && instruction.op0_register().full_register() == *register;
            state.set(if half { instruction.op0_register() } else { *register }, made);
        }
    }
}

fn reads(access: OpAccess) -> bool {
    matches!(access, OpAccess::Read | OpAccess::CondRead | OpAccess::ReadWrite | OpAccess::ReadCondWrite)
}

fn writes(access: OpAccess) -> bool {
    matches!(access, OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite)
}

/// Whether an instruction moves along memory by registers of its own.
fn is_string(instruction: &Instruction) -> bool {
    (0..instruction.op_count())
        .any(|operand| matches!(instruction.op_kind(operand), OpKind::MemorySegRSI | OpKind::MemoryESRDI))
}

fn string(walk: &mut Walk<'_>, state: &mut State, instruction: &Instruction) {
    let element = instruction.memory_size().size();
    let repeated = instruction.has_rep_prefix() || instruction.has_repne_prefix();
    let size = match (repeated, state.general(RCX).number) {
        (false, _) => Some(element),
        (true, Number::AtMost { most, width: 8 }) => {
            usize::try_from(most).ok().and_then(|most| most.checked_mul(element))
        }
        (true, _) => None,
    };
    let (to, from) = (state.general(RDI), state.general(RSI));
    let gone = Gone::Stored(instruction.ip());
    let mut content = Value::NONE;
    for operand in 0..instruction.op_count() {
        let access = walk.info.info(instruction).op_access(operand);
        let at = match instruction.op_kind(operand) {
            OpKind::MemoryESRDI => to,
            OpKind::MemorySegRSI => from,
            _ if reads(access) => {
                content = content.join(state.general(RAX));
                continue;
            }
            _ => continue,
        };
        if reads(access) {
            content = content.join(walk.fetch_all(state, at, size, instruction.ip()));
        }
    }
    let writes = walk.info.info(instruction).op_access(0);
    if writes_to(instruction, writes) {
        let amount = match size {
            Some(size) if !repeated => Amount::All(size),
            Some(size) => Amount::UpTo(size),
            None => Amount::Unknown,
        };
        walk.put(state, to, amount, content.somewhere(), &gone);
    } else if general(instruction.op0_register()) == Some(RAX) && instruction.op0_kind() == OpKind::Register {
        state.set(instruction.op0_register(), content.somewhere());
    }
    for (number, kind) in [(RDI, OpKind::MemoryESRDI), (RSI, OpKind::MemorySegRSI)] {
        if (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == kind) {
            state.set_general(number, state.general(number).somewhere());
        }
    }
    if repeated {
        state.set_general(RCX, Value::OTHER);
    }
}

fn writes_to(instruction: &Instruction, access: OpAccess) -> bool {
    instruction.op0_kind() == OpKind::MemoryESRDI && writes(access)
}
