//! What is wrong with a policy document, in a form that people and editors can use.
use alloc::string::String;
use core::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Stable codes. A code that was released is never given another meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as printed, `P002` style.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    /// The document is not JSON (or not YAML, when the command reads it).
    Syntax = "P001",
    /// A key that the schema does not have.
    UnknownKey = "P002",
    /// A required key is missing.
    MissingKey = "P003",
    /// A value of the wrong type, or a word that is not one of the choices.
    WrongValue = "P004",
    /// `apiVersion` or `kind` of another format.
    UnsupportedVersion = "P005",
    /// A duration that cannot be read.
    BadDuration = "P010",
    /// A size that cannot be read.
    BadSize = "P011",
    /// A point in time that cannot be read.
    BadTime = "P012",
    /// A name that is empty, too long or has other characters than letters, digits, `-`, `_` and `.`.
    BadName = "P013",
    /// A number, size, duration or text outside its range.
    OutOfRange = "P014",
    /// A header that carries a credential, where an identity is wanted.
    CredentialSource = "P015",
    /// Two entries of one name.
    DuplicateName = "P020",
    /// A tier that does not exist.
    UnknownTier = "P021",
    /// A capability that does not exist.
    UnknownCapability = "P022",
    /// No tier matches every account.
    NoCatchAllTier = "P023",
    /// A tier behind one that matches every account.
    UnreachableTier = "P024",
    /// More entries than the engine supports.
    TooMany = "P030",
    /// A capability that no request can ask for.
    EmptyCapability = "P031",
    /// A list entry that names neither an account nor an organization, or both.
    AmbiguousEntry = "P040",
    /// A list entry whose time is over.
    ExpiredEntry = "P041",
    /// Weights of signals that cannot be used.
    BadProfile = "P050",
    /// Actions by state where no account ever changes its state.
    NoDetection = "P051",
    /// A shaping rule that asks for nothing.
    IdleRule = "P060",
    /// A shaping rule for states about which nothing is done.
    IdleState = "P061",
    /// A state with the action `shape` that no shaping rule names.
    UnshapedState = "P062",
    /// Levels of verification are needed and none is named.
    NoLevels = "P070",
    /// A level of verification that does not exist.
    UnknownLevel = "P071",
    /// A state asks for verification, and no level would clear the account.
    NoSuspectedLevel = "P072",
    /// An address that is no `https` URL.
    BadUrl = "P073",
    /// Key material that cannot be used.
    BadKey = "P074",
    /// A key whose time is over.
    ExpiredKey = "P075",
    /// A family of rate limit headers that stands twice.
    RepeatedFamily = "P080",
    /// Two policies of one rollout that decisions cannot tell apart.
    SameVersion = "P090",
    /// A path of a property or claim at which no host could have a value when a request arrives.
    BadPath = "P100",
    /// A type that the value of a source, or of the fact that it is for, cannot have.
    WrongType = "P101",
    /// An attribute that `identity.attributes` does not declare.
    UnknownAttribute = "P102",
    /// A condition on an attribute of another type.
    WrongCondition = "P103",
    /// Conditions on an attribute that no value meets.
    ImpossibleCondition = "P104",
    /// An attribute that no tier asks for.
    UnusedAttribute = "P105",
    /// A network that cannot be read.
    BadNetwork = "P106",
    /// Trusted hops where the address comes from no header.
    IdleHops = "P107",
    /// A key for pseudonyms where none are made.
    IdleKey = "P108",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a problem refuses the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The policy is refused.
    Error,
    /// The policy works, though hardly as meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One problem of a policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of problem.
    pub code: Code,
    /// Whether it refuses the policy.
    pub severity: Severity,
    /// Where: `budgets[0].limit`; `.` is the document.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} at {}: {}; {}",
            self.severity.as_str(),
            self.code,
            self.path,
            self.message,
            self.help
        )
    }
}

/// Everything found wrong with one document; refuses it when any entry is an error.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics(alloc::vec::Vec<Diagnostic>);

impl Diagnostics {
    /// Adds an error.
    pub(super) fn error(
        &mut self,
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Diagnostic {
            code,
            severity: Severity::Error,
            path: path.into(),
            message: message.into(),
            help: help.into(),
        });
    }

    /// Adds a warning.
    pub(super) fn warning(
        &mut self,
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Diagnostic {
            code,
            severity: Severity::Warning,
            path: path.into(),
            message: message.into(),
            help: help.into(),
        });
    }

    /// Takes over what was found in a reduced document: paths are put right, and nothing is called missing, empty or
    /// idle because of what was taken out.
    pub(super) fn absorb(&mut self, found: Self, taken: &super::read::TakenOut) {
        for mut diagnostic in found.0 {
            diagnostic.path = taken.original(&diagnostic.path);
            let follows = match diagnostic.code {
                Code::MissingKey => taken.covers(&diagnostic.path),
                Code::OutOfRange | Code::IdleRule | Code::IdleState | Code::WrongCondition => {
                    taken.is_within(&diagnostic.path)
                }
                _ => false,
            };
            if !follows {
                self.0.push(diagnostic);
            }
        }
    }

    /// Takes over what was found in a document that stands below `name` in this one.
    pub(super) fn absorb_below(&mut self, name: &str, found: Self) {
        self.0.extend(found.0.into_iter().map(|mut diagnostic| {
            diagnostic.path = match diagnostic.path.as_str() {
                "." => String::from(name),
                path => alloc::format!("{name}.{path}"),
            };
            diagnostic
        }));
    }

    /// Whether any entry is an error.
    pub fn refuse(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// The entries, in document order as far as the checks run in it.
    pub fn iter(&self) -> core::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
