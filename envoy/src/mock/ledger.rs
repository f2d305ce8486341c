//! What the mock served, for tests to compare with what the plugin says.
use std::collections::{BTreeMap, VecDeque};
use std::ops::AddAssign;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::StatusCode;
use hyper::http::request::Parts;

use super::ACCOUNT_HEADER;

/// Requests remembered one by one; totals go on beyond.
const KEPT: usize = 10_000;

/// Token counts as a usage object says them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Prompt tokens.
    pub input: u64,
    /// Completion tokens.
    pub output: u64,
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.output = self.output.saturating_add(other.output);
    }
}

/// One request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// `POST`.
    pub method: String,
    /// Path and query as they arrived.
    pub path: String,
    /// Names in lower case, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The value of [`ACCOUNT_HEADER`].
    pub account: Option<String>,
    /// The whole body, once it arrived.
    pub body: Vec<u8>,
    /// The status that was sent; None while the body still arrives, or where it never did.
    pub status: Option<u16>,
    /// Tokens in the usage that was handed to the connection. Anthropic streams tell input first, output last.
    pub usage: Tokens,
    /// Whether the answer was handed over to its end.
    pub complete: bool,
}

impl Served {
    /// The first value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Names one request in the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt(u64);

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    count: u64,
    /// The last ones; the back is number `count - 1`.
    served: VecDeque<Served>,
    totals: BTreeMap<Option<String>, Tokens>,
}

impl Pages {
    fn entry(&mut self, Receipt(number): Receipt) -> Option<&mut Served> {
        let first = self.count.saturating_sub(self.served.len() as u64);
        self.served
            .get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn arrived(&self, head: &Parts) -> Receipt {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let served = Served {
            method: head.method.to_string(),
            path: head
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            headers: head
                .headers
                .iter()
                .map(|(n, v)| (n.to_string(), text(v.as_bytes())))
                .collect(),
            account: head
                .headers
                .get(ACCOUNT_HEADER)
                .map(|value| text(value.as_bytes())),
            body: Vec::new(),
            status: None,
            usage: Tokens::default(),
            complete: false,
        };
        let mut pages = self.pages();
        let receipt = Receipt(pages.count);
        pages.count = pages.count.saturating_add(1);
        if pages.served.len() == KEPT {
            pages.served.pop_front();
        }
        pages.served.push_back(served);
        receipt
    }

    pub(super) fn body(&self, receipt: Receipt, body: &[u8]) {
        if let Some(served) = self.pages().entry(receipt) {
            body.clone_into(&mut served.body);
        }
    }

    pub(super) fn status(&self, receipt: Receipt, status: StatusCode) {
        if let Some(served) = self.pages().entry(receipt) {
            served.status = Some(status.as_u16());
            served.complete = status != StatusCode::OK; // an error is one piece; a success ends in `complete`
        }
    }

    pub(super) fn usage(&self, receipt: Receipt, account: Option<&str>, tokens: Tokens) {
        let mut pages = self.pages();
        *pages.totals.entry(account.map(str::to_owned)).or_default() += tokens;
        if let Some(served) = pages.entry(receipt) {
            served.usage += tokens;
        }
    }

    pub(super) fn account(&self, receipt: Receipt) -> Option<String> {
        self.pages().entry(receipt)?.account.clone()
    }

    pub(super) fn complete(&self, receipt: Receipt) {
        if let Some(served) = self.pages().entry(receipt) {
            served.complete = true;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.pages().count
    }

    pub(super) fn served(&self) -> Vec<Served> {
        self.pages().served.iter().cloned().collect()
    }

    pub(super) fn tokens_of(&self, account: &str) -> Tokens {
        self.pages()
            .totals
            .get(&Some(account.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn tokens(&self) -> Tokens {
        let mut sum = Tokens::default();
        for tokens in self.pages().totals.values() {
            sum += *tokens;
        }
        sum
    }
}
