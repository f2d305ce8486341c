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
    /// More problems than are listed.
    MoreProblems = "P032",
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
    /// A layer below that cannot be read.
    NoBase = "P120",
    /// Layers that extend one another in a circle.
    CyclicLayers = "P121",
    /// More layers than are merged.
    TooManyLayers = "P122",
    /// A layer touches what one below it has locked.
    Locked = "P123",
    /// Something is to be removed, or a place named, that is not there.
    NothingThere = "P124",
    /// Two entries of one name in one layer.
    RepeatedEntry = "P125",
    /// An entry that cannot be merged, since nothing names it.
    UnnamedEntry = "P126",
    /// A lock of something that policies do not have.
    UnknownLock = "P127",
    /// `extends` that leads nowhere, as the overlay has no place of its own.
    NoPlace = "P128",
    /// A rule, budget or threshold that never holds.
    NeverHolds = "P130",
    /// A tier that nobody reaches.
    UnreachedTier = "P131",
    /// A shaping rule that asks for nothing that one above it does not.
    CoveredRule = "P132",
    /// A limit that another one always reaches first.
    LooseLimit = "P133",
    /// An exemption for longer than anybody looks ahead.
    LongExemption = "P134",
    /// A shadow or canary that was forgotten.
    ForgottenRollout = "P135",
    /// A threshold outside of what was calibrated.
    UncalibratedThreshold = "P136",
    /// A verification that nobody can show.
    UnshownVerification = "P137",
    /// A header of attestations that says who is asking as well.
    SharedHeader = "P138",
    /// A canary of everybody.
    WholeCanary = "P139",
    /// A canary that is not asked for.
    IdleCanary = "P140",
    /// A guard that can hardly trip.
    IdleGuard = "P141",
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

/// Problems of one document that are listed; of those beyond, only how many there are.
const MAX_LISTED: usize = 200;

/// Everything found wrong with one document; refuses it when any entry is an error.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    listed: alloc::vec::Vec<Diagnostic>,
    more: usize,
    refuse: bool,
}

impl Diagnostics {
    /// Lists a problem as long as there is room, which errors take from warnings.
    #[inline(never)]
    fn push(&mut self, diagnostic: Diagnostic) {
        let is_error = diagnostic.severity == Severity::Error;
        self.refuse |= is_error;
        if self.listed.len() < MAX_LISTED {
            self.listed.push(diagnostic);
            return;
        }
        self.more = self.more.saturating_add(1);
        let is_warning = |listed: &Diagnostic| listed.severity == Severity::Warning;
        if let Some(at) = self
            .listed
            .iter()
            .rposition(is_warning)
            .filter(|_| is_error)
        {
            self.listed.remove(at);
            self.listed.push(diagnostic);
        }
    }

    /// Says how many problems are not listed, if there are any; the last that is done.
    pub(super) fn close(&mut self) {
        if self.more == 0 {
            return;
        }
        self.listed.push(Diagnostic {
            code: Code::MoreProblems,
            severity: if self.refuse {
                Severity::Error
            } else {
                Severity::Warning
            },
            path: String::from("."),
            message: alloc::format!("and {} more problems", self.more),
            help: String::from("mend those above first"),
        });
        self.more = 0;
    }

    /// Adds an error. Called from so many places that its code in each of them would be felt in the plugin's size.
    #[inline(never)]
    pub(super) fn error(
        &mut self,
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic {
            code,
            severity: Severity::Error,
            path: path.into(),
            message: message.into(),
            help: help.into(),
        });
    }

    /// Adds a warning; as [`Self::error`].
    #[inline(never)]
    pub(super) fn warning(
        &mut self,
        code: Code,
        path: impl Into<String>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Diagnostic {
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
        self.more = self.more.saturating_add(found.more);
        // Those that are not listed come after those that are, and all of these are errors then.
        self.refuse |= found.more > 0 && found.refuse;
        for mut diagnostic in found.listed {
            diagnostic.path = taken.original(&diagnostic.path);
            let follows = match diagnostic.code {
                Code::MissingKey => taken.covers(&diagnostic.path),
                Code::OutOfRange | Code::IdleRule | Code::IdleState | Code::WrongCondition => {
                    taken.is_within(&diagnostic.path)
                }
                _ => false,
            };
            if !follows {
                self.push(diagnostic);
            }
        }
    }

    /// Takes over what was found in a document that stands below `name` in this one.
    pub(super) fn absorb_below(&mut self, name: &str, found: Self) {
        self.refuse |= found.refuse;
        self.listed
            .extend(found.listed.into_iter().map(|mut diagnostic| {
                diagnostic.path = match diagnostic.path.as_str() {
                    "." => String::from(name),
                    path => alloc::format!("{name}.{path}"),
                };
                diagnostic
            }));
    }

    /// Whether any entry is an error.
    pub fn refuse(&self) -> bool {
        self.refuse
    }

    /// The entries, in document order as far as the checks run in it.
    pub fn iter(&self) -> core::slice::Iter<'_, Diagnostic> {
        self.listed.iter()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }
}
