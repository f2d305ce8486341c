//! The clock and each root context's timer. Both are virtual: the worker is told the time.
use std::time::Duration;

use wasmtime::Linker;

use super::call;
use crate::flow::lifecycle::after;
use crate::hostcall::Hostcall;
use crate::memory::{Guest, split, write};
use crate::state::VmState;

pub(super) fn add_to_linker(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_set_tick_period_milliseconds",
        |mut guest: Guest<'_>, period: u32| {
            call(&mut guest, Hostcall::SetTickPeriod, |guest| {
                let state = guest.data_mut();
                let now = state.now;
                if let Some(root) = state.root_mut() {
                    root.tick_period = (period != 0).then(|| Duration::from_millis(period.into()));
                    root.next_tick = root.tick_period.map(|period| after(now, period));
                }
                Ok(())
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_current_time_nanoseconds",
        |mut guest: Guest<'_>, to: u32| {
            call(&mut guest, Hostcall::GetCurrentTime, |guest| {
                let (memory, state) = split(guest)?;
                Ok(write(memory, to, &state.now.as_unix_nanos().to_le_bytes())?)
            })
        },
    )?;
    Ok(())
}
