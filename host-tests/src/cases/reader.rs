//! Reads files of cases: every mistake of a file at once, each with its line.
use super::document::{CaseDocument, FileDocument, PhaseDocument};
use super::expectation::Expectation;
use super::message::{Answer, Request, Wrong};
use super::policy::changed;
use super::{Case, CasePolicy, Phase, Step};
use crate::layers::{LayeredPolicy, Problem};
use crate::policy_file::PolicyFile;
use crate::yaml::YamlDocument;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use weir_engine::policy::Severity;
use weir_engine::time::{Timestamp, parse_duration};

/// The time of hosts whose clock the case sets, where it names none.
pub const START: &str = "2026-11-01T08:00:00Z";

/// Mistakes in files of cases, one a line, each with file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Mistakes(pub Vec<String>);

/// Reads the files that `paths` name, and all `.yaml` files below the folders among them.
///
/// # Errors
/// Every mistake that was found. What was read, policies included, goes into `files` even so.
pub fn read(paths: &[PathBuf], files: &mut BTreeSet<PathBuf>) -> Result<Vec<Case>, Mistakes> {
    let mut mistakes = Vec::new();
    let mut cases = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        if let Err(error) = find(path, &mut found) {
            mistakes.push(format!("cannot read {}: {error}", path.display()));
        } else if found.is_empty() {
            let help = "name a .yaml file, or a folder with some";
            mistakes.push(format!("{} holds no cases; {help}", path.display()));
        }
        for file in found {
            files.insert(file.clone());
            let mut reader = Reader {
                file: &file,
                document: None,
                mistakes: &mut mistakes,
                files,
            };
            cases.append(&mut reader.read());
        }
    }
    if mistakes.is_empty() {
        Ok(cases)
    } else {
        Err(Mistakes(mistakes))
    }
}

/// Most requests of one phase: what was seen of each is kept until the case ends.
const MOST_REPEATS: u32 = 100_000;

/// The files below `path`, by name.
fn find(path: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        std::fs::metadata(path)?;
        found.push(path.to_owned());
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(path)? {
        entries.push(entry?.path());
    }
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            // A link to a folder may lead back here.
            if !entry.is_symlink() {
                find(&entry, found)?;
            }
        } else if entry
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            found.push(entry);
        }
    }
    Ok(())
}

struct Reader<'a> {
    file: &'a Path,
    document: Option<YamlDocument>,
    mistakes: &'a mut Vec<String>,
    files: &'a mut BTreeSet<PathBuf>,
}

impl Reader<'_> {
    fn read(&mut self) -> Vec<Case> {
        let file = match PolicyFile::read(self.file) {
            Ok(file) => file,
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                self.mistakes.push(format!("{error}{cause}"));
                return Vec::new();
            }
        };
        let value = file.value;
        self.document = YamlDocument::parse(&file.text).ok();
        if value.get("cases").is_none() && value.get("policy").is_none() {
            let help =
                "a file of cases has `policy` and `cases`; scenarios need --plugin FILE.wasm";
            self.tell("", format!("these are no cases: {help}"));
            return Vec::new();
        }
        let Some(document) = self.typed::<FileDocument>(&value, "") else {
            return Vec::new();
        };
        let Some(policy) = self.policy("policy", &document.policy, None) else {
            return Vec::new();
        };
        if let Err((place, problem)) = Request::new(&document.defaults, &document.defaults) {
            self.tell(&format!("defaults.{place}"), problem);
            return Vec::new();
        }
        if document.cases.is_empty() {
            self.tell("cases", "there is no case".to_owned());
        }
        let named = policy;
        let policy = match &document.patch {
            None => Some(Arc::clone(&named)),
            Some(patch) => self.policy("patch", patch, Some(&named)),
        };
        let Some(policy) = policy else {
            return Vec::new();
        };
        let mut names = BTreeSet::new();
        let mut cases = Vec::new();
        for (index, value) in document.cases.iter().enumerate() {
            let path = format!("cases[{index}]");
            let Some(case) = self.case(&path, value, &document, (&named, &policy)) else {
                continue;
            };
            if !names.insert(case.name.clone()) {
                let problem = format!("another case of this file is named `{}` too", case.name);
                self.tell(&format!("{path}.name"), problem);
            }
            cases.push(case);
        }
        cases
    }

    fn case(
        &mut self,
        path: &str,
        value: &Value,
        file: &FileDocument,
        (named, policy): (&Arc<CasePolicy>, &Arc<CasePolicy>),
    ) -> Option<Case> {
        let document: CaseDocument = self.typed(value, path)?;
        let start = match &document.start {
            None => Timestamp::parse_rfc3339(START)?,
            Some(text) => match Timestamp::parse_rfc3339(text) {
                Some(start) => start,
                None => {
                    let help = "write RFC 3339, e.g. 2026-11-01T08:00:00Z";
                    let problem = format!("`{text}` is no point in time; {help}");
                    self.tell(&format!("{path}.start"), problem);
                    return None;
                }
            },
        };
        let own = match &document.policy {
            None => Some(Arc::clone(policy)),
            Some(given) => self.policy(&format!("{path}.policy"), given, Some(policy)),
        }?;
        let mut phases = Vec::new();
        let mut current = Arc::clone(&own);
        let mut is_whole = true;
        for (index, value) in document.phases.iter().enumerate() {
            let path = format!("{path}.phases[{index}]");
            match self.phase(&path, value, file, &current) {
                Some(phase) => {
                    if let Step::Policy(policy) = &phase.step {
                        current = Arc::clone(policy);
                    }
                    phases.push(phase);
                }
                None => is_whole = false,
            }
        }
        if is_whole && !phases.iter().any(|phase| phase.expect.is_some()) {
            let problem = "the case expects nothing, so it can never fail; give a phase `expect`";
            self.tell(path, problem.to_owned());
        }
        Some(Case {
            name: document.name,
            file: self.file.to_owned(),
            line: self.line(path),
            sets_clock: document.start.is_some(),
            start,
            base: Arc::clone(named),
            policy: own,
            phases,
        })
    }

    fn phase(
        &mut self,
        path: &str,
        value: &Value,
        file: &FileDocument,
        current: &Arc<CasePolicy>,
    ) -> Option<Phase> {
        let document: PhaseDocument = self.typed(value, path)?;
        let kinds = [
            document.send.is_some(),
            document.wait.is_some(),
            document.policy.is_some(),
        ];
        if kinds.into_iter().filter(|given| *given).count() > 1 {
            let problem =
                "a phase is one of `send`, `wait` and `policy`; make several phases of it";
            self.tell(path, problem.to_owned());
            return None;
        }
        let traffic =
            document.answer.is_some() || document.repeat.is_some() || document.every.is_some();
        if document.send.is_none() && traffic {
            let problem = "`answer`, `repeat` and `every` say more about `send`, which is missing";
            self.tell(path, problem.to_owned());
            return None;
        }
        let step = if let Some(send) = &document.send {
            let request = Request::new(&file.defaults, send);
            let request = self.right(&format!("{path}.send"), request)?;
            let answer = Answer::new(document.answer.as_ref(), &request);
            let answer = self.right(&format!("{path}.answer"), answer)?;
            let every = match &document.every {
                Some(text) => self.duration(&format!("{path}.every"), text)?,
                None => Duration::ZERO,
            };
            let times = document.repeat.unwrap_or(1);
            if times == 0 || times > MOST_REPEATS {
                let problem = match times {
                    0 => "0 requests show nothing".to_owned(),
                    _ => format!(
                        "{times} requests are too many, at most {MOST_REPEATS}; make the limit smaller"
                    ),
                };
                self.tell(&format!("{path}.repeat"), problem);
                return None;
            }
            if document.answer.as_ref().is_some_and(|answer| answer.never) {
                Step::Hold {
                    request: Box::new(request),
                    times,
                }
            } else {
                Step::Send {
                    request: Box::new(request),
                    answer,
                    times,
                    every,
                }
            }
        } else if let Some(text) = &document.wait {
            Step::Wait(self.duration(&format!("{path}.wait"), text)?)
        } else if let Some(given) = &document.policy {
            Step::Policy(self.policy(&format!("{path}.policy"), given, Some(current))?)
        } else {
            Step::Look
        };
        let expect = match document.expect {
            None => None,
            Some(given) => {
                let read = Expectation::new(given);
                Some(self.right(&format!("{path}.expect"), read)?)
            }
        };
        let has_exchange = matches!(step, Step::Send { .. });
        let looks = expect.as_ref().is_some_and(Expectation::looks_at_exchanges);
        if looks && !has_exchange {
            let problem =
                "no exchange comes to its end in this phase; only `metrics` can be expected of it";
            self.tell(&format!("{path}.expect"), problem.to_owned());
            return None;
        }
        if matches!(step, Step::Look) && expect.is_none() {
            let problem = "the phase does nothing; give it `send`, `wait`, `policy` or `expect`";
            self.tell(path, problem.to_owned());
            return None;
        }
        Some(Phase {
            line: self.line(path),
            step,
            expect,
        })
    }

    /// A policy: a path relative to the file, a whole document, or what is different in `base`.
    fn policy(
        &mut self,
        path: &str,
        given: &Value,
        base: Option<&Arc<CasePolicy>>,
    ) -> Option<Arc<CasePolicy>> {
        let (value, name) = match (given, base) {
            (Value::String(named), _) => {
                let folder = self.file.parent().unwrap_or_else(|| Path::new("."));
                let named = folder.join(named);
                self.files.insert(named.clone());
                let name = named.canonicalize().unwrap_or_else(|_| named.clone());
                (self.named_policy(path, &named)?, name.display().to_string())
            }
            (Value::Object(members), base) => match base {
                Some(base) if !members.contains_key("apiVersion") => {
                    (changed(&base.value, given), base.name.clone())
                }
                _ => (given.clone(), format!("{}: {path}", self.file.display())),
            },
            _ => {
                let problem = "a policy is a path or a mapping".to_owned();
                self.tell(path, problem);
                return None;
            }
        };
        match CasePolicy::new(value, name) {
            Ok(policy) => Some(Arc::new(policy)),
            Err(problems) => {
                for problem in problems {
                    self.tell(path, format!("the policy is refused: {problem}"));
                }
                None
            }
        }
    }

    /// The policy of a file, with all layers below it.
    fn named_policy(&mut self, path: &str, named: &Path) -> Option<Value> {
        let checked = match LayeredPolicy::read(named) {
            Ok(layered) => layered.check(None),
            Err(error) => {
                let cause = std::error::Error::source(&error);
                let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
                self.tell(path, format!("{error}{cause}"));
                return None;
            }
        };
        let layers = checked.layers.iter();
        self.files
            .extend(layers.map(|layer| PathBuf::from(&layer.file)));
        if checked.policy.is_some() {
            return serde_json::from_str(&checked.json).ok();
        }
        for Problem {
            file,
            at,
            diagnostic,
        } in checked.problems
        {
            if diagnostic.severity == Severity::Error {
                let line = at.unwrap_or_default().line;
                self.tell(
                    path,
                    format!("the policy is refused: {file}:{line}: {diagnostic}"),
                );
            }
        }
        None
    }

    fn duration(&mut self, path: &str, text: &str) -> Option<Duration> {
        let read = parse_duration(text);
        if read.is_none() {
            let help = "write a number and ms, s, m, h or d, e.g. 90s or 1h30m";
            self.tell(path, format!("`{text}` is no duration; {help}"));
        }
        read
    }

    fn right<T>(&mut self, path: &str, read: Result<T, Wrong>) -> Option<T> {
        match read {
            Ok(right) => Some(right),
            Err((place, problem)) => {
                self.tell(&format!("{path}.{place}"), problem);
                None
            }
        }
    }

    fn typed<T: DeserializeOwned>(&mut self, value: &Value, path: &str) -> Option<T> {
        match serde_path_to_error::deserialize(value) {
            Ok(typed) => Some(typed),
            Err(error) => {
                let inner = match error.path().to_string() {
                    inner if inner == "." => String::new(),
                    inner if path.is_empty() => inner,
                    inner => format!(".{inner}"),
                };
                let path = format!("{path}{inner}");
                let problem = error.into_inner().to_string();
                // An unknown key is at its own place, not at its mapping's.
                let unknown = problem
                    .strip_prefix("unknown field `")
                    .and_then(|rest| rest.split_once('`'))
                    .map(|(name, _)| name);
                let path = match unknown {
                    Some(name) if !path.ends_with(name) => format!("{path}.{name}"),
                    _ => path,
                };
                self.tell(&path, problem);
                None
            }
        }
    }

    fn line(&self, path: &str) -> usize {
        self.document
            .as_ref()
            .map_or(1, |document| document.position(path).line)
    }

    fn tell(&mut self, path: &str, problem: String) {
        let at = self
            .document
            .as_ref()
            .map(|document| document.position(path))
            .unwrap_or_default();
        let place = if path.is_empty() {
            String::new()
        } else {
            format!("{}: ", path.trim_start_matches('.'))
        };
        let file = self.file.display();
        let (line, column) = (at.line.max(1), at.column.max(1));
        self.mistakes
            .push(format!("{file}:{line}:{column}: {place}{problem}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{apiVersion: weir/v1, kind: Policy, metadata: {name: p, version: "1", owner: o}, identity: {account: [{header: x-a}]}, capabilities: {}, tiers: [{name: all}], rollout: {mode: enforce}}"#;

    fn cases(text: &str) -> Result<Vec<Case>, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.yaml");
        std::fs::write(&file, format!("policy: {POLICY}\n{text}")).unwrap();
        let prefix = format!("{}:", file.display());
        read(&[file], &mut BTreeSet::new()).map_err(|Mistakes(all)| {
            let without = |mistake: &String| mistake.strip_prefix(&prefix).unwrap().to_owned();
            all.iter().map(without).collect()
        })
    }

    #[test]
    fn a_case_has_the_policy_of_its_file_with_what_is_different() {
        let text = "cases:\n- name: a\n  policy: {rollout: {mode: shadow}}\n  phases:\n  - {send: {}, expect: {status: 200}}\n  - policy: {rollout: {mode: enforce}}\n";

        let cases = cases(text).unwrap();

        assert_eq!(cases[0].base.value["rollout"]["mode"], "enforce");
        assert_eq!(cases[0].policy.value["rollout"]["mode"], "shadow");
        assert_eq!((cases[0].line, cases[0].phases[1].line), (3, 7));
        let Step::Policy(last) = &cases[0].phases[1].step else {
            panic!("{:?}", cases[0].phases[1]);
        };
        assert_eq!(last.value, cases[0].base.value);
    }

    #[test]
    fn what_a_file_has_different_is_under_every_case_and_requests_may_stay_under_way() {
        let text = "patch: {rollout: {mode: shadow}}\ncases:\n- name: a\n  policy: {metadata: {version: \"2\"}}\n  phases:\n  - {send: {}, answer: {never: true}, repeat: 3}\n  - {send: {}, expect: {mode: shadow}}\n";

        let cases = cases(text).unwrap();

        let policy = &cases[0].policy.value;
        assert_eq!(policy["rollout"]["mode"], "shadow");
        assert_eq!(policy["metadata"]["version"], "2");
        assert_eq!(cases[0].base.value["rollout"]["mode"], "enforce");
        assert!(matches!(
            cases[0].phases[0].step,
            Step::Hold { times: 3, .. }
        ));
    }

    #[test]
    fn all_mistakes_of_a_file_are_told_with_their_places() {
        let text = "\
cases:
- name: a
  start: yesterday
  phases: []
- name: b
  phases:
  - {send: {}, wait: 1s}
  - {answer: {}}
  - {send: {headers: {x: [1]}}}
  - {send: {}, repeat: 0}
  - {wait: 1s, expect: {action: allow}}
  - {}
  - {send: {}, expect: {actoin: allow}}
- name: c
  phases: [{send: {}}]
- {name: d, phases: [{send: {}, expect: {status: 200}}], policy: {rollout: {mode: loud}}}
- {name: e, phases: [{send: {}, expect: {status: 200}}]}
- {name: e, phases: [{send: {}, expect: {status: 200}}]}
- name: f
  phases:
  - {send: {}, answer: {never: true}, expect: {status: 200}}
  - {send: {}, answer: {never: true, status: 500}}
";

        let mistakes = cases(text).unwrap_err();

        let expected = [
            "4:3: cases[0].start: `yesterday` is no point in time",
            "8:5: cases[1].phases[0]: a phase is one of",
            "9:5: cases[1].phases[1]: `answer`, `repeat` and `every` say more",
            "10:23: cases[1].phases[2].send.headers.x: [1] is no header",
            "11:16: cases[1].phases[3].repeat: 0 requests",
            "12:16: cases[1].phases[4].expect: no exchange comes",
            "13:5: cases[1].phases[5]: the phase does nothing",
            "14:25: cases[1].phases[6].expect.actoin: unknown field",
            "15:3: cases[2]: the case expects nothing",
            "17:58: cases[3].policy: the policy is refused: error P",
            "19:4: cases[5].name: another case of this file is named `e` too",
            "22:39: cases[6].phases[0].expect: no exchange comes",
            "23:25: cases[6].phases[1].answer.never: an upstream that never answers",
        ];
        for (mistake, expected) in mistakes.iter().zip(expected) {
            assert!(mistake.starts_with(expected), "{mistake}, not {expected}");
        }
        assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    }

    #[test]
    fn files_that_hold_no_cases_say_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.yaml");
        std::fs::write(&file, "name: scenario\nsteps: []\n").unwrap();

        let told = |path: PathBuf| {
            let read = read(&[path], &mut BTreeSet::new());
            read.unwrap_err().to_string()
        };

        assert!(told(file).contains("scenarios need --plugin"));
        assert!(told(folder.path().join("none")).contains("cannot read"));
        let empty = tempfile::tempdir().unwrap();
        assert!(told(empty.path().to_owned()).contains("holds no cases"));
    }

    #[test]
    fn a_file_is_read_with_the_files_that_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("deep")).unwrap();
        std::fs::write(path("p.yml"), POLICY).unwrap();
        let text =
            "policy: ../p.yml\ncases: [{name: a, phases: [{send: {}, expect: {status: 200}}]}]\n";
        std::fs::write(path("deep/c.yaml"), text).unwrap();
        let mut files = BTreeSet::new();

        let cases = read(&[folder.path().to_owned()], &mut files).unwrap();

        assert_eq!(cases.len(), 1);
        assert_eq!(
            files,
            BTreeSet::from([path("deep/c.yaml"), path("deep/../p.yml")])
        );
    }

    #[test]
    fn a_policy_in_layers_is_tested_as_what_its_layers_make() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("base.yml"), POLICY).unwrap();
        let overlay = "{apiVersion: weir/v1, kind: Overlay, metadata: {name: o, version: \"1\", owner: t}, extends: base.yml, rollout: {mode: shadow}}";
        std::fs::write(path("overlay.yml"), overlay).unwrap();
        let text = "policy: overlay.yml\ncases: [{name: a, phases: [{send: {}, expect: {status: 200}}]}]\n";
        std::fs::write(path("c.yaml"), text).unwrap();
        let mut files = BTreeSet::new();

        let cases = read(&[path("c.yaml")], &mut files).unwrap();

        assert_eq!(cases[0].policy.value["kind"], "Policy");
        assert_eq!(cases[0].policy.value["rollout"]["mode"], "shadow");
        assert!(files.contains(&path("base.yml")), "{files:?}");
    }
}
