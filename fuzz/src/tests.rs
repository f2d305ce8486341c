use super::*;

/// Runs `target` on each seed, and on copies with bytes changed, left out and repeated.
fn survives(target: fn(&[u8]), seeds: &[Vec<u8>], damaged: u64) {
    const BYTES: &[u8] = b"{}[]\",:\\ntu0eE+-.1\n\r\x01\xFF ";
    assert!(!seeds.is_empty());
    for seed in seeds {
        target(seed);
        for round in 0..damaged {
            let mut numbers = Numbers(round);
            let mut input = seed.clone();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(input.len());
                match numbers.below(4) {
                    0 => input[at] = BYTES[numbers.below(BYTES.len())],
                    1 => input.insert(at, BYTES[numbers.below(BYTES.len())]),
                    2 if input.len() > 1 => drop(input.remove(at)),
                    _ => {
                        let end = (at + numbers.below(40)).min(input.len());
                        let piece = input[at..end].to_vec();
                        input.splice(at..at, piece);
                    }
                }
            }
            target(&input);
        }
    }
}

#[test]
fn facts_keep_their_promises_on_damaged_requests() {
    survives(facts::run, &seeds::facts(), 2000);
}

#[test]
fn the_shaper_keeps_its_promises_on_damaged_responses() {
    survives(shaper::run, &seeds::shaper().unwrap(), 40);
}

#[test]
fn attestations_keep_their_promises_when_damaged() {
    survives(attestation::run, &seeds::attestation(), 500);
}

#[test]
fn the_seeds_of_attestations_are_accepted() {
    let header = br#"{"alg":"HS256","kid":"shared"}"#;
    let shared = attestation::signed_shared(header, attestation::valid_claims().as_bytes());

    for token in [shared, attestation::valid_public()] {
        assert_eq!(attestation::attested(token.as_bytes()), Some(Ok(1)));
    }
}

#[test]
fn every_seed_fits_the_fuzzers() {
    for seed in [
        seeds::facts(),
        seeds::shaper().unwrap(),
        seeds::attestation(),
    ]
    .concat()
    {
        assert!(seed.len() <= seeds::MAX_LEN + 3);
    }
}
