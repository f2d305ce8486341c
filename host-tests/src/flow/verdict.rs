//! What a callback's number means. Out of range stops, as in Envoy.
use crate::stream_state::Iteration;

/// What becomes of the data of a body callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataVerdict {
    Continue,
    Buffer,
    Watermark,
    Drop,
}

/// `stopped`: the callback asked for a local reply, so its number does not count.
pub(super) fn headers(number: u32, stopped: bool, allow_stop_iteration: bool) -> Iteration {
    match number {
        _ if stopped => Iteration::StoppedAll,
        0 | 2 => Iteration::Going,
        1 if allow_stop_iteration => Iteration::StoppedOnce,
        _ => Iteration::StoppedAll,
    }
}

pub(super) fn data(number: u32, stopped: bool) -> DataVerdict {
    match number {
        _ if stopped => DataVerdict::Drop,
        0 => DataVerdict::Continue,
        1 => DataVerdict::Buffer,
        2 => DataVerdict::Watermark,
        _ => DataVerdict::Drop,
    }
}

/// Whether trailers go on.
pub(super) fn trailers(number: u32, stopped: bool) -> bool {
    number == 0 && !stopped
}
