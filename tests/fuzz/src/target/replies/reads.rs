//! The ways in which results are read.

use hotcell::Result;
use hotcell::rt::{Handle, Latin1, Reply, Utf8, Utf16, Utf32};

use super::{PART, THING};
use crate::script::Script;

/// Reads what is at an offset of a result block.
type Read = for<'r> fn(&mut Reply<'r>, &mut Script<'_>, usize, &mut Vec<Handle>) -> Result<()>;

/// All of them.
const READS: &[Read] = &[
    |reply, _, offset, _| reply.opt_buffer(offset).map(drop),
    |reply, _, offset, _| reply.promised_buffer(offset).map(drop),
    |reply, _, offset, _| reply.elements::<u16>(offset).map(drop),
    |reply, _, offset, _| reply.promised_elements::<f64>(offset).map(drop),
    |reply, _, offset, _| reply.opt_text(offset).map(drop),
    |reply, _, offset, _| reply.text_utf16(offset).map(drop),
    |reply, _, offset, _| reply.converted::<Utf32>(offset).map(drop),
    |reply, _, offset, _| reply.opt_converted::<Latin1>(offset).map(drop),
    |reply, _, offset, _| reply.text_bytes(offset).map(drop),
    |reply, _, offset, _| reply.opt_text_list::<Utf8>(offset).map(drop),
    |reply, _, offset, _| reply.text_list::<Latin1>(offset).map(drop),
    |reply, _, offset, _| reply.ended_text_list::<Utf16>(offset).map(drop),
    |reply, _, offset, _| reply.opt_ended_text_list::<Utf32>(offset).map(drop),
    |reply, _, offset, _| reply.promised_images(offset, 24).map(drop),
    shared,
    places,
    objects,
    an_image,
    an_optional_image,
    images,
    images_in_an_image,
    appended,
    numbers,
];

/// Reads a result in some way.
pub(super) fn read(
    reply: &mut Reply<'_>,
    script: &mut Script<'_>,
    size: usize,
    things: &mut Vec<Handle>,
) -> Result<()> {
    if size < 24 {
        return Ok(());
    }
    let offset = 8 * script.below((size - 16) / 8);
    script.one_of(READS)(reply, script, offset, things)
}

fn shared(reply: &mut Reply<'_>, _: &mut Script<'_>, offset: usize, _: &mut Vec<Handle>) -> Result<()> {
    // Shared with a worker that may write there: whatever it says, it is as long as it was.
    let shared = reply.shared_buffer(offset)?;
    assert_eq!(shared.to_vec().len(), shared.len());
    Ok(())
}

fn places(reply: &mut Reply<'_>, _: &mut Script<'_>, offset: usize, _: &mut Vec<Handle>) -> Result<()> {
    assert!(reply.offset(offset, 10)?.is_none_or(|at| at <= 10));
    let text = "aä\u{1f332}";
    let at = reply.offset_utf16(offset, text)?;
    assert!(at.is_none_or(|at| text.is_char_boundary(at)));
    let at = reply.offset_converted(offset, text)?;
    assert!(at.is_none_or(|at| text.is_char_boundary(at)));
    Ok(())
}

fn objects(
    reply: &mut Reply<'_>,
    script: &mut Script<'_>,
    offset: usize,
    things: &mut Vec<Handle>,
) -> Result<()> {
    if script.below(2) == 0 {
        things.extend(reply.opt_handle(offset, THING, script.below(2) == 0, None)?);
        return Ok(());
    }
    let parent = things.last().cloned();
    reply.handle(offset, PART, script.below(2) == 0, parent.as_ref()).map(drop)
}

fn an_image(reply: &mut Reply<'_>, _: &mut Script<'_>, offset: usize, _: &mut Vec<Handle>) -> Result<()> {
    let image = reply.image(offset, 40)?;
    drop(image.opt_text(reply, 0)?);
    image.elements::<i64>(reply, 16).map(drop)
}

fn an_optional_image(
    reply: &mut Reply<'_>,
    _: &mut Script<'_>,
    offset: usize,
    _: &mut Vec<Handle>,
) -> Result<()> {
    if let Some(image) = reply.opt_image(offset, 24)? {
        drop(image.text_utf16(reply, 0)?);
        assert!(image.advanced(reply, 16, 7)? <= 7);
    }
    Ok(())
}

fn images(reply: &mut Reply<'_>, _: &mut Script<'_>, offset: usize, _: &mut Vec<Handle>) -> Result<()> {
    if let Some((images, count)) = reply.opt_images(offset, 16)? {
        assert!(count <= 4 << 20, "more than there may be");
        if count > 0 {
            let _ = images.array::<u32, 2>(0);
            drop(images.bytes_array(reply, 0, 8)?);
            drop(images.text_array(reply, 8, 8)?);
        }
    }
    Ok(())
}

fn images_in_an_image(
    reply: &mut Reply<'_>,
    _: &mut Script<'_>,
    offset: usize,
    _: &mut Vec<Handle>,
) -> Result<()> {
    let image = reply.image(offset, 40)?;
    if let Some(part) = image.image(reply, 0, 8)? {
        let _ = part.get_u64(0);
    }
    if let Some((parts, count)) = image.images(reply, 0, 8)? {
        let _ = (0..count).fold(0, |sum, index| sum ^ parts.get_u64(8 * index));
    }
    drop(image.texts::<Utf8>(reply, 16)?);
    drop(image.ended_texts::<Utf16>(reply, 16)?);
    image.buffer(reply, 0).map(drop)
}

fn appended(reply: &mut Reply<'_>, _: &mut Script<'_>, offset: usize, _: &mut Vec<Handle>) -> Result<()> {
    // Both numbers may be anything: they come from the worker, and from the caller.
    let filled = reply.buffer(offset)?;
    let (start, room) = (reply.get_u64(offset), reply.get_u64(offset + 8));
    let mut data = vec![1];
    reply.append(&mut data, filled, start as usize, room as usize)
}

fn numbers(reply: &mut Reply<'_>, _: &mut Script<'_>, offset: usize, _: &mut Vec<Handle>) -> Result<()> {
    let _ = (reply.get_u64(offset), reply.get_f32(offset), reply.get_i8(offset));
    Ok(())
}
