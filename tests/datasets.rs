//! Datasets: cut off at any moment, the same from any number of threads, read back as what exploring would have been.
//! Read first: [`forethought::dataset`].

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use forethought::{
    dataset::{CollectOptions, CollectOutcome, DataFormat, collect, read_experience},
    experience::{self, ExperienceOptions},
    progress::Progress,
    setup::{Setup, SetupOptions},
    stop::Stop,
};
use forethought_mind::actor::planners::PlannerName;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// What must be the same, however it came about.
const FILES: [&str; 4] = ["trajectories.parquet", "trajectories.h5", "episodes.jsonl", "summary.json"];
const BOTH: [&str; 2] = ["--format", "parquet,hdf5"];

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forethought"));
    command.args(arguments).current_dir(ROOT).env_remove("RUST_LOG");
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON object on the last line of stdout, of a command that went well.
fn json(arguments: &[&str]) -> Value {
    let output = command(&[arguments, &["--json"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap()
}

/// What a command says that is refused for its input.
fn refused(arguments: &[&str]) -> String {
    let output = command(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
    stderr(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn assert_same(one: &Path, other: &Path) {
    for file in FILES {
        assert!(fs::read(one.join(file)).unwrap() == fs::read(other.join(file)).unwrap(), "{file} differs");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn episodes_are_those_of_a_batch_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let run = ["two_rooms", "--seed", "9", "--episodes", "5", "--first", "3", "--set", "episode.max_steps=40"];
    let [one, three] = ["1", "3"].map(|jobs| {
        let out = folder.path().join(jobs);
        let extra = ["--frames", "24x16", "--jobs", jobs, "--out", text(&out)];
        (json(&[&["collect"][..], &run, &BOTH, &extra].concat()), out)
    });
    assert_same(&one.1, &three.1);
    assert_eq!(one.0["digest"], three.0["digest"]);
    assert_eq!(names(&one.1).len(), 6, "nothing is left over: {:?}", names(&one.1));
    let batch = folder.path().join("batch");
    json(&[&["batch"][..], &run, &["--out", text(&batch)]].concat());
    let lines = |folder: &Path| -> Vec<Value> {
        let text = fs::read_to_string(folder.join("episodes.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let told = |lines: Vec<Value>| -> Vec<Value> {
        let keys = ["episode", "seed", "outcome", "steps", "digest", "factors"];
        lines.iter().map(|line| keys.iter().map(|key| line[key].clone()).collect()).collect()
    };
    assert_eq!(told(lines(&one.1)), told(lines(&batch)));
    let rows: u64 = lines(&one.1).iter().map(|line| line["steps"].as_u64().unwrap() + 1).sum();
    assert_eq!(one.0["rows"], rows);
}

/// Wait until a command that is under way has kept something.
fn wait_for(file: &Path, bytes: u64) {
    for _ in 0..2000 {
        if fs::metadata(file).is_ok_and(|file| file.len() > bytes) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{} never has {bytes} bytes", file.display());
}

#[test]
fn what_was_killed_goes_on_to_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    let of = |out: &Path| -> Vec<String> {
        let fixed = ["collect", "two_rooms", "--actor", "random", "--seed", "4", "--episodes", "60", "--jobs", "2"];
        let all = [&fixed[..], &BOTH, &["--resume", "--out", text(out)]].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    let words = of(&whole);
    json(&words.iter().map(String::as_str).collect::<Vec<_>>());

    let words = of(&cut);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let spool = cut.join("collected.spool");
    for signal in ["-KILL", "-INT"] {
        let there = fs::metadata(&spool).map_or(0, |file| file.len());
        let mut running = command(&words).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        wait_for(&spool, there);
        let killed = Command::new("kill").args([signal, &running.id().to_string()]).status().unwrap();
        assert!(killed.success());
        running.wait().unwrap();
    }
    assert!(!cut.join("summary.json").exists(), "it was to be cut off before its end");
    let unfinished =
        refused(&["train", "two_rooms", "--data", text(&cut), "--out", text(&folder.path().join("m.safetensors"))]);
    assert!(unfinished.contains("--resume"), "{unfinished}");
    // Half of the last record, as a power cut may leave it.
    let bytes = fs::read(&spool).unwrap();
    fs::write(&spool, &bytes[..bytes.len() - 100]).unwrap();
    json(&words);
    assert_same(&whole, &cut);
    // Once more, there is nothing left to do.
    json(&words);
    assert_same(&whole, &cut);
    let other = ["collect", "two_rooms", "--actor", "random", "--seed", "5", "--episodes", "60", "--first", "2"];
    let other = refused(&[&other[..], &BOTH, &["--resume", "--out", text(&cut)]].concat());
    assert!(other.contains("its seed is 4, not 5; its first episode is 0, not 2"), "{other}");
    let without = refused(&["collect", "two_rooms", "--out", text(&cut)]);
    assert!(without.contains("not empty"), "{without}");
}

fn explorer(scenario: &str, seed: u64) -> Arc<Setup> {
    let file = Path::new(ROOT).join("scenarios").join(scenario).with_extension("ron");
    let options = SetupOptions { seed, actor: Some(PlannerName::Random), ..SetupOptions::default() };
    Arc::new(Setup::load(&file, &options).unwrap())
}

/// A floor plan, memory of what is out of sight, things that move, several agents.
#[test]
fn what_was_collected_is_what_exploring_would_have_been() {
    for scenario in ["two_rooms", "maze", "way_home", "fork", "crowd", "foraging"] {
        let folder = tempfile::tempdir().unwrap();
        let setup = explorer(scenario, 11);
        let (episodes, steps) = (3, 25);
        let exploring = ExperienceOptions { episodes, steps, jobs: 2 };
        let explored =
            experience::collect(&setup, &exploring, &Stop::default(), Progress::begin("", 3)).unwrap().unwrap();
        for format in DataFormat::ALL {
            let out: PathBuf = folder.path().join(format.as_str());
            let options = CollectOptions {
                first: 0,
                episodes,
                jobs: 2,
                out: out.clone(),
                resume: false,
                explore: Some(steps),
                frames: None,
                formats: vec![format],
            };
            let outcome = collect(&setup, &options, &Stop::default(), &mut |_, _| Ok(())).unwrap();
            let CollectOutcome::Finished(summary) = outcome else { panic!("nobody stopped it") };
            assert_eq!(summary.trajectories, explored.episodes.len() as u64);
            let (card, read) = read_experience(&out, std::slice::from_ref(&setup)).unwrap();
            assert_eq!(card.explores, Some(steps));
            assert!(read == explored, "{scenario} as {format}");
        }
    }
}

#[test]
fn a_model_from_a_dataset_is_the_model_from_exploring() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let run = ["two_rooms", "--seed", "5", "--jobs", "2"];
    let learning = ["--updates", "20", "--lives", "0"];
    json(&[&["train"][..], &run, &learning, &["--episodes", "6", "--out", text(&at("explored.safetensors"))]].concat());
    json(&[&["collect"][..], &run, &["--explore", "--episodes", "6", "--out", text(&at("data"))]].concat());
    let events = at("events");
    let read = ["--data", text(&at("data")), "--out", text(&at("read.safetensors")), "--tensorboard", text(&events)]
        .map(str::to_owned);
    let read: Vec<&str> = read.iter().map(String::as_str).collect();
    json(&[&["train"][..], &run, &learning, &read].concat());
    assert!(fs::read(at("explored.safetensors")).unwrap() == fs::read(at("read.safetensors")).unwrap());
    assert!(names(&events).iter().all(|name| name.starts_with("events.out.tfevents.")) && names(&events).len() == 2);
}

#[test]
fn what_is_no_dataset_for_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (data, model) = (folder.path().join("data"), folder.path().join("m.safetensors"));
    json(&[&["collect", "two_rooms", "--explore", "--episodes", "2", "--out", text(&data)][..], &BOTH].concat());
    let train =
        |scenario: &str, data: &Path| refused(&["train", scenario, "--data", text(data), "--out", text(&model)]);
    let other = train("foraging", &data);
    assert!(other.contains("no dataset for the scenario foraging") && other.contains("lidar.range_m"), "{other}");
    let none = train("two_rooms", folder.path());
    assert!(none.contains("no manifest.json") && none.contains("forethought collect"), "{none}");

    // Cut short anywhere, something else, or not there.
    for (file, formats) in [("trajectories.parquet", r#"["parquet"]"#), ("trajectories.h5", r#"["hdf5"]"#)] {
        let copy = folder.path().join(format!("{file}.copy"));
        fs::create_dir(&copy).unwrap();
        for name in names(&data) {
            fs::copy(data.join(&name), copy.join(&name)).unwrap();
        }
        let card = fs::read_to_string(data.join("manifest.json")).unwrap();
        let mut card: Value = serde_json::from_str(&card).unwrap();
        card["formats"] = serde_json::from_str(formats).unwrap();
        fs::write(copy.join("manifest.json"), card.to_string()).unwrap();
        let bytes = fs::read(data.join(file)).unwrap();
        for end in [0, 7, bytes.len() / 2, bytes.len() - 1] {
            fs::write(copy.join(file), &bytes[..end]).unwrap();
            let said = train("two_rooms", &copy);
            assert!(said.contains(file) && said.contains("damaged"), "{file} cut at {end}: {said}");
        }
        fs::write(copy.join(file), b"something else altogether").unwrap();
        assert!(train("two_rooms", &copy).contains("damaged"));
        fs::remove_file(copy.join(file)).unwrap();
        assert!(train("two_rooms", &copy).contains("it is not there, and was"));
    }
}
