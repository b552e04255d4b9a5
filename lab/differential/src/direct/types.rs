//! How the direct side spells types: as the header does, so that the compiler says what they are.

use hotcell_model::types::CType;

/// The type, for a declaration of any form.
pub(super) fn spell(ty: &CType) -> String {
    let nameless = |text: &&str| ["unnamed", "anonymous", " at "].iter().any(|mark| text.contains(mark));
    let found = [ty.written.as_str(), ty.canonical.as_str()].into_iter().find(|text| !nameless(text));
    format!("__typeof__({})", found.unwrap_or("int"))
}

/// What a pointer type points to.
pub(super) fn pointee(ty: &CType) -> String {
    format!("__typeof__(*({})0)", spell(ty))
}

/// The size of what a pointer type points to; of `void`, 1; of an array that of its elements.
pub(super) fn element_size(ty: &CType) -> String {
    let pointed = ty.pointee().map(|(pointee, _)| pointee);
    // What a pointer is spelled to point to may be an array of the numbers that it stands for.
    let number = pointed.and_then(CType::scalar_size);
    let element = pointed.and_then(CType::array).and_then(|(element, _)| element.element_size());
    match number.or(element) {
        Some(size) => size.to_string(),
        None => format!("sizeof({})", pointee(ty)),
    }
}
