#![allow(missing_docs)]
use std::path::PathBuf;
use std::time::Instant;
use weir_host::conformance::*;
use weir_host::scenario::*;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let modules = Modules { probe: PathBuf::from("/tmp/wt/probe.wasm"), guests: Some(PathBuf::from("/tmp/wt/guests/target/guests")) };
    let run = EnvoyRun::new("target/envoy");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if args[0] == "random" {
        let from: u64 = args[1].parse().unwrap();
        let count: u64 = args[2].parse().unwrap();
        let show: usize = args.get(3).map_or(3, |n| n.parse().unwrap());
        let begin = Instant::now();
        let scenarios: Vec<_> = (from..from + count).map(random::scenario).collect();
        let predicted: Vec<_> = scenarios.iter().map(|s| run_in_host(s, &modules).unwrap()).collect();
        println!("predicted in {:?}", begin.elapsed());
        let begin = Instant::now();
        let observed = runtime.block_on(async {
            let shared = std::sync::Arc::new(SharedEnvoy::start(&random::proxy(), &modules, &run).await.unwrap());
            let permits = std::sync::Arc::new(tokio::sync::Semaphore::new(64));
            let mut handles = Vec::new();
            for (s, p) in scenarios.iter().cloned().zip(predicted.iter().cloned()) {
                let shared = shared.clone();
                let permit = permits.clone().acquire_owned().await.unwrap();
                handles.push(tokio::spawn(async move {
                    let r = shared.run(&s, &p).await;
                    drop(permit);
                    r
                }));
            }
            let mut out = Vec::new();
            for h in handles { out.push(h.await.unwrap()); }
            out
        });
        println!("observed in {:?}", begin.elapsed());
        let mut bad = 0;
        for ((s, p), o) in scenarios.iter().zip(predicted).zip(observed) {
            let id = s.exchanges().next().unwrap().id().unwrap().to_owned();
            match o {
                Ok(o) => {
                    let d = differences(&p.clone().of_stream(&id), &o);
                    if !d.is_empty() {
                        bad += 1;
                        if bad <= show {
                            println!("== {}\n{}", s.name, serde_json::to_string(&s.steps).unwrap());
                            for d in d { println!("{d}"); }
                            println!("{}", serde_json::to_string_pretty(&o).unwrap());
                        }
                    }
                }
                Err(e) => { bad += 1; println!("== {} {e}", s.name); }
            }
        }
        println!("{bad} of {count} differ");
        return;
    }
    let corpus = Scenario::read_folder(&PathBuf::from("host-tests/conformance")).unwrap();
    let mut bad = 0; let mut n = 0;
    for s in corpus.iter().filter(|s| args[0] == "all" || s.name.contains(&args[0])) {
        n += 1;
        let p = match run_in_host(s, &modules) { Ok(p) => p, Err(e) => { println!("== {} host error {e}", s.name); continue } };
        let begin = Instant::now();
        let o = match runtime.block_on(run_in_envoy(s, &modules, &run, &p)) { Ok(o) => o, Err(e) => { println!("== {} envoy error {e:?}", s.name); continue } };
        let d = differences(&p, &o);
        println!("== {} {} differences, {:?}", s.name, d.len(), begin.elapsed());
        if !d.is_empty() { bad += 1; }
        if args.len() > 1 {
            for d in d { println!("{d}"); }
            println!("{}", serde_json::to_string_pretty(&o).unwrap());
        }
    }
    println!("{bad} of {n} differ");
}
