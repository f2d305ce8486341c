//! Ordinary exchanges: they pass unchanged, and what is logged of them is true.
use serde_json::{Value, json};

use crate::programs;
use crate::setup::{Api, PATIENCE, Weir, policy, send};

/// Ways to write the same body.
const CUTS: [&str; 3] = ["whole", "bytewise", "anywhere"];

#[tokio::test]
async fn ordinary_exchanges_pass_unchanged_and_decisions_carry_the_tokens_served() {
    let weir = Weir::start(programs!(), &policy(|_| {})).await;

    let mut sent = Vec::new();
    for (protocol, mut client) in ["HTTP/1.1", "HTTP/2"].into_iter().zip(weir.clients()) {
        for api in Api::BOTH {
            for (stream, body) in [(false, api.body()), (true, api.streamed())] {
                for cut in CUTS {
                    let account = format!("{protocol}-{}-{stream}-{cut}", api.endpoint());
                    let mut request = api.post(&account, &body).header("x-mock-split-bytes", "11");
                    request = match cut {
                        "whole" => request,
                        "bytewise" => request.in_pieces_of(1),
                        _ => request.cut_at(&[1, 2, 41, 83, 90, 120]),
                    };
                    if protocol == "HTTP/2" {
                        request = request.header("x-plan", "enterprise");
                    }
                    let response = send(&mut client, request).await;
                    assert_eq!(response.status(), 200, "{account}");
                    response.bytes().await.unwrap();
                    let tier = if protocol == "HTTP/2" {
                        "vetted"
                    } else {
                        "basic"
                    };
                    sent.push((account, api, body.clone(), tier));
                }
            }
        }
    }

    let decisions = weir
        .envoy
        .wait_for_decisions(sent.len(), PATIENCE)
        .await
        .unwrap();
    let access = weir
        .envoy
        .wait_for_access(sent.len(), PATIENCE)
        .await
        .unwrap();
    let served = weir.mock.served();
    assert_eq!((decisions.len(), served.len()), (sent.len(), sent.len()));
    for (account, api, body, tier) in sent {
        let of_account = |one: &&Value| one["account"] == account.as_str();
        let decision = decisions.iter().find(of_account).unwrap();
        let served = served
            .iter()
            .find(|one| one.account.as_deref() == Some(&account))
            .unwrap();
        assert_eq!(served.body, body.to_string().into_bytes(), "{account}");
        let told = json!({"input": served.usage.input, "output": served.usage.output});
        assert!(
            served.usage.input > 0 && served.usage.output > 0,
            "{account}"
        );
        assert_eq!(decision["tokens"], told, "{account}");
        for (field, value) in [
            ("model", "m-large"),
            ("tier", tier),
            ("endpoint", api.endpoint()),
            ("action", "allow"),
            ("would_action", "allow"),
            ("basis", "none"),
            ("mode", "enforce"),
        ] {
            assert_eq!(decision[field], value, "{account} {field}");
        }
        assert_eq!(decision["policy"]["name"], "end-to-end");
        assert_eq!(decision["policy"]["version"], "1");
        let logged = access
            .iter()
            .filter_map(|line| serde_json::from_str(line["decision"].as_str()?).ok())
            .find(|one: &Value| of_account(&one));
        assert_eq!(logged.as_ref(), Some(decision), "{account}");
    }
}

#[tokio::test]
async fn a_shadow_policy_refuses_nothing_and_logs_what_it_would_have_refused() {
    let shadow = policy(|policy| policy["rollout"]["mode"] = json!("shadow"));
    let weir = Weir::start(programs!(), &shadow).await;

    for api in Api::BOTH {
        let request = api.post(api.endpoint(), &api.with_tool());
        let response = send(&mut weir.http1(), request).await;
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
    }

    for decision in weir.envoy.wait_for_decisions(2, PATIENCE).await.unwrap() {
        assert_eq!(decision["action"], "allow");
        assert_eq!(decision["would_action"], "deny");
        assert_eq!(decision["basis"], "capability");
        assert_eq!(decision["mode"], "shadow");
        assert!(
            decision["tokens"]["output"].as_u64() > Some(0),
            "{decision}"
        );
    }
}
