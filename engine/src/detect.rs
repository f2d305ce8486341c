//! Finds campaigns: accounts that act as one.
//!
//! Every exchange leaves an [`Observation`]. Observations are fed, in time order, to one [`Detector`],
//! which keeps a record for each account and compares groups of accounts with everybody else. What it
//! thinks of an account is its [`Standing`].
/// The table of what `$of`, a `const fn` of a byte, gives for every byte.
macro_rules! byte_table {
    ($of:ident, $value:ty) => {{
        let mut table: [$value; 256] = [$of(0); 256];
        let mut rest: &mut [$value] = &mut table;
        let mut byte: u8 = 0;
        while let Some((slot, after)) = rest.split_first_mut() {
            *slot = $of(byte);
            byte = byte.wrapping_add(1);
            rest = after;
        }
        table
    }};
}

mod account;
mod accounts;
pub mod board;
mod detector;
mod emergence;
pub mod feed;
mod field;
mod footprint;
mod groups;
mod judgement;
pub mod lease;
mod lexicon;
mod measures;
pub(crate) mod mix;
mod normalise;
pub mod observation;
mod printer;
mod profile;
pub mod prompt;
pub mod room;
mod segment;
pub mod sentinel;
mod shingles;
mod signal;
mod skeleton;
mod slots;
pub mod standing;
mod suspect;
mod tally;
mod tokens;
mod topics;
mod wire;

pub use detector::{Detector, Settings, Surveyed};
pub use emergence::Emergence;
pub use footprint::Footprint;
pub use judgement::{BLOCK_HOURS, CLEAN_HOURS, HYSTERESIS, KEPT_BELOW_WATCH};
pub use observation::{Observation, Plan, Verification};
pub use printer::{HEAD_BYTES, MAX_TOOLS, Printer, SystemPrint, TAIL_BYTES, UserPrint, tools_hash};
pub use profile::{Profile, ProfileError};
pub use prompt::{FieldPrint, PromptPrint, Topics};
pub use signal::Signal;
pub use standing::{Evidence, Standing, State};
