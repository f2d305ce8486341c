//! The shipped policies keep what their cases promise, on every host alike, and so does the page that explains cases.
use super::weir::{repository, wasm_file_or_skip};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use weir_host::cases::report::Report;
use weir_host::cases::suite::{Hosts, run_all};
use weir_host::cases::{Case, read};

fn cases(paths: &[PathBuf]) -> Vec<Case> {
    read(paths, &mut BTreeSet::new()).unwrap()
}

/// Every case passed, and none differs between hosts.
fn assert_kept(report: &Report) {
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(report.differing(), [""; 0], "{report}");
}

#[test]
fn every_case_of_a_shipped_policy_holds_natively_and_in_the_plugin_and_every_rule_is_covered() {
    let Some(wasm) = wasm_file_or_skip("cases of shipped policies") else {
        return;
    };
    let cases = cases(&[repository("policies/cases")]);
    let hosts = Hosts {
        native: true,
        wasm: Some(wasm),
        envoy: None,
    };

    let report = run_all(&cases, &hosts, &|_, _| {}).unwrap();

    assert_kept(&report);
    assert_eq!(report.skipped(), 0, "{report}");
    assert_eq!(report.coverage.percent(), 100.0, "{report}");
}

#[test]
fn the_list_of_cases_that_differ_in_a_real_envoy_is_empty() {
    const TEST: &str = "cases of shipped policies in Envoy";
    let Some(envoy) = std::env::var_os("ENVOY") else {
        let _ = writeln!(std::io::stderr(), "skipped: {TEST}: ENVOY names none");
        return;
    };
    let Some(wasm) = wasm_file_or_skip(TEST) else {
        return;
    };
    let cases = cases(&[repository("policies/cases")]);
    let hosts = Hosts {
        native: true,
        wasm: None,
        envoy: Some((envoy.into(), wasm)),
    };

    let report = run_all(&cases, &hosts, &|_, _| {}).unwrap();

    assert_kept(&report);
    // Those that need another date, days, or more requests than a test has time for.
    assert!(report.skipped() * 5 < cases.len(), "{report}");
}

#[test]
fn the_page_about_cases_shows_cases_that_hold() {
    let page = std::fs::read_to_string(repository("docs/policy-tests.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies");
    std::fs::create_dir_all(&policies).unwrap();
    std::fs::create_dir_all(folder.path().join("docs")).unwrap();
    let shipped = repository("policies/frontier-api.yaml");
    std::fs::copy(shipped, policies.join("frontier-api.yaml")).unwrap();
    let mut files = Vec::new();
    for (index, block) in page.split("```yaml\n").skip(1).enumerate() {
        let text = block.split("```").next().unwrap();
        let file = folder.path().join(format!("docs/{index}.yaml"));
        std::fs::write(&file, text).unwrap();
        files.push(file);
    }
    assert!(!files.is_empty(), "the page has no example");
    let hosts = Hosts {
        native: true,
        wasm: wasm_file_or_skip("the page about cases in the plugin"),
        envoy: None,
    };

    let report = run_all(&cases(&files), &hosts, &|_, _| {}).unwrap();

    assert_kept(&report);
}
