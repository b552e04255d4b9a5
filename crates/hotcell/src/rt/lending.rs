//! Buffers of the session that calls lend to the library, which changes them in place.

use hotcell_protocol::{Place, wire};
use hotcell_shm::{Seals, SharedBuf};

use super::reading::Reference;
use super::{Call, Reply};
use crate::error::Result;

impl Call<'_> {
    /// Lends the library a buffer with data that go in and out: it changes them where they lie. Where it cannot be lent, for
    /// it is none of this session, or of a worker that has gone, they are copied. [`Reply::filled`] comes with what came out.
    pub fn lend_data(&mut self, offset: usize, name: &str, buffer: &SharedBuf) -> Result<()> {
        let Some(place) = self.lend(buffer)? else { return self.put_copied(offset, name, &buffer.to_vec()) };
        self.count(name, buffer.len())?;
        self.put_reference(offset, lent(place), buffer.len() as u64);
        Ok(())
    }

    /// As [`Call::lend_data`], where nothing goes in: instead of a capacity.
    pub fn lend_room(&mut self, offset: usize, name: &str, buffer: &SharedBuf) -> Result<()> {
        let length = buffer.len() as u64;
        let Some(place) = self.lend(buffer)? else {
            self.put_room(offset, length);
            return Ok(());
        };
        let said = self.place_uncounted(name, &Reference::bytes(place, length), 0)?;
        self.put_u64(offset, lent(said).raw());
        Ok(())
    }

    /// Lends the worker a buffer until the call is over. `None` where it cannot have it. A task's call, which may be forgotten
    /// while the library is at work, lends nothing.
    fn lend(&mut self, buffer: &SharedBuf) -> Result<Option<Place>> {
        if self.awaited {
            return Ok(None);
        }
        let buffers = self.session().buffers();
        let lent = self.offering(Seals::Reply, |generation, give| buffers.lend(buffer, generation, give))?;
        Ok(lent.map(|lent| {
            let place = lent.place();
            self.lent.push(lent);
            place
        }))
    }
}

impl Reply<'_> {
    /// How many bytes of a buffer the library says it has filled, which went in with [`Call::lend_data`] or
    /// [`Call::lend_room`]. Where it could not be lent they are copied into it.
    pub fn filled(&mut self, offset: usize, buffer: &mut SharedBuf) -> Result<usize> {
        let from = self.reference(offset);
        self.granted(|granted| granted.fill(from, buffer))
    }
}

/// The place as that of what is lent.
fn lent(place: Place) -> Place {
    Place::from_raw(place.raw() | wire::LENT)
}
