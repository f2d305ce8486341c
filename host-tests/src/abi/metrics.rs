//! Counters, gauges and histograms.
use wasmtime::Linker;

use super::call;
use crate::hostcall::Hostcall;
use crate::memory::{Guest, Slice, read, split, write, write_u32};
use crate::state::VmState;

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_define_metric",
        |mut guest: Guest<'_>, kind: u32, at: u32, len: u32, to: u32| {
            call(&mut guest, Hostcall::DefineMetric, |guest| {
                let (memory, state) = split(guest)?;
                let id = state
                    .metrics
                    .define(kind, read(memory, Slice { at, len })?)?;
                Ok(write_u32(memory, to, id)?)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_increment_metric",
        |mut guest: Guest<'_>, id: u32, offset: i64| {
            call(&mut guest, Hostcall::IncrementMetric, |guest| {
                Ok(guest.data().metrics.increment(id, offset)?)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_record_metric",
        |mut guest: Guest<'_>, id: u32, value: u64| {
            call(&mut guest, Hostcall::RecordMetric, |guest| {
                Ok(guest.data().metrics.record(id, value)?)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_metric",
        |mut guest: Guest<'_>, id: u32, to: u32| {
            call(&mut guest, Hostcall::GetMetric, |guest| {
                let (memory, state) = split(guest)?;
                let value = state.metrics.get(id)?;
                Ok(write(memory, to, &value.to_le_bytes())?)
            })
        },
    )?;
    Ok(())
}
