//! How cost grows, and where a control step's time goes: measured on one thread (but for the threads), fitted by power laws,
//! drawn into `docs/scaling.svg` and written into BENCHMARKS.md between its markers.
//! `cargo bench -p forethought --no-default-features --bench scaling`; `-- --out FOLDER` writes into another folder's
//! BENCHMARKS.md. Read first: [`main`].

#![allow(
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    missing_docs,
    reason = "a bench may panic and talk, and counts are small"
)]

mod growth;
mod measure;
mod picture;
mod profile;
mod report;
#[path = "../../../forethought-world/benches/scene/mod.rs"]
mod scene;
mod unrolling;
#[path = "../../../forethought-mind/benches/workload/mod.rs"]
mod workload;

use growth::{SWEEPS, Speedup, Sweep};
use indicatif::{ProgressBar, ProgressStyle};
use measure::{Effort, check_fit};
use profile::{Profile, Rounds, profile};
use report::{Files, profile_text, render, speedup_text, splice, sweep_text};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Everything that is measured.
struct Results {
    sweeps: Vec<Sweep>,
    speedups: Vec<Speedup>,
    profile: Profile,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |flag: &str| arguments.iter().position(|argument| argument == flag);
    // Cargo says `--bench` where it is to be measured; `cargo test` does not.
    if given("--bench").is_none() || given("--test").is_some() {
        trial();
        return ExitCode::SUCCESS;
    }
    let root = match given("--out").map(|at| arguments.get(at + 1)) {
        None => Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace").to_owned(),
        Some(Some(folder)) => PathBuf::from(folder),
        Some(None) => {
            eprintln!("error: --out needs a folder with a BENCHMARKS.md");
            return ExitCode::FAILURE;
        }
    };
    match measured(&Files::under(&root), &root) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything once, as small as can be; writes nothing.
fn trial() {
    check_fit();
    let results = run(Effort::TRIAL, Rounds::TRIAL, &ProgressBar::hidden(), &|_| {});
    let text = render(&results.sweeps, &results.speedups, &results.profile, Path::new("."));
    let svg = picture::draw(&results.sweeps, &results.speedups, &results.profile).expect("it can be drawn");
    assert!(text.contains("Exponent") && svg.ends_with("</svg>\n"), "nothing was written");
    println!("scaling: everything runs");
}

fn measured(files: &Files, root: &Path) -> Result<(), String> {
    if let Err(error) = splice(&files.table, "") {
        eprintln!("warning: {error}; the result will be printed, not written");
    }
    let (effort, rounds) = (Effort::FULL, Rounds::FULL);
    let moves = (SWEEPS + Speedup::STARTS.len()) * effort.passes;
    let bar = ProgressBar::new(moves as u64 + profile::moves(rounds));
    bar.set_style(ProgressStyle::with_template("{bar:40} {percent}%, {elapsed}, {eta} to go").expect("a template"));
    let results = run(effort, rounds, &bar, &|text| bar.suspend(|| println!("{text}")));
    bar.finish_and_clear();
    let text = render(&results.sweeps, &results.speedups, &results.profile, root);
    let svg = picture::draw(&results.sweeps, &results.speedups, &results.profile)
        .map_err(|error| format!("cannot draw {}: {error}", files.picture.display()))?;
    files.write(&text, &svg)?;
    println!("wrote {} and {}", files.table.display(), files.picture.display());
    Ok(())
}

/// Measure, and show each result as it comes.
fn run(effort: Effort, rounds: Rounds, bar: &ProgressBar, show: &(dyn Fn(&str) + Sync)) -> Results {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread starts");
    let profile = alone.install(|| profile(rounds, bar));
    show(&profile_text(&profile));
    let sweeps = alone.install(|| Sweep::all(effort, bar, &|sweep| show(&sweep_text(sweep))));
    let speedups = Speedup::all(effort, bar, &|speedup| show(&speedup_text(speedup)));
    Results { sweeps, speedups, profile }
}
