//! Numbers and words of JSON.
use super::Fault;

/// Significant digits kept: as many as surely fit 64 bits.
const DIGITS: u32 = 19;

/// The number at `at`, cut to a whole one and saturated, and the offset after it.
///
/// `None` for a number below zero and for `NaN`, `Infinity` and `-Infinity`, which Python servers take.
/// Any notation counts: `1e3` and `1000.0` are 1000 to most servers.
pub(super) fn read(bytes: &[u8], at: usize) -> Result<(Option<u32>, usize), Fault> {
    let (number, end) = read_decimal(bytes, at)?;
    let whole = number.and_then(|(negative, decimal)| {
        let below_zero = negative && decimal.digits != 0;
        (!below_zero).then(|| decimal.whole())
    });
    Ok((whole, end))
}

/// The number at `at` in its one spelling, and the offset after it.
pub(super) fn read_number(bytes: &[u8], at: usize) -> Result<(Number, usize), Fault> {
    let (number, end) = read_decimal(bytes, at)?;
    let number = match number {
        Some((is_negative, decimal)) => decimal.canonical(is_negative),
        None => Number {
            is_negative: true,
            digits: 0,
            exponent: i32::MAX,
        },
    };
    Ok((number, end))
}

/// Whether the number at `at` has a sign, its digits, and the offset after it; none for `NaN` and infinities.
fn read_decimal(bytes: &[u8], at: usize) -> Result<(Option<(bool, Decimal)>, usize), Fault> {
    let mut cursor = Cursor { bytes, at };
    let negative = cursor.take(b'-');
    match cursor.byte() {
        Some(b'N') if !negative => return Ok((None, word(bytes, cursor.at, b"NaN")?)),
        Some(b'I') => return Ok((None, word(bytes, cursor.at, b"Infinity")?)),
        _ => {}
    }
    let mut decimal = Decimal::default();
    if cursor.take(b'0') {
        if cursor.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(Fault::Malformed {
                at: cursor.at,
                what: "no digit after a leading zero",
            });
        }
    } else {
        cursor.digits(|digit| decimal.push(digit, false))?;
    }
    if cursor.take(b'.') {
        cursor.digits(|digit| decimal.push(digit, true))?;
    }
    if cursor.take(b'e') || cursor.take(b'E') {
        let down = cursor.take(b'-');
        if !down {
            cursor.take(b'+');
        }
        let mut exponent: i32 = 0;
        cursor.digits(|digit| {
            exponent = exponent.saturating_mul(10).saturating_add(i32::from(digit))
        })?;
        decimal.shift(if down {
            exponent.saturating_neg()
        } else {
            exponent
        });
    }
    Ok((Some((negative, decimal)), cursor.at))
}

/// `±digits × 10^exponent` without trailing zeros: equal numbers are equal. Zero has no sign; what is no
/// number is a zero with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) is_negative: bool,
    /// The first 19 digits.
    pub(crate) digits: u64,
    pub(crate) exponent: i32,
}

impl Number {
    /// Its thousandths, cut to whole ones and saturated; `None` below zero or for no number.
    pub(crate) fn thousandths(self) -> Option<u32> {
        let mut decimal = Decimal {
            digits: self.digits,
            kept: 0,
            exponent: self.exponent,
        };
        decimal.shift(3);
        (!self.is_negative).then(|| decimal.whole())
    }
}

/// The offset after `word`, which must stand at `at`.
pub(super) fn word(bytes: &[u8], at: usize, word: &'static [u8]) -> Result<usize, Fault> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(word) {
        Ok(at.saturating_add(word.len()))
    } else if word.starts_with(rest) {
        Err(Fault::Ended)
    } else {
        Err(Fault::Malformed {
            at,
            what: "a value",
        })
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let taken = self.byte() == Some(byte);
        self.at = self.at.saturating_add(usize::from(taken));
        taken
    }

    /// Hands out one digit or more.
    fn digits(&mut self, mut each: impl FnMut(u8)) -> Result<(), Fault> {
        let start = self.at;
        while let Some(byte @ b'0'..=b'9') = self.byte() {
            each(byte.wrapping_sub(b'0'));
            self.at = self.at.saturating_add(1);
        }
        match self.byte() {
            None if self.at == start => Err(Fault::Ended),
            Some(_) if self.at == start => Err(Fault::Malformed {
                at: start,
                what: "a digit",
            }),
            _ => Ok(()),
        }
    }
}

/// `digits × 10^exponent`, cut to the first [`DIGITS`] digits.
#[derive(Default)]
struct Decimal {
    digits: u64,
    kept: u32,
    exponent: i32,
}

impl Decimal {
    fn push(&mut self, digit: u8, fraction: bool) {
        let leading_zero = self.digits == 0 && digit == 0;
        if self.kept < DIGITS {
            self.digits = self
                .digits
                .saturating_mul(10)
                .saturating_add(u64::from(digit));
            self.kept = self.kept.saturating_add(u32::from(!leading_zero));
            self.shift(if fraction { -1 } else { 0 });
        } else {
            self.shift(i32::from(!fraction));
        }
    }

    fn shift(&mut self, by: i32) {
        self.exponent = self.exponent.saturating_add(by);
    }

    fn canonical(mut self, is_negative: bool) -> Number {
        if self.digits == 0 {
            return Number {
                is_negative: false,
                digits: 0,
                exponent: 0,
            };
        }
        while self.digits % 10 == 0 {
            self.digits /= 10;
            self.exponent = self.exponent.saturating_add(1);
        }
        Number {
            is_negative,
            digits: self.digits,
            exponent: self.exponent,
        }
    }

    /// The whole part, saturated. At most 39 steps: 64 bits hold fewer than 20 decimal digits.
    fn whole(&self) -> u32 {
        let mut value = self.digits;
        let mut exponent = self.exponent;
        while exponent < 0 && value > 0 {
            value /= 10;
            exponent = exponent.saturating_add(1);
        }
        while exponent > 0 && value > 0 && value <= u64::from(u32::MAX) {
            value = value.saturating_mul(10);
            exponent = exponent.saturating_sub(1);
        }
        u32::try_from(value).unwrap_or(u32::MAX)
    }
}
