//! Batches as they are used for days: cut off at any moment, on a full disk, in parts on several machines, as sweeps.
//! Read first: [`forethought`].

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use parquet::{
    file::reader::SerializedFileReader,
    record::{Field, Row},
};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forethought"));
    command.args(arguments).current_dir(ROOT).env_remove("RUST_LOG");
    command
}

/// Run the binary from the workspace's root.
fn forethought(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON object on the last line of stdout, of a command that went well.
fn json(arguments: &[&str]) -> Value {
    let output = forethought(&[arguments, &["--json"]].concat());
    assert_eq!(status(&output), 0, "{arguments:?}: {}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn lines(file: &Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const RANDOM: [&str; 4] = ["batch", "two_rooms", "--actor", "random"];

#[test]
fn a_sweep_has_a_folder_for_each_combination() {
    let folder = tempfile::tempdir().unwrap();
    let (out, file) = (folder.path().join("out"), folder.path().join("sweep.ron"));
    fs::write(
        &file,
        "(scenarios: [\"two_rooms\"], seeds: [1, 2], actors: [\"random\"], episodes: 3,
         sets: [(path: \"episode.max_steps\", values: [20, 30])])",
    )
    .unwrap();
    let report = json(&["batch", "--sweep", text(&file), "--jobs", "3", "--out", text(&out)]);
    let cells = report["batches"].as_array().unwrap();
    assert_eq!(cells.len(), 4);
    let alone = json(&[&RANDOM[..], &["--seed", "2", "--set", "episode.max_steps=30", "--episodes", "3"]].concat());
    assert_eq!((&alone["digest"], &alone["settings"]), (&cells[3]["digest"], &cells[3]["settings"]));
    let episodes = lines(&out.join("two_rooms-seed_2-max_steps_30/episodes.jsonl"));
    assert!(episodes.len() == 3 && episodes.iter().all(|episode| episode["steps"].as_u64().unwrap() <= 30));
    // What is given on the command line comes in the place of what the file says.
    let again = json(&["batch", "--sweep", text(&file), "--seeds", "2", "--set", "episode.max_steps=30"]);
    assert_eq!(again["digest"], alone["digest"]);
}

#[test]
fn what_cannot_be_set_is_told_as_check_tells_it() {
    for (set, expected) in [
        ("agents[0].actor.horizn=8", "did you mean `horizon`?"),
        ("agents[0].actor.horizon=0", "a number from 1"),
        ("agents[7].actor.horizon=4", "a list of 1"),
        ("episode.max_steps=1,2", "for `batch`"),
        ("episode.max_steps", "PATH=VALUE"),
        ("timing.physics_step_s=\"no_factor\"", "no_factor"),
    ] {
        let output = forethought(&["run", "two_rooms", "--headless", "--actor", "random", "--set", set]);
        assert_eq!(status(&output), 2, "{set}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{set}: {}", stderr(&output));
    }
}

#[test]
fn resuming_other_settings_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let run = |extra: &[&str]| {
        forethought(&[&RANDOM[..], &["--episodes", "2", "--out", text(&out), "--resume"], extra].concat())
    };
    assert_eq!(status(&run(&["--set", "episode.max_steps=20"])), 0);
    let other = run(&["--set", "episode.max_steps=21", "--seed", "3"]);
    assert_eq!(status(&other), 2);
    for expected in ["its settings is episode.max_steps=20, not episode.max_steps=21", "its seed is 0, not 3"] {
        assert!(stderr(&other).contains(expected), "{}", stderr(&other));
    }
    let manifest: Value = serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    let call = &manifest["calls"][0];
    assert_eq!(call["command"][1], "batch");
    assert!(call["machine"]["cores"].is_number() && call["libraries"]["rapier2d"].is_string(), "{manifest}");
}

#[test]
fn shards_put_together_are_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let common = [&RANDOM[..], &["--episodes", "30", "--seeds", "4,5"]].concat();
    let whole = json(&common);
    let parts = ["1", "2", "3"].map(path);
    for (part, out) in parts.iter().enumerate() {
        let shard = format!("{}/3", part + 1);
        let report = json(&[&common[..], &["--shard", &shard, "--out", text(out)]].concat());
        assert_eq!(report["batches"][0]["episodes"], 10);
    }
    let out = path("out");
    let some = forethought(&["merge", text(&out), text(&parts[2]), text(&parts[0])]);
    assert_eq!(status(&some), 1);
    assert!(stderr(&some).contains("20 episodes are missing"), "{}", stderr(&some));
    // What is missing can be merged too, or run.
    let merged = json(&["merge", text(&out), text(&parts[1]), "--resume"]);
    let digests = |report: &Value| [0, 1].map(|cell| report["batches"][cell]["digest"].clone());
    assert_eq!(digests(&merged), digests(&whole));
    let ran = json(&[&common[..], &["--out", text(&out), "--resume"]].concat());
    assert_eq!((&ran["batches"][1]["resumed"], digests(&ran)), (&30.into(), digests(&whole)));
    let other = forethought(&["merge", text(&path("other")), text(&parts[0]), text(folder.path())]);
    assert_eq!(status(&other), 2, "{}", stderr(&other));
}

#[test]
fn results_can_be_read_compared_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let run = |out: &Path, extra: &[&str]| {
        let common = ["batch", "two_rooms", "--episodes", "60", "--seed", "3", "--out", text(out)];
        json(&[&common[..], extra].concat())
    };
    run(&path("a"), &["--actor", "random"]);
    let summary = run(&path("b"), &["--mode", "mode-1"]);

    let report = fs::read_to_string(path("b").join("report.html")).unwrap();
    for expected in ["<svg", "wall_x", "95% interval", summary["digest"].as_str().unwrap(), "--mode mode-1"] {
        assert!(report.contains(expected), "no {expected}");
    }
    for foreign in ["src=", "href=", "@import", "url("] {
        assert!(!report.contains(foreign), "the page needs {foreign}");
    }
    // The first of the worst, as the report says to replay it.
    let command = &report[report.find("<code>forethought run").unwrap() + 6..];
    let words: Vec<&str> = command[..command.find("</code>").unwrap()].split(' ').skip(1).collect();
    let replayed = json(&words);
    let number = replayed["results"][0]["episode"].as_u64().unwrap();
    let episode = &lines(&path("b").join("episodes.jsonl"))[number as usize];
    assert_eq!(replayed["results"][0]["digest"], episode["digest"]);

    let table = fs::read(path("b").join("episodes.parquet")).unwrap();
    assert!(table.starts_with(b"PAR1") && table.ends_with(b"PAR1"));
    let reader = SerializedFileReader::try_from(path("b").join("episodes.parquet").as_path()).unwrap();
    let rows: Vec<Row> = reader.into_iter().map(Result::unwrap).collect();
    let field = |row: &Row, name: &str| row.get_column_iter().find(|(own, _)| *own == name).unwrap().1.clone();
    let digest = Field::Str(episode["digest"].as_str().unwrap().to_owned());
    assert_eq!((rows.len(), field(&rows[number as usize], "digest")), (60, digest));
    let wall_x = lines(&path("b").join("episodes.jsonl"))[7]["factors"]["wall_x"].as_f64().unwrap();
    assert_eq!(field(&rows[7], "factor_wall_x"), Field::Double(wall_x));
    assert_eq!(field(&rows[7], "life_steps"), Field::Null);

    let compared = json(&["compare", text(&path("a")), text(&path("b"))]);
    assert_eq!((&compared["pairs"], &compared["success"]["only_a"]), (&60.into(), &0.into()));
    assert!(compared["success"]["p_value"].as_f64().unwrap() < 1e-6, "{compared}");
    assert!(compared["success"]["ci95"][0].as_f64().unwrap() > 0.5, "{compared}");
    let other = path("c");
    json(&[&RANDOM[..], &["--episodes", "3", "--seed", "4", "--out", text(&other)]].concat());
    let strangers = forethought(&["compare", text(&path("a")), text(&other)]);
    assert_eq!(status(&strangers), 2);
    assert!(stderr(&strangers).contains("the same --seed"), "{}", stderr(&strangers));
    assert_eq!(status(&forethought(&["compare", text(&path("a")), text(folder.path())])), 2);
}

#[cfg(unix)]
mod cut_off {
    use super::*;
    use std::{process::Stdio, time::Duration};

    /// Kill the batch without warning, a while after it has begun to write, again and again; then let it come to its end.
    #[test]
    fn killed_again_and_again_it_comes_to_the_same_end() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
        let arguments = |out| [&RANDOM[..], &["--episodes", "400", "--seed", "9", "--resume", "--out", out]].concat();
        let undisturbed = json(&arguments(text(&whole)));
        let log = cut.join("episodes.jsonl");
        for (kill, wait_ms) in [0, 7, 23, 41].into_iter().enumerate() {
            let mut child =
                command(&arguments(text(&cut))).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let written = || fs::metadata(&log).map_or(0, |file| file.len());
            let before = written();
            while written() == before && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(wait_ms));
            // As `kill -9`.
            child.kill().unwrap();
            child.wait().unwrap();
            if kill == 1 {
                // A line that was not written to its end.
                let text = fs::read_to_string(&log).unwrap();
                fs::write(&log, &text[..text.len() - 30]).unwrap();
            }
        }
        let resumed = json(&arguments(text(&cut)));
        assert!(resumed["resumed"].as_u64().unwrap() > 0);
        assert_eq!((&resumed["digest"], &resumed["episodes"]), (&undisturbed["digest"], &400.into()));
        let numbers: Vec<u64> = lines(&log).iter().map(|episode| episode["episode"].as_u64().unwrap()).collect();
        assert!((0..400).eq(numbers), "each of them once");
    }

    /// A small file system of its own; none where this user may not make one.
    struct SmallDisk<'a>(&'a Path);

    impl<'a> SmallDisk<'a> {
        fn mount(at: &'a Path, options: &str) -> Option<Self> {
            let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none", text(at)]).output();
            mount.is_ok_and(|output| output.status.success()).then_some(Self(at))
        }

        fn grow(&self, size: &str) {
            let remount = format!("remount,size={size}");
            assert!(Command::new("mount").args(["-o", &remount, text(self.0)]).status().unwrap().success());
        }
    }

    impl Drop for SmallDisk<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0).status();
        }
    }

    #[test]
    fn on_a_full_disk_it_says_so_and_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let Some(disk) = SmallDisk::mount(folder.path(), "size=64k") else {
            eprintln!("skipped: this user may not mount a small file system");
            return;
        };
        let out = folder.path().join("out");
        let arguments = [&RANDOM[..], &["--episodes", "400", "--resume", "--out", text(&out)]].concat();
        let full = forethought(&arguments);
        assert_eq!(status(&full), 1);
        for expected in ["episodes.jsonl", "No space left", "make room, then go on with --resume"] {
            assert!(stderr(&full).contains(expected), "{}", stderr(&full));
        }
        disk.grow("8m");
        let resumed = json(&arguments);
        assert!(resumed["resumed"].as_u64().unwrap() > 20, "{resumed}");
        assert_eq!(resumed["digest"], json(&[&RANDOM[..], &["--episodes", "400"]].concat())["digest"]);
    }
}
