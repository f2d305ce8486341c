//! What an Envoy is started with, and where its binary is found.
use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that one start of Envoy depends on. Ports are not among it: the system chooses them.
#[derive(Clone, Debug)]
pub struct EnvoyOptions {
    /// The Envoy binary, 1.40 or later with the V8 runtime.
    pub binary: PathBuf,
    /// The plugin.
    pub wasm: PathBuf,
    /// The policy as the plugin gets it, byte for byte.
    pub policy_json: String,
    /// The LLM API behind the proxy.
    pub upstream: SocketAddr,
    /// Worker threads, each with its own VM. Default 2.
    pub workers: u32,
    /// Whether the plugin is there at all. Default true; false for what the same Envoy does without it.
    pub plugin: bool,
    /// Lets the plugin hold the request head until it has read the body. Default true; false for testing without.
    pub allow_on_headers_stop_iteration: bool,
    /// Bytes of one request body that Envoy holds; longer is answered with 413. Raised to 65,535. Default 16 MiB, four times the shipped policy's cap.
    pub buffer_limit_bytes: u32,
    /// Proxies in front that may be believed about `x-forwarded-for`. Default 1, as in a deployment behind a
    /// gateway that authenticates.
    pub trusted_hops: u32,
    /// How long connections that began under an old policy may finish what they stream. Default 30 s, whole seconds.
    pub drain_time: Duration,
    /// How long Envoy may take until it serves, and for one reload. Compiling the plugin is most of it. Default 60 s.
    pub patience: Duration,
    /// Where configuration and logs go and stay. None: a temporary directory, removed with the `Envoy`.
    pub dir: Option<PathBuf>,
}

impl EnvoyOptions {
    /// Options with the defaults that the fields name.
    pub fn new(
        binary: impl Into<PathBuf>,
        wasm: impl Into<PathBuf>,
        policy_json: impl Into<String>,
        upstream: SocketAddr,
    ) -> Self {
        Self {
            binary: binary.into(),
            wasm: wasm.into(),
            policy_json: policy_json.into(),
            upstream,
            workers: 2,
            plugin: true,
            allow_on_headers_stop_iteration: true,
            buffer_limit_bytes: 16 * 1024 * 1024,
            trusted_hops: 1,
            drain_time: Duration::from_secs(30),
            patience: Duration::from_secs(60),
            dir: None,
        }
    }
}

/// There is no Envoy to start. Not an error of anyone: tests are skipped with this as the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BinaryNotFound {
    /// `ENVOY` is set, to something that is not there: a mistake to tell, not a reason to skip.
    #[error("ENVOY names {}, which is not a file; correct or unset it", .0.display())]
    Override(PathBuf),
    /// Nobody provided one.
    #[error("there is no {}; `cargo xtask envoy` gets it, or set ENVOY to an Envoy 1.40 binary", .0.display())]
    Absent(PathBuf),
}

/// The Envoy binary: what `ENVOY` names, else `target/envoy` under the workspace `root`.
///
/// # Errors
/// [`BinaryNotFound`], the caller's environment.
pub fn find_binary(root: &Path) -> Result<PathBuf, BinaryNotFound> {
    find_binary_in(root, env::var_os("ENVOY").map(PathBuf::from))
}

fn find_binary_in(root: &Path, named: Option<PathBuf>) -> Result<PathBuf, BinaryNotFound> {
    match named.filter(|path| !path.as_os_str().is_empty()) {
        Some(path) if path.is_file() => Ok(path),
        Some(path) => Err(BinaryNotFound::Override(path)),
        None => {
            let path = root.join("target/envoy");
            if path.is_file() {
                Ok(path)
            } else {
                Err(BinaryNotFound::Absent(path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_named_by_the_environment_goes_before_the_workspaces() {
        let dir = tempfile::tempdir().unwrap();
        let named = dir.path().join("mine");
        std::fs::create_dir(dir.path().join("target")).unwrap();
        std::fs::write(dir.path().join("target/envoy"), "").unwrap();
        std::fs::write(&named, "").unwrap();

        assert_eq!(find_binary_in(dir.path(), Some(named.clone())), Ok(named));
        assert_eq!(
            find_binary_in(dir.path(), None),
            Ok(dir.path().join("target/envoy"))
        );
    }

    #[test]
    fn a_wrong_name_in_the_environment_is_told_and_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");

        assert_eq!(
            find_binary_in(dir.path(), Some(missing.clone())),
            Err(BinaryNotFound::Override(missing))
        );
        assert!(
            find_binary_in(dir.path(), None)
                .unwrap_err()
                .to_string()
                .contains("cargo xtask envoy")
        );
    }
}
