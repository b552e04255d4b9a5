//! The functions of the objects, as a package has them in a batch and in a pipeline.

use hotcell::rt::{Collects, Handle, Puts as _, Reply};
use hotcell::{Result, Ticket};

use super::{ITEM, STORE, VIEW};

/// Puts calls into a batch or a pipeline.
#[expect(clippy::missing_errors_doc, reason = "each fails where its arguments cannot be passed")]
pub trait Collected: Collects + Sized {
    /// Opens a store, which fails with a code that is not 0.
    #[track_caller]
    fn store(&mut self, code: i32) -> Result<Ticket<Handle>> {
        let mut call = self.entry(0)?;
        call.put_i32(0, code);
        Ok(call.read(|reply| reply.handle(0, STORE, true, None)))
    }

    /// Closes a store.
    #[track_caller]
    fn close(&mut self, store: &Handle) -> Result<Ticket<()>> {
        let mut call = self.entry(1)?;
        call.put_consumed(0, "store", store, STORE)?;
        Ok(call.values(|_| ()))
    }

    /// Makes an item of a store.
    #[track_caller]
    fn item(&mut self, store: &Handle) -> Result<Ticket<Handle>> {
        let mut call = self.entry(2)?;
        call.put_handle(0, "store", store, STORE)?;
        let owner = store.clone();
        Ok(call.read(move |reply| reply.handle(0, ITEM, true, Some(&owner))))
    }

    /// Gives an item away, to nobody; fails with a code that is not 0.
    #[track_caller]
    fn give(&mut self, item: &Handle, code: i32) -> Result<Ticket<i32>> {
        let mut call = self.entry(7)?;
        call.put_opt_handle(8, "to", None, STORE)?;
        call.put_consumed_on_success(0, "item", item, ITEM)?;
        call.put_i32(16, code);
        Ok(call.values(|reply| reply.get_i32(0)))
    }

    /// A view of a store, or none.
    #[track_caller]
    fn view(&mut self, store: &Handle) -> Result<Ticket<Option<Handle>>> {
        let mut call = self.entry(4)?;
        call.put_handle(0, "store", store, STORE)?;
        call.put_i32(8, 1);
        let owner = store.clone();
        Ok(call.read(move |reply| reply.opt_handle(0, VIEW, false, Some(&owner))))
    }

    /// Takes so long.
    #[track_caller]
    fn wait_for(&mut self, milliseconds: i32) -> Result<Ticket<()>> {
        let mut call = self.entry(9)?;
        call.put_i32(0, milliseconds);
        Ok(call.values(|_| ()))
    }

    /// Ends the process.
    #[track_caller]
    fn crash(&mut self) -> Result<Ticket<()>> {
        Ok(self.entry(10)?.values(|_| ()))
    }

    /// A text that is none, and a store.
    #[track_caller]
    fn bad_text(&mut self) -> Result<Ticket<(String, Handle)>> {
        let read = |reply: &mut Reply<'_>| {
            let text = reply.text(0)?;
            Ok((text, reply.handle(16, STORE, true, None)?))
        };
        Ok(self.entry(11)?.read(read))
    }

    /// How many objects there are.
    #[track_caller]
    fn living(&mut self) -> Result<Ticket<i64>> {
        Ok(self.entry(20)?.values(|reply| reply.get_i64(0)))
    }

    /// Changes numbers of a store.
    #[track_caller]
    fn poke(&mut self, store: &Handle) -> Result<Ticket<(i64, i64)>> {
        let mut call = self.entry(22)?;
        call.put_opt_handle(0, "store", Some(store), STORE)?;
        call.put_i64(8, 1);
        call.put_i64(16, 3);
        Ok(call.values(|reply| (reply.get_i64(0), reply.get_i64(8))))
    }

    /// A place in a text, as the library claims.
    #[track_caller]
    fn offset(&mut self, claim: i64, most: usize) -> Result<Ticket<Option<usize>>> {
        let mut call = self.entry(18)?;
        call.put_i64(0, claim);
        Ok(call.read(move |reply| reply.offset(0, most)))
    }

    /// So many bytes.
    #[track_caller]
    fn long(&mut self, bytes: i64) -> Result<Ticket<Vec<u8>>> {
        let mut call = self.entry(26)?;
        call.put_i64(0, bytes);
        Ok(call.read(|reply| reply.buffer(0)))
    }
}

impl<C: Collects> Collected for C {}
