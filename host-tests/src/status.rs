//! Status codes that a hostcall answers with.

/// A Proxy-Wasm 0.2.1 status; the number is what the guest receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// No such key, header, property or token.
    NotFound = 1,
    /// An argument is out of range, or the object does not exist in this phase.
    BadArgument = 2,
    /// A value cannot be turned into bytes.
    SerializationFailure = 3,
    /// Bytes cannot be read as what they should be.
    ParseFailure = 4,
    /// An expression is malformed.
    BadExpression = 5,
    /// A pointer lies outside of the guest's memory.
    InvalidMemoryAccess = 6,
    /// The queue holds nothing.
    Empty = 7,
    /// Somebody wrote the shared value first.
    CasMismatch = 8,
    /// A result has another type than asked for.
    ResultMismatch = 9,
    /// The host failed.
    InternalFailure = 10,
    /// The peer went away.
    BrokenConnection = 11,
    /// The host does not offer this.
    Unimplemented = 12,
}

impl Status {
    /// The status that `code` is the number of.
    pub const fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::Ok,
            1 => Self::NotFound,
            2 => Self::BadArgument,
            3 => Self::SerializationFailure,
            4 => Self::ParseFailure,
            5 => Self::BadExpression,
            6 => Self::InvalidMemoryAccess,
            7 => Self::Empty,
            8 => Self::CasMismatch,
            9 => Self::ResultMismatch,
            10 => Self::InternalFailure,
            11 => Self::BrokenConnection,
            12 => Self::Unimplemented,
            _ => return None,
        })
    }
    /// The name that the ABI gives it, such as `NOT_FOUND`.
    pub const fn abi_name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NotFound => "NOT_FOUND",
            Self::BadArgument => "BAD_ARGUMENT",
            Self::SerializationFailure => "SERIALIZATION_FAILURE",
            Self::ParseFailure => "PARSE_FAILURE",
            Self::BadExpression => "BAD_EXPRESSION",
            Self::InvalidMemoryAccess => "INVALID_MEMORY_ACCESS",
            Self::Empty => "EMPTY",
            Self::CasMismatch => "CAS_MISMATCH",
            Self::ResultMismatch => "RESULT_MISMATCH",
            Self::InternalFailure => "INTERNAL_FAILURE",
            Self::BrokenConnection => "BROKEN_CONNECTION",
            Self::Unimplemented => "UNIMPLEMENTED",
        }
    }
    /// The number the guest receives.
    pub const fn code(self) -> u32 {
        self as u32
    }
}
