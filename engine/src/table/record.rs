//! One budget of one account, as 108 bytes.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 0..8 | owner | hash of the account |
//! | 8..12 | budget | low half of the budget's hash |
//! | 12..20 | span | nanoseconds of a sub-window |
//! | 20..24 | born | tells a record from its successor of the same name |
//! | 24..28 | touched | second of the last write, for eviction |
//! | 28..32 | limit | as last charged, for eviction |
//! | 32..108 | window | newest sub-window and 17 counts |
use crate::{
    time::Timestamp,
    window::{Span, Window},
};

/// Bytes of a record.
pub(crate) const RECORD_BYTES: usize = TAG_BYTES + 12 + Window::BYTES;
const TAG_BYTES: usize = 20;

/// What makes two records the same; its bytes lead a record, so that one comparison finds it.
///
/// 32 bits tell the budgets of one account apart: for the dozen that a policy has, a chance of 10^-8 that two are confused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordId {
    pub(crate) owner: u64,
    pub(crate) budget: u32,
    pub(crate) span: Span,
}

impl RecordId {
    /// Names the record of `budget`, of whose hash the low half is kept.
    pub(crate) fn new(owner: u64, budget: u64, span: Span) -> Self {
        let [a, b, c, d, ..] = budget.to_le_bytes();
        Self {
            owner,
            budget: u32::from_le_bytes([a, b, c, d]),
            span,
        }
    }

    pub(crate) fn tag(self) -> [u8; TAG_BYTES] {
        let mut tag = [0; TAG_BYTES];
        let fields = self
            .owner
            .to_le_bytes()
            .into_iter()
            .chain(self.budget.to_le_bytes())
            .chain(self.span.to_bytes());
        tag.iter_mut()
            .zip(fields)
            .for_each(|(place, byte)| *place = byte);
        tag
    }
}

/// A decoded record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) owner: u64,
    pub(crate) budget: u32,
    /// Never zero.
    pub(crate) born: u32,
    /// Seconds since the epoch, saturating in 2106.
    pub(crate) touched: u32,
    pub(crate) limit: u32,
    pub(crate) window: Window,
}

impl Record {
    /// A record without charges; `born` is the bucket's to give.
    pub(crate) fn new(id: RecordId, limit: u32, now: Timestamp) -> Self {
        let mut record = Self {
            owner: id.owner,
            budget: id.budget,
            born: 0,
            touched: 0,
            limit,
            window: Window::new(id.span),
        };
        record.touch(limit, now);
        record
    }

    pub(crate) fn id(&self) -> RecordId {
        RecordId {
            owner: self.owner,
            budget: self.budget,
            span: self.window.span(),
        }
    }

    /// Notes a write.
    pub(crate) fn touch(&mut self, limit: u32, now: Timestamp) {
        self.limit = limit;
        self.touched = u32::try_from(now.as_unix_seconds()).unwrap_or(u32::MAX);
    }

    /// How much would be lost with this record: 0 below a quarter of its limit, 1 below half, 2 below nine tenths, 3 from there on.
    pub(crate) fn risk(&self, now: Timestamp) -> u8 {
        let (used, limit) = (self.window.used(now), u64::from(self.limit));
        if used.saturating_mul(4) < limit {
            0
        } else if used.saturating_mul(2) < limit {
            1
        } else if used.saturating_mul(10) < limit.saturating_mul(9) {
            2
        } else {
            3
        }
    }

    pub(crate) fn encode(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        let mut rest = bytes.as_mut_slice();
        put(&mut rest, &self.id().tag());
        put(&mut rest, &self.born.to_le_bytes());
        put(&mut rest, &self.touched.to_le_bytes());
        put(&mut rest, &self.limit.to_le_bytes());
        put(&mut rest, &self.window.to_bytes());
        bytes
    }

    /// Reads a record; `None` for bytes that [`encode`](Self::encode) never gives.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let owner = u64::from_le_bytes(take(rest)?);
        let budget = u32::from_le_bytes(take(rest)?);
        let span = Span::from_bytes(take(rest)?)?;
        let born = u32::from_le_bytes(take(rest)?);
        let touched = u32::from_le_bytes(take(rest)?);
        let limit = u32::from_le_bytes(take(rest)?);
        let window = Window::from_bytes(span, &take(rest)?);
        (rest.is_empty() && born != 0).then_some(Self {
            owner,
            budget,
            born,
            touched,
            limit,
            window,
        })
    }
}

/// Moves the next `N` bytes out of `rest`.
fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

/// Moves `field` to the front of `rest`; nothing when it does not fit, which the sizes above rule out.
fn put(rest: &mut &mut [u8], field: &[u8]) {
    if let Some((head, tail)) = core::mem::take(rest).split_at_mut_checked(field.len()) {
        head.copy_from_slice(field);
        *rest = tail;
    }
}
