//! Of the parser; what is signed by whom is tested with whole exchanges in `tests/verification.rs`.
use super::*;
use alloc::{format, string::ToString, vec};
use proptest::prelude::*;

const KEY: &str = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIGl0Lg==";
const SECRET_KEY: HashKey = HashKey::new([7; 16]);
const NOW: u64 = 1_800_000_000;

fn acceptance() -> Acceptance {
    let verifier = Verifier::hmac_sha256(KEY).unwrap();
    Acceptance {
        audience: "api".to_string(),
        clock_skew: Duration::from_secs(60),
        max_age: Duration::from_secs(3600),
        keys: vec![Key::new("k1".to_string(), verifier, None, None)],
        seen: Seen::default(),
    }
}

fn now() -> Timestamp {
    at(Seconds(NOW))
}

/// What an attestation with these parts, rightly signed, comes to.
fn attested(header: &str, claims: &str) -> Result<String, AttestationError> {
    acceptance().level(&SECRET_KEY, &signed(header, claims), "a", now())
}

fn signed(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> Vec<u8> {
    use hmac::{Hmac, Mac};
    let [header, claims] = [header.as_ref(), claims.as_ref()].map(Base64UrlUnpadded::encode_string);
    let text = format!("{header}.{claims}");
    let secret = base64ct::Base64::decode_vec(KEY).unwrap();
    let mac = Hmac::<sha2::Sha256>::new_from_slice(&secret)
        .unwrap()
        .chain_update(&text);
    let signature = Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes());
    format!("{text}.{signature}").into_bytes()
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#;
const CLAIMS: &str =
    r#"{"sub":"a","aud":"api","iat":1800000000,"exp":1800000600,"weir_level":"phone"}"#;

#[test]
fn what_is_signed_is_read() {
    assert_eq!(attested(HEADER, CLAIMS).as_deref(), Ok("phone"));
}

#[test]
fn members_without_a_meaning_here_are_ignored() {
    let header = r#" {"alg":"HS256","kid":"k1","cty":1,"x":{"y":[null]}} "#;
    let claims = CLAIMS.replace('{', r#"{"jti":"7","iss":"verifier","nbf":null,"#);

    assert_eq!(attested(header, &claims).as_deref(), Ok("phone"));
}

#[test]
fn texts_that_are_no_unicode_are_refused_even_in_members_without_a_meaning() {
    for text in [&b"\xffJ"[..], b"\\ud800"] {
        let header = [br#"{"alg":"HS256","kid":"k1","typ":""#, text, br#""}"#].concat();
        let token = signed(header, CLAIMS);

        let read = acceptance().level(&SECRET_KEY, &token, "a", now());

        assert_eq!(read, Err(AttestationError::Malformed), "{text:?}");
    }
}

#[test]
fn numbers_may_have_fractions_and_audiences_may_be_several() {
    let claims = r#"{"sub":"a","aud":["x","api"],"iat":1800000000.25,"nbf":1.8e9,"exp":1800000600.75,"weir_level":"phone"}"#;

    assert_eq!(attested(HEADER, claims).as_deref(), Ok("phone"));
}

#[test]
fn a_header_that_is_not_exactly_one_is_refused() {
    for (header, error) in [
        (r#"{"alg":"none","kid":"k1"}"#, AttestationError::UnknownKey),
        (
            r#"{"alg":"EdDSA","kid":"k1"}"#,
            AttestationError::UnknownKey,
        ),
        (
            r#"{"alg":"hs256","kid":"k1"}"#,
            AttestationError::UnknownKey,
        ),
        (
            r#"{"alg":"HS256","kid":"k2"}"#,
            AttestationError::UnknownKey,
        ),
        (r#"{"alg":"HS256"}"#, AttestationError::Malformed),
        (r#"{"kid":"k1"}"#, AttestationError::Malformed),
        (
            r#"{"alg":"HS256","kid":"k1","kid":"k1"}"#,
            AttestationError::Malformed,
        ),
        (
            r#"{"alg":"none","kid":"k1","alg":"HS256"}"#,
            AttestationError::Malformed,
        ),
        (
            r#"{"alg":["HS256"],"kid":"k1"}"#,
            AttestationError::Malformed,
        ),
        (r#"["HS256","k1",false]"#, AttestationError::Malformed),
        (
            r#"{"alg":"HS256","kid":"k1"} x"#,
            AttestationError::Malformed,
        ),
        (
            r#"{"alg":"HS256","kid":"k1","crit":["b64"],"b64":false}"#,
            AttestationError::Unsupported,
        ),
        (
            r#"{"alg":"HS256","kid":"k1","crit":null}"#,
            AttestationError::Unsupported,
        ),
        ("", AttestationError::Malformed),
    ] {
        assert_eq!(attested(header, CLAIMS), Err(error), "{header}");
    }
}

#[test]
fn claims_that_are_missing_twofold_or_of_another_type_are_refused() {
    for (was, is) in [
        (r#""sub":"a","#, ""),
        (r#""aud":"api","#, ""),
        (r#""iat":1800000000,"#, ""),
        (r#""exp":1800000600,"#, ""),
        (r#","weir_level":"phone""#, ""),
        (r#""sub":"a""#, r#""sub":"a","sub":"a""#),
        (r#""sub":"a""#, r#""sub":"a","s\u0075b":"b""#),
        (
            r#""exp":1800000600"#,
            r#""exp":1800000600,"exp":1900000000"#,
        ),
        (r#""exp":1800000600"#, r#""exp":"1800000600""#),
        (r#""exp":1800000600"#, r#""exp":null"#),
        (r#""exp":1800000600"#, r#""exp":1e400"#),
        (r#""exp":1800000600"#, r#""exp":1799999999"#),
        (r#""iat":1800000000"#, r#""iat":-1"#),
        (r#""iat":1800000000"#, r#""iat":-0.5"#),
        (r#""aud":"api""#, r#""aud":["api",1]"#),
        (r#""aud":"api""#, r#""aud":{"api":true}"#),
        (r#""weir_level":"phone""#, r#""weir_level":["phone"]"#),
    ] {
        let claims = CLAIMS.replace(was, is);
        assert_ne!(claims, CLAIMS);
        assert_eq!(
            attested(HEADER, &claims),
            Err(AttestationError::Malformed),
            "{claims}"
        );
    }
}

#[test]
fn the_end_of_time_is_no_trap() {
    let claims = CLAIMS
        .replace("1800000000", "18446744073709551615")
        .replace("1800000600", "18446744073709551615");

    assert_eq!(attested(HEADER, &claims), Err(AttestationError::NotYet));
}

#[test]
fn another_form_of_the_same_bytes_is_refused() {
    let token = String::from_utf8(signed(HEADER, CLAIMS)).unwrap();
    let refused = |token: &str| {
        acceptance()
            .level(&SECRET_KEY, token.as_bytes(), "a", now())
            .unwrap_err()
    };
    let last = token.chars().last().unwrap();
    // 32 bytes leave two bits of the last character unused.
    let noncanonical = (b'A'..=b'z')
        .map(char::from)
        .filter(|c| c.is_ascii_alphanumeric() && *c != last)
        .map(|c| format!("{}{c}", token.split_at(token.len() - 1).0));

    for other in noncanonical {
        let error = refused(&other);
        assert!(matches!(
            error,
            AttestationError::Malformed | AttestationError::BadSignature
        ));
    }
    for other in [
        format!("{token}="),
        format!("{token}."),
        format!("{token}.x"),
        format!(".{token}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token},{token}"),
        token.replace('.', ".."),
        token.rsplit_once('.').unwrap().0.to_string(),
        token.replacen('.', "", 1),
        "..".to_string(),
        String::new(),
    ] {
        assert_eq!(refused(&other), AttestationError::Malformed, "{other}");
    }
}

#[test]
fn the_longest_one_is_read_and_one_byte_more_is_not() {
    let pad = |count: usize| CLAIMS.replace('{', &format!(r#"{{"x":"{}","#, "y".repeat(count)));
    let mut lengths = (2500..3500)
        .rev()
        .map(|count| (count, signed(HEADER, pad(count)).len()));
    let (count, _) = lengths.find(|(_, length)| *length <= MAX_BYTES).unwrap();

    assert_eq!(attested(HEADER, &pad(count)).as_deref(), Ok("phone"));
    assert_eq!(
        attested(HEADER, &pad(count + 3)),
        Err(AttestationError::Malformed)
    );
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let claims = CLAIMS.replace('{', &format!(r#"{{"x":{}"#, "[".repeat(2000)));

    assert_eq!(attested(HEADER, &claims), Err(AttestationError::Malformed));
}

#[test]
fn a_right_signature_is_remembered_and_a_wrong_one_is_not() {
    use ed25519_dalek::{Signer, SigningKey};
    let signer = SigningKey::from_bytes(&[3; 32]);
    let public = base64ct::Base64::encode_string(signer.verifying_key().as_bytes());
    let mut acceptance = acceptance();
    let verifier = Verifier::ed25519(&public).unwrap();
    acceptance.keys = vec![Key::new("k1".to_string(), verifier, None, None)];
    let parts = [r#"{"alg":"EdDSA","kid":"k1"}"#, CLAIMS];
    let text = parts
        .map(|part| Base64UrlUnpadded::encode_string(part.as_bytes()))
        .join(".");
    let signed =
        |signature: [u8; 64]| format!("{text}.{}", Base64UrlUnpadded::encode_string(&signature));
    let right = signer.sign(text.as_bytes()).to_bytes();
    let mut wrong = right;
    wrong[5] ^= 1;
    let seen = |token: &str| {
        acceptance
            .seen
            .contains(Seen::tag(&SECRET_KEY, token.as_bytes()))
    };

    for _ in 0..3 {
        for (signature, expected) in [
            (wrong, Err(AttestationError::BadSignature)),
            (right, Ok("phone")),
        ] {
            let token = signed(signature);
            let found = acceptance.level(&SECRET_KEY, token.as_bytes(), "a", now());
            assert_eq!(found.as_deref().map_err(|error| *error), expected);
            assert_eq!(seen(&token), expected.is_ok());
        }
    }
    let later = now().saturating_add(Duration::from_secs(700));
    let found = acceptance.level(&SECRET_KEY, signed(right).as_bytes(), "a", later);
    assert_eq!(found, Err(AttestationError::Expired));
    let found = acceptance.level(&SECRET_KEY, signed(right).as_bytes(), "b", now());
    assert_eq!(found, Err(AttestationError::WrongAccount));
}

proptest! {
    #[test]
    fn no_bytes_are_accepted_by_chance_or_trap(token in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(acceptance().level(&SECRET_KEY, &token, "a", now()).is_err());
    }

    #[test]
    fn a_token_with_one_byte_changed_is_refused(place: prop::sample::Index, byte: u8) {
        let mut token = signed(HEADER, CLAIMS);
        let place = place.index(token.len());
        prop_assume!(token[place] != byte);
        token[place] = byte;

        prop_assert!(acceptance().level(&SECRET_KEY, &token, "a", now()).is_err());
    }

    #[test]
    fn signed_nonsense_traps_nobody(header in ".{0,60}", claims in ".{0,200}") {
        let _ = attested(&header, &claims);
        let _ = attested(HEADER, &claims);
    }

    #[test]
    fn it_counts_from_its_beginning_to_its_end_give_or_take_the_skew(
        iat in NOW - 8000..NOW + 8000,
        life in 0_u64..5000,
        nbf in prop::option::of(NOW - 8000..NOW + 8000),
        millis in 0_u64..1000,
    ) {
        let exp = iat + life;
        let nbf_claim = nbf.map(|nbf| format!(r#""nbf":{nbf},"#)).unwrap_or_default();
        let claims = format!(r#"{{"sub":"a","aud":"api",{nbf_claim}"iat":{iat},"exp":{exp},"weir_level":"l"}}"#);
        let now = now().saturating_add(Duration::from_millis(millis));

        let found = acceptance().level(&SECRET_KEY, &signed(HEADER, &claims), "a", now);

        let begin = iat.max(nbf.unwrap_or(0));
        let expected = if life > 3600 {
            Err(AttestationError::TooLong)
        } else if NOW * 1000 + millis + 60_000 < begin * 1000 {
            Err(AttestationError::NotYet)
        } else if NOW * 1000 + millis >= (exp + 60) * 1000 {
            Err(AttestationError::Expired)
        } else {
            Ok("l".to_string())
        };
        prop_assert_eq!(found, expected);
    }
}
