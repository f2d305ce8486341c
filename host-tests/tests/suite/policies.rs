//! Policies in `policies/`: the shipped ones are valid, the bad ones give the codes that they name.
use super::policy_documents::{now, shipped};
use super::weir::repository;
use weir_engine::policy::Policy;
use weir_host::policy_file::PolicyFile;

#[test]
fn every_shipped_policy_is_accepted_without_a_warning() {
    for file in shipped() {
        let checked = Policy::check(file.value.to_string().as_bytes(), now());

        assert!(
            checked.policy.is_some() && checked.diagnostics.is_empty(),
            "{}: {:#?}",
            file.name,
            checked.diagnostics
        );
    }
}

#[test]
fn every_bad_document_gives_exactly_the_codes_and_paths_that_it_expects() {
    let mut seen = 0;
    for entry in std::fs::read_dir(repository("policies/diagnostics")).unwrap() {
        let path = entry.unwrap().path();
        seen += 1;
        let file = PolicyFile::read(&path).unwrap();
        let mut expected: Vec<&str> = file
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("# expect: "))
            .collect();

        let checked = Policy::check(file.value.to_string().as_bytes(), now());

        let mut found: Vec<String> = checked
            .diagnostics
            .iter()
            .map(|problem| format!("{} {}", problem.code, problem.path))
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{}", path.display());
        assert!(
            checked
                .diagnostics
                .iter()
                .all(|problem| !problem.help.is_empty() && !problem.message.is_empty())
        );
    }
    assert!(seen > 10, "the folder was found");
}

#[test]
fn the_place_of_a_problem_is_its_line_in_the_file() {
    let text = "apiVersion: weir/v1\nkind: Policy\nbudgets:\n  - name: a\n    limit: 0\n";
    let file = PolicyFile::parse(text.to_owned(), "p.yaml").unwrap();

    let checked = Policy::check(file.value.to_string().as_bytes(), None);

    let limit = checked
        .diagnostics
        .iter()
        .find(|problem| problem.path == "budgets[0].limit")
        .unwrap();
    assert_eq!(file.position(&limit.path).0, 5);
}

#[test]
fn every_policy_and_scenario_that_the_readme_shows_is_taken() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("\n```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .collect();
    let (mut policies, mut scenarios) = (0, 0);
    for block in blocks {
        let shown = PolicyFile::parse(block.to_owned(), "README.md").unwrap();
        if shown.value.get("proxy").is_some() {
            scenarios += 1;
            let parsed = weir_host::scenario::Scenario::parse_all(block).unwrap();
            assert_eq!(parsed.len(), 1);
            continue;
        }
        // Sections of a policy: they stand in the place of the shipped one's.
        policies += 1;
        let mut policy = super::weir::shipped_policy();
        for (key, section) in shown.value.as_object().unwrap() {
            policy[key] = section.clone();
        }

        let checked = Policy::check(policy.to_string().as_bytes(), now());

        assert!(
            checked.policy.is_some(),
            "{block}\n{:#?}",
            checked.diagnostics
        );
    }
    assert_eq!((policies, scenarios), (2, 1));
}
