//! How far a JSON string, object or array reaches.
use crate::json;

/// A string, or an object or array that is passed over by counting its brackets, begun and not yet ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// Brackets open.
    depth: u32,
    in_string: bool,
    /// The byte before was a backslash inside of a string.
    escaped: bool,
}

impl Extent {
    /// Behind the opening quote of a string.
    pub(super) const STRING: Self = Self {
        depth: 0,
        in_string: true,
        escaped: false,
    };
    /// Behind the opening bracket of an object or array.
    pub(super) const BRACKETS: Self = Self {
        depth: 1,
        in_string: false,
        escaped: false,
    };

    /// Bytes at the beginning of `rest` that belong to it, closing quote or bracket included, and whether it
    /// ends there.
    pub(super) fn reach(&mut self, rest: &[u8]) -> (usize, bool) {
        let mut at: usize = 0;
        while at < rest.len() {
            let ahead = rest.get(at..).unwrap_or_default();
            let (length, ended) = if self.in_string {
                let (length, closed) = self.string(ahead);
                self.in_string = !closed;
                (length, closed && self.depth == 0)
            } else {
                self.brackets(ahead)
            };
            at = at.saturating_add(length);
            if ended {
                return (at, true);
            }
        }
        (at, false)
    }

    /// Goes on between strings, up to the next one or the last closing bracket at most.
    fn brackets(&mut self, rest: &[u8]) -> (usize, bool) {
        for (at, &byte) in rest.iter().enumerate() {
            match byte {
                b'"' => {
                    self.in_string = true;
                    return (at.saturating_add(1), false);
                }
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (at.saturating_add(1), true);
                    }
                }
                _ => {}
            }
        }
        (rest.len(), false)
    }

    /// Goes on inside of a string, up to its closing quote at most.
    fn string(&mut self, rest: &[u8]) -> (usize, bool) {
        let mut at = usize::from(core::mem::take(&mut self.escaped));
        loop {
            let ahead = rest.get(at..).unwrap_or_default();
            let Some(found) = json::quote_or_backslash(ahead) else {
                return (rest.len(), false);
            };
            at = at.saturating_add(found).saturating_add(1);
            if ahead.get(found) == Some(&b'"') {
                return (at, true);
            }
            if at >= rest.len() {
                self.escaped = true;
                return (rest.len(), false);
            }
            at = at.saturating_add(1);
        }
    }
}
