//! A library that works on big data (`basin/basin.c`), behind a session: its methods are as a package has them.

use std::sync::Arc;

use hotcell::rt::{Call, Reply};
use hotcell::{Options, Result, Session, SharedBuf};
use hotcell_bind::Bound;
use hotcell_model::interface::Function;
use hotcell_model::layout::Carries;

use crate::bound::{Shared, bind};
use crate::cli::Folder;

/// The library behind a session.
#[derive(Debug, Clone)]
pub struct Basin {
    /// The session.
    pub session: Session,
    library: Arc<Library>,
}

/// The compiled library, in a folder that goes with the last who uses it.
#[derive(Debug)]
struct Library {
    bound: Bound,
    _folder: Folder,
}

impl Basin {
    /// Opens a session. Its worker loads the libraries of the options first.
    ///
    /// # Errors
    ///
    /// Faults of the start.
    pub fn open(mut options: Options) -> Result<Basin> {
        let library = Library::get();
        options.libraries.extend(library.bound.libraries.iter().cloned());
        Ok(Basin { session: Session::open(library.bound.package, options)?, library })
    }

    /// Where the library finds the data.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn place(&self, data: &[u8]) -> Result<u64> {
        let (mut call, function) = self.call("basin_where")?;
        call.put_buffer(argument(function, 0), "data", data)?;
        Ok(call.finish()?.get_u64(returned(function)))
    }

    /// The sum of the bytes.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn sum(&self, data: &[u8]) -> Result<u64> {
        let (mut call, function) = self.call("basin_sum")?;
        call.put_buffer(argument(function, 0), "data", data)?;
        Ok(call.finish()?.get_u64(returned(function)))
    }

    /// The sum of the numbers.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn total(&self, values: &[f32]) -> Result<f64> {
        let (mut call, function) = self.call("basin_total")?;
        call.put_elements(argument(function, 0), "values", values)?;
        Ok(call.finish()?.get_f64(returned(function)))
    }

    /// The sum of the bytes of both.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn both(&self, a: &[u8], b: &[u8]) -> Result<u64> {
        let (mut call, function) = self.call("basin_both")?;
        call.put_buffer(argument(function, 0), "a", a)?;
        call.put_buffer(argument(function, 2), "b", b)?;
        Ok(call.finish()?.get_u64(returned(function)))
    }

    /// The sum of the bytes, after `visit` was called.
    ///
    /// # Errors
    ///
    /// Faults, and what `visit` failed with.
    pub fn after(&self, data: &[u8], mut visit: impl FnMut() -> Result<()>) -> Result<u64> {
        let (mut call, function) = self.call("basin_after")?;
        call.put_buffer(argument(function, 0), "data", data)?;
        call.put_callback(argument(function, 2), 1, 0);
        let reply = call.finish_with(&mut [&mut |_| visit().map(|()| 0)])?;
        Ok(reply.get_u64(returned(function)))
    }

    /// Writes into its input.
    ///
    /// # Errors
    ///
    /// Always a fault.
    pub fn spoil(&self, data: &[u8]) -> Result<()> {
        let (mut call, function) = self.call("basin_spoil")?;
        call.put_buffer(argument(function, 0), "data", data)?;
        call.finish().map(drop)
    }

    /// `capacity` bytes that count up from `seed`.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn fill(&self, capacity: usize, seed: u8) -> Result<Vec<u8>> {
        let function = self.function("basin_fill").1;
        self.filled("basin_fill", capacity, seed)?.buffer(result(function, 0))
    }

    /// As [`Basin::fill`], where the library wrote them.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn fill_shared(&self, capacity: usize, seed: u8) -> Result<SharedBuf> {
        let function = self.function("basin_fill").1;
        self.filled("basin_fill", capacity, seed)?.shared_buffer(result(function, 0))
    }

    /// As [`Basin::fill_shared`]; [`Basin::scribble`] writes there.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn keep(&self, capacity: usize, seed: u8) -> Result<SharedBuf> {
        let function = self.function("basin_keep").1;
        self.filled("basin_keep", capacity, seed)?.shared_buffer(result(function, 0))
    }

    /// Overwrites what was kept.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn scribble(&self) -> Result<()> {
        self.call("basin_scribble")?.0.finish().map(drop)
    }

    /// Has a thread of the library overwrite what was kept, or ends it.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn haunt(&self, on: bool) -> Result<()> {
        let (mut call, function) = self.call("basin_haunt")?;
        call.put_i32(argument(function, 0), on.into());
        call.finish().map(drop)
    }

    /// How often that thread did so.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn rounds(&self) -> Result<u64> {
        let (call, function) = self.call("basin_rounds")?;
        Ok(call.finish()?.get_u64(returned(function)))
    }

    /// As [`Basin::fill_shared`], and the complement.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn two(&self, capacity: usize, seed: u8) -> Result<(SharedBuf, SharedBuf)> {
        let (mut call, function) = self.call("basin_two")?;
        call.put_room(argument(function, 0), capacity as u64);
        call.put_room(argument(function, 2), capacity as u64);
        call.put_u8(argument(function, 4), seed);
        let mut reply = call.finish()?;
        Ok((reply.shared_buffer(result(function, 0))?, reply.shared_buffer(result(function, 2))?))
    }

    /// Claims to have filled more than it was given.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn claim(&self, capacity: usize) -> Result<SharedBuf> {
        let (mut call, function) = self.call("basin_claim")?;
        call.put_room(argument(function, 0), capacity as u64);
        call.finish()?.shared_buffer(result(function, 0))
    }

    /// Writes nothing, and says so to nobody.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn omit(&self, capacity: usize) -> Result<Vec<u8>> {
        let (mut call, function) = self.call("basin_omit")?;
        call.put_room(argument(function, 0), capacity as u64);
        call.finish()?.buffer(result(function, 0))
    }

    /// Fails without a word, where its message would be what it has written.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn mute(&self, capacity: usize) -> Result<()> {
        let (mut call, function) = self.call("basin_mute")?;
        call.put_room(argument(function, 0), capacity as u64);
        call.finish().map(drop)
    }

    /// Turns every bit round.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn invert(&self, data: &[u8]) -> Result<Vec<u8>> {
        let (mut call, function) = self.call("basin_invert")?;
        call.put_buffer(argument(function, 0), "data", data)?;
        call.finish()?.buffer(result(function, 0))
    }

    /// As [`Basin::invert`], in a buffer that is lent.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn invert_in_place(&self, data: &mut SharedBuf) -> Result<usize> {
        let (mut call, function) = self.call("basin_invert")?;
        call.lend_data(argument(function, 0), "data", data)?;
        call.finish()?.filled(result(function, 0), data)
    }

    /// As [`Basin::fill`], in a buffer that is lent.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn fill_into(&self, out: &mut SharedBuf, seed: u8) -> Result<usize> {
        self.filled_into("basin_fill", out, Some(seed))
    }

    /// As [`Basin::keep`], in a buffer that is lent.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn keep_into(&self, out: &mut SharedBuf, seed: u8) -> Result<usize> {
        self.filled_into("basin_keep", out, Some(seed))
    }

    /// As [`Basin::claim`], in a buffer that is lent.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn claim_into(&self, out: &mut SharedBuf) -> Result<usize> {
        self.filled_into("basin_claim", out, None)
    }

    /// As [`Basin::omit`], in a buffer that is lent.
    ///
    /// # Errors
    ///
    /// Faults.
    pub fn omit_into(&self, out: &mut SharedBuf) -> Result<usize> {
        self.filled_into("basin_omit", out, None)
    }

    /// As [`Basin::mute`], in a buffer that is lent.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn mute_into(&self, out: &mut SharedBuf) -> Result<usize> {
        self.filled_into("basin_mute", out, None)
    }

    /// Aborts.
    ///
    /// # Errors
    ///
    /// Always a fault.
    pub fn crash(&self) -> Result<()> {
        self.call("basin_crash")?.0.finish().map(drop)
    }

    fn filled(&self, name: &str, capacity: usize, seed: u8) -> Result<Reply<'_>> {
        let (mut call, function) = self.call(name)?;
        call.put_room(argument(function, 0), capacity as u64);
        call.put_u8(argument(function, 2), seed);
        call.finish()
    }

    fn filled_into(&self, name: &str, out: &mut SharedBuf, seed: Option<u8>) -> Result<usize> {
        let (mut call, function) = self.call(name)?;
        call.lend_room(argument(function, 0), "out", out)?;
        if let Some(seed) = seed {
            call.put_u8(argument(function, 2), seed);
        }
        call.finish()?.filled(result(function, 0), out)
    }

    fn call(&self, name: &str) -> Result<(Call<'_>, &Function)> {
        let (index, function) = self.function(name);
        Ok((self.session.call(index)?, function))
    }

    fn function(&self, name: &str) -> (u16, &Function) {
        self.library.bound.interface.function(name).expect("it is bound")
    }
}

impl Library {
    /// The one that is there, or a new one.
    fn get() -> Arc<Library> {
        static SHARED: Shared<Library> = Shared::new();
        SHARED.get(|| {
            let (header, code) = (include_str!("basin/basin.h"), include_str!("basin/basin.c"));
            let (folder, bound) = bind("basin", header, code, include_str!("basin/bind.toml"));
            Library { bound, _folder: folder }
        })
    }
}

/// Where an argument goes.
fn argument(function: &Function, index: usize) -> usize {
    let block = &function.layout.args;
    let field = block.field(Carries::Param { index }).or_else(|| block.field(Carries::Capacity { index }));
    field.expect("it is an argument").offset as usize
}

/// Where what a parameter holds comes out.
fn result(function: &Function, index: usize) -> usize {
    function.layout.result.field(Carries::Param { index }).expect("it is a result").offset as usize
}

/// Where the returned value is.
fn returned(function: &Function) -> usize {
    function.layout.result.field(Carries::Returned).expect("something is returned").offset as usize
}
