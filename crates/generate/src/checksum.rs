//! The checksum by which files of a package are told apart.

/// FNV-1a with 64 bits: enough to notice what was mixed up or edited, and a few lines in a build script without
/// dependencies.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        for (text, expect) in
            [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")]
        {
            assert_eq!(checksum(text.as_bytes()), expect, "{text}");
        }
    }
}
