//! Writes what the fuzzers begin with: `fuzz-seeds DIRECTORY` makes a folder for each target in it.
use anyhow::{Context, Result};
use std::path::PathBuf;
use weir_fuzz::seeds;

fn main() -> Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .context("usage: fuzz-seeds DIRECTORY")?;
    let targets = [
        ("facts", seeds::facts()),
        ("shaper", seeds::shaper()?),
        ("attestation", seeds::attestation()),
    ];
    for (target, inputs) in targets {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        for (index, input) in inputs.iter().enumerate() {
            let path = folder.join(format!("{index:03}"));
            std::fs::write(&path, input)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}
