//! Which functions a function calls, by itself or by those that it calls.

use std::collections::BTreeSet;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction};

use crate::calls;
use crate::image::{Image, Target};

/// How many instructions are looked at.
const MOST: usize = 40_000;

/// Whether a function comes to another one by calls and jumps whose targets stand in the code.
pub(crate) fn reaches(image: &Image, from: u64, to: u64) -> bool {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![from]);
    let mut instruction = Instruction::default();
    while let Some(start) = waiting.pop() {
        if start == to {
            return true;
        }
        let (Some(code), Some(piece)) = (image.code(start), image.piece(start)) else { continue };
        let mut decoder = Decoder::with_ip(64, code, start, DecoderOptions::NONE);
        while decoder.can_decode() && piece.contains(&decoder.ip()) && seen.insert(decoder.ip()) {
            if seen.len() > MOST {
                return false;
            }
            decoder.decode_out(&mut instruction);
            let target = match instruction.flow_control() {
                FlowControl::Call | FlowControl::UnconditionalBranch
                    if instruction.near_branch_target() != 0 =>
                {
                    Some(calls::through(image, instruction.near_branch_target()))
                }
                FlowControl::ConditionalBranch => Some(Target::Here(instruction.near_branch_target())),
                FlowControl::IndirectCall | FlowControl::IndirectBranch
                    if instruction.is_ip_rel_memory_operand() =>
                {
                    image.slot(instruction.ip_rel_memory_address()).cloned()
                }
                _ => None,
            };
            if let Some(Target::Here(next)) = target {
                waiting.push(next);
            }
            let ends = matches!(
                instruction.flow_control(),
                FlowControl::UnconditionalBranch | FlowControl::IndirectBranch | FlowControl::Return
            );
            if ends {
                break;
            }
        }
    }
    false
}
