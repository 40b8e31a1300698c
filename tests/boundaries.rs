//! Dependencies point one way: interface <- {energy <- mind, world <- view} <- forethought. Read first: [`tree`].

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{collections::BTreeSet, process::Command};

/// The names of all packages that `package` is built from, when it is built alone.
fn tree(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package", package])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names: BTreeSet<String> = text.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect();
    assert!(names.contains(package), "{names:?}");
    names
}

/// `package` is built without any package whose name begins with one of these.
fn assert_without(package: &str, forbidden: &[&str]) {
    let found: Vec<String> =
        tree(package).into_iter().filter(|name| forbidden.iter().any(|start| name.starts_with(start))).collect();
    assert!(found.is_empty(), "{package} must not depend on {found:?}");
}

#[test]
fn the_interface_knows_neither_engine_nor_tensors() {
    let siblings = ["forethought-energy", "forethought-mind", "forethought-world", "forethought-view"];
    assert_without("forethought-interface", &[&["bevy", "rapier", "dfdx", "wgpu", "winit"][..], &siblings].concat());
}

#[test]
fn energy_and_mind_know_no_engine() {
    for package in ["forethought-energy", "forethought-mind"] {
        assert_without(package, &["bevy", "rapier", "wgpu", "winit", "forethought-world", "forethought-view"]);
    }
}

#[test]
fn the_world_neither_learns_nor_draws() {
    let forbidden =
        ["dfdx", "bevy_render", "wgpu", "winit", "forethought-mind", "forethought-energy", "forethought-view"];
    assert_without("forethought-world", &forbidden);
}

#[test]
fn the_view_does_not_think() {
    assert_without("forethought-view", &["dfdx", "rapier", "forethought-mind", "forethought-world"]);
}

#[test]
fn the_python_package_opens_no_window() {
    assert_without("forethought-python", &["forethought-view", "wgpu", "winit", "bevy_render"]);
}
