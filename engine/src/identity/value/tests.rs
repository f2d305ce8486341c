use super::*;
use proptest::prelude::*;

const KEY: HashKey = HashKey::new([5; 16]);
const TYPES: [ValueType; 5] = [
    ValueType::Text,
    ValueType::Number,
    ValueType::Integer,
    ValueType::Boolean,
    ValueType::Time,
];

fn read(bytes: &[u8], value_type: ValueType) -> Option<Value<'_>> {
    match Read::property(bytes, value_type) {
        Read::Value(value) => Some(value),
        Read::Nothing | Read::Unreadable => None,
    }
}

fn id(bytes: &[u8], value_type: ValueType) -> Option<String> {
    read(bytes, value_type)?.to_text(&KEY)
}

#[test]
fn a_text_of_eight_bytes_is_a_text() {
    assert_eq!(
        id(b"acct-001", ValueType::Text).as_deref(),
        Some("acct-001")
    );
    assert_eq!(id(b" a ", ValueType::Text).as_deref(), Some("a"));
    assert_eq!(
        id("größe".as_bytes(), ValueType::Text).as_deref(),
        Some("größe")
    );
}

#[test]
fn bytes_that_no_id_has_are_no_text() {
    let number = 1_746_100_800_f64.to_le_bytes();
    let list = b"\x01\0\0\0\x01\0\0\0\0\0\0\0a\0\0";

    for bytes in [&number[..], list, b"a\nb", b"\xff", b"\0", b"a\0b"] {
        assert_eq!(
            Read::property(bytes, ValueType::Text),
            Read::Unreadable,
            "{bytes:?}"
        );
    }
    assert_eq!(Read::property(b"", ValueType::Text), Read::Nothing);
    assert_eq!(Read::property(b"  ", ValueType::Text), Read::Nothing);
}

#[test]
fn a_long_text_is_known_by_its_hash_as_a_long_header_is() {
    let long = "a".repeat(129);

    let from_property = id(long.as_bytes(), ValueType::Text);

    assert_eq!(from_property, Value::Header(long.as_bytes()).to_text(&KEY));
    assert!(from_property.is_some_and(|id| id.starts_with("hash-")));
}

#[test]
fn a_whole_number_is_an_id_and_no_other_is() {
    for (number, expected) in [
        (0.0, Some("0")),
        (123_456_789.0, Some("123456789")),
        (9_007_199_254_740_991.0, Some("9007199254740991")),
        (9_007_199_254_740_992.0, None),
        (0.5, None),
        (1e-300, None),
        (-1.0, None),
        (1e300, None),
        (f64::INFINITY, None),
        (f64::NAN, None),
    ] {
        let text = id(&number.to_le_bytes(), ValueType::Number);
        assert_eq!(text.as_deref(), expected, "{number}");
    }
    let integer = |number: i64| id(&number.to_le_bytes(), ValueType::Integer);
    assert_eq!(integer(7).as_deref(), Some("7"));
    assert_eq!(integer(-7), None);
    assert_eq!(integer(i64::MAX).as_deref(), Some("9223372036854775807"));
}

#[test]
fn a_number_of_another_length_is_unreadable() {
    for value_type in [ValueType::Number, ValueType::Integer, ValueType::Time] {
        for length in [1, 7, 9, 16] {
            assert_eq!(
                Read::property(&[1; 16][..length], value_type),
                Read::Unreadable
            );
        }
    }
    assert_eq!(Read::property(&[2], ValueType::Boolean), Read::Unreadable);
    assert_eq!(
        Read::property(b"true", ValueType::Boolean),
        Read::Unreadable
    );
}

#[test]
fn a_time_is_rfc_3339_seconds_or_envoys_nanoseconds() {
    let expected = Timestamp::parse_rfc3339("2025-05-01T12:00:00Z");
    let seconds = 1_746_100_800_i64;

    for (bytes, value_type) in [
        (b"2025-05-01T12:00:00Z".to_vec(), ValueType::Text),
        (1_746_100_800_f64.to_le_bytes().to_vec(), ValueType::Number),
        (seconds.to_le_bytes().to_vec(), ValueType::Integer),
        (
            (seconds * 1_000_000_000).to_le_bytes().to_vec(),
            ValueType::Time,
        ),
    ] {
        let time = read(&bytes, value_type).and_then(Value::to_time);
        assert_eq!(time, expected, "{value_type:?}");
    }
    for number in [-1.0, 1e12, 1e300] {
        let bytes = f64::to_le_bytes(number);
        let time = read(&bytes, ValueType::Number).and_then(Value::to_time);
        assert_eq!(time, None, "{number}");
    }
}

#[test]
fn numbers_and_flags_as_text_are_written_as_json_has_them() {
    let number = |text: &str| Value::Text(text).to_number();

    assert_eq!(number("12.5"), Some(12.5));
    assert_eq!(number("-3"), Some(-3.0));
    assert_eq!(number("999999999"), Some(999_999_999.0));
    for text in [
        "", "inf", "NaN", "0x10", "+1", "1e999", "1,000", "1 2", "\"1\"",
    ] {
        assert_eq!(number(text), None, "{text}");
    }
    assert_eq!(Value::Text("true").to_boolean(), Some(true));
    assert_eq!(Value::Header(b"false").to_boolean(), Some(false));
    assert_eq!(Value::Text("TRUE").to_boolean(), None);
    assert_eq!(Value::Number(1.0).to_boolean(), None);
}

#[test]
fn a_credential_is_a_hash_and_nothing_else() {
    let credential = Value::Credential(b"1");

    assert!(
        credential
            .to_text(&KEY)
            .is_some_and(|text| text.starts_with("key-"))
    );
    assert_eq!(credential.to_number(), None);
    assert_eq!(credential.to_boolean(), None);
    assert_eq!(credential.to_time(), None);
}

proptest! {
    #[test]
    fn no_bytes_panic_and_whatever_is_an_id_can_be_written_into_a_list(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        for value_type in TYPES {
            let Some(value) = read(&bytes, value_type) else { continue };
            if let Some(id) = value.to_text(&KEY) {
                prop_assert!(is_identifier(&id), "{id:?}");
            }
            prop_assert!(value.to_number().is_none_or(f64::is_finite));
            let _ = (value.to_time(), value.to_boolean());
        }
    }

    #[test]
    fn different_numbers_are_different_ids(one: u32, other: u32) {
        let id = |number: u32| id(&f64::from(number).to_le_bytes(), ValueType::Number);
        prop_assert_eq!(id(one) == id(other), one == other);
        prop_assert_eq!(id(one), Some(one.to_string()));
    }
}
