//! Two policies in the plugin: arms that stay, a guard that all workers obey, reloads that leave nothing behind.
use super::weir::{repository, wasm_or_skip};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use weir_host::weir::{DECISION, VM_ID, plugin_config};
use weir_host::{Exchange, Filter, Host, HostConfig, LogLevel, Message, Proxy, ProxyConfig, Stat};

const WORKERS: usize = 4;
const DRAIN: Duration = Duration::from_secs(1);

/// A proxy with the plugin, and everything that it logged.
struct Rig {
    wasm: Arc<[u8]>,
    host: Host,
    proxy: Proxy,
    log: Arc<Mutex<Vec<String>>>,
}

impl Rig {
    fn new(wasm: &[u8], config: &Value) -> Self {
        let log = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&log);
        let host = Host::new(HostConfig {
            log_level: LogLevel::Info,
            log: Some(Arc::new(move |line| {
                sink.lock().unwrap().push(line.message.clone());
            })),
            ..HostConfig::default()
        })
        .unwrap();
        let wasm: Arc<[u8]> = wasm.into();
        let settings = ProxyConfig {
            workers: WORKERS,
            drain_time: DRAIN,
        };
        let filters = vec![filter(&wasm, config)];
        let proxy = Proxy::start(&host, settings, filters).unwrap();
        Self {
            wasm,
            host,
            proxy,
            log,
        }
    }

    fn reload(&mut self, config: &Value) {
        let refused = self.proxy.reconfigure(&[filter(&self.wasm, config)]);
        assert!(refused.is_empty(), "{refused:?}");
    }

    /// A request at a worker: its status and decision.
    fn ask(&mut self, worker: usize, account: &str) -> (Option<u16>, Value) {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
        let answer = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}});
        let exchange = Exchange::post("/v1/chat/completions", body.to_string())
            .with_header("x-account-id", account)
            .answered_by(Message::response(200, answer.to_string()));
        let outcome = self.proxy.exchange("weir", worker, &exchange).unwrap();
        let decision = outcome.filter_state(DECISION).unwrap();
        (outcome.status(), serde_json::from_slice(decision).unwrap())
    }

    fn pass(&mut self, time: Duration) {
        let now = self.proxy.now().saturating_add(time);
        self.proxy.advance_to(now);
    }

    fn logged(&self, text: &str) -> usize {
        let log = self.log.lock().unwrap();
        log.iter().filter(|line| line.contains(text)).count()
    }

    fn stat(&self, name: &str) -> u64 {
        let stats = self.host.stats();
        let found = stats.iter().filter(|(found, _)| found.contains(name));
        found
            .map(|(_, stat)| match stat {
                Stat::Counter(value) | Stat::Gauge(value) => *value,
                Stat::Histogram(_) => panic!("{name} is a histogram"),
            })
            .sum()
    }
}

fn filter(wasm: &Arc<[u8]>, config: &Value) -> Filter {
    Filter {
        code: Arc::clone(wasm),
        config: plugin_config(&config.to_string()),
    }
}

fn policy(version: &str, limit: u32, rollout: &Value) -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Policy",
        "metadata": {"name": "test", "version": version, "owner": "team"},
        "identity": {"account": [{"header": "x-account-id"}]},
        "tiers": [{"name": "all"}],
        "budgets": [{"name": "requests", "per": "account", "unit": "requests", "limit": limit, "window": "1h"}],
        "state": {"memory": "1MiB"},
        "rollout": rollout,
    })
}

fn pair(limit: u32, rollout: &Value) -> Value {
    json!({
        "apiVersion": "weir/v1",
        "kind": "Rollout",
        "current": policy("1", 1000, &json!({"mode": "enforce"})),
        "candidate": policy("2", limit, rollout),
    })
}

#[test]
fn an_account_stays_in_its_arm_across_workers_reloads_and_restarts_and_the_arm_has_its_share() {
    let Some(wasm) = wasm_or_skip("canary arms") else {
        return;
    };
    let config = pair(1000, &json!({"mode": "canary", "canary": {"percent": 10}}));
    let mut rig = Rig::new(&wasm, &config);
    let mut restarted = Rig::new(&wasm, &config);
    let accounts: Vec<String> = (0..2000).map(|number| format!("a-{number}")).collect();
    let mut held = Vec::new();

    for (index, account) in accounts.iter().enumerate() {
        let (_, decision) = rig.ask(index % WORKERS, account);
        let arm = decision["arm"].as_str().unwrap().to_owned();
        let version = if arm == "candidate" { "2" } else { "1" };
        assert_eq!(decision["policy"]["version"], version);
        let (_, elsewhere) = rig.ask((index + 1) % WORKERS, account);
        let (_, later) = restarted.ask(index % WORKERS, account);
        assert_eq!(elsewhere["arm"], arm, "{account} at another worker");
        assert_eq!(later["arm"], arm, "{account} in another process");
        held.push(arm);
    }
    // The next version of the candidate: the same accounts, and more of them.
    let mut next = pair(500, &json!({"mode": "canary", "canary": {"percent": 25}}));
    next["candidate"]["metadata"]["version"] = json!("3");
    rig.reload(&next);
    let wider = |rig: &mut Rig, account: &str| rig.ask(0, account).1["arm"] == "candidate";
    let kept = accounts
        .iter()
        .zip(&held)
        .filter(|(account, arm)| *arm == "candidate" && !wider(&mut rig, account))
        .count();

    let share = held.iter().filter(|arm| *arm == "candidate").count() as f64 / 2000.0;
    let error = (0.1_f64 * 0.9 / 2000.0).sqrt();
    assert!((share - 0.1).abs() < 3.3 * error, "{share} of 0.1");
    assert_eq!(kept, 0, "a larger canary lost accounts");
}

#[test]
fn a_guard_that_trips_on_one_worker_gives_every_worker_the_policy_before_and_says_so() {
    let Some(wasm) = wasm_or_skip("guard") else {
        return;
    };
    let guard = json!({"refusedShare": 0.2, "minExchanges": 50, "window": "1m"});
    let mut rig = Rig::new(&wasm, &pair(1, &json!({"mode": "enforce", "guard": guard})));

    for number in 0..100 {
        rig.ask(number % WORKERS, &format!("a-{}", number / 4));
    }
    assert_eq!(rig.stat("weir_guard_tripped"), 0);
    rig.pass(Duration::from_secs(3));

    for worker in 0..WORKERS {
        let (status, decision) = rig.ask(worker, "a-1");
        assert_eq!(status, Some(200));
        assert_eq!(decision["policy"]["version"], "1");
        assert_eq!(decision["other"]["would_action"], "throttle");
    }
    // The main thread and each worker hear of it once.
    assert_eq!(
        rig.logged("has tripped: it refuses too large a share of tier all"),
        WORKERS + 1
    );
    assert_eq!(rig.stat("arm=.=candidate;.;weir_guard_tripped"), 1);
}

#[test]
fn what_two_policies_disagree_on_is_counted_and_told_by_example() {
    let Some(wasm) = wasm_or_skip("disagreements") else {
        return;
    };
    let mut rig = Rig::new(&wasm, &pair(2, &json!({"mode": "shadow"})));

    let refused = (0..5).filter(|_| rig.ask(0, "a-1").0 != Some(200)).count();
    rig.pass(Duration::from_secs(6));

    assert_eq!(refused, 0);
    let counted =
        "arm=.=current;.;current=.=allow;.;candidate=.=throttle;.;tier=.=all;.;weir_disagreements";
    assert_eq!(rig.stat(counted), 3);
    assert_eq!(rig.stat("weir_rollout_exchanges"), 5);
    assert_eq!(
        rig.logged("the current policy would allow, the candidate throttle"),
        1
    );
}

#[test]
fn a_thousand_reloads_leave_no_state_no_vm_and_no_memory_behind() {
    let Some(wasm) = wasm_or_skip("reloads") else {
        return;
    };
    let shipped =
        weir_host::policy_file::PolicyFile::read(&repository("policies/frontier-api.yaml"))
            .unwrap()
            .value;
    let config = |number: u32| {
        let guard = json!({"refusedShare": 0.5, "window": "1m"});
        let mut next = shipped.clone();
        next["metadata"]["version"] = json!(number.to_string());
        next["state"]["memory"] = json!("1MiB");
        next["detection"]["memory"] = json!("16MiB");
        next["rollout"] = json!({"mode": "canary", "canary": {"percent": 50}, "guard": guard});
        let mut current = next.clone();
        current["metadata"]["version"] = json!(format!("{number}-before"));
        json!({"apiVersion": "weir/v1", "kind": "Rollout", "current": current, "candidate": next})
    };
    let mut rig = Rig::new(&wasm, &config(0));
    let mut sizes = Vec::new();

    for number in 1..=1000 {
        rig.reload(&config(number));
        for worker in 0..WORKERS {
            let (status, decision) = rig.ask(worker, &format!("a-{}", number % 10));
            assert_eq!(status, Some(200));
            let version = decision["policy"]["version"].as_str().unwrap();
            assert!(version.trim_end_matches("-before") == number.to_string());
        }
        rig.pass(2 * DRAIN);
        if number % 250 == 0 {
            let vms = rig.stat("wasm.wasm_vm_count");
            let memory: u64 = (0..WORKERS)
                .map(|worker| rig.proxy.worker(worker).unwrap().memory_bytes())
                .sum();
            let shared = rig.host.shared_data_bytes(VM_ID);
            sizes.push((vms, memory, rig.host.shared_data(VM_ID).len(), shared.bytes));
        }
    }

    let (vms, memory, keys, _) = sizes[0];
    for later in &sizes[1..] {
        assert_eq!((later.0, later.2), (vms, keys), "{sizes:?}");
        // An allocator may find its fullest moment late: a page of 64 KiB for each worker. 750 policies are megabytes.
        assert!(later.1 <= memory + WORKERS as u64 * 65_536, "{sizes:?}");
    }
    // Records of accounts and pages of observations come and go within fixed keys.
    let spread = sizes.iter().map(|size| size.3).max().unwrap()
        - sizes.iter().map(|size| size.3).min().unwrap();
    assert!(spread < 64 * 1024, "{sizes:?}");
}
