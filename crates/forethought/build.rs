//! Tells the program which commit it was built from and which libraries its results depend on; without git or a lock file, nothing.

use std::{fs, path::Path, process::Command};

/// What physics, control steps and training are made of.
const LIBRARIES: [&str; 6] = ["bevy_ecs", "bevy_rapier2d", "dfdx", "gemm", "rand_chacha", "rapier2d"];

fn main() {
    // Not each change of a source: what is not committed yet is told apart by a hash of the program.
    let head = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists());
    for file in ["build.rs".to_owned(), "../../Cargo.lock".to_owned()].into_iter().chain(head) {
        println!("cargo::rerun-if-changed={file}");
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        println!("cargo::rustc-env=FORETHOUGHT_COMMIT={commit}");
    }
    println!("cargo::rustc-env=FORETHOUGHT_LIBRARIES={}", libraries().join(" "));
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

/// `name=version` for each of them that is locked.
fn libraries() -> Vec<String> {
    let lock = fs::read_to_string("../../Cargo.lock").unwrap_or_default();
    let packages = lock.split("[[package]]");
    let field = |package: &str, name: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ").map(str::to_owned))?;
        Some(line.trim_matches('"').to_owned())
    };
    let named = packages.filter_map(|package| Some((field(package, "name")?, field(package, "version")?)));
    named
        .filter(|(name, _)| LIBRARIES.contains(&name.as_str()))
        .map(|(name, version)| format!("{name}={version}"))
        .collect()
}
