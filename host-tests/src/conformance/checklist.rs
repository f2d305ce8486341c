//! What has to be shown: how Envoy treats a Proxy-Wasm plugin, in 81 items.
//!
//! Collected from the ABI's specification, Envoy's sources and what was seen of Envoy 1.40. Numbers are stable. An item is the same in both hosts when every scenario that names it is.

/// One item of the checklist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// From 1 to 81.
    pub number: u32,
    /// What is shown.
    pub promise: &'static str,
    /// Why no scenario shows it, where none can.
    pub skipped: Option<&'static str>,
}

macro_rules! items {
    ($($number:literal $promise:literal $(skipped $reason:literal)?,)*) => {
        /// All items, by number.
        pub const CHECKLIST: &[Item] = &[$(Item {
            number: $number,
            promise: $promise,
            skipped: items!(@reason $($reason)?),
        },)*];
    };
    (@reason) => { None };
    (@reason $reason:literal) => { Some($reason) };
}

items! {
    1 "in _initialize only logging and WASI are allowed",
    2 "a VM is initialized, gets its root context, starts and is configured, in this order",
    3 "the VM's configuration is read in vm_start, the plugin's in configure and nowhere else",
    4 "a configuration that is answered false is refused",
    5 "a start that is answered false is refused",
    6 "a module without an allocator is refused",
    7 "a module with an unknown import, or one of ABI 0.1, is refused",
    8 "the root context is 1, streams count from 2",
    9 "two plugins with the same VM key share a VM and have roots of their own",
    10 "a plugin creates 3 VMs and one for each worker, of which the canary's goes at once",
    11 "a timer ticks on every worker and on the main thread",
    12 "a stream ends with log, done, delete",
    13 "a client that leaves a paused request is logged without a status",
    14 "a stream that never reached the filter's headers is created and logged in the end",
    15 "a pointer outside of the memory is answered with 6",
    16 "an empty result is address 0",
    17 "an error leaves the out pointers as they were",
    18 "a level or a type out of range is answered with 2",
    19 "an allocation may grow the memory in the middle of a hostcall",
    20 "too many pairs, or pairs that contradict themselves, are an empty list",
    21 "of a header that stands twice the first value is given",
    22 "replacing a header leaves one of it",
    23 "header names are found and written in any case",
    24 "a header map that is not there answers 2, an empty list, and 2",
    25 "request headers are gone after they went on, and there while they wait",
    26 "continuing a stream takes its headers away",
    27 "the log can read headers and write none",
    28 "pseudo headers can be written, and without a path there is no route",
    29 "the status can be written",
    30 "headers are not validated",
    31 "trailers are created in the last body callback only",
    32 "response headers that went on cannot be written",
    33 "the size of a header map is in bytes",
    34 "a written request header chooses another route",
    35 "the body's size adds up while it is held",
    36 "a message ends with an empty piece, or with its last, or with its headers",
    37 "a body is replaced, begun and ended, and not cut in its middle",
    38 "a length that no longer fits hangs or breaks the exchange",
    39 "without a length the body goes on in chunks",
    40 "a request beyond the limit is answered with 413, which the filter sees",
    41 "a response beyond the limit is a 500 or a broken stream",
    42 "a pause in headers holds the body back",
    43 "a plugin that may stop in headers sees the body",
    44 "an answer out of range stops",
    45 "events pass one by one, or all at once when they are held",
    46 "a body may become empty",
    47 "with trailers no piece of the body is the last",
    48 "what was held goes on once",
    49 "a request that waits at its end can go on later",
    50 "after a local reply the callback's answer does not count",
    51 "of two local replies the first one counts",
    52 "a reply to a request passes the filter's response callbacks, one to a response does not",
    53 "a reply after response headers breaks the stream",
    54 "spaces in details become underscores",
    55 "a reply to a gRPC request says its status in headers",
    56 "headers of a reply are appended in lower case",
    57 "a callout's answer or a timer can reply",
    58 "a callout to nowhere is refused at once",
    59 "a callout that fails is answered as if it had not",
    60 "tokens of callouts are 4, 8, 12",
    61 "what a callout brought is there during its callback only",
    62 "a callout's answer comes after the call that made it",
    63 "a callout outlives its stream",
    64 "a callout can be made while another one is answered",
    65 "a response can wait for a callout",
    66 "statuses without a body, and HEAD, are replied to without one",
    67 "compare-and-swap: 0 always, anything on a missing key, else the current one",
    68 "versions of shared data count up for the whole process",
    69 "shared data belongs to its vm_id, outlives reloads, and goes with the last VM",
    70 "of two that read the same version one writes",
    71 "queues: tokens, order, emptiness, readiness",
    72 "an empty value is not a missing one",
    73 "metrics: ids, signs, unknown ones",
    74 "metrics have names in the proxy's statistics",
    75 "properties have their types",
    76 "a property that is set is read back under two names",
    77 "foreign functions: known, unknown, wrong data",
    78 "clear_route_cache is a foreign function and no import",
    79 "a trap in each callback ends under each failure policy as it does in Envoy",
    80 "a failure stays in its VM, and a reload waits for its backoff",
    81 "the limits: memory, stack, time",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_shown_by_a_scenario_or_skipped_with_a_reason() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
        let corpus = crate::scenario::Scenario::read_folder(&folder).unwrap();

        for item in CHECKLIST {
            let shown = corpus
                .iter()
                .any(|scenario| scenario.items.contains(&item.number));
            assert_ne!(shown, item.skipped.is_some(), "{}", item.number);
        }
        let mut names: Vec<&str> = corpus.iter().map(|scenario| &*scenario.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), corpus.len(), "names are unique");
    }

    #[test]
    fn items_are_numbered_from_1_to_81() {
        let numbers: Vec<u32> = CHECKLIST.iter().map(|item| item.number).collect();

        assert_eq!(numbers, (1..=81).collect::<Vec<u32>>());
    }
}
