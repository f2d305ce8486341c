//! What host and guest call each other, call by call: for `--trace-calls` and for profiles.
//!
//! [`crate::HostConfig::calls`] takes a sink, and everything that it sees is put together only for it:
//! hostcalls pass through functions that stand between the guest and the ABI's own (`interpose`), and
//! these are linked only where there is a sink. Without one there is no check and no cost.
//!
//! A sink sees what the plugin sees: headers with credentials, bodies with prompts.
mod decode;
mod frame;
pub(crate) mod interpose;
mod line;
mod profile;
mod signature;
mod vm_name;

use std::sync::Arc;

pub use line::CallPrinter;
pub use profile::{CallbackProfile, Profile, Profiler};
pub use vm_name::VmName;

pub(crate) use frame::{Answer, Frame, Numbers};
pub(crate) use vm_name::VmNames;

use crate::status::Status;

/// Receives every call of every VM, from any worker's thread, canaries included.
pub type CallSink = Arc<dyn Fn(&CallEvent<'_>) + Send + Sync>;

/// One moment of one call.
#[derive(Clone, Copy, Debug)]
pub struct CallEvent<'a> {
    /// Which of the process's VMs.
    pub vm: VmName,
    /// The context that the host called, or that the hostcall acts on.
    pub context: u32,
    /// The export's or import's name.
    pub call: &'a str,
    /// What happens.
    pub moment: Moment<'a>,
}

/// What happens in a [`CallEvent`].
#[derive(Clone, Copy, Debug)]
pub enum Moment<'a> {
    /// The host calls the guest. Hostcalls follow, then [`Moment::Ends`].
    Begins {
        /// As the ABI orders them.
        arguments: &'a [u32],
    },
    /// The guest's call is over.
    Ends {
        /// What it answered; `None` where it answers nothing or trapped.
        answer: Option<u32>,
        /// Whether it trapped.
        trapped: bool,
        /// What it burnt, where [`crate::HostConfig::fuel`] counts.
        fuel: Option<u64>,
    },
    /// The guest called the host, which has answered.
    Hostcall {
        /// What the guest handed over; addresses for results are left out.
        arguments: &'a [Argument],
        /// What it got.
        outcome: &'a CallOutcome,
    },
}

/// A value that crossed the border.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A number.
    Number(i64),
    /// A number that has a name, such as `REQUEST_HEADERS`.
    Constant(&'static str),
    /// Bytes, as many as there were.
    Bytes(Vec<u8>),
    /// Headers, trailers or metadata.
    Pairs(Vec<(Vec<u8>, Vec<u8>)>),
    /// Bytes outside of the guest's memory.
    Unreadable {
        /// Address.
        at: u32,
        /// Length.
        len: u32,
    },
}

/// How a hostcall ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// With a status, and with values if it is [`Status::Ok`].
    Status(Status, Vec<Argument>),
    /// With a number that is no Proxy-Wasm status, as WASI functions do.
    Number(u32),
    /// Without an answer.
    Nothing,
    /// The guest's call ends here.
    Trap(String),
}
