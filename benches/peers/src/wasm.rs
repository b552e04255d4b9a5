//! Wasmtime's typed calls, in this process: what containment costs that asks for the library's source.

use anyhow::{Context, Result, ensure};
use wasmtime::{Engine, Instance, Module, Store};

use crate::clock::Plan;
use crate::server::Start;
use crate::work::{BYTES, Operation, TABLE, crc32, data};
use crate::{Outcome, timed};

/// Both functions, the CRC by the algorithm of all others.
const CALLS: &str = include_str!("wasm/calls.wat");

/// Where the module has the data.
const DATA: usize = 8192;

/// Calls in a block: they are short.
const BLOCK: u32 = 1000;

pub(crate) fn measure(operation: Operation, plan: &Plan, _: &Start<'_>) -> Result<Outcome> {
    let engine = Engine::default();
    let module = Module::new(&engine, CALLS)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").context("the module has a memory")?;
    let table: Vec<u8> = TABLE.iter().flatten().flat_map(|entry| entry.to_le_bytes()).collect();
    memory.write(&mut store, 0, &table)?;
    let plan = plan.blocks_of(BLOCK);
    match operation {
        Operation::Add => {
            let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
            let mut number = 0;
            timed(&plan, || {
                number += 1;
                ensure!(add.call(&mut store, (number, 1))? == number + 1, "a wrong sum");
                Ok(())
            })
        }
        Operation::Crc32 => {
            let crc = instance.get_typed_func::<(u32, u32, u32), u32>(&mut store, "crc32")?;
            let data = data();
            let expected = crc32(0, &data);
            timed(&plan, || {
                memory.write(&mut store, DATA, &data)?;
                let found = crc.call(&mut store, (0, DATA as u32, BYTES as u32))?;
                ensure!(found == expected, "a wrong CRC");
                Ok(())
            })
        }
    }
}
