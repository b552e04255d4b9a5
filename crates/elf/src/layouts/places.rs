//! Whether two layouts are the same to a program that was compiled. Names are not: a field that is renamed, or hidden in one that
//! means nothing to callers, lies where it lay.

use super::unit::Member;
use super::{Field, Layout};

/// What of a structure in the library, of so many bytes, is otherwise than expected, in words.
pub(super) fn difference(expected: &Layout, size: Option<u64>, members: &[Member<'_>]) -> Option<String> {
    if let Some(how) = expected.fields.iter().find_map(|field| of_field(field, members)) {
        return Some(how);
    }
    let size = size.filter(|size| *size != expected.size)?;
    let is_behind = |member: &&Member<'_>| member.offset.is_some_and(|offset| offset >= expected.size);
    let more = members.iter().filter(is_behind).find_map(|member| member.name);
    Some(match more {
        // The text is the library's.
        Some(name) => format!("the library's has a field `{}` more", name.escape_ascii()),
        None => format!("it has {} bytes, and {size} in the library", expected.size),
    })
}

fn of_field(field: &Field, members: &[Member<'_>]) -> Option<String> {
    let name = &field.name;
    let Some(member) = members.iter().find(|member| member.name == Some(name.as_bytes())) else {
        return (!is_covered(field, members)).then(|| format!("the library's has no field `{name}`"));
    };
    if let (Some(header), Some(library)) = (field.offset, member.offset)
        && header != library
    {
        return Some(format!("its field `{name}` lies at {header}, and at {library} in the library"));
    }
    if let (Some(header), Some(library)) = (field.size, member.size)
        && header != library
    {
        return Some(format!("its field `{name}` has {header} bytes, and {library} in the library"));
    }
    None
}

/// Whether something of another name may be this field: what begins there and has its size, or what lies over it and has parts
/// of its own.
fn is_covered(field: &Field, members: &[Member<'_>]) -> bool {
    // Bits have no places that are compared.
    let Some(place) = field.offset else { return true };
    let same = |member: &Member<'_>| {
        let size = member.size.zip(field.size);
        member.offset == Some(place) && size.is_none_or(|(library, header)| library == header)
    };
    let before = members.iter().filter(|member| member.offset.is_some_and(|offset| offset <= place));
    let last = before.max_by_key(|member| member.offset);
    members.iter().any(|member| member.offset.is_none() || same(member))
        || last.is_some_and(|last| last.size.is_none())
}
