//! What a candidate policy changes: the same recording decided by two policies, and who gets another answer.
//!
//! Both replays run at the same time, each with workers and state of its own, on one reading of the
//! recording ([`feed`]). Their decisions meet line by line ([`pairing`]), are compared ([`Comparison`]) and
//! forgotten. Memory grows with the number of accounts (some 150 bytes each) and not with the recording.
//!
//! What is compared is what would be done if both policies enforced, so a policy in shadow mode compares
//! as well. The recording stays what it is: nobody who is refused gives up, or comes back otherwise.
mod accounts;
mod change;
mod comparison;
pub mod feed;
mod ground;
mod html;
pub mod pairing;
mod report;
mod table;

pub use change::Change;
pub use comparison::Comparison;
pub use html::html;
pub use report::{
    AccountChange, AccountsRefused, ChangeReach, Example, GroundChange, Group, Report, Reviewed,
    Sided, Standpoint,
};
pub use table::table;
