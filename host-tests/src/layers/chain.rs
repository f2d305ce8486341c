//! Which files a policy is made of.
use super::problem::Problems;
use crate::policy_file::{PolicyFile, PolicyFileError};
use crate::yaml::Position;
use serde_json::Value;
use std::path::{Path, PathBuf};
use weir_engine::policy::Code;

/// Most layers that one policy is merged of.
pub const MAX_LAYERS: usize = 8;

/// The layers that `top` stands on, and itself; base first. False where one of them is missing: then there is
/// nothing to merge.
pub(super) fn load(
    top: PolicyFile,
    folder: Option<&Path>,
    problems: &mut Problems,
) -> (Vec<PolicyFile>, bool) {
    let mut seen: Vec<PathBuf> = folder
        .and_then(|folder| {
            let name = Path::new(&top.name).file_name()?;
            folder.join(name).canonicalize().ok()
        })
        .into_iter()
        .collect();
    let mut folder = folder.map(Path::to_path_buf);
    let mut layers = vec![top];
    let is_whole = loop {
        let Some(above) = layers.last() else {
            break false;
        };
        if kind(above) != Some("Overlay") {
            break is_base(above, layers.len() > 1, problems);
        }
        check_version(above, problems);
        let Some((path, at)) = extends(above, folder.as_deref(), problems) else {
            break false;
        };
        if layers.len() == MAX_LAYERS {
            let message = format!("more than {MAX_LAYERS} layers");
            let help = "merge some of them into one file";
            let code = Code::TooManyLayers;
            problems.error(code, &above.name, Some(at), "extends", message, help);
            break false;
        }
        let missing = |why: &dyn std::fmt::Display, problems: &mut Problems| {
            let message = format!("cannot read {}: {why}", path.display());
            let help =
                "write the path of a Policy or an Overlay, relative to the folder of this file";
            problems.error(
                Code::NoBase,
                &above.name,
                Some(at),
                "extends",
                message,
                help,
            );
        };
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) => {
                missing(&error, problems);
                break false;
            }
        };
        if seen.contains(&real) {
            let names = layers.iter().map(|layer| layer.name.as_str());
            let circle: Vec<&str> = names.chain([path.to_str().unwrap_or_default()]).collect();
            let message = format!("the layers form a circle: {}", circle.join(" -> "));
            let help = "let the lowest of them be a Policy, without `extends`";
            let code = Code::CyclicLayers;
            problems.error(code, &above.name, Some(at), "extends", message, help);
            break false;
        }
        // A pipe would be waited for.
        if !real.is_file() {
            missing(&"it is no regular file", problems);
            break false;
        }
        match PolicyFile::open(&path) {
            Ok(layer) => {
                seen.push(real);
                folder = path.parent().map(Path::to_path_buf);
                layers.push(layer);
            }
            Err(PolicyFileError::Read { source, .. }) => {
                missing(&source, problems);
                break false;
            }
            Err(PolicyFileError::Document { name, error }) => {
                problems.of_document(&name, &error);
                break false;
            }
        }
    };
    layers.reverse();
    (layers, is_whole)
}

fn kind(layer: &PolicyFile) -> Option<&str> {
    layer.value.get("kind").and_then(Value::as_str)
}

fn position(layer: &PolicyFile, path: &str) -> Position {
    let (line, column) = layer.position(path);
    Position { line, column }
}

/// Whether the lowest layer is what others can stand on; one that stands alone is the engine's to judge.
fn is_base(layer: &PolicyFile, is_extended: bool, problems: &mut Problems) -> bool {
    let fits = !is_extended || kind(layer) == Some("Policy");
    if !fits {
        let at = Some(position(layer, "kind"));
        let message = "overlays stand on a Policy or on another Overlay";
        let help = "write `kind: Policy` or `kind: Overlay`, or extend another file";
        problems.error(
            Code::UnsupportedVersion,
            &layer.name,
            at,
            "kind",
            message,
            help,
        );
    }
    fits
}

fn check_version(layer: &PolicyFile, problems: &mut Problems) {
    let given = layer.value.get("apiVersion");
    if given.and_then(Value::as_str) != Some("weir/v1") {
        let code = given.map_or(Code::MissingKey, |_| Code::UnsupportedVersion);
        let message = given.map_or(
            "`apiVersion` is missing",
            |_| "this version is not supported",
        );
        let at = Some(position(layer, "apiVersion"));
        let help = "write `apiVersion: weir/v1`";
        problems.error(code, &layer.name, at, "apiVersion", message, help);
    }
}

/// What an overlay stands on, and where it says so.
fn extends(
    layer: &PolicyFile,
    folder: Option<&Path>,
    problems: &mut Problems,
) -> Option<(PathBuf, Position)> {
    let at = position(layer, "extends");
    let mut error = |code, message: &str, help| {
        problems.error(code, &layer.name, Some(at), "extends", message, help);
        None
    };
    let help = "write what it stands on: `extends: ../base.yaml`";
    let Some(given) = layer.value.get("extends") else {
        return error(Code::MissingKey, "`extends` is missing", help);
    };
    let Some(text) = given
        .as_str()
        .filter(|text| !text.is_empty() && !text.contains('\0'))
    else {
        return error(Code::WrongValue, "it is no path of a file", help);
    };
    let path = Path::new(text);
    match folder {
        Some(folder) => Some((folder.join(path), at)),
        None if path.is_absolute() => Some((path.to_path_buf(), at)),
        None => error(
            Code::NoPlace,
            "the overlay is read from standard input, so nothing is relative to it",
            "write the whole path, or give the overlay as a file",
        ),
    }
}
