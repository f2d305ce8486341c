//! What a policy means where it leaves a key out: declared once, for the checks, the schema and `weir check --explain`.
//!
//! Texts are what an author would write. A key that is not here means nothing when it is absent (`match`, `guard`).
use super::{
    document::{Anonymous, Handling, Oversized, StateAction, UnknownUsage, WhenFull},
    identity::{AttributeType, ValueType},
    privacy::{Id, Model},
    shaping::ToolLoops,
};

/// `inspection.maxBody`: a long conversation, without images.
pub(super) const MAX_BODY: &str = "1MiB";
/// `inspection.scanText`.
pub(super) const SCAN_TEXT: &str = "8KiB";
/// `inspection.oversized`: what cannot be judged could ask for anything.
pub(super) const OVERSIZED: Oversized = Oversized::Deny;
/// `inspection.compressed`.
pub(super) const COMPRESSED: Handling = Handling::Deny;
/// `inspection.malformed`.
pub(super) const MALFORMED: Handling = Handling::Deny;
/// `inspection.unknownEndpoint`: a gateway serves more than what Weir reads.
pub(super) const UNKNOWN_ENDPOINT: Handling = Handling::Allow;

/// `identity.payment`: what only the detector reads has a header, so that a policy need not name it.
pub(super) const PAYMENT_HEADER: &str = "x-payment-fingerprint";
/// `identity.address`.
pub(super) const ADDRESS_HEADER: &str = "x-forwarded-for";
/// `identity.asn`.
pub(super) const ASN_HEADER: &str = "x-asn";
/// `identity.client`.
pub(super) const CLIENT_HEADER: &str = "user-agent";
/// `identity.trustedHops`: the last address, which the nearest proxy saw.
pub(super) const TRUSTED_HOPS: u32 = 0;
/// `payload` of a claim.
pub(super) const PAYLOAD: &str = "payload";
/// `type` of a claim or property.
pub(super) const VALUE_TYPE: ValueType = ValueType::Text;
/// `type` of an attribute.
pub(super) const ATTRIBUTE_TYPE: AttributeType = AttributeType::Text;
/// `identity.anonymous`.
pub(super) const ANONYMOUS: Anonymous = Anonymous::Deny;

/// `privacy.accounts`.
pub(super) const ACCOUNTS: Id = Id::Plain;
/// `privacy.organizations`.
pub(super) const ORGANIZATIONS: Id = Id::Plain;
/// `privacy.models`.
pub(super) const MODELS: Model = Model::Plain;

/// `phrases.atLeast` of a condition.
pub(super) const PHRASES: u32 = 1;

/// `metering.defaultOutputTokens`.
pub(super) const OUTPUT_TOKENS: u32 = 1024;
/// `metering.unknownUsage`.
pub(super) const UNKNOWN_USAGE: UnknownUsage = UnknownUsage::Release;

/// `detection.enabled`, of a section that is there.
pub(super) const DETECTION: bool = true;
/// `detection.learn`.
pub(super) const LEARN: &str = "3d";
/// `detection.memory`.
pub(super) const DETECTION_MEMORY: &str = "64MiB";
/// `detection.thresholds.watch`.
pub(super) const SCORE_WATCH: f64 = 2.0;
/// `detection.thresholds.stepUp`.
pub(super) const SCORE_STEP_UP: f64 = 5.0;
/// `detection.thresholds.restrict`.
pub(super) const SCORE_RESTRICT: f64 = 8.0;

/// `shaping.unreadable`.
pub(super) const UNREADABLE: Handling = Handling::Allow;
/// `toolLoops` of a shaping rule.
pub(super) const TOOL_LOOPS: ToolLoops = ToolLoops::Keep;

/// `verification.grace`.
pub(super) const GRACE: &str = "0s";
/// `verification.attestation.header`.
pub(super) const ATTESTATION_HEADER: &str = "x-weir-attestation";
/// `verification.attestation.clockSkew`.
pub(super) const CLOCK_SKEW: &str = "60s";
/// `verification.attestation.maxAge`.
pub(super) const MAX_AGE: &str = "24h";

/// `responses.states.watch`.
pub(super) const ON_WATCH: StateAction = StateAction::Allow;
/// `responses.states.step_up`.
pub(super) const ON_STEP_UP: StateAction = StateAction::Allow;
/// `responses.states.restrict`.
pub(super) const ON_RESTRICT: StateAction = StateAction::Deny;
/// `responses.states.block`.
pub(super) const ON_BLOCK: StateAction = StateAction::Deny;
/// `responses.longestRetry`. Longer waits are ignored by older SDKs, which then ask again at once, and sat out by
/// newer ones, which blocks their caller. Either is worse than an error that says how long.
pub(super) const LONGEST_RETRY: &str = "60s";
/// `responses.delay.for`.
pub(super) const DELAY: &str = "2s";
/// `responses.delay.maxWaiting`.
pub(super) const MAX_WAITING: u32 = 64;
/// `responses.delay.whenFull`.
pub(super) const WHEN_FULL: WhenFull = WhenFull::Throttle;

/// `state.memory`.
pub(super) const MEMORY: &str = "64MiB";
/// `state.onFailure`.
pub(super) const ON_FAILURE: Handling = Handling::Allow;

/// `rollout.canary.percent`.
pub(super) const CANARY_PERCENT: f64 = 100.0;
/// `rollout.guard.window`.
pub(super) const GUARD_WINDOW: &str = "5m";
/// `rollout.guard.minExchanges`: fewer say nothing about a share.
pub(super) const GUARD_EXCHANGES: u32 = 100;
