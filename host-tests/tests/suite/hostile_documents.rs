//! Whatever stands in place of a policy gives diagnostics, and never takes the place of a policy that runs.
use crate::hostile::{Hostile, documents};
use crate::weir::{shipped_policy, wasm_or_skip};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use weir_engine::policy::Severity;
use weir_host::calls::Moment;
use weir_host::layers::{CheckedPolicy, LayeredPolicy};
use weir_host::weir::{DECISION, plugin_config};
use weir_host::{
    Exchange, Filter, Host, HostConfig, LoadError, LogLevel, Message, Proxy, ProxyConfig,
};

/// Most that the guest may do about one of them, in units of fuel: an instruction is about one, and a second has
/// about 10^10. The dearest takes half of it.
const MOST_FUEL: u64 = 4_000_000_000;
/// Most problems of one document that are told.
const MOST_PROBLEMS: usize = 402;

fn check(hostile: &Hostile) -> CheckedPolicy {
    let folder = tempfile::tempdir().unwrap();
    LayeredPolicy::read(&hostile.write(folder.path()))
        .unwrap()
        .check(None)
}

#[test]
fn each_of_hundreds_of_documents_is_refused_with_a_place_and_a_help() {
    let all = documents(&shipped_policy());
    let names: BTreeSet<&str> = all.iter().map(|one| one.name.as_str()).collect();
    assert!(
        all.len() >= 200 && names.len() == all.len(),
        "{} of {}",
        names.len(),
        all.len()
    );

    let mut times = Vec::new();
    for hostile in &all {
        let start = Instant::now();
        let checked = check(hostile);
        times.push((start.elapsed(), hostile.name.as_str()));

        let name = &hostile.name;
        assert!(checked.policy.is_none(), "{name} is a policy");
        let count = checked.problems.len();
        assert!(
            (1..=MOST_PROBLEMS).contains(&count),
            "{name}: {count} problems"
        );
        for problem in &checked.problems {
            let told = &problem.diagnostic;
            assert!(
                problem.at.is_some_and(|at| at.line > 0 && at.column > 0),
                "{name}: {problem:?}"
            );
            assert!(
                !told.message.is_empty() && !told.help.is_empty(),
                "{name}: {problem:?}"
            );
            assert!(
                told.message.len() < 1_000 && told.path.len() < 2_000 && told.help.len() < 2_000,
                "{name}: a problem as long as the document"
            );
            let is_plain = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n');
            assert!(is_plain(&told.message), "{name}: {:?}", told.message);
        }
        assert!(
            checked
                .problems
                .iter()
                .any(|one| one.diagnostic.severity == Severity::Error),
            "{name}"
        );
    }
    // Told, not asserted: see the bench of the same name.
    times.sort_unstable_by(|one, other| other.cmp(one));
    for (time, name) in times.iter().take(10) {
        println!("{time:>10.1?} {name}");
    }
}

fn filter(wasm: &Arc<[u8]>, configuration: &[u8]) -> Filter {
    let mut config = plugin_config("");
    config.configuration = configuration.to_vec();
    Filter {
        code: wasm.clone(),
        config,
    }
}

#[test]
fn no_document_takes_the_place_of_a_policy_that_runs_or_keeps_the_plugin_busy() {
    let Some(wasm) = wasm_or_skip("hostile documents") else {
        return;
    };
    let wasm: Arc<[u8]> = wasm.into();
    let burnt = Arc::new(Mutex::new(0));
    let sink = Arc::clone(&burnt);
    let lines = Arc::new(Mutex::new(0));
    let logged = Arc::clone(&lines);
    let host = Host::new(HostConfig {
        fuel: true,
        log_level: LogLevel::Info,
        log: Some(Arc::new(move |_| *logged.lock().unwrap() += 1)),
        calls: Some(Arc::new(move |event| {
            if let Moment::Ends {
                fuel: Some(fuel), ..
            } = event.moment
                && event.call == "proxy_on_configure"
            {
                *sink.lock().unwrap() += fuel;
            }
        })),
        ..HostConfig::default()
    })
    .unwrap();
    let mut policy = shipped_policy();
    policy["metadata"]["version"] = json!("good");
    policy["detection"]["memory"] = json!("16MiB");
    let good = filter(&wasm, policy.to_string().as_bytes());
    let mut proxy = Proxy::start(&host, ProxyConfig::default(), vec![good]).unwrap();
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
    let exchange = Exchange::post("/v1/chat/completions", body.to_string())
        .with_header("x-account-id", "a-1")
        .answered_by(Message::response(200, json!({"choices": []}).to_string()));
    let serves = |proxy: &mut Proxy, name: &str| {
        let outcome = proxy.exchange("weir", 0, &exchange).unwrap();
        let decision: Value =
            serde_json::from_slice(outcome.filter_state(DECISION).unwrap()).unwrap();
        assert_eq!(decision["policy"]["version"], "good", "{name}");
        assert_eq!(outcome.status(), Some(200), "{name}");
    };
    serves(&mut proxy, "before");

    let mut costs = Vec::new();
    let mut given = BTreeSet::new();
    for hostile in documents(&shipped_policy()) {
        let name = &hostile.name;
        (*burnt.lock().unwrap(), *lines.lock().unwrap()) = (0, 0);
        // The host, as Envoy does, remembers what a canary said of a configuration.
        let configuration = hostile.configuration();
        let mut hasher = DefaultHasher::new();
        configuration.hash(&mut hasher);
        if !given.insert(hasher.finish()) {
            continue;
        }
        let update = [filter(&wasm, &configuration)];
        let start = Instant::now();
        let refused = proxy.reconfigure(&update);
        let time = start.elapsed();

        assert!(
            matches!(&refused[..], [one] if matches!(one.why, LoadError::Refused { .. })),
            "{name}: {refused:?}"
        );
        assert!(
            (1..=MOST_PROBLEMS).contains(&*lines.lock().unwrap()),
            "{name}: {} lines",
            lines.lock().unwrap()
        );
        let fuel = *burnt.lock().unwrap();
        costs.push((fuel, time, hostile.name.clone()));
        serves(&mut proxy, name);
    }
    costs.sort_by(|one, other| other.cmp(one));
    for (fuel, time, name) in costs.iter().take(10) {
        println!("{fuel:>13} {time:>10.1?} {name}");
    }
    let (most, _, name) = &costs[0];
    assert!(*most < MOST_FUEL, "{name} burnt {most}");
}
