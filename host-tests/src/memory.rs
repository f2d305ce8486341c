//! The guest's linear memory, bounds-checked, and allocation inside it.
//!
//! Allocating calls the guest, which may grow its memory or make hostcalls: addresses of the memory's
//! bytes are never kept across it.
use wasmtime::Caller;

use crate::phase::Phase;
use crate::state::VmState;
use crate::status::Status;
use crate::vm::{FailureKind, explain};

/// A hostcall in progress.
pub(crate) type Guest<'a> = Caller<'a, VmState>;

/// Why a hostcall did not succeed.
pub(crate) enum Fault {
    /// The guest is told.
    Status(Status),
    /// The guest's call ends here.
    Trap(wasmtime::Error),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// Bytes of the guest by address and length.
#[derive(Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

/// Where the guest wants the address and the length of a returned value.
#[derive(Clone, Copy)]
pub(crate) struct Return {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

/// The whole memory and the VM's state, side by side.
pub(crate) fn split<'a>(
    guest: &'a mut Guest<'_>,
) -> Result<(&'a mut [u8], &'a mut VmState), Status> {
    match guest.data().memory {
        Some(memory) => Ok(memory.data_and_store_mut(guest)),
        None => Err(Status::InvalidMemoryAccess),
    }
}

pub(crate) fn read(memory: &[u8], slice: Slice) -> Result<&[u8], Status> {
    let start = slice.at as usize;
    memory
        .get(start..start + slice.len as usize)
        .ok_or(Status::InvalidMemoryAccess)
}

pub(crate) fn write(memory: &mut [u8], at: u32, bytes: &[u8]) -> Result<(), Status> {
    let start = at as usize;
    let place = memory
        .get_mut(start..start + bytes.len())
        .ok_or(Status::InvalidMemoryAccess)?;
    place.copy_from_slice(bytes);
    Ok(())
}

pub(crate) fn write_u32(memory: &mut [u8], at: u32, value: u32) -> Result<(), Status> {
    write(memory, at, &value.to_le_bytes())
}

/// Writes one number for the guest.
pub(crate) fn give_u32(guest: &mut Guest<'_>, at: u32, value: u32) -> Result<(), Fault> {
    Ok(write_u32(split(guest)?.0, at, value)?)
}

/// Allocates `len` bytes in the guest, lets `fill` write them and returns them through `to`.
///
/// Nothing is allocated for an empty value: the guest gets address 0. `fill` sees the state after
/// the allocation and answers `None` when the value is no longer there.
pub(crate) fn give(
    guest: &mut Guest<'_>,
    to: Return,
    len: usize,
    fill: impl FnOnce(&VmState, &mut [u8]) -> Option<()>,
) -> Result<(), Fault> {
    let size = u32::try_from(len).map_err(|_| Status::InvalidMemoryAccess)?;
    let at = if size == 0 { 0 } else { allocate(guest, size)? };
    let (memory, state) = split(guest)?;
    if size != 0 {
        let start = at as usize;
        let place = memory
            .get_mut(start..start + len)
            .ok_or(Status::InvalidMemoryAccess)?;
        fill(state, place).ok_or(Status::InternalFailure)?;
    }
    write_u32(memory, to.at, at)?;
    write_u32(memory, to.len, size)?;
    Ok(())
}

/// [`give`] for a value that was prepared in the scratch buffer.
pub(crate) fn give_scratch(guest: &mut Guest<'_>, to: Return) -> Result<(), Fault> {
    // Taken out so that hostcalls made by the allocation cannot change it.
    let scratch = std::mem::take(&mut guest.data_mut().scratch);
    let given = give(guest, to, scratch.len(), |_, place| copy(&scratch, place));
    guest.data_mut().scratch = scratch;
    given
}

/// Copies when the lengths agree.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> Option<()> {
    (from.len() == to.len()).then(|| to.copy_from_slice(from))
}

/// Has the guest allocate. Hostcalls that it makes meanwhile belong to no context. A trap in it shows as a
/// status; the VM fails when the guest's call has come to its end.
pub(crate) fn allocate(guest: &mut Guest<'_>, size: u32) -> Result<u32, Fault> {
    let state = guest.data_mut();
    let allocate = state.allocate.clone().ok_or(Status::InvalidMemoryAccess)?;
    let contexts = (state.called_context, state.effective_context.take());
    state.called_context = 0;
    state.phase = Phase::Allocating;
    let allocated = allocate.call(&mut *guest, size);
    let state = guest.data_mut();
    state.phase = Phase::Free;
    (state.called_context, state.effective_context) = contexts;
    match allocated {
        Ok(0) => Err(Status::InvalidMemoryAccess.into()),
        Ok(at) => Ok(at),
        Err(error) => {
            let failure = explain(&error);
            if failure.kind == FailureKind::Hang {
                return Err(Fault::Trap(error));
            }
            state.nested_failure = Some(failure);
            Err(Status::InvalidMemoryAccess.into())
        }
    }
}
