//! Which registers a function writes itself, and which it looks into.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, Mnemonic, OpAccess, OpKind,
    Register,
};

use crate::calls;
use crate::image::{Image, Target};

/// What is known of a library's functions so far: each is called from many.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    written: RefCell<BTreeMap<u64, Option<(u32, u32)>>>,
    taken: RefCell<BTreeMap<u64, u32>>,
}

impl Registers {
    /// Bits of the general registers and of the vector registers that a function and those that it calls write; `None` where any may be
    /// written: it calls what is not seen here. Compilers that see a function's code leave in other registers what they need behind it.
    pub(crate) fn written(&self, image: &Image, entry: u64) -> Option<(u32, u32)> {
        *self.written.borrow_mut().entry(entry).or_insert_with(|| written(image, entry))
    }

    /// Bits of the general registers that a function looks into before it has put them aside. One that it has to give back it looks into
    /// only where it is written by hand. It is looked at as far as it goes straight on.
    pub(crate) fn taken(&self, image: &Image, entry: u64) -> u32 {
        *self.taken.borrow_mut().entry(entry).or_insert_with(|| taken(image, entry))
    }
}

fn written(image: &Image, entry: u64) -> Option<(u32, u32)> {
    /// Of what is longer, the rest is not looked at: what is not known to be written is taken for what the caller has left there.
    const MOST: usize = 20_000;
    let (mut general, mut vectors, mut back) = (0_u32, 0_u32, 0_u32);
    let mut info = InstructionInfoFactory::new();
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![entry]);
    let mut instruction = Instruction::default();
    while let Some(start) = waiting.pop() {
        let (Some(code), Some(piece)) = (image.code(start), image.piece(start)) else { continue };
        let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
        while decoder.can_decode() && piece.contains(&decoder.ip()) && seen.insert(decoder.ip()) {
            if seen.len() > MOST {
                return Some((general & !back, vectors));
            }
            decoder.decode_out(&mut instruction);
            for used in info.info(&instruction).used_registers() {
                let writes = !matches!(
                    used.access(),
                    OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess | OpAccess::None
                );
                let register = used.register();
                if writes && register.is_gpr() {
                    // What is got back from the stack may be what was there before.
                    if instruction.mnemonic() == Mnemonic::Pop {
                        back |= 1 << register.full_register().number();
                    }
                    general |= 1 << register.full_register().number();
                } else if writes && register.is_vector_register() {
                    vectors |= 1 << register.number();
                }
            }
            match instruction.flow_control() {
                FlowControl::Next => {}
                FlowControl::ConditionalBranch => waiting.push(instruction.near_branch_target()),
                FlowControl::UnconditionalBranch => {
                    waiting.push(instruction.near_branch_target());
                    break;
                }
                FlowControl::Call if instruction.is_call_near() => {
                    match calls::through(image, instruction.near_branch_target()) {
                        Target::Here(callee) => waiting.push(callee),
                        Target::OfC(_) | Target::Elsewhere(_) => return None,
                    }
                }
                FlowControl::Call | FlowControl::IndirectCall => return None,
                // What is not seen behind it leaves what it does not write, too.
                _ => break,
            }
        }
    }
    Some((general & !back, vectors))
}

fn taken(image: &Image, entry: u64) -> u32 {
    let Some(code) = image.code(entry) else { return 0 };
    let (mut taken, mut open) = (0, u32::from(u16::MAX));
    let mut decoder = Decoder::with_ip(64, code, entry, DecoderOptions::NONE);
    let mut info = InstructionInfoFactory::new();
    let mut instruction = Instruction::default();
    while decoder.can_decode() && open != 0 {
        decoder.decode_out(&mut instruction);
        if instruction.is_invalid() || instruction.flow_control() != FlowControl::Next {
            break;
        }
        let to_stack = matches!(instruction.memory_base(), Register::RSP | Register::RBP);
        let saves = instruction.mnemonic() == Mnemonic::Push
            || instruction.mnemonic() == Mnemonic::Mov
                && instruction.op0_kind() == OpKind::Memory
                && to_stack;
        for used in info.info(&instruction).used_registers().iter().filter(|used| used.register().is_gpr()) {
            let bit = 1 << used.register().full_register().number();
            let reads = !matches!(
                used.access(),
                OpAccess::Write | OpAccess::CondWrite | OpAccess::NoMemAccess | OpAccess::None
            );
            if reads && !saves {
                taken |= bit & open;
            }
            open &= !bit;
        }
    }
    taken
}
