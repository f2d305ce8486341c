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

mod field;
mod lexicon;
pub(crate) mod mix;
mod normalise;
pub mod observation;
mod printer;
pub mod prompt;
mod segment;
mod shingles;
mod skeleton;
pub mod standing;
mod tokens;
mod topics;
mod wire;

pub use observation::{Observation, Plan, Verification};
pub use printer::{HEAD_BYTES, MAX_TOOLS, Printer, SystemPrint, TAIL_BYTES, UserPrint, tools_hash};
pub use prompt::{FieldPrint, PromptPrint, Topics};
pub use standing::{Evidence, Signal, Standing, State};
