//! `docs/walkthrough.md`, done: its files written, its commands run, its configurations applied to a real Envoy while
//! traffic flows. What the page shows has to come; nothing that a client sends may fail.
#![expect(
    clippy::unwrap_used,
    reason = "what tests are built of fails as they do, by panicking"
)]

#[path = "walkthrough/page.rs"]
mod page;
#[path = "walkthrough/traffic.rs"]
mod traffic;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use page::{Block, Page};
use traffic::Traffic;
use weir_envoy::mock::Mock;
use weir_envoy::{Envoy, EnvoyOptions, ReloadOutcome, find_binary};

/// How long anything may take that happens at once on an idle machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is in front of the traffic before the page's first configuration.
const NOTHING_YET: &str = r#"{"apiVersion":"weir/v1","kind":"Policy","metadata":{"name":"nothing-yet","version":"0","owner":"tests"},
    "identity":{"account":[{"header":"x-account-id"}]},"tiers":[{"name":"everybody"}],"rollout":{"mode":"shadow"}}"#;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Envoy and the plugin, or why the test is left out, said past the harness's capture so that it is counted.
fn programs() -> Option<(PathBuf, PathBuf)> {
    let skip = |reason: String| {
        let _ = writeln!(std::io::stderr(), "skipped: walkthrough: {reason}");
    };
    let wasm = std::env::var_os("WEIR_WASM")
        .map_or_else(|| repository().join("target/weir.wasm"), PathBuf::from);
    let envoy = match find_binary(&repository()) {
        Ok(envoy) => envoy,
        Err(reason) => {
            skip(reason.to_string());
            return None;
        }
    };
    if !wasm.is_file() {
        skip(format!(
            "there is no {}; `cargo xtask wasm` builds it",
            wasm.display()
        ));
        return None;
    }
    Some((envoy, wasm))
}

/// Runs a command as the page's reader would; its status and everything that it printed.
fn run(command: &str, folder: &Path) -> (i32, String) {
    let weir = Path::new(env!("CARGO_BIN_EXE_weir")).parent().unwrap();
    let before = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        std::iter::once(weir.to_owned()).chain(std::env::split_paths(&before)),
    )
    .unwrap();
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .unwrap();
    let mut told = String::from_utf8(output.stdout).unwrap();
    told.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_walk_through_comes_out_as_it_is_told() {
    let Some((envoy, wasm)) = programs() else {
        return;
    };
    let text = std::fs::read_to_string(repository().join("docs/walkthrough.md")).unwrap();
    let page = Page::parse(&text).unwrap_or_else(|error| panic!("docs/walkthrough.md: {error}"));
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::start().await.unwrap();
    let mut options = EnvoyOptions::new(envoy, wasm, NOTHING_YET.to_owned(), mock.addr());
    options.dir = Some(folder.path().to_owned());
    options.patience = PATIENCE;
    let envoy = Envoy::start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let traffic = Traffic::start(envoy.listen_addr());
    let mut applied = 0;

    for block in &page.blocks {
        match block {
            Block::File { name, text } => std::fs::write(folder.path().join(name), text).unwrap(),
            Block::Command(command) => {
                let began = Instant::now();
                loop {
                    let (status, told) = match command.text.strip_prefix("apply ") {
                        Some(file) => {
                            let config = std::fs::read_to_string(folder.path().join(file)).unwrap();
                            applied += 1;
                            match envoy.reload(config.trim()).await.unwrap() {
                                ReloadOutcome::Accepted => (0, "accepted\n".to_owned()),
                                ReloadOutcome::Rejected { reason } => {
                                    (1, format!("refused: {reason}\n"))
                                }
                            }
                        }
                        None => run(&command.text, folder.path()),
                    };
                    let differs = command.differs(status, &told);
                    let Some(differs) = differs else { break };
                    // What a running proxy writes comes when it comes; what `weir` says is there at once.
                    let waits =
                        !command.text.starts_with("weir ") && !command.text.starts_with("apply ");
                    assert!(
                        waits && began.elapsed() < PATIENCE,
                        "line {}: {}\n{differs}\n--- it printed, with status {status}:\n{told}",
                        command.line,
                        command.text
                    );
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                if command.text.starts_with("apply ") {
                    traffic.flows(200).await;
                }
            }
        }
    }

    assert_eq!(applied, 6, "the page's stages");
    let failed = traffic.end().await;
    assert!(failed.is_empty(), "{failed:?}");
}
