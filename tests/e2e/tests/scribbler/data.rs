//! Buffers, copied and shared results under a scribbler.

use std::sync::Mutex;

use hotcell::{InBuf, Options, Result, Session, SharedBuf};
use hotcell_e2e::basin::Basin;

use super::{Driven, PATIENCE, Random};

/// The library of big data, with results that are held.
pub(super) struct Data {
    basin: Basin,
    held: Mutex<Vec<SharedBuf>>,
}

impl Data {
    pub(super) fn open(options: Options) -> Data {
        Data { basin: Basin::open(options).unwrap(), held: Mutex::default() }
    }

    /// A buffer that counts up.
    fn buffer(&self, random: &mut Random) -> Result<InBuf> {
        let mut buffer = self.basin.session.buffer(length(random))?;
        buffer.iter_mut().zip(counting(0)).for_each(|(byte, value)| *byte = value);
        Ok(buffer)
    }

    /// Holds a result. Whatever becomes of its bytes: they are there.
    fn hold(&self, shared: SharedBuf, most: usize) {
        assert!(shared.len() <= most);
        assert_eq!(shared.to_vec().len(), shared.len());
        assert_eq!(shared.view().iter().count(), shared.len());
        let mut held = self.held.lock().unwrap();
        held.push(shared);
        if held.len() > 6 {
            held.remove(0);
        }
    }
}

/// Lengths for which data lies in slots, or not.
fn length(random: &mut Random) -> usize {
    let most = [16, 800, 5000, 200_000][random.below(4) as usize];
    random.below(most) as usize
}

fn counting(seed: u8) -> impl Iterator<Item = u8> {
    (0..).map(move |index: usize| seed.wrapping_add(index as u8))
}

/// The most that the results of a call may have.
const LIMIT: usize = 8 << 20;

impl Driven for Data {
    fn call(&self, random: &mut Random) -> Result<()> {
        let basin = &self.basin;
        match random.below(13) {
            0 | 1 => {
                let data = self.buffer(random)?;
                let summed = basin.sum(&data).map(drop);
                assert!(
                    data.iter().copied().eq(counting(0).take(data.len())),
                    "the worker cannot write here"
                );
                summed
            }
            2 => basin.total(&vec![0.5; length(random)]).map(drop),
            3 => basin.both(&self.buffer(random)?, &[1, 2, 3]).map(drop),
            4 => {
                let data = self.buffer(random)?;
                let mut runs = 0;
                let after = basin.after(&data, || {
                    runs += 1;
                    basin.sum(&[1, 2, 3]).map(drop)
                });
                assert!(runs < 1000, "callbacks are bounded");
                after.map(drop)
            }
            5 => {
                let data = basin.fill(length(random), 3)?;
                assert!(data.len() <= LIMIT);
                Ok(())
            }
            6 | 7 => {
                let shared = basin.fill_shared(length(random), 3)?;
                self.hold(shared, LIMIT);
                Ok(())
            }
            8 => {
                let (one, two) = basin.two(length(random), 3)?;
                self.hold(one, LIMIT);
                self.hold(two, LIMIT);
                Ok(())
            }
            9 => {
                let inverted = basin.invert(&self.buffer(random)?)?;
                assert!(inverted.len() <= LIMIT);
                Ok(())
            }
            10 => {
                let mut data = basin.session.shared_buffer(length(random))?;
                let inverted = basin.invert_in_place(&mut data)?;
                assert!(inverted <= data.len() && data.to_vec().len() == data.len());
                Ok(())
            }
            11 => {
                let mut out = basin.session.shared_buffer(length(random))?;
                let filled = basin.fill_into(&mut out, 3)?;
                assert!(filled <= out.len());
                self.hold(out, LIMIT);
                Ok(())
            }
            _ => basin.omit(length(random)).map(drop).or_else(|_| basin.mute(length(random).min(1000))),
        }
    }

    fn check(&self) {
        self.held.lock().unwrap().clear();
        let mut basin = self.basin.clone();
        basin.session = basin.session.within(PATIENCE);
        let mut data = basin.session.buffer(70_000).unwrap();
        data.fill(3);
        assert_eq!(basin.sum(&data).unwrap(), 210_000);
        assert_eq!(basin.after(&data, || basin.sum(&[1, 2]).map(|sum| assert_eq!(sum, 3))).unwrap(), 210_000);
        let expected: Vec<u8> = counting(9).take(300_000).collect();
        assert_eq!(basin.fill(300_000, 9).unwrap(), expected);
        assert_eq!(basin.fill_shared(300_000, 9).unwrap().to_vec(), expected);
        assert_eq!(basin.invert(&[0, 1, 255]).unwrap(), [255, 254, 0]);
    }

    fn session(&self) -> &Session {
        &self.basin.session
    }
}
