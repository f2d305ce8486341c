//! What a scalar means, by YAML's core schema: `yes`, `no`, `on` and dates are strings.
use super::{YamlProblem, shown};
use saphyr_parser::ScalarStyle;
use serde_json::{Number, Value};

/// The value of `text`; only plain text can be anything but a string.
pub(super) fn scalar(text: &str, style: ScalarStyle) -> Result<Value, YamlProblem> {
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match number(text)? {
            Some(number) => Value::Number(number),
            None => Value::String(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Result<Option<Number>, YamlProblem> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(YamlProblem::NotFinite { text: shown(text) });
    }
    let too_large = || YamlProblem::TooLarge { text: shown(text) };
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(radix))
        {
            return u64::from_str_radix(digits, radix)
                .map(|number| Some(number.into()))
                .map_err(|_| too_large());
        }
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let plain = text.strip_prefix('+').unwrap_or(text);
        let number = plain
            .parse::<u64>()
            .map(Number::from)
            .or_else(|_| plain.parse::<i64>().map(Number::from));
        return number.map(Some).map_err(|_| too_large());
    }
    let looks_like_one = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && unsigned
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse::<f64>() {
        Ok(number) if looks_like_one => Number::from_f64(number)
            .map(Some)
            .ok_or(YamlProblem::NotFinite { text: shown(text) }),
        _ => Ok(None),
    }
}
