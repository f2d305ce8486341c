//! What the shaper makes of a body.
use weir_engine::endpoint::Endpoint;
use weir_engine::shaping::{ResponseShaper, Strip};

pub(crate) const EVERYTHING: Strip = Strip {
    logprobs: true,
    reasoning: true,
};

/// A response that was shaped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shaped {
    pub(crate) bytes: Vec<u8>,
    pub(crate) changed: bool,
    pub(crate) lost: bool,
}

impl Shaped {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }
}

/// Feeds a body in pieces, the last of which says that it is the end.
pub(crate) fn shaped_in<'b>(
    endpoint: Endpoint,
    strip: Strip,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> Shaped {
    let mut shaper = ResponseShaper::new(endpoint, strip);
    let mut bytes = Vec::new();
    for piece in pieces {
        shaper.feed(piece, false, &mut bytes);
        assert!(shaper.buffered() <= 64 * 1024);
    }
    shaper.feed(&[], true, &mut bytes);
    assert_eq!(shaper.buffered(), 0, "nothing waits behind the end");
    Shaped {
        bytes,
        changed: shaper.changed(),
        lost: shaper.lost(),
    }
}

/// Feeds a body at once.
pub(crate) fn shaped(endpoint: Endpoint, strip: Strip, body: &[u8]) -> Shaped {
    shaped_in(endpoint, strip, [body])
}

/// Pieces of a body, their sizes drawn from a seed: mostly small, sometimes empty or large.
pub(crate) fn pieces(body: &[u8], seed: u64) -> Vec<&[u8]> {
    let mut random = Random(seed);
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let most = [1, 3, 17, 200, 5000][random.below(5)];
        let (piece, after) = rest.split_at(random.below(most + 1).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Numbers from a seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
