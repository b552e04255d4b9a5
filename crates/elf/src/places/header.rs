//! The header of a line program, looked through before it is read at once: an entry of one byte takes a hundred when it is read.

use gimli::{DwForm, Format, IncompleteLineProgram, LineInstruction, Reader, constants};

use crate::debug::{Bytes, Time, Unread};

/// Bytes of a header: more than compilers make.
const MOST_BYTES: u64 = 2 << 20;

/// Directories and files of a line program, together: more than compilers make, and some megabytes when they are read.
const MOST_ENTRIES: u64 = 64 << 10;

/// Directories and files that a line program may yet have.
pub(super) struct Left(u64);

impl Left {
    /// Looks through the header that a line program begins with.
    pub(super) fn of_header(mut program: Bytes<'_>, time: &Time) -> Result<Left, Unread> {
        let (length, format) = program.read_initial_length()?;
        let mut program = program.split(length)?;
        let version = program.read_u16()?;
        if version >= 5 {
            // The sizes of addresses and segments.
            program.skip(2)?;
        }
        let length = program.read_length(format)?;
        if length as u64 > MOST_BYTES {
            return Err(Unread);
        }
        let mut header = program.split(length)?;
        // The length of instructions, how many are one, what rows begin with, and how lines and addresses are counted.
        header.skip(if version >= 4 { 5 } else { 4 })?;
        let instructions = header.read_u8()?.checked_sub(1).ok_or(Unread)?;
        header.skip(instructions.into())?;
        let mut left = Left(MOST_ENTRIES);
        match version {
            5.. => (0..2).try_for_each(|_| left.of_table(&mut header, format, time))?,
            _ => left.of_lists(&mut header, time)?,
        }
        Ok(left)
    }

    /// Directories and files as they were until version 4: names, each with three numbers where it is a file's, until one is empty.
    fn of_lists(&mut self, header: &mut Bytes<'_>, time: &Time) -> Result<(), Unread> {
        for numbers in [0, 3] {
            while !header.read_null_terminated_slice()?.is_empty() {
                time.step()?;
                self.take(1)?;
                (0..numbers).try_for_each(|_| header.skip_leb128())?;
            }
        }
        Ok(())
    }

    /// Directories or files as they are from version 5 on: what each has, how many they are, and they.
    fn of_table(&mut self, header: &mut Bytes<'_>, format: Format, time: &Time) -> Result<(), Unread> {
        let forms = (0..header.read_u8()?).map(|_| {
            header.skip_leb128()?;
            header.read_uleb128_u16().map(DwForm)
        });
        let forms = forms.collect::<gimli::Result<Vec<DwForm>>>()?;
        let count = header.read_uleb128()?;
        self.take(count)?;
        for _ in 0..count {
            for form in &forms {
                time.step()?;
                skip(header, *form, format)?;
            }
        }
        Ok(())
    }

    /// Looks through the instructions for files, which they may have as well until version 4.
    pub(super) fn take_defined(
        &mut self,
        program: &IncompleteLineProgram<Bytes<'_>>,
        time: &Time,
    ) -> Result<(), Unread> {
        let mut instructions = program.header().instructions();
        // Who carries them out comes as far as this.
        while let Ok(Some(instruction)) = instructions.next_instruction(program.header()) {
            time.step()?;
            if let LineInstruction::DefineFile(_) = instruction {
                self.take(1)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, count: u64) -> Result<(), Unread> {
        self.0 = self.0.checked_sub(count).ok_or(Unread)?;
        Ok(())
    }
}

/// Skips what a directory or a file has.
fn skip(header: &mut Bytes<'_>, form: DwForm, format: Format) -> Result<(), Unread> {
    let length = match form {
        constants::DW_FORM_data1 | constants::DW_FORM_flag | constants::DW_FORM_strx1 => 1,
        constants::DW_FORM_data2 | constants::DW_FORM_strx2 => 2,
        constants::DW_FORM_strx3 => 3,
        constants::DW_FORM_data4 | constants::DW_FORM_strx4 => 4,
        constants::DW_FORM_data8 => 8,
        constants::DW_FORM_data16 => 16,
        constants::DW_FORM_sec_offset
        | constants::DW_FORM_strp
        | constants::DW_FORM_strp_sup
        | constants::DW_FORM_GNU_strp_alt
        | constants::DW_FORM_line_strp => format.word_size().into(),
        constants::DW_FORM_udata
        | constants::DW_FORM_sdata
        | constants::DW_FORM_strx
        | constants::DW_FORM_GNU_str_index => return Ok(header.skip_leb128()?),
        constants::DW_FORM_string => return Ok(header.read_null_terminated_slice().map(drop)?),
        constants::DW_FORM_block1 => header.read_u8()?.into(),
        constants::DW_FORM_block2 => header.read_u16()?.into(),
        constants::DW_FORM_block4 => header.read_u32()? as usize,
        constants::DW_FORM_block => usize::try_from(header.read_uleb128()?).map_err(|_| Unread)?,
        _ => return Err(Unread),
    };
    Ok(header.skip(length)?)
}
