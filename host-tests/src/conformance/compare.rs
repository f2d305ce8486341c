//! What differs between two observations of one scenario.
use std::fmt;

use serde::Serialize;

use crate::scenario::{Observation, Received, Seen};

/// One thing that our host and Envoy do not agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What, such as `exchanges[0].downstream.body`.
    pub place: String,
    /// Our host's.
    pub host: String,
    /// Envoy's.
    pub envoy: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n  host:  {}\n  envoy: {}",
            self.place, self.host, self.envoy
        )
    }
}

/// Every difference, none where the hosts agree. Linear in the observations but for the pairing of VMs,
/// which is quadratic in their number.
pub fn differences(host: &Observation, envoy: &Observation) -> Vec<Difference> {
    let mut found = Found(Vec::new());
    if host.refused.is_some() != envoy.refused.is_some() {
        // The texts differ always.
        found.if_unequal("refused", &host.refused, &envoy.refused);
    }
    if host.crashed.is_some() || envoy.crashed.is_some() {
        // There is nothing to agree on, even if both did.
        found.0.push(Difference {
            place: "crashed".to_owned(),
            host: format!("{:?}", host.crashed),
            envoy: format!("{:?}", envoy.crashed),
        });
        return found.0;
    }
    if found.0.is_empty() && host.refused.is_some() {
        // What else is seen of a proxy that refuses depends on how far it came.
        return found.0;
    }
    found.vms(&host.vms, &envoy.vms);
    found.if_unequal(
        "exchanges.length",
        &host.exchanges.len(),
        &envoy.exchanges.len(),
    );
    for (index, (host, envoy)) in host.exchanges.iter().zip(&envoy.exchanges).enumerate() {
        found.exchange(index, host, envoy);
    }
    for name in host.stats.keys().chain(
        envoy
            .stats
            .keys()
            .filter(|name| !host.stats.contains_key(*name)),
    ) {
        found.if_unequal(
            &format!("stats.{name}"),
            &host.stats.get(name),
            &envoy.stats.get(name),
        );
    }
    found.0
}

struct Found(Vec<Difference>);

impl Found {
    fn if_unequal<T: PartialEq + fmt::Debug>(&mut self, place: &str, host: &T, envoy: &T) {
        if host != envoy {
            self.0.push(Difference {
                place: place.to_owned(),
                host: format!("{host:?}"),
                envoy: format!("{envoy:?}"),
            });
        }
    }
    /// VMs come up in any order on Envoy's threads: equal ones are paired, the rest is told line by line.
    fn vms(&mut self, host: &[Vec<String>], envoy: &[Vec<String>]) {
        let mut unpaired: Vec<&Vec<String>> = envoy.iter().collect();
        let mut left: Vec<&Vec<String>> = Vec::new();
        for lines in host {
            match unpaired.iter().position(|other| *other == lines) {
                Some(at) => drop(unpaired.remove(at)),
                None => left.push(lines),
            }
        }
        let none = Vec::new();
        for at in 0..left.len().max(unpaired.len()) {
            let host = left.get(at).copied().unwrap_or(&none);
            let envoy = unpaired.get(at).copied().unwrap_or(&none);
            let line = host
                .iter()
                .zip(envoy)
                .take_while(|(host, envoy)| host == envoy)
                .count();
            self.if_unequal(
                &format!("vms[{at}] from line {line} on"),
                &host.get(line..).unwrap_or_default(),
                &envoy.get(line..).unwrap_or_default(),
            );
        }
    }
    fn exchange(&mut self, index: usize, host: &Seen, envoy: &Seen) {
        let place = |part: &str| format!("exchanges[{index}].{part}");
        self.message(&place("downstream"), &host.downstream, &envoy.downstream);
        match (&host.upstream, &envoy.upstream) {
            (Some(host), Some(envoy)) => self.message(&place("upstream"), host, envoy),
            (host, envoy) => self.if_unequal(&place("upstream"), host, envoy),
        }
        self.if_unequal(&place("details"), &host.details, &envoy.details);
        self.if_unequal(&place("code"), &host.code, &envoy.code);
    }
    fn message(&mut self, place: &str, host: &Received, envoy: &Received) {
        self.if_unequal(&format!("{place}.headers"), &host.headers, &envoy.headers);
        self.if_unequal(&format!("{place}.body"), &host.body, &envoy.body);
        self.if_unequal(
            &format!("{place}.trailers"),
            &host.trailers,
            &envoy.trailers,
        );
        self.if_unequal(&format!("{place}.end"), &host.end, &envoy.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_vms(vms: &[&[&str]]) -> Observation {
        Observation {
            vms: vms
                .iter()
                .map(|lines| lines.iter().map(|line| (*line).to_owned()).collect())
                .collect(),
            ..Observation::default()
        }
    }

    #[test]
    fn vms_agree_in_any_order_and_a_difference_names_its_first_line() {
        let host = with_vms(&[&["a", "b"], &["c"]]);

        assert_eq!(differences(&host, &with_vms(&[&["c"], &["a", "b"]])), []);
        let found = differences(&host, &with_vms(&[&["c"], &["a", "x"]]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "vms[0] from line 1 on");
        assert_eq!((&*found[0].host, &*found[0].envoy), ("[\"b\"]", "[\"x\"]"));
    }

    #[test]
    fn nothing_after_a_refusal_is_compared_but_that_both_refused() {
        let refused = |text: &str| Observation {
            refused: Some(text.into()),
            ..with_vms(&[&[text]])
        };

        assert_eq!(differences(&refused("a"), &refused("b")), []);
        assert_eq!(differences(&refused("a"), &with_vms(&[])).len(), 2);
    }

    #[test]
    fn every_part_of_an_exchange_is_compared() {
        let mut host = Observation {
            exchanges: vec![Seen::default()],
            ..Observation::default()
        };
        let envoy = host.clone();
        let seen = &mut host.exchanges[0];
        seen.downstream.body = "x".into();
        seen.downstream.headers = vec![("a".into(), "b".into())];
        seen.downstream.trailers = Some(Vec::new());
        seen.upstream = Some(Received::default());
        seen.details = "d".into();
        seen.code = 200;
        host.stats.insert("wasm.x".into(), 1);

        let places: Vec<String> = differences(&host, &envoy)
            .into_iter()
            .map(|difference| difference.place)
            .collect();

        assert_eq!(
            places,
            [
                "exchanges[0].downstream.headers",
                "exchanges[0].downstream.body",
                "exchanges[0].downstream.trailers",
                "exchanges[0].upstream",
                "exchanges[0].details",
                "exchanges[0].code",
                "stats.wasm.x",
            ]
        );
    }
}
