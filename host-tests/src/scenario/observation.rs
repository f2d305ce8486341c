//! What was seen of a scenario, in either host, after the normalisation that each field names.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything that two hosts are compared by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Why the proxy refused to start or a plugin, or that it crashed; absent where all plugins serve. Texts of hosts
    /// differ, so only whether one is there is compared.
    pub refused: Option<String>,
    /// What the proxy said when it crashed, if it did. Nothing else is known then.
    pub crashed: Option<String>,
    /// What the guests logged, VM by VM in the order of their first lines, each `level message`. The
    /// probe's lines come without the VM's own number.
    pub vms: Vec<Vec<String>>,
    /// Why guests trapped or hung, as our host says it; Envoy tells nobody, so it is not compared.
    pub failures: Vec<String>,
    /// Every exchange.
    pub exchanges: Vec<Seen>,
    /// Stats that begin with `wasm.` or `wasmcustom.`.
    pub stats: BTreeMap<String, u64>,
}

impl Observation {
    /// What of it can be seen where the proxy is shared: the probe's lines in the name of the stream with
    /// this `x-id`, no stats.
    #[must_use]
    pub fn of_stream(mut self, id: &str) -> Self {
        let own = |line: &String| {
            // `LEVEL WHO|TEXT`
            let who = line
                .split_once(' ')
                .and_then(|(_, text)| text.split_once('|'));
            who.and_then(|(who, _)| who.strip_prefix('s')) == Some(id)
        };
        for lines in &mut self.vms {
            lines.retain(own);
        }
        self.vms.retain(|lines| !lines.is_empty());
        self.stats.clear();
        self
    }
}

/// What was seen of one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What the client got.
    pub downstream: Received,
    /// What the upstream got; `None` where it saw no whole request: how much of one that was given up had left
    /// by then is a race.
    pub upstream: Option<Received>,
    /// Envoy's `%RESPONSE_CODE_DETAILS%`; spaces as underscores, `-` where there is none.
    pub details: String,
    /// Envoy's `%RESPONSE_CODE%` in its access log, 0 where the client got none.
    pub code: u16,
}

/// A message as its receiver got it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// In order, lower-case names; pseudo headers first, then the others sorted by name (stable): HTTP/2
    /// and the codecs promise no order between names. Without `date`, and without what the runner adds.
    pub headers: Vec<(String, String)>,
    /// The whole body, lossily as text.
    pub body: String,
    /// `None` where none came, or empty ones, which HTTP/2 does not send.
    pub trailers: Option<Vec<(String, String)>>,
    /// How it ended.
    pub end: ReceivedEnd,
}

/// How a message ended for its receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceivedEnd {
    /// With its proper end.
    Complete,
    /// The stream or the connection broke.
    Reset,
    /// Nothing came any more, and the client left.
    #[default]
    Stranded,
}
