use alloc::{format, string::String, vec::Vec};

use proptest::prelude::*;

use super::HashKey;

const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// SipHash-2-4-128 written out from its paper, as an oracle.
fn siphash_2_4_128(key: [u8; 16], message: &[u8]) -> u128 {
    let word = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u64, |word, byte| word << 8 | u64::from(*byte))
    };
    let (k0, k1) = (word(&key[..8]), word(&key[8..]));
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let round = |v: &mut [u64; 4]| {
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    };

    let mut padded = message.to_vec();
    padded.resize(message.len() / 8 * 8 + 7, 0);
    padded.push(u8::try_from(message.len() % 256).unwrap());
    for block in padded.chunks(8) {
        v[3] ^= word(block);
        (0..2).for_each(|_| round(&mut v));
        v[0] ^= word(block);
    }
    let mut half = |mark: (usize, u64)| {
        v[mark.0] ^= mark.1;
        (0..4).for_each(|_| round(&mut v));
        v[0] ^ v[1] ^ v[2] ^ v[3]
    };
    let low = half((2, 0xee));
    let high = half((1, 0xdd));
    u128::from(high) << 64 | u128::from(low)
}

fn framed(domain: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    for piece in core::iter::once(domain.as_bytes()).chain(parts.iter().copied()) {
        message.extend_from_slice(&(piece.len() as u64).to_le_bytes());
        message.extend_from_slice(piece);
    }
    message
}

#[test]
fn the_oracle_gives_the_published_vectors() {
    // The first two vectors of the reference implementation, bytes in its order.
    assert_eq!(
        siphash_2_4_128(KEY, &[]).to_le_bytes(),
        0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293_u128.to_be_bytes()
    );
    assert_eq!(
        siphash_2_4_128(KEY, &[0]).to_le_bytes(),
        0xda87_c1d8_6b99_af44_3476_5911_9b22_fc45_u128.to_be_bytes()
    );
}

#[test]
fn debug_shows_nothing_of_the_key() {
    let shown: String = format!("{:?}", HashKey::new([0xab; 16]));

    assert_eq!(shown, "HashKey(secret)");
}

#[test]
fn another_key_gives_another_hash() {
    let (one, other) = (HashKey::new(KEY), HashKey::new([7; 16]));

    assert_ne!(
        one.hash128("account", &[b"a-17"]),
        other.hash128("account", &[b"a-17"])
    );
}

proptest! {
    #[test]
    fn is_siphash_of_the_length_prefixed_pieces(
        key: [u8; 16],
        domain in "[a-z]{0,12}",
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..4),
    ) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();

        let hash = HashKey::new(key).hash128(&domain, &parts);

        prop_assert_eq!(hash, siphash_2_4_128(key, &framed(&domain, &parts)));
        prop_assert_eq!(u128::from(HashKey::new(key).hash64(&domain, &parts)), hash & u128::from(u64::MAX));
    }

    #[test]
    fn moving_a_boundary_changes_the_hash(text in "[a-z]{2,20}", at in 1_usize..19) {
        let at = at.min(text.len() - 1);
        let (left, right) = text.as_bytes().split_at(at);
        let key = HashKey::new(KEY);

        let whole = key.hash128("d", &[text.as_bytes()]);
        let split = key.hash128("d", &[left, right]);
        let as_domain = key.hash128("dd", &[text.as_bytes()]);

        prop_assert_ne!(whole, split);
        prop_assert_ne!(whole, as_domain);
        prop_assert_ne!(split, key.hash128("d", &[right, left, b""]));
    }
}
