//! Which rows of a module's tables are used at all.
//!
//! Tables may have programs (DWARF expressions), and who evaluates them has no limit to how long these run, nor to what they put on their stack. They are the
//! word of a library, which can have written whatever it likes: what has such a program is as if it was not there. Of what linkers make,
//! only the entries by which functions of other libraries are called have one, and that is known by its bytes. Instructions are few, too.

use std::ops::Range;
use std::sync::Arc;

use gimli::{
    BaseAddresses, CallFrameInstruction, CallFrameInstructionIter, EhFrame, EhFrameHdr, EndianSlice,
    LittleEndian, UnwindSection as _,
};

/// Bytes of a module's tables.
pub(super) type Bytes = Arc<[u8]>;

/// Instructions of an entry that are carried out, and so many of what it has in common with others.
const MOST_INSTRUCTIONS: usize = 8192;

/// What linkers write for entries by which functions of other libraries are called: rsp + 8, and 8 more from the instruction on that pushes.
const LINKERS: [u8; 11] = [0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];

/// The tables of a module, as they are looked up.
pub(super) struct Rows {
    pub(super) frames: Bytes,
    pub(super) frames_at: Range<u64>,
    pub(super) index: Bytes,
    pub(super) index_at: Range<u64>,
    /// Its first byte, in its own counting.
    pub(super) base: u64,
}

type Reader<'a> = EndianSlice<'a, LittleEndian>;

impl Rows {
    /// Whether what is said of an address, counted from the first byte, can be carried out in a moment.
    pub(super) fn are_short(&self, offset: u64) -> bool {
        self.look(offset).unwrap_or(false)
    }

    /// As who carries it out looks it up.
    fn look(&self, offset: u64) -> gimli::Result<bool> {
        let bases = BaseAddresses::default()
            .set_eh_frame(self.frames_at.start)
            .set_eh_frame_hdr(self.index_at.start)
            .set_text(0)
            .set_got(0);
        let index = EhFrameHdr::new(&self.index, LittleEndian).parse(&bases, 8)?;
        let Some(table) = index.table() else { return Ok(false) };
        let entry = table.lookup(self.base.wrapping_add(offset), &bases)?;
        let mut frames = EhFrame::new(&self.frames, LittleEndian);
        frames.set_address_size(8);
        let entry =
            frames.fde_from_offset(&bases, table.pointer_to_offset(entry)?, EhFrame::cie_from_offset)?;
        Ok(are_plain(entry.cie().instructions(&frames, &bases), &frames)?
            && are_plain(entry.instructions(&frames, &bases), &frames)?)
    }
}

/// Whether they are few, and have no program.
fn are_plain<'a>(
    mut instructions: CallFrameInstructionIter<'a, Reader<'a>>,
    frames: &EhFrame<Reader<'a>>,
) -> gimli::Result<bool> {
    for _ in 0..MOST_INSTRUCTIONS {
        let is_plain = match instructions.next()? {
            None => return Ok(true),
            Some(CallFrameInstruction::DefCfaExpression { expression }) => {
                expression.get(frames)?.0.slice() == LINKERS
            }
            Some(CallFrameInstruction::Expression { .. } | CallFrameInstruction::ValExpression { .. }) => {
                false
            }
            Some(_) => true,
        };
        if !is_plain {
            return Ok(false);
        }
    }
    Ok(false)
}
