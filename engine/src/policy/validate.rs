//! Document to policy: checks every value, resolves names, and reports all problems at once.
//!
//! Long because a policy has many parts; one function a part, each independent of the others but for
//! the names that it refers to, so read only the one you came for.
use super::{
    Budget, Inspection, List, ListEntry, Lists, Metering, Policy, Tier, defaults, detection,
    diagnostic::{Code, Diagnostics},
    document::{self, Document, Handling, Oversized, Unit, UnknownUsage},
    identity::{self, Identity},
    locks, matcher, privacy, responses, rollout, shaping, verification,
};
use crate::{
    capability::{self, Capabilities, CapabilitySet, MAX_CAPABILITIES},
    detect::State,
    identity::is_identifier,
    size::parse_bytes,
    table::Layout,
    time::{Timestamp, parse_duration},
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{ops::RangeInclusive, time::Duration};

/// Most tiers of one policy: their names are metric labels.
const MAX_TIERS: usize = 32;
/// Most budgets of one policy; every one that holds for a request costs a record.
const MAX_BUDGETS: usize = 16;
/// Entries of lists that are too long anyway that are looked at: comparing all with all would take for ever.
pub(super) const LOOKED_AT: usize = 256;
/// Most entries of one list, and most values of one matcher.
pub(super) const MAX_ENTRIES: usize = 100_000;
/// Longest name.
pub(super) const MAX_NAME_BYTES: usize = 64;
/// Longest phrase.
const MAX_PHRASE_BYTES: usize = 128;
/// Window lengths that sixteen sub-windows resolve well: a second to a leap year.
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(366 * 86_400);
/// Lease timeouts: dead workers' requests block nobody for long, and living ones are renewed with ticks to spare.
const LEASE: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(3600);
/// What the hash key and the layout, which share the memory with the buckets, take at most.
const SMALL_KEYS: u64 = 256;
/// State memory: some buckets at least, and what shared data reasonably holds at most.
const MEMORY: RangeInclusive<u64> = 64 * 1024..=8 * 1024 * 1024 * 1024;
/// Headers whose values must never be logged as an identity.
pub(super) const CREDENTIAL_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
];
/// Body cap: the VM's own memory ends at 1 GiB and many streams share it.
const MAX_BODY: RangeInclusive<u64> = 1024..=64 * 1024 * 1024;

const LEASE_HELP: &str =
    "write 10s to 1h: how long a request counts whose worker is gone; `30s` is a good choice";
const CAPABILITIES_HELP: &str = "define it under `capabilities`";

pub(super) fn policy(document: Document, digest: String, d: &mut Diagnostics) -> Option<Policy> {
    header(&document, d);
    locks::check(document.locked.as_deref(), d);
    let metadata = document.metadata.unwrap_or_default();
    let name = required_name(metadata.name, "metadata.name", d);
    let version = required_name(metadata.version, "metadata.version", d);
    let owner = required_text(
        metadata.owner,
        "metadata.owner",
        "name the team that answers for the policy",
        d,
    );
    let (inspection, scan_text) = inspection(document.inspection.unwrap_or_default(), d);
    let mut identity = identity::compile(document.identity, d);
    let privacy = privacy::compile(document.privacy, d);
    let capabilities = capabilities(document.capabilities.unwrap_or_default(), scan_text, d);
    let names = capabilities
        .as_ref()
        .map(Capabilities::names)
        .unwrap_or_default();
    let tiers = tiers(document.tiers, names, &identity, d);
    matcher::tell_uses(&tiers, &mut identity, d);
    let budgets = budgets(document.budgets.unwrap_or_default(), &tiers, d);
    let metering = document.metering.unwrap_or_default();
    let metering = Metering {
        default_output_tokens: metering
            .default_output_tokens
            .unwrap_or(defaults::OUTPUT_TOKENS),
        keep_unknown: metering.unknown_usage.unwrap_or(defaults::UNKNOWN_USAGE)
            == UnknownUsage::Keep,
    };
    let document_lists = document.lists.unwrap_or_default();
    let has_detection = document.detection.is_some();
    let (states, pinned) = states(document_lists.states.unwrap_or_default(), has_detection, d);
    let lists = Lists {
        deny: list(document_lists.deny.unwrap_or_default(), "lists.deny", d),
        exempt: list(document_lists.exempt.unwrap_or_default(), "lists.exempt", d),
        states,
        pinned,
    };
    let mut responses = document.responses.unwrap_or_default();
    let verification = verification::compile(
        document.verification,
        responses.states.as_ref(),
        &tiers,
        budgets.len(),
        d,
    );
    attestation_header(&identity, &verification, d);
    let detection = detection::compile(document.detection, responses.states.take(), d);
    let shaping = shaping::compile(document.shaping, &tiers, names, detection.as_ref(), d);
    let responses = responses::compile(responses, d);
    let state = document.state.unwrap_or_default();
    let memory = state.memory.as_deref().unwrap_or(defaults::MEMORY);
    let memory = size(memory, "state.memory", MEMORY, d).unwrap_or(*MEMORY.start());
    let rollout = rollout::compile(document.rollout, &name, &tiers, d);
    if d.refuse() {
        return None;
    }
    Some(Policy {
        name,
        version,
        owner,
        digest,
        rollout,
        inspection,
        identity,
        privacy,
        capabilities: capabilities?,
        tiers,
        budgets,
        metering,
        lists,
        detection,
        shaping,
        verification,
        responses,
        layout: Layout::within(memory.saturating_sub(SMALL_KEYS)),
        memory,
        admit_on_failure: state.on_failure.unwrap_or(defaults::ON_FAILURE) == Handling::Allow,
    })
}

fn header(document: &Document, d: &mut Diagnostics) {
    for (value, path, wanted) in [
        (&document.api_version, "apiVersion", "weir/v1"),
        (&document.kind, "kind", "Policy"),
    ] {
        match value.as_deref() {
            None => missing(path, &format!("write `{path}: {wanted}`"), d),
            Some(given) if given != wanted => {
                d.error(
                    Code::UnsupportedVersion,
                    path,
                    format!("`{}` is not supported", clip(given)),
                    format!("write `{path}: {wanted}`"),
                );
            }
            Some(_) => {}
        }
    }
}

fn inspection(given: document::Inspection, d: &mut Diagnostics) -> (Inspection, usize) {
    let max_body = given.max_body.as_deref().unwrap_or(defaults::MAX_BODY);
    let max_body = size(max_body, "inspection.maxBody", MAX_BODY, d).unwrap_or(*MAX_BODY.start());
    let scan_text = given.scan_text.as_deref().unwrap_or(defaults::SCAN_TEXT);
    let scan_text = size(scan_text, "inspection.scanText", 0..=1024 * 1024, d).unwrap_or_default();
    let inspection = Inspection {
        max_body: usize::try_from(max_body).unwrap_or(usize::MAX),
        inspect_oversized: given.oversized.unwrap_or(defaults::OVERSIZED) == Oversized::Inspect,
        allow_compressed: given.compressed.unwrap_or(defaults::COMPRESSED) == Handling::Allow,
        allow_malformed: given.malformed.unwrap_or(defaults::MALFORMED) == Handling::Allow,
        pass_through: pass_through(given.pass_through.unwrap_or_default(), d),
        allow_unknown_endpoint: given.unknown_endpoint.unwrap_or(defaults::UNKNOWN_ENDPOINT)
            == Handling::Allow,
    };
    (inspection, usize::try_from(scan_text).unwrap_or_default())
}

fn pass_through(given: Vec<String>, d: &mut Diagnostics) -> Vec<String> {
    for (index, path) in given.iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
        let odd = path.ends_with('/') || path.contains("//") || path.contains("..");
        if !path.starts_with('/') || path.len() > 256 || odd || !path.bytes().all(plain) {
            d.error(
                Code::OutOfRange,
                format!("inspection.passThrough[{index}]"),
                format!("`{}` is not a plain path", clip(path)),
                "write it as `/v1/models`, without query and without a slash at the end",
            );
        }
    }
    given
}

/// An attestation is taken off the request as a whole: who asks must not stand in the same header.
fn attestation_header(
    identity: &Identity,
    verification: &super::Verification,
    d: &mut Diagnostics,
) {
    let Some(header) = &verification.header else {
        return;
    };
    let names_it =
        |source: &super::Source| matches!(source, super::Source::Header(name) if name == header);
    let attributes = identity
        .attributes
        .iter()
        .map(|attribute| &attribute.sources);
    let mut sources = identity.sources.iter().chain(attributes).flatten();
    if sources.any(names_it) {
        d.error(
            Code::SharedHeader,
            "verification.attestation.header",
            format!("`{header}` is a source of `identity` as well"),
            "give attestations a header of their own, e.g. `x-weir-attestation`",
        );
    }
}

fn capabilities(
    given: BTreeMap<String, document::Capability>,
    scan_text: usize,
    d: &mut Diagnostics,
) -> Option<Capabilities> {
    if given.len() > MAX_CAPABILITIES {
        too_many("capabilities", given.len(), MAX_CAPABILITIES, d);
    }
    let mut definitions = Vec::new();
    for (name, capability) in given.into_iter().take(MAX_CAPABILITIES) {
        let path = format!("capabilities.{}", clip(&name));
        check_name(&name, &path, d);
        let any_of = capability.any_of.unwrap_or_default();
        if any_of.is_empty() {
            d.error(
                Code::EmptyCapability,
                &path,
                "no request can ask for it",
                "add a condition, e.g. `anyOf: [{tools: {atLeast: 1}}]`",
            );
        }
        let conditions = any_of.into_iter().enumerate().map(|(index, condition)| {
            compile_condition(condition, &format!("{path}.anyOf[{index}]"), d)
        });
        definitions.push((name, conditions.collect()));
    }
    match Capabilities::compile(definitions, scan_text) {
        Ok(capabilities) => Some(capabilities),
        Err(error) => {
            let help = "merge or remove some";
            d.error(Code::TooMany, "capabilities", error.to_string(), help);
            None
        }
    }
}

fn compile_condition(
    given: document::Condition,
    path: &str,
    d: &mut Diagnostics,
) -> capability::Condition {
    use capability::Condition as To;
    use document::Condition as From;
    let mut least = |given: document::AtLeast, key: &str| {
        if given.at_least == 0 {
            d.error(
                Code::OutOfRange,
                format!("{path}.{key}.atLeast"),
                "0 holds for every request",
                "write 1 or more",
            );
        }
        given.at_least
    };
    match given {
        From::Tools(n) => To::Tools(least(n, "tools")),
        From::ToolResults(n) => To::ToolResults(least(n, "toolResults")),
        From::UserTurns(n) => To::UserTurns(least(n, "userTurns")),
        From::Samples(n) => To::Samples(least(n, "samples")),
        From::OutputTokens(n) => To::OutputTokens(least(n, "outputTokens")),
        From::VisibleReasoning(_) => To::VisibleReasoning,
        From::Logprobs(_) => To::Logprobs,
        From::Phrases(phrases) => {
            let at_least = phrases.at_least.unwrap_or(defaults::PHRASES);
            if at_least == 0 || usize::try_from(at_least).is_ok_and(|n| n > phrases.of.len()) {
                let help = format!("write a number from 1 to {}", phrases.of.len());
                d.error(
                    Code::OutOfRange,
                    format!("{path}.phrases.atLeast"),
                    format!("{at_least} of {} phrases", phrases.of.len()),
                    help,
                );
            }
            let mut usable = Vec::new();
            for (index, phrase) in phrases.of.into_iter().enumerate() {
                if phrase.trim().is_empty() || phrase.len() > MAX_PHRASE_BYTES {
                    let help = format!("write 1 to {MAX_PHRASE_BYTES} bytes");
                    d.error(
                        Code::OutOfRange,
                        format!("{path}.phrases.of[{index}]"),
                        "the phrase is empty or too long",
                        help,
                    );
                } else {
                    usable.push(phrase);
                }
            }
            To::Phrases {
                at_least,
                of: usable,
            }
        }
    }
}

fn tiers(
    given: Option<Vec<document::Tier>>,
    capabilities: &[String],
    identity: &Identity,
    d: &mut Diagnostics,
) -> Vec<Tier> {
    let mut given = given.unwrap_or_default();
    if given.is_empty() {
        missing(
            "tiers",
            "write at least one tier: `tiers: [{name: everyone, grants: []}]`",
            d,
        );
    }
    if given.len() > MAX_TIERS {
        too_many("tiers", given.len(), MAX_TIERS, d);
        given.truncate(LOOKED_AT);
    }
    let mut tiers: Vec<Tier> = Vec::new();
    let mut catch_all: Option<usize> = None;
    for (index, tier) in given.into_iter().enumerate() {
        let path = format!("tiers[{index}]");
        let name = required_name(tier.name, &format!("{path}.name"), d);
        if !name.is_empty() && tiers.iter().any(|known| known.name == name) {
            duplicate(&format!("{path}.name"), &name, d);
        }
        if let Some(before) = catch_all {
            let message = format!("tiers[{before}] matches every account first");
            d.warning(
                Code::UnreachableTier,
                &path,
                message,
                "move it up, or give the tier above a `match`",
            );
        }
        let matcher = tier
            .matcher
            .map(|matcher| matcher::compile(matcher, identity, &format!("{path}.match"), d))
            .unwrap_or_default();
        if matcher.matches_everyone() && catch_all.is_none() {
            catch_all = Some(index);
        }
        let mut grants = CapabilitySet::default();
        for (position, capability) in tier.grants.unwrap_or_default().iter().enumerate() {
            match capabilities.iter().position(|known| known == capability) {
                Some(known) => grants.insert(known),
                None => {
                    let message = format!("there is no capability `{}`", clip(capability));
                    d.error(
                        Code::UnknownCapability,
                        format!("{path}.grants[{position}]"),
                        message,
                        CAPABILITIES_HELP,
                    );
                }
            }
        }
        tiers.push(Tier {
            name,
            matcher,
            grants,
        });
    }
    if catch_all.is_none() && !tiers.is_empty() {
        d.error(
            Code::NoCatchAllTier,
            "tiers",
            "an account may match no tier",
            "end with a tier without `match`",
        );
    }
    tiers
}

fn budgets(mut given: Vec<document::Budget>, tiers: &[Tier], d: &mut Diagnostics) -> Vec<Budget> {
    if given.len() > MAX_BUDGETS {
        too_many("budgets", given.len(), MAX_BUDGETS, d);
        given.truncate(LOOKED_AT);
    }
    let mut budgets: Vec<Budget> = Vec::new();
    for (index, budget) in given.into_iter().enumerate() {
        let path = format!("budgets[{index}]");
        let name = required_name(budget.name, &format!("{path}.name"), d);
        if !name.is_empty() && budgets.iter().any(|known| known.name == name) {
            duplicate(&format!("{path}.name"), &name, d);
        }
        if budget.per.is_none() {
            missing(
                &format!("{path}.per"),
                "write `per: account` or `per: organization`",
                d,
            );
        }
        if budget.unit.is_none() {
            missing(
                &format!("{path}.unit"),
                "write `unit: requests`, `input_tokens`, `output_tokens`, `tokens` or `concurrency`",
                d,
            );
        }
        let limit = match budget.limit {
            None => {
                missing(
                    &format!("{path}.limit"),
                    "write the most that may be used in the window",
                    d,
                );
                None
            }
            Some(limit) => match u32::try_from(limit) {
                Ok(limit) if limit > 0 => Some(limit),
                _ => {
                    let help = format!(
                        "write a number from 1 to {}; to refuse an account use `lists.deny`",
                        u32::MAX
                    );
                    d.error(
                        Code::OutOfRange,
                        format!("{path}.limit"),
                        format!("{limit} is out of range"),
                        help,
                    );
                    None
                }
            },
        };
        let window_path = format!("{path}.window");
        let window = match budget.window {
            None => {
                missing(&window_path, "write the length of the window, e.g. `1h`", d);
                None
            }
            Some(text) => duration(&text, &window_path, d).filter(|window| {
                let (range, help) = match budget.unit {
                    Some(Unit::Concurrency) => (LEASE, LEASE_HELP),
                    _ => (WINDOW, "write 1s to 366d"),
                };
                let fits = range.contains(window);
                if !fits {
                    let message = format!("`{}` is out of range", clip(&text));
                    d.error(Code::OutOfRange, &window_path, message, help);
                }
                fits
            }),
        };
        let tiers = find_tiers(budget.tiers, tiers, &path, d);
        if let (Some(per), Some(unit), Some(limit), Some(window)) =
            (budget.per, budget.unit, limit, window)
        {
            budgets.push(Budget {
                name,
                per,
                unit,
                limit,
                window,
                tiers,
            });
        }
    }
    budgets
}

/// Indices of the tiers that `path.tiers` names; `None` where it is absent, which is all.
pub(super) fn find_tiers(
    given: Option<Vec<String>>,
    tiers: &[Tier],
    path: &str,
    d: &mut Diagnostics,
) -> Option<Vec<usize>> {
    let given = given?;
    if given.is_empty() {
        let message = "an empty list holds for no tier";
        let help = "list a tier, or leave the key out to hold for all";
        d.error(Code::OutOfRange, format!("{path}.tiers"), message, help);
    }
    let mut found = Vec::new();
    for (position, name) in given.iter().enumerate() {
        match tiers.iter().position(|tier| &tier.name == name) {
            Some(tier) => found.push(tier),
            None => d.error(
                Code::UnknownTier,
                format!("{path}.tiers[{position}]"),
                format!("there is no tier `{}`", clip(name)),
                "define it under `tiers`",
            ),
        }
    }
    Some(found)
}

/// Entries with a state, as a list and the state of each.
fn states(
    given: Vec<document::StateEntry>,
    has_detection: bool,
    d: &mut Diagnostics,
) -> (List, Vec<State>) {
    if !given.is_empty() && !has_detection {
        d.warning(
            Code::NoDetection,
            "lists.states",
            "without `detection` every account stays in `observe`",
            "add `detection: {}`, or remove this",
        );
    }
    let mut pinned = Vec::new();
    let mut entries = Vec::new();
    for (index, entry) in given.into_iter().enumerate() {
        if entry.state.is_none() {
            missing(
                &format!("lists.states[{index}].state"),
                "write `observe`, `watch`, `step_up`, `restrict` or `block`",
                d,
            );
        }
        pinned.push(entry.state.map(shaping::state).unwrap_or_default());
        entries.push(document::ListEntry {
            account: entry.account,
            organization: entry.organization,
            owner: entry.owner,
            reason: entry.reason,
            expires: entry.expires,
        });
    }
    (list(entries, "lists.states", d), pinned)
}

fn list(given: Vec<document::ListEntry>, list: &str, d: &mut Diagnostics) -> List {
    if given.len() > MAX_ENTRIES {
        too_many(list, given.len(), MAX_ENTRIES, d);
    }
    let mut compiled = List::default();
    for (index, entry) in given.into_iter().enumerate() {
        let path = format!("{list}[{index}]");
        let (account, organization) = (entry.account, entry.organization);
        if account.is_some() == organization.is_some() {
            let message = "an entry names one account or one organization";
            d.error(
                Code::AmbiguousEntry,
                &path,
                message,
                "write `account:` or `organization:`, not both",
            );
        }
        for (id, key) in [(&account, "account"), (&organization, "organization")] {
            if let Some(id) = id {
                is_id(id, key, &format!("{path}.{key}"), d);
            }
        }
        required_text(
            entry.owner,
            &format!("{path}.owner"),
            "name the team that answers for the entry",
            d,
        );
        required_text(
            entry.reason,
            &format!("{path}.reason"),
            "say why the entry is there",
            d,
        );
        let expires_path = format!("{path}.expires");
        let expires = match entry.expires {
            None => {
                missing(
                    &expires_path,
                    "say until when, e.g. `2027-01-31T00:00:00Z`",
                    d,
                );
                None
            }
            Some(text) => time(&text, &expires_path, d),
        };
        if let Some(expires) = expires {
            compiled.insert(account, organization, ListEntry { index, expires });
        }
    }
    compiled
}

pub(super) fn time(text: &str, path: &str, d: &mut Diagnostics) -> Option<Timestamp> {
    let read = Timestamp::parse_rfc3339(text);
    if read.is_none() {
        d.error(
            Code::BadTime,
            path,
            format!("`{}` is not a point in time", clip(text)),
            "write RFC 3339, e.g. `2027-01-31T00:00:00Z`",
        );
    }
    read
}

pub(super) fn duration(text: &str, path: &str, d: &mut Diagnostics) -> Option<Duration> {
    let read = parse_duration(text);
    if read.is_none() {
        d.error(
            Code::BadDuration,
            path,
            format!("`{}` is not a duration", clip(text)),
            "write a number and a unit: `500ms`, `30s`, `5m`, `1h`, `7d`",
        );
    }
    read
}

pub(super) fn size(
    text: &str,
    path: &str,
    range: RangeInclusive<u64>,
    d: &mut Diagnostics,
) -> Option<u64> {
    let Some(bytes) = parse_bytes(text) else {
        d.error(
            Code::BadSize,
            path,
            format!("`{}` is not a size", clip(text)),
            "write a number and a unit: `512KiB`, `64MiB`",
        );
        return None;
    };
    if !range.contains(&bytes) {
        let help = format!("write {} to {} bytes", range.start(), range.end());
        d.error(
            Code::OutOfRange,
            path,
            format!("`{}` is out of range", clip(text)),
            help,
        );
        return None;
    }
    Some(bytes)
}

/// Index of the tier of this name; a problem at `path` where there is none.
pub(super) fn find_tier(
    name: &str,
    tiers: &[Tier],
    path: &str,
    d: &mut Diagnostics,
) -> Option<usize> {
    let found = tiers.iter().position(|tier| tier.name == name);
    if found.is_none() {
        let message = format!("there is no tier `{}`", clip(name));
        d.error(Code::UnknownTier, path, message, "define it under `tiers`");
    }
    found
}

/// Whether a request can have this id of a `kind`; a problem at `path` if not.
pub(super) fn is_id(id: &str, kind: &str, path: &str, d: &mut Diagnostics) -> bool {
    let fits = is_identifier(id);
    if !fits {
        let message = format!("no request can have the {kind} `{}`", clip(id));
        let help = "write it as the identity header has it: 1 to 128 bytes, no space around it";
        d.error(Code::OutOfRange, path, message, help);
    }
    fits
}

pub(super) fn required_name(given: Option<String>, path: &str, d: &mut Diagnostics) -> String {
    match given {
        None => missing(path, "write a name", d),
        Some(name) => {
            check_name(&name, path, d);
            return name;
        }
    }
    String::new()
}

pub(super) fn check_name(name: &str, path: &str, d: &mut Diagnostics) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(plain) {
        let help = format!("use 1 to {MAX_NAME_BYTES} letters, digits, `-`, `_` and `.`");
        d.error(
            Code::BadName,
            path,
            format!("`{}` is not a name", clip(name)),
            help,
        );
    }
}

pub(super) fn required_text(
    given: Option<String>,
    path: &str,
    help: &str,
    d: &mut Diagnostics,
) -> String {
    match given {
        Some(text) if !text.trim().is_empty() => {
            short_text(&text, path, d);
            text
        }
        _ => {
            missing(path, help, d);
            String::new()
        }
    }
}

pub(super) fn short_text(text: &str, path: &str, d: &mut Diagnostics) {
    const MAX_TEXT_BYTES: usize = 512;
    if text.len() > MAX_TEXT_BYTES || text.chars().any(char::is_control) {
        let help = format!("write one line of at most {MAX_TEXT_BYTES} bytes");
        d.error(
            Code::OutOfRange,
            path,
            "the text is too long or has control characters",
            help,
        );
    }
}

pub(super) fn missing(path: &str, help: &str, d: &mut Diagnostics) {
    let key = path.rsplit('.').next().unwrap_or(path);
    d.error(Code::MissingKey, path, format!("`{key}` is missing"), help);
}

pub(super) fn duplicate(path: &str, name: &str, d: &mut Diagnostics) {
    d.error(
        Code::DuplicateName,
        path,
        format!("`{}` stands above already", clip(name)),
        "give each its own name",
    );
}

pub(super) fn too_many(path: &str, given: usize, limit: usize, d: &mut Diagnostics) {
    d.error(
        Code::TooMany,
        path,
        format!("{given} entries, {limit} are supported"),
        "merge or remove some",
    );
}

/// What of a wrong value is repeated in a message: enough to find it.
pub(super) fn clip(text: &str) -> String {
    clip_to(text, 48)
}

/// The first `most` characters, control characters replaced.
pub(super) fn clip_to(text: &str, most: usize) -> String {
    let mut clipped: String = text
        .chars()
        .take(most)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(most).is_some() {
        clipped.push('…');
    }
    clipped
}
