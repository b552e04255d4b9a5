//! Short runs, the same each time: the inputs that are kept, and changed copies of them.

use std::path::PathBuf;
use std::{fs, io};

use crate::Target;

/// Runs all inputs that are kept for a target, and [`Target::short`] more. `said` hears of each before it is run.
pub fn run(target: &Target, mut said: impl FnMut(&[u8])) -> io::Result<u32> {
    let kept = kept(target)?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let made = (0..target.short).map(|_| random.input(&kept, target.longest));
    let mut runs = 0;
    for input in kept.iter().cloned().chain(made.collect::<Vec<_>>()) {
        said(&input);
        (target.run)(&input);
        runs += 1;
    }
    Ok(runs)
}

/// The inputs that are kept for a target, by their names.
pub fn kept(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    let mut files =
        fs::read_dir(folder(target))?.map(|file| Ok(file?.path())).collect::<io::Result<Vec<_>>>()?;
    files.sort();
    files.iter().map(fs::read).collect()
}

/// Where they are.
pub fn folder(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    /// An input with a few changes, or a new one.
    fn input(&mut self, kept: &[Vec<u8>], longest: usize) -> Vec<u8> {
        let mut input = match kept {
            [] => Vec::new(),
            kept => kept[self.below(kept.len())].clone(),
        };
        if self.below(8) == 0 {
            let length = self.below(longest.min(512));
            input = self.bytes(length);
        }
        for _ in 0..1 + self.below(4) {
            self.change(&mut input, kept);
        }
        input.truncate(longest);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, kept: &[Vec<u8>]) {
        const EDGES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'\n', b'*'];
        let at = self.below(input.len());
        let end = (at + 1 + self.below(16)).min(input.len());
        match self.below(6) {
            _ if input.is_empty() => *input = self.bytes(8),
            0 => input[at] ^= 1 << self.below(8),
            1 => input[at] = EDGES[self.below(EDGES.len())],
            2 => drop(input.drain(at..end)),
            3 => {
                let again = input[at..end].to_vec();
                let to = self.below(input.len());
                drop(input.splice(to..to, again));
            }
            4 => {
                let length = 1 + self.below(8);
                let new = self.bytes(length);
                drop(input.splice(at..at, new));
            }
            _ if kept.is_empty() => {}
            _ => {
                let other = &kept[self.below(kept.len())];
                let start = self.below(other.len());
                let stop = (start + 1 + self.below(64)).min(other.len());
                drop(input.splice(at..end, other[start..stop].iter().copied()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_inputs_are_the_same_each_time_and_not_the_kept_ones() {
        let kept = [b"int f(int a);".to_vec(), b"struct s;".to_vec(), Vec::new()];
        let make = || {
            let mut random = Random(7);
            (0..500).map(|_| random.input(&kept, 20)).collect::<Vec<_>>()
        };
        let made = make();
        assert_eq!(made, make());
        assert!(made.iter().all(|input| input.len() <= 20));
        let new =
            made.iter().filter(|input| !kept.contains(input)).collect::<std::collections::BTreeSet<_>>();
        assert!(new.len() > 300, "{}", new.len());
    }
}
