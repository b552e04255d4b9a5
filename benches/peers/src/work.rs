//! What is called: two numbers added, and the CRC-32 of 1 KiB, as `contained.add` and `contained.crc32.1k` do.

use anyhow::{Result, bail};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Crc32,
}

/// Bytes of which the CRC is asked.
pub(crate) const BYTES: usize = 1 << 10;

impl Operation {
    pub(crate) const ALL: [Operation; 2] = [Operation::Add, Operation::Crc32];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Add => "add",
            Operation::Crc32 => "crc32.1k",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Operation> {
        match Operation::ALL.into_iter().find(|it| it.name() == name) {
            Some(operation) => Ok(operation),
            None => bail!("no operation is `{name}`"),
        }
    }
}

/// Data for [`crc32`].
pub(crate) fn data() -> [u8; BYTES] {
    std::array::from_fn(|at| (at * 7) as u8)
}

pub(crate) fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

/// Tables for eight bytes at a time.
pub(crate) static TABLE: [[u32; 256]; 8] = table();

/// The algorithm of the measured library.
pub(crate) fn crc32(crc: u32, data: &[u8]) -> u32 {
    let mut crc = !crc;
    let (eights, rest) = data.as_chunks::<8>();
    for &[a, b, c, d, e, f, g, h] in eights {
        let [a, b, c, d] = (crc ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        let of = |table: usize, byte: u8| TABLE[table][usize::from(byte)];
        crc = of(7, a) ^ of(6, b) ^ of(5, c) ^ of(4, d) ^ of(3, e) ^ of(2, f) ^ of(1, g) ^ of(0, h);
    }
    for byte in rest {
        crc = (crc >> 8) ^ TABLE[0][((crc ^ u32::from(*byte)) & 255) as usize];
    }
    !crc
}

const fn table() -> [[u32; 256]; 8] {
    let mut table = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[0][byte] = crc;
        byte += 1;
    }
    let mut step = 1;
    while step < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = table[step - 1][byte];
            table[step][byte] = (before >> 8) ^ table[0][(before & 255) as usize];
            byte += 1;
        }
        step += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_known_one() {
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
        assert_eq!(crc32(0, b""), 0);
    }

    #[test]
    fn operations_have_names() {
        for operation in Operation::ALL {
            assert_eq!(Operation::named(operation.name()).unwrap(), operation);
        }
        assert!(Operation::named("divide").is_err());
    }
}
