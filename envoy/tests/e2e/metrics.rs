//! What Prometheus sees: series with labels, and nobody's name in them.
use serde_json::Value;
use weir_envoy::client::Request;

use crate::programs;
use crate::setup::{Api, Weir, eventually, policy, status};

/// The value of the series `name` with exactly `labels`, in whatever order they stand.
fn value(prometheus: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut wanted: Vec<String> = labels.iter().map(|(l, v)| format!("{l}=\"{v}\"")).collect();
    wanted.sort();
    prometheus.lines().find_map(|line| {
        let (series, value) = line
            .strip_prefix(name)?
            .strip_prefix('{')?
            .split_once("} ")?;
        let mut given: Vec<&str> = series.split(',').collect();
        given.sort_unstable();
        (given == wanted).then(|| value.parse().unwrap())
    })
}

#[tokio::test]
async fn exchanges_tokens_and_usage_are_counted_under_their_labels_and_under_no_ones_name() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    for mut client in weir.clients() {
        for api in Api::BOTH {
            let post = |body: &Value| api.post("acct-zebra", body).header("x-org-id", "org-zebra");
            assert_eq!(status(&mut client, post(&api.body())).await, 200);
            assert_eq!(status(&mut client, post(&api.streamed())).await, 200);
            let silent = post(&api.body()).header("x-mock-no-usage", "1");
            assert_eq!(status(&mut client, silent).await, 200);
            assert_eq!(status(&mut client, post(&api.with_tool())).await, 403);
        }
        let models = Request::get("/v1/models").header("authorization", "Bearer sk-zebra");
        assert_eq!(status(&mut client, models).await, 404);
        let broken = Request::post(Api::OpenAi.path(), "{").header("x-account-id", "acct-zebra");
        assert_eq!(status(&mut client, broken).await, 400);
    }

    let exchanges = |action, basis, endpoint| {
        let labels = [
            ("action", action),
            ("would", action),
            ("basis", basis),
            ("tier", "basic"),
            ("endpoint", endpoint),
            ("mode", "enforce"),
            ("state", "observe"),
        ];
        ("weir_exchanges", labels.to_vec())
    };
    let mut expected = vec![
        (exchanges("allow", "none", "unknown"), 2),
        (exchanges("deny", "none", "openai.chat"), 2),
        (
            ("weir_uninspected", vec![("reason", "unknown_endpoint")]),
            2,
        ),
        (("weir_uninspected", vec![("reason", "malformed")]), 2),
    ];
    for endpoint in Api::BOTH.map(Api::endpoint) {
        expected.push((exchanges("allow", "none", endpoint), 6));
        expected.push((exchanges("deny", "capability", endpoint), 2));
        for (outcome, count) in [("known", 4), ("absent", 2)] {
            let labels = vec![("outcome", outcome), ("endpoint", endpoint)];
            expected.push((("weir_usage", labels), count));
        }
    }
    // What the mock kept to itself is not in its books either.
    let served = weir.mock.tokens();
    let told = [("input", served.input), ("output", served.output)];
    let counted = |text: &str, direction| {
        let of = |api: Api| {
            let labels = [("direction", direction), ("endpoint", api.endpoint())];
            value(text, "weir_tokens_total", &labels)
        };
        Api::BOTH.into_iter().map(of).sum::<Option<f64>>()
    };
    // A worker reports one counter after the other, and a scrape may come in between.
    let prometheus = eventually("complete set of series", async || {
        let text = weir.envoy.prometheus().await.unwrap();
        let count = |((name, labels), _): &((&str, Vec<_>), u64)| value(&text, name, labels);
        let complete = expected
            .iter()
            .all(|one| count(one).is_some_and(|count| count >= one.1 as f64))
            && told.iter().all(|(direction, tokens)| {
                counted(&text, *direction).is_some_and(|counted| counted >= *tokens as f64)
            });
        complete.then_some(text)
    })
    .await;

    for ((name, labels), count) in &expected {
        assert_eq!(
            value(&prometheus, name, labels),
            Some(*count as f64),
            "{name} {labels:?}"
        );
    }
    for (direction, tokens) in told {
        assert_eq!(
            counted(&prometheus, direction),
            Some(tokens as f64),
            "{direction}"
        );
    }
    let stats = weir.envoy.stats().await.unwrap();
    let named = stats.values().keys().find(|name| name.contains("zebra"));
    assert_eq!(named, None);
    assert!(!prometheus.contains("zebra"));
}

#[tokio::test]
async fn the_sizes_of_exchanges_are_a_histogram_of_a_sample_of_them() {
    const EXCHANGES: u64 = 160; // of which none is sampled once in 10^9 times
    let weir = Weir::start(programs!(), &policy(|_| {})).await;
    let mut client = weir.http2();
    for _ in 0..EXCHANGES {
        assert_eq!(
            status(&mut client, Api::OpenAi.post("a", &Api::OpenAi.body())).await,
            200
        );
    }

    let labels = [("direction", "output"), ("endpoint", "openai.chat")];
    let (total, prometheus) = eventually("complete count of tokens", async || {
        let text = weir.envoy.prometheus().await.unwrap();
        let total = value(&text, "weir_tokens_total", &labels)?;
        (total >= (EXCHANGES * 24) as f64).then_some((total, text))
    })
    .await;

    assert_eq!(total, (EXCHANGES * 24) as f64);
    let sampled = value(&prometheus, "weir_tokens_sampled_count", &labels).unwrap();
    assert!(sampled > 0.0 && sampled <= EXCHANGES as f64, "{sampled}");
    let within = |le| {
        let [direction, endpoint] = labels;
        let labels = [direction, endpoint, ("le", le)];
        value(&prometheus, "weir_tokens_sampled_bucket", &labels)
    };
    assert_eq!((within("16"), within("64")), (Some(0.0), Some(sampled)));
}
