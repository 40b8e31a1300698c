//! The command line as a user meets it: the real binary, its exit status, what it says and what it leaves behind.
//! Read first: [`forethought`].

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Run the binary from the workspace's root, without a display.
fn forethought(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forethought"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The JSON object on the last line of stdout.
fn json(output: &Output) -> Value {
    let text = stdout(output);
    serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{text}{}", stderr(output)))
}

/// A batch of two_rooms at random, as JSON.
fn batch(arguments: &[&str]) -> Output {
    forethought(&[&["batch", "two_rooms", "--actor", "random", "--json"], arguments].concat())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn help_is_there_for_every_command() {
    for command in [&["--help"][..], &["run", "--help"], &["batch", "--help"], &["train", "--help"]] {
        let output = forethought(command);
        assert_eq!(status(&output), 0);
        assert!(stdout(&output).contains("Examples:"), "{command:?}: {}", stdout(&output));
    }
    for command in ["bench", "check", "probe"] {
        assert!(stdout(&forethought(&[command, "--help"])).contains("Examples:"));
    }
    assert!(stdout(&forethought(&["--version"])).starts_with("forethought "));
}

#[test]
fn bad_usage_is_status_2_and_says_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let without = folder.path().join("without_model.ron");
    let with = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/clutter.ron")).unwrap();
    fs::write(&without, with.replace("model: \"../assets/clutter.safetensors\",", "")).unwrap();
    for (arguments, expected) in [
        (&["batch"][..], "SCENARIO"),
        (&["batch", "two_rooms", "--actor", "ghost"], "gradient, shooting, walks, cem, mppi, random"),
        (&["batch", "two_rooms", "--actor", "random", "--episodes", "0"], "0 is not in"),
        (&["batch", "two_rooms", "--resume"], "--out"),
        (&["batch", "two_rooms", "--actor", "random", "two_rooms"], "same name"),
        (&["run", "no_rooms", "--headless"], "two_rooms"),
        (&["batch", "two_rooms", "--learn", "--resume", "--out", "x"], "cannot be gone on with by --resume"),
        (&["batch", "--learn", "two_rooms", "two_rooms"], "write --learn after the scenario"),
        (&["batch", "two_rooms", "--learn", "assets/two_rooms.safetensors"], "name another file"),
        (&["batch", "two_rooms", "foraging", "--learn", "x.safetensors"], "several scenarios"),
        (&["batch", "maze", "--learn", "x.safetensors"], "reads a floor plan"),
        (&["batch", "two_rooms", "--actor", "random", "--learn", "x.safetensors"], "none of its agents plans"),
        (&["run", "no/such/file.ron"], "no such file"),
        (&["run", "--screenshot", "x.png", "--showing", "mnd"], "there is no `mnd` to show"),
        (&["frobnicate"], "unrecognized subcommand"),
        (&["run", "two_rooms", "--record", "a.gif"], "--headless"),
        (&["run", "two_rooms", "--headless", "--record", "a.mp4"], "ends in .gif"),
        (&["run", "two_rooms", "--headless", "--record", "a"], "such as a.gif"),
        (&["run", "two_rooms", "--headless", "--record", "a.gif", "--episodes", "2"], "--first I"),
        (&["run", "two_rooms", "--headless", "--record", "a.gif", "--at-step", "2"], "ends in .png"),
        (&["run", "two_rooms", "--headless", "--record", "a.png", "--record-every", "2"], "ends in .gif"),
        (&["run", "two_rooms", "--headless", "--record", "a.png", "--record-width", "9"], "64..=1920"),
        (&["run", "two_rooms", "--headless", "--record", "a.gif", "--record-speed", "0"], "is not in"),
        (&["run", "two_rooms", "--headless", "--at-step", "2"], "--record FILE.png"),
        (&["probe", text(&without)], "names no model: give --model FILE"),
        (&["probe", "maze", "--model", "assets/two_rooms.safetensors"], "does not fit"),
        (&["probe", "two_rooms", "--episodes", "3"], "3 is not in"),
        (&["batch", "two_rooms", "--configurator", "learned"], "none of its agents has a configurator"),
        (&["batch", "two_rooms", "--configurator", "rules", "--task", "eat"], "cannot be used with"),
        (&["train", "two_rooms", "--only", "configurator", "--out", "x"], "--from"),
        (
            &["train", "two_rooms", "--from", "assets/two_rooms.safetensors", "--only", "configurator", "--out", "x"],
            "practice: (configurator: ())",
        ),
    ] {
        let output = forethought(arguments);
        assert_eq!(status(&output), 2, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn check_tells_good_from_bad() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron")).unwrap();
    let bad = folder.path().join("bad.ron");
    fs::write(&bad, good.replace("wall_x - 0.8", "wall_z - 0.8").replace("max_steps: 200", "max_steps: 0")).unwrap();

    assert!(stdout(&forethought(&["check", "--reference"])).starts_with("# "));
    let output = forethought(&["check", "two_rooms"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).contains("ok"));

    let output = forethought(&["check", "two_rooms", text(&bad)]);
    assert_eq!(status(&output), 2);
    for expected in ["bad.ron", "wall_z", "max_steps"] {
        assert!(stderr(&output).contains(expected), "no {expected} in: {}", stderr(&output));
    }

    let output = forethought(&["check", "two_rooms", text(&bad), "--json"]);
    assert_eq!(status(&output), 2);
    let report = json(&output);
    assert_eq!(report["ok"], false);
    assert_eq!((&report["scenarios"][0]["ok"], &report["scenarios"][1]["ok"]), (&true.into(), &false.into()));
}

/// Foraging with two tasks, rules for them, and little practice, short.
fn with_tasks(folder: &Path) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let model = format!(
        "model: \"{root}/assets/foraging.safetensors\", configurator: (\
        tasks: [(name: \"eat\"), (name: \"rest\", mode: Mode1)],\
        rules: [(when: [Above(\"energy\", 0.595)], task: \"rest\"), (task: \"eat\")]),"
    );
    let text = fs::read_to_string(format!("{root}/scenarios/foraging.ron")).unwrap();
    // In place of its own tasks.
    let own = text.find("configurator: (").unwrap()..text.find("model: \"").unwrap();
    let text = text
        .replace(&text[own], "")
        .replace("model: \"../assets/foraging.safetensors\",", &model)
        .replace("steps: 2000", "steps: 80")
        .replace("max_steps: 80", "max_steps: 90")
        .replace("            steps: 600,", "steps: 60,")
        .replace(
            "configurator: (lives: 400, updates: 6000),",
            "configurator: (rounds: 2, lives: 3, updates: 40, hidden: [16]),",
        );
    let file = folder.join("foraging_tasks.ron");
    fs::write(&file, text).unwrap();
    self::text(&file).to_owned()
}

#[test]
fn batches_tell_what_agents_were_at() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, out) = (with_tasks(folder.path()), folder.path().join("out"));
    let output = forethought(&["batch", &scenario, "--episodes", "2", "--json", "--out", text(&out)]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let tasks = &json(&output)["tasks"];
    let share = |name: &str| tasks["at"][name]["share"].as_f64().unwrap();
    assert!((share("eat") + share("rest") - 1.0).abs() < 1e-9 && share("rest") > 0.0, "{tasks}");
    let lines = fs::read_to_string(out.join("episodes.jsonl")).unwrap();
    // The second one's agent does not come upon food at once.
    let episode: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let switches = episode["tasks"]["switches"].as_array().unwrap();
    let first = &switches[0];
    assert_eq!((&first["agent"], &first["step"], &first["task"]), (&"agent".into(), &0.into(), &"rest".into()));
    // It begins with 60 of 100 J and spends at least 0.2 in each step.
    assert_eq!((&switches[1]["task"], &switches[1]["reason"]), (&"eat".into(), &"nothing else presses".into()));
    assert!((1..20).contains(&switches[1]["step"].as_u64().unwrap()), "{episode}");

    let output = forethought(&["run", &scenario, "--headless", "--first", "1", "--episodes", "1", "-v"]);
    assert!(
        stdout(&output).contains("% at eat") && stderr(&output).contains("agent takes up eat: nothing else presses")
    );
    let without = forethought(&["batch", &scenario, "--episodes", "1", "--json", "--configurator", "none"]);
    assert!(json(&without)["tasks"].is_null() && json(&without)["actor"] == "gradient, configurator none");
}

#[test]
fn a_configurator_is_learnt_by_itself_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = with_tasks(folder.path());
    let learnt = |name: &str, jobs: &str| {
        let (from, out) = ("assets/foraging.safetensors", folder.path().join(name));
        let only = ["--only", "configurator", "--jobs", jobs, "--json", "--out", text(&out)];
        let output = forethought(&[&["train", &scenario, "--from", from][..], &only[..]].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        out
    };
    let (one, two) = (learnt("one.safetensors", "1"), learnt("two.safetensors", "2"));
    assert_eq!(fs::read(&one).unwrap(), fs::read(two).unwrap());
    let run = |model: &str| {
        let only = ["--configurator", "learned", "--episodes", "1", "--json", "--model", model];
        forethought(&[&["batch", &scenario][..], &only[..]].concat())
    };
    assert!(json(&run(text(&one)))["tasks"]["at"].is_object());
    let output = run("assets/foraging.safetensors");
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("--only configurator"), "{}", stderr(&output));
}

#[test]
fn check_tells_of_a_plan_that_its_model_cannot_make() {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.ron");
    let model = format!("model: \"{scenarios}/../assets/two_rooms.safetensors\", actor: (horizon: 63)");
    let text_of = fs::read_to_string(format!("{scenarios}/two_rooms.ron")).unwrap();
    fs::write(&file, text_of.replace("model: \"../assets/two_rooms.safetensors\"", &model)).unwrap();
    let output = forethought(&["check", text(&file)]);
    assert_eq!(status(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("write a multiple of 4"), "{}", stderr(&output));
}

#[test]
fn a_batch_reports_and_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = batch(&["--episodes", "12", "--seed", "5", "--out", text(&out)]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let summary = json(&output);
    assert_eq!((&summary["scenario"], &summary["actor"]), (&"two_rooms".into(), &"random".into()));
    assert_eq!((&summary["episodes"], &summary["seed"]), (&12.into(), &5.into()));
    for number in ["successes", "success_rate", "env_steps", "wall_secs", "decision_ms_p50", "model_evaluations"] {
        assert!(summary[number].is_number(), "{number}: {summary}");
    }
    assert!(summary["mean_steps"].is_number() || summary["successes"] == 0);
    let [low, high] = [0, 1].map(|end| summary["ci95"][end].as_f64().unwrap());
    assert!((0.0..=1.0).contains(&low) && low < high && high <= 1.0);

    let lines = fs::read_to_string(out.join("episodes.jsonl")).unwrap();
    let episodes: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!((0..12).eq(episodes.iter().map(|episode| episode["episode"].as_u64().unwrap())));
    let kept: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(kept["digest"], summary["digest"]);

    // Any episode can be replayed by itself.
    let replay = forethought(&[
        "run",
        "two_rooms",
        "--headless",
        "--actor",
        "random",
        "--seed",
        "5",
        "--first",
        "9",
        "--episodes",
        "1",
        "--json",
    ]);
    assert_eq!(json(&replay)["results"][0]["digest"], episodes[9]["digest"]);
}

#[test]
fn a_batch_tells_of_lives_where_there_are_any() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output =
        forethought(&["batch", "predator", "--actor", "random", "--episodes", "12", "--json", "--out", text(&out)]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let lives = &json(&output)["lives"];
    let deaths = ["starved", "hurt", "survived"].map(|how| lives[how].as_u64().unwrap());
    assert_eq!(deaths.iter().sum::<u64>(), 12, "{lives}");
    assert!(deaths[0] + deaths[1] > 6 && (0.0..1.0).contains(&lives["mean_energy"].as_f64().unwrap()), "{lives}");
    let lines = fs::read_to_string(out.join("episodes.jsonl")).unwrap();
    let episodes: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let starved = episodes.iter().filter(|episode| episode["life"]["died_of"] == "starved").count() as u64;
    assert_eq!(starved, deaths[0]);
    let told = stdout(&forethought(&["batch", "predator", "--actor", "random", "--episodes", "3"]));
    assert!(told.contains("a life lasts") && told.contains("starved"), "{told}");
    assert!(json(&batch(&["--episodes", "2"])).get("lives").is_none());
}

#[test]
fn a_batch_goes_on_where_it_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, cut) = (folder.path().join("whole"), folder.path().join("cut"));
    let undisturbed = json(&batch(&["--episodes", "20", "--jobs", "1", "--out", text(&whole)]));

    assert_eq!(status(&batch(&["--episodes", "9", "--jobs", "3", "--out", text(&cut)])), 0);
    let file = cut.join("episodes.jsonl");
    let lines = fs::read_to_string(&file).unwrap();
    fs::write(&file, &lines[..lines.len() - 40]).unwrap();

    // Without --resume, or for another run, nothing is touched.
    let again = batch(&["--episodes", "20", "--out", text(&cut)]);
    assert_eq!(status(&again), 2);
    assert!(stderr(&again).contains("--resume"), "{}", stderr(&again));
    let other = batch(&["--episodes", "20", "--seed", "8", "--out", text(&cut), "--resume"]);
    assert_eq!(status(&other), 2);
    assert!(stderr(&other).contains("its seed is 0, not 8"), "{}", stderr(&other));
    assert!(json(&other)["error"].as_str().unwrap().contains("its seed is 0"));
    assert_eq!(fs::read_to_string(&file).unwrap().len(), lines.len() - 40);

    let resumed = batch(&["--episodes", "20", "--out", text(&cut), "--resume"]);
    assert_eq!(status(&resumed), 0, "{}", stderr(&resumed));
    let resumed = json(&resumed);
    assert_eq!((&resumed["resumed"], &resumed["episodes"]), (&8.into(), &20.into()));
    assert_eq!(resumed["digest"], undisturbed["digest"]);
    let finished = json(&batch(&["--episodes", "20", "--out", text(&cut), "--resume"]));
    assert_eq!((&finished["resumed"], &finished["digest"]), (&20.into(), &undisturbed["digest"]));
}

#[test]
fn a_place_that_cannot_be_written_to_is_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let out = file.join("run");
    let output = batch(&["--episodes", "1", "--out", text(&out)]);
    assert_eq!(status(&output), 1);
    assert!(stderr(&output).contains(text(&out)), "{}", stderr(&output));
    let record = |file: &str| forethought(&["run", "two_rooms", "--actor", "random", "--headless", "--record", file]);
    let occupied = folder.path().join("folder.png");
    fs::create_dir(&occupied).unwrap();
    for film in [&file.join("film.gif"), &occupied] {
        let output = record(text(film));
        assert_eq!(status(&output), 1, "{}", stderr(&output));
        assert!(stderr(&output).starts_with("error: cannot"), "{}", stderr(&output));
    }
    let model = file.join("model.safetensors");
    let output = forethought(&[
        "train",
        "two_rooms",
        "--episodes",
        "1",
        "--updates",
        "1",
        "--lives",
        "0",
        "--out",
        text(&model),
    ]);
    assert_eq!(status(&output), 1);
    assert!(stderr(&output).contains("cannot"), "{}", stderr(&output));
}

/// One world in a thousand has no radius: too rare for a check to find, not too rare for a batch.
#[test]
fn an_episode_that_goes_wrong_is_kept_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron")).unwrap();
    let rare = folder.path().join("rare.ron");
    let text_of_rare = good
        .replace("radius_m: 0.5", "radius_m: \"0.5 + 0 / floor(abs(door_y - 4.321) * 333)\"")
        .replace("max_steps: 200", "max_steps: 1");
    assert!(text_of_rare.contains("floor") && text_of_rare.contains("max_steps: 1)"));
    fs::write(&rare, text_of_rare).unwrap();
    let out = folder.path().join("run");
    let fixed = ["batch", text(&rare), "--actor", "random", "--json", "--episodes", "4000", "--out", text(&out)];
    let output = forethought(&fixed);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("went wrong"), "{}", stderr(&output));
    let summary = json(&output);
    assert!(summary["errors"].as_u64().unwrap() > 0 && summary["episodes"] == 4000, "{summary}");
    let lines = fs::read_to_string(out.join("episodes.jsonl")).unwrap();
    let wrong = lines.lines().find(|line| line.contains("\"outcome\":\"error\"")).unwrap();
    assert!(wrong.contains("radius_m") && wrong.contains("\"seed\":"), "{wrong}");
}

/// Two rooms with rough walls, where agents learn a little every now and then.
fn learner(folder: &Path) -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let text = fs::read_to_string(format!("{root}/scenarios/two_rooms.ron")).unwrap();
    let text = text.replace("../assets", &format!("{root}/assets")).replace("friction: 0.0", "friction: 3.0");
    let learn = "learn: (every: 800, memory: 4000, updates: 60, batch: 64, unroll: 4, learning_rate: 0.002, behaviour_updates: 20),";
    let file = folder.join("rough.ron");
    fs::write(
        &file,
        text.replace("max_steps: 200", "max_steps: 60").replace("training: (", &format!("training: ({learn}")),
    )
    .unwrap();
    file
}

#[test]
fn a_batch_that_learns_is_the_same_for_any_number_of_threads_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = learner(folder.path());
    let run = |arguments: &[&str]| {
        let common = ["batch", text(&scenario), "--episodes", "80", "--seed", "7", "--json"];
        let output = forethought(&[&common, arguments].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        (json(&output), stderr(&output))
    };
    let [one, two] = ["one.safetensors", "two.safetensors"].map(|name| folder.path().join(name));
    let (report, _) = run(&["--learn", text(&one), "--jobs", "1"]);
    let (same, _) = run(&["--learn", text(&two), "--jobs", "2"]);
    let (without, _) = run(&[]);
    assert_eq!(report["digest"], same["digest"]);
    assert_ne!(report["digest"], without["digest"]);
    assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap());
    assert!(without["learns_from"].is_null() && without["learning"].is_null());
    assert_eq!(report["learns_from"], report["model_hash"]);
    let log = fs::read_to_string(folder.path().join("one.learn.jsonl")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(report["learning"]["synchronisations"], lines.len());
    assert!(lines.len() >= 3 && lines[0]["steps"] == 1600 && lines[1]["steps"] == 2400, "{log}");
    for part in ["prediction", "critic", "policy"] {
        let verdict = lines.iter().find_map(|line| line[part].as_object()).unwrap();
        assert!(
            verdict["before"].is_f64() && verdict["after"].is_f64() && verdict["original"].is_f64(),
            "{part}: {log}"
        );
    }
    assert!(lines[1..].iter().any(|line| line["prediction"]["taken_up"] == true), "{log}");
    assert!(report["learning"]["rolled_back"].as_u64().unwrap() > 0, "{log}");
    // It goes on from what it kept, and says so; what it kept is a model like any other.
    let (on, said) = run(&["--learn", text(&one)]);
    assert!(said.contains("going on from") && on["learns_from"] != report["learns_from"], "{said}");
    assert!(fs::read_to_string(folder.path().join("one.learn.jsonl")).unwrap().lines().count() > lines.len());
    let (anew, said) = run(&["--learn", text(&two), "--model", "assets/two_rooms.safetensors"]);
    assert!(!said.contains("going on from") && anew["digest"] == report["digest"]);
    run(&["--model", text(&one)]);
    // Beside --out where no file is named.
    let out = folder.path().join("run");
    run(&["--learn", "--out", text(&out)]);
    assert!(folder.path().join("run.learnt.safetensors").exists());
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    assert!(manifest.contains("learns_from"));
}

#[test]
fn who_has_learnt_nothing_yet_lives_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.safetensors");
    // With tasks and a memory of what is out of sight; all of it ends before the second synchronisation.
    for scenario in ["two_rooms", "way_home"] {
        let common = ["batch", scenario, "--episodes", "2", "--seed", "7", "--json"];
        let model = format!("assets/{scenario}.safetensors");
        let learning = ["--learn", text(&kept), "--model", &model];
        let [plain, learnt] = [&[][..], &learning].map(|more| json(&forethought(&[&common, more].concat())));
        assert!(plain["env_steps"].as_u64().unwrap() < 4000, "{plain}");
        assert_eq!(plain["digest"], learnt["digest"], "{scenario}");
    }
}

#[test]
fn several_scenarios_have_a_folder_each() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron")).unwrap();
    let other = folder.path().join("other_rooms.ron");
    fs::write(&other, good.replace("two_rooms", "other_rooms")).unwrap();
    let out = folder.path().join("runs");
    let output = batch(&[text(&other), "--episodes", "2", "--out", text(&out)]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert_eq!(json(&output)["batches"][1]["scenario"], "other_rooms");
    for name in ["two_rooms", "other_rooms"] {
        assert!(out.join(name).join("summary.json").is_file());
    }
}

#[test]
fn without_a_window_it_says_what_to_do() {
    for arguments in [&["run", "two_rooms", "--actor", "random"][..], &["run"], &[]] {
        let output = forethought(arguments);
        assert_eq!(status(&output), 1, "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("--headless"), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
}

/// How many frames a film has, and how wide and high it is.
fn film(file: &Path) -> (u64, u16, u16) {
    let mut decoder = gif::DecodeOptions::new().read_info(fs::File::open(file).unwrap()).unwrap();
    let mut frames = 0;
    while decoder.read_next_frame().unwrap().is_some() {
        frames += 1;
    }
    (frames, decoder.width(), decoder.height())
}

#[test]
fn a_recording_is_the_episode_of_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let record = |name: &str, extra: &[&str]| {
        let file = folder.path().join("films").join(name);
        let arguments = ["run", "two_rooms", "--seed", "5", "--first", "2", "--headless", "--json", "--record"];
        let output = forethought(&[&arguments[..], &[text(&file)], extra].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        (file, json(&output))
    };
    let batch = json(&forethought(&["batch", "two_rooms", "--seed", "5", "--first", "2", "--episodes", "1", "--json"]));
    let (file, report) = record("film.gif", &[]);
    assert_eq!((&report["digest"], &report["mean_steps_all"]), (&batch["digest"], &batch["mean_steps_all"]));
    assert_eq!(report["recording"]["digest"], report["results"][0]["digest"]);
    assert_eq!(report["recording"]["file"], text(&file));
    let steps = report["results"][0]["steps"].as_u64().unwrap();
    assert_eq!(report["recording"]["frames"], steps + 1, "one for each step, and one before the first");
    assert_eq!(film(&file), (steps + 1, 480, report["recording"]["height_px"].as_u64().unwrap() as u16));
    assert_eq!(report["recording"]["bytes"], fs::metadata(&file).unwrap().len());
    assert!(report["recording"]["bytes"].as_u64().unwrap() < 8000 * (steps + 1), "films are small");

    let (again, _) = record("again.gif", &[]);
    assert!(fs::read(&file).unwrap() == fs::read(again).unwrap(), "the same seed gives another film");
    let (short, report) = record("short.gif", &["--record-every", "10", "--record-width", "200"]);
    assert_eq!(film(&short).0, steps.div_ceil(10) + 1);
    assert_eq!((film(&short).1, &report["digest"]), (200, &batch["digest"]));
    let (picture, report) = record("picture.png", &["--at-step", "3"]);
    assert_eq!((&report["recording"]["at_step"], &report["digest"]), (&3.into(), &batch["digest"]));
    let reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(&picture).unwrap())).read_info().unwrap();
    assert_eq!(reader.info().width, 480);
    let (_, report) = record("end.png", &["--at-step", "9999"]);
    assert_eq!(report["recording"]["at_step"], steps, "the end, where the episode ends before");
    let (full, report) = record("full.gif", &["--record-detail", "full"]);
    assert!(
        fs::metadata(&full).unwrap().len() > fs::metadata(&file).unwrap().len() && report["digest"] == batch["digest"]
    );
    assert_eq!(fs::read_dir(folder.path().join("films")).unwrap().count(), 6, "nothing is left beside");
}

#[test]
fn an_agent_that_learns_can_be_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let learn = |name: &str, extra: &[&str]| {
        let model = folder.path().join(name);
        let settings = ["--set", "training.learn.every=8", "--set", "training.learn.updates=2"];
        let arguments = ["run", "two_rooms", "--seed", "1", "--headless", "--json", "--learn", text(&model)];
        let output = forethought(&[&arguments[..], &settings, extra].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        (json(&output), fs::read_to_string(model.with_extension("learn.jsonl")).unwrap())
    };
    let film = folder.path().join("film.gif");
    let (recorded, told) = learn("recorded.safetensors", &["--record", text(&film)]);
    let (alone, told_alone) = learn("alone.safetensors", &["--episodes", "1"]);
    assert_eq!(recorded["digest"], alone["digest"]);
    assert!(told == told_alone && told.lines().count() > 1, "{told}");
    assert!(fs::metadata(film).unwrap().len() > 0);
}

/// What the scenario browser shows, and `assets/thumbnails/README.md` says how to make.
#[test]
fn every_scenario_has_a_small_picture() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    for scenario in fs::read_dir(root.join("scenarios")).unwrap().map(|entry| entry.unwrap().path()) {
        let picture = root.join("assets/thumbnails").join(scenario.file_stem().unwrap()).with_extension("png");
        let size = fs::metadata(&picture).map_or(0, |file| file.len());
        assert!((1..12_000).contains(&size), "{} has {size} bytes", picture.display());
    }
}

/// A small training from start to end, and what becomes of its model.
#[test]
fn trains_a_model_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("deep/er/model.safetensors");
    let train = |extra: &[&str]| {
        let fixed = [
            "train",
            "two_rooms",
            "--episodes",
            "8",
            "--updates",
            "3",
            "--lives",
            "0",
            "--json",
            "--out",
            text(&model),
        ];
        forethought(&[&fixed[..], extra].concat())
    };
    let output = train(&[]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert_eq!((&json(&output)["finished"], &json(&output)["frames"]), (&true.into(), &808.into()));
    assert!(model.is_file() && folder.path().join("deep/er/model.log.jsonl").is_file());
    let first = fs::read(&model).unwrap();

    assert_eq!(status(&train(&["--resume"])), 2, "a finished model is not trained on");
    assert_eq!(status(&train(&["--jobs", "3"])), 0);
    assert_eq!(fs::read(&model).unwrap(), first, "the same seed gives the same model");

    let run = ["run", "two_rooms", "--headless", "--episodes", "1", "--actor", "shooting", "--json", "--model"];
    let output = forethought(&[&run[..], &[text(&model)]].concat());
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(json(&output)["decisions"].as_u64().unwrap() > 0);

    // Planning repeats bit for bit too, on any number of workers.
    let good = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron")).unwrap();
    let short = folder.path().join("short.ron");
    fs::write(&short, good.replace("max_steps: 200", "max_steps: 12")).unwrap();
    let plan = |jobs| {
        let fixed = ["batch", text(&short), "--json", "--episodes", "4", "--model", text(&model), "--jobs", jobs];
        json(&forethought(&fixed))
    };
    let (one, three) = (plan("1"), plan("3"));
    assert_eq!((&one["actor"], &one["errors"]), (&"gradient".into(), &0.into()));
    assert_eq!(one["digest"], three["digest"]);

    fs::write(&model, &first[..first.len() / 2]).unwrap();
    let output = forethought(&[&run[..], &[text(&model)]].concat());
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("model.safetensors"), "{}", stderr(&output));
}

/// What a kill or a Ctrl-C leaves behind is enough to go on to the same end.
#[cfg(unix)]
mod interrupted {
    use super::*;
    use std::{
        process::{Child, Stdio},
        time::Duration,
    };

    fn start(arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_forethought"))
            .args(arguments)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Start the binary and wait until `file` has some lines.
    fn start_until(arguments: &[&str], file: &Path, lines: usize) -> Child {
        let mut child = start(arguments);
        while fs::read_to_string(file).unwrap_or_default().lines().count() < lines {
            assert!(child.try_wait().unwrap().is_none(), "ended before it could be interrupted");
            std::thread::sleep(Duration::from_millis(2));
        }
        child
    }

    fn ctrl_c(child: Child) -> Output {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        child.wait_with_output().unwrap()
    }

    #[test]
    fn a_batch() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("run");
        let file = out.join("episodes.jsonl");
        let arguments = |episodes: &'static str| {
            ["batch", "two_rooms", "--actor", "random", "--json", "--episodes", episodes, "--out", text(&out)]
        };
        let mut child = start_until(&arguments("1000000"), &file, 20);
        child.kill().unwrap();
        child.wait().unwrap();
        let killed = fs::read_to_string(&file).unwrap().lines().count();

        let many = &[&arguments("1000000")[..], &["--resume"]].concat();
        let output = ctrl_c(start_until(many, &file, killed + 20));
        assert_eq!(status(&output), 1);
        assert!(stderr(&output).contains("--resume"), "{}", stderr(&output));
        let stopped = json(&output);
        assert!(stopped["episodes"].as_u64().unwrap() >= 39 && stopped["requested"] == 1_000_000, "{stopped}");

        // What came beyond the first 30 stays, and is not counted.
        let resumed = json(&forethought(&[&arguments("30")[..], &["--resume"]].concat()));
        assert_eq!(resumed["digest"], json(&batch(&["--episodes", "30"]))["digest"]);
    }

    #[test]
    fn a_recording() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("long.ron");
        let text_of_long = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        // Nothing ends it.
        let text_of_long = text_of_long
            .unwrap()
            .replace("max_steps: 200", "max_steps: 100000000")
            .replace("success: [Reached(agent: \"agent\", target: \"goal\")],", "");
        fs::write(&long, text_of_long).unwrap();
        let film_file = folder.path().join("film.gif");
        let arguments = ["run", text(&long), "--actor", "random", "--headless", "--json", "--record", text(&film_file)];
        let mut child = start(&[&arguments[..], &["--record-every", "50"]].concat());
        let growing = || {
            let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
            files
                .filter(|file| file.path().extension().is_some_and(|end| end == "tmp"))
                .any(|file| file.metadata().is_ok_and(|data| data.len() > 0))
        };
        while !growing() {
            assert!(child.try_wait().unwrap().is_none(), "ended before it could be interrupted");
            std::thread::sleep(Duration::from_millis(2));
        }
        let output = ctrl_c(child);
        assert_eq!(status(&output), 1, "{}", stderr(&output));
        let report = json(&output);
        assert!(report["recording"]["digest"].is_null() && report["episodes"] == 0, "{report}");
        assert_eq!(film(&film_file).0, report["recording"]["frames"].as_u64().unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside");
    }

    #[test]
    fn a_training() {
        let folder = tempfile::tempdir().unwrap();
        let (cut, whole) = (folder.path().join("cut.safetensors"), folder.path().join("whole.safetensors"));
        let arguments =
            |out| ["train", "two_rooms", "--episodes", "40", "--updates", "160", "--lives", "0", "--out", out];
        let output = ctrl_c(start_until(&arguments(text(&cut)), &cut.with_extension("log.jsonl"), 1));
        assert_eq!(status(&output), 1, "{}", stderr(&output));
        assert!(stderr(&output).contains("--resume"), "{}", stderr(&output));
        assert!(cut.with_extension("partial").is_file() && !cut.exists());

        let other = forethought(&[&arguments(text(&cut))[..], &["--resume", "--seed", "1"]].concat());
        assert_eq!(status(&other), 2);
        assert!(stderr(&other).contains("--seed 0, not 1"), "{}", stderr(&other));

        assert_eq!(status(&forethought(&[&arguments(text(&cut))[..], &["--resume"]].concat())), 0);
        assert_eq!(status(&forethought(&arguments(text(&whole)))), 0);
        assert!(fs::read(&cut).unwrap() == fs::read(&whole).unwrap(), "the model is another one");
        assert!(!cut.with_extension("partial").exists());
        let updates = |model: &Path| fs::read_to_string(model.with_extension("log.jsonl")).unwrap().lines().count();
        assert_eq!(updates(&cut), updates(&whole));
    }
}

#[test]
fn bench_tells_numbers_and_draws_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pictures/bench.svg");
    let arguments =
        ["bench", "two_rooms", "maze", "--actors", "random", "--episodes", "3", "--json", "--svg", text(&file)];
    let output = forethought(&arguments);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let report = json(&output);
    let results = report["results"].as_array().unwrap();
    let scenarios: Vec<&str> = results.iter().map(|result| result["scenario"].as_str().unwrap()).collect();
    assert_eq!(scenarios, ["two_rooms", "maze"]);
    for result in results {
        assert_eq!(result["actor"], "random");
        for number in ["success_rate", "model_evaluations_per_step", "decision_ms_p50"] {
            assert!(result[number].is_number(), "{number}: {result}");
        }
        assert_eq!(result["ci95"].as_array().map(Vec::len), Some(2));
        // It plans nothing, and may reach nothing.
        assert!(result["model_evaluations_per_decision"].is_null() && result.get("mean_steps").is_some());
    }
    let picture = fs::read_to_string(&file).unwrap();
    assert!(picture.contains("<svg") && picture.contains("two_rooms") && picture.contains("maze"));
    let output =
        forethought(&["bench", "two_rooms", "--actors", "random", "--episodes", "1", "--svg", text(folder.path())]);
    assert_ne!(status(&output), 0);
    assert!(stderr(&output).contains(text(folder.path())), "{}", stderr(&output));
}

/// The AUC of the JEPA's own energy on its first level.
fn area(report: &Value, violation: &str) -> f64 {
    let detections = report["surprise"]["detections"].as_array().unwrap();
    let found =
        detections.iter().find(|one| one["violation"] == violation && one["level"] == 1 && one["energy"] == "distance");
    found.unwrap()["auc"].as_f64().unwrap()
}

#[test]
fn a_probe_tells_a_trained_model_from_an_untrained_one() {
    let folder = tempfile::tempdir().unwrap();
    let (picture, untrained) = (folder.path().join("new/probe.svg"), folder.path().join("untrained.safetensors"));
    let probe = |arguments: &[&str]| {
        let output =
            forethought(&[&["probe", "two_rooms", "--episodes", "80", "--seed", "7", "--json"], arguments].concat());
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        (json(&output), stdout(&output))
    };
    let (report, text) = probe(&["--jobs", "1", "--svg", self::text(&picture)]);
    assert!(text.contains("Readouts") && text.contains("Foresight") && text.contains("Surprise"), "{text}");
    assert!(fs::read_to_string(&picture).unwrap().contains("through a wall"));
    assert_eq!(probe(&["--jobs", "3"]).0, report, "the same for any number of jobs");

    let trained = [area(&report, "teleport 0.5 m"), area(&report, "teleport 1 m"), area(&report, "through a wall")];
    assert!(trained[0] > 0.85 && trained[1] > 0.95 && trained[2] > 0.95, "{trained:?}");
    let level = &report["levels"][0];
    assert_eq!(level["readouts"][0]["quantity"], "position");
    assert!(level["readouts"][0]["r2"].as_f64().unwrap() > 0.98, "{level}");
    let first = &level["horizon"]["points"][0];
    assert_eq!(first["steps"], 4);
    assert!(first["latent_error"].as_f64().unwrap() < 0.5 * first["latent_unchanged"].as_f64().unwrap(), "{first}");

    let training =
        ["train", "two_rooms", "--episodes", "20", "--updates", "1", "--lives", "0", "--out", self::text(&untrained)];
    assert_eq!(status(&forethought(&training)), 0);
    let (report, _) = probe(&["--model", self::text(&untrained)]);
    let areas = [area(&report, "teleport 0.5 m"), area(&report, "teleport 1 m")];
    assert!(areas[0] < 0.75 && areas[1] < 0.87, "{areas:?}");
}
