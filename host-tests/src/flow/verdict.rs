//! What a callback's number means. Out of range stops, as in Envoy.

/// What becomes of a message after its headers callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadersVerdict {
    Continue,
    /// Headers wait, data is still shown.
    Stop,
    /// Data is held and shown later; `streaming`: without a limit, since the sender is slowed down.
    StopAll {
        streaming: bool,
    },
}

/// What becomes of the data of a body callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DataVerdict {
    Continue,
    /// `streaming`: without a limit, since the sender is slowed down; the next callback does not show it again.
    Hold {
        streaming: bool,
    },
    Drop,
}

/// `stopped`: the callback asked for a local reply, so its number does not count.
pub(super) fn headers(number: u32, stopped: bool, allow_stop_iteration: bool) -> HeadersVerdict {
    match number {
        _ if stopped => HeadersVerdict::StopAll { streaming: true },
        0 | 2 => HeadersVerdict::Continue,
        1 if allow_stop_iteration => HeadersVerdict::Stop,
        number => HeadersVerdict::StopAll {
            streaming: number != 3,
        },
    }
}

/// As [`headers`].
pub(super) fn data(number: u32, stopped: bool) -> DataVerdict {
    match number {
        _ if stopped => DataVerdict::Drop,
        0 => DataVerdict::Continue,
        1 => DataVerdict::Hold { streaming: false },
        2 => DataVerdict::Hold { streaming: true },
        _ => DataVerdict::Drop,
    }
}

/// Whether trailers go on.
pub(super) fn trailers(number: u32, stopped: bool) -> bool {
    number == 0 && !stopped
}
