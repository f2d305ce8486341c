//! Signatures on reasoning that a client has to give back: as opaque to it as the real ones, checked without memory.
//!
//! They tell a changed text from the original, which is what a client or a proxy may get wrong. They are no
//! protection against anybody: the hash has no key that is worth the name.

/// Begins every signature, so that one of another mock is not taken for ours.
const MAGIC: &str = "EqMock";
/// FNV-1a of 128 bits.
const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// For a text that is shown, or for one that is left out of the answer.
pub(super) fn sign(text: &str, omitted: bool) -> String {
    let kind = if omitted { 'O' } else { 'V' };
    format!("{MAGIC}{kind}{:032x}", digest(&[kind as u8], text))
}

/// Whether `text` is what was signed, or may stand for it: nothing, where the signed text was left out.
pub(super) fn holds(signature: &str, text: &str) -> bool {
    let omitted = signature
        .strip_prefix(MAGIC)
        .is_some_and(|rest| rest.starts_with('O'));
    signature == sign(text, omitted) || omitted && text.is_empty() && is_whole(signature)
}

/// What stands for the reasoning of the item with this id.
pub(super) fn seal(id: &str) -> String {
    format!("gAAAAA{MAGIC}{:032x}", digest(b"E", id))
}

/// Whether the mock sealed it for this item.
pub(super) fn is_sealed(id: &str, sealed: &str) -> bool {
    sealed == seal(id)
}

fn is_whole(signature: &str) -> bool {
    let digest = signature.get(MAGIC.len().saturating_add(1)..);
    digest.is_some_and(|digest| {
        digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn digest(kind: &[u8], text: &str) -> u128 {
    let bytes = b"weir mock".iter().chain(kind).chain(text.as_bytes());
    bytes.fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signed_text_holds_and_nothing_in_place_of_one_that_was_left_out() {
        let (shown, omitted) = (sign("a 水", false), sign("a 水", true));

        assert!(holds(&shown, "a 水") && holds(&omitted, "a 水"));
        assert!(holds(&omitted, ""));
        for (signature, text) in [(&shown, ""), (&shown, "a"), (&omitted, "b")] {
            assert!(!holds(signature, text), "{text}");
        }
        assert!(!holds("EqMockO", "") && !holds("", "") && !holds("EqMockOzz", ""));
    }

    #[test]
    fn a_seal_is_for_one_item() {
        assert!(is_sealed("rs_1", &seal("rs_1")));
        assert!(!is_sealed("rs_2", &seal("rs_1")) && !is_sealed("rs_1", ""));
    }
}
