//! The host's behaviour, seen through small guests in `guests/`, and the real plugin's in the host.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a fixture that cannot be made is a failed test"
)]

#[path = "suite/fixture.rs"]
mod fixture;

#[path = "suite/guests.rs"]
mod guests;
#[path = "suite/town.rs"]
mod town; // a recording in which a campaign comes to an end
#[path = "suite/weir.rs"]
mod weir;

#[path = "suite/accounting.rs"]
mod accounting; // tokens charged are tokens reported
#[path = "suite/assemblyscript_guests.rs"]
mod assemblyscript_guests; // examples in another language
#[path = "suite/callouts.rs"]
mod callouts; // HTTP calls out of the proxy and their answers
#[path = "suite/calls.rs"]
mod calls; // hostcall traces and profiles
#[path = "suite/cases.rs"]
mod cases; // what shipped policies promise, on every host
#[path = "suite/explain.rs"]
mod explain; // what a policy means where it says nothing
#[path = "suite/failure.rs"]
mod failure; // traps, hangs, reloads
#[path = "suite/failure_policies.rs"]
mod failure_policies; // a trap in each callback under each policy
#[path = "suite/failure_reload.rs"]
mod failure_reload; // failed VMs that are replaced or shared
#[path = "suite/failure_rig.rs"]
mod failure_rig;
#[path = "suite/flow.rs"]
mod flow; // pausing, buffering, resuming
#[path = "suite/foreign.rs"]
mod foreign; // foreign functions and declared properties
#[path = "suite/grpc.rs"]
mod grpc; // gRPC calls and streams
#[path = "suite/guest_scenarios.rs"]
mod guest_scenarios; // examples in our host and in Envoy
#[path = "suite/headers.rs"]
mod headers; // header maps by phase
#[path = "suite/hostile.rs"]
mod hostile; // documents in place of a policy
#[path = "suite/hostile_documents.rs"]
mod hostile_documents; // none of them is taken
#[path = "suite/identity.rs"]
mod identity; // accounts from claims and certificates
#[path = "suite/interleavings.rs"]
mod interleavings; // races between workers, in every order
#[path = "suite/lifecycle.rs"]
mod lifecycle; // start-up, configuration, order of callbacks
#[path = "suite/limits.rs"]
mod limits; // memory that stays bounded
#[path = "suite/local_reply.rs"]
mod local_reply; // replies by phase
#[path = "suite/memory.rs"]
mod memory; // pointers and status codes
#[path = "suite/memory_bound.rs"]
mod memory_bound; // the plugin's state stays at the policy's figure
#[path = "suite/parity.rs"]
mod parity; // plugin, engine and any number of workers decide alike
#[path = "suite/policies.rs"]
mod policies; // shipped policies and documents with the codes they must give
#[path = "suite/policy_documents.rs"]
mod policy_documents;
#[path = "suite/policy_schema.rs"]
mod policy_schema; // the schema for editors, held against the engine
#[path = "suite/probe.rs"]
mod probe; // the probe does and logs what its README says
#[path = "suite/process.rs"]
mod process; // threads, VMs and listeners of a whole proxy
#[path = "suite/properties.rs"]
mod properties; // attributes and filter state
#[path = "suite/queues.rs"]
mod queues; // shared queues and their ready callbacks
#[path = "suite/rollout.rs"]
mod rollout; // two policies, arms, guards, reloads
#[path = "suite/sdk_guests.rs"]
mod sdk_guests; // examples on the Rust SDK
#[path = "suite/secrecy.rs"]
mod secrecy; // prompts and credentials stay where they are
#[path = "suite/shaping.rs"]
mod shaping; // what requests and responses are given less of
#[path = "suite/shared_data.rs"]
mod shared_data; // CAS rules, threads, the engine's port
#[path = "suite/start_up.rs"]
mod start_up; // starts that fail, and what a guest may call meanwhile
#[path = "suite/through.rs"]
mod through; // the evaluation through the plugin: the same states
