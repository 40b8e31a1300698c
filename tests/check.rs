//! What a user is told of a scenario that is not one: every file of `fixtures/broken` has its message in `snapshots`.
//! Read first: [`message`]. `INSTA_UPDATE=always` accepts new messages, `UPDATE_REFERENCE=1` a new reference page.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use forethought::scenario::{self, ScenarioErrors};
use forethought_mind::training::objectives::{
    BarlowTwinsSpec, ByolSpec, InfoNceSpec, Objective, PairwiseHingeSpec, SigRegSpec, SimSiamSpec, VicRegSpec,
};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::{fs, path::Path};

/// The workspace's root.
fn root() -> &'static Path {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent);
    root.unwrap()
}

/// What `forethought check` says of a file, with paths from the workspace's root.
fn message(file: &str) -> String {
    let errors = scenario::load(&root().join(file)).map(|_| ()).unwrap_err();
    tell(&errors).replace(&format!("{}/", root().display()), "")
}

/// The message, after seeing that it is fit to be told.
fn tell(errors: &ScenarioErrors) -> String {
    assert!(!errors.problems.is_empty());
    for problem in &errors.problems {
        for part in [&problem.file, &problem.found, &problem.expected, &problem.remedy] {
            assert!(!part.is_empty() && part.len() < 500, "{problem:?}");
        }
    }
    let message = errors.to_string();
    let json = serde_json::to_value(errors).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(errors.problems.len()));
    message
}

macro_rules! broken {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let name = stringify!($name);
                let settings = || {
                    let mut settings = insta::Settings::clone_current();
                    settings.set_snapshot_path(root().join("tests/snapshots"));
                    settings.set_prepend_module_to_snapshot(false);
                    settings.set_omit_expression(true);
                    settings
                };
                settings().bind(|| insta::assert_snapshot!(name, message(&format!("tests/fixtures/broken/{name}.ron"))));
            }
        )*

        /// No fixture is forgotten.
        #[test]
        fn every_broken_file_is_tested() {
            let mut named = vec![$(stringify!($name)),*];
            named.sort_unstable();
            assert_eq!(names("tests/fixtures/broken"), named);
            assert!(named.len() >= 20);
        }
    };
}

broken! {
    agent_in_wall agent_outside bad_expression compounds_deeply compounds_very_deeply control_period door_outside_wall
    door_wider_than_wall duplicate_field duplicate_name empty empty_choice factor_names low_above_high missing_colon
    missing_comma missing_field missing_model missing_quote missing_quotes misspelt_field negative_radius
    nested_deeply never_closed no_rays not_a_scenario not_convex not_finite not_utf8 only_comments
    objective_settings objectives planner_and_training several unbalanced unknown_factor unknown_field unknown_target
    unknown_variant unquoted_expression wrong_map wrong_maze wrong_memory wrong_needs wrong_phases wrong_scatter wrong_schema wrong_type
    wrong_uncertainty
}

/// The names of a folder's scenarios.
fn names(folder: &str) -> Vec<String> {
    let files = root().join(folder).read_dir().unwrap().map(|entry| entry.unwrap().path());
    let scenarios = files.filter(|file| file.extension().is_some_and(|extension| extension == "ron"));
    let mut names: Vec<String> = scenarios.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_scenario_is_sound() {
    let names = names("scenarios");
    assert!(names.iter().any(|name| name == "two_rooms"));
    for name in names {
        let file = root().join(format!("scenarios/{name}.ron"));
        let loaded = scenario::load_without_models(&file).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(loaded.scenario.name, name);
    }
}

#[test]
fn files_that_are_not_there_are_told_with_those_that_are() {
    let message = message("scenarios/to_rooms.ron");
    assert!(message.contains("no such file") && message.contains("did you mean scenarios/two_rooms.ron"), "{message}");
    let message = self::message("scenarios/elsewhere/x.ron");
    assert!(message.contains("there is no folder scenarios/elsewhere"), "{message}");
    let message = self::message("scenarios");
    assert!(message.contains("found a folder") && message.contains("two_rooms.ron"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("huge.ron");
    fs::write(&file, " ".repeat(2 << 20)).unwrap();
    assert!(tell(&scenario::load(&file).unwrap_err()).contains("at most 1 MiB"));
}

/// A scenario that is sound but for its model needs none where none is asked for.
#[test]
fn models_are_asked_for_only_where_they_are_needed() {
    let file = root().join("tests/fixtures/broken/missing_model.ron");
    assert!(scenario::load(&file).is_err());
    assert!(scenario::load_without_models(&file).is_ok());
}

fn two_rooms() -> String {
    fs::read_to_string(root().join("scenarios/two_rooms.ron")).unwrap()
}

/// By hand and by serde.
#[test]
fn every_objective_is_read_by_its_name() {
    let vicreg = VicRegSpec { expander: vec![64, 32], ..VicRegSpec::default() };
    for (text, objective) in [
        ("VicReg()", Objective::default()),
        ("VicReg(variance: 1.0, covariance: 0.1, expander: [64, 32])", Objective::VicReg(vicreg)),
        ("BarlowTwins(off_diagonal: 0.05, expander: [])", Objective::BarlowTwins(BarlowTwinsSpec::default())),
        ("Byol(momentum: 0.5)", Objective::Byol(ByolSpec { momentum: 0.5, ..ByolSpec::default() })),
        ("SimSiam(weight: 2)", Objective::SimSiam(SimSiamSpec { weight: 2.0 })),
        ("SigReg(projections: 7)", Objective::SigReg(SigRegSpec { projections: 7, ..SigRegSpec::default() })),
        ("InfoNce(temperature: 3)", Objective::InfoNce(InfoNceSpec { temperature: 3.0, ..InfoNceSpec::default() })),
        ("PairwiseHinge()", Objective::PairwiseHinge(PairwiseHingeSpec::default())),
    ] {
        let scenario = two_rooms().replace("training: (", &format!("training: (objective: {text},"));
        let read = scenario::parse(&scenario, Path::new("x.ron")).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(read.scenario.training.objective, objective, "{text}");
        assert_eq!(ron::from_str::<Objective>(&ron::to_string(&objective).unwrap()).unwrap(), objective);
    }
}

/// Whatever the text: either a scenario, or problems with their lines.
fn sound_or_told(text: &str) {
    if let Err(errors) = scenario::parse(text, Path::new("x.ron")) {
        assert!(errors.problems.iter().all(|problem| problem.line >= 1 && problem.column >= 1), "{errors}");
        tell(&errors);
    }
}

#[test]
fn a_scenario_cut_anywhere_is_told() {
    let text = two_rooms();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        sound_or_told(&text[..end]);
    }
}

#[test]
fn a_scenario_with_tokens_lost_or_shuffled_is_told() {
    let text = two_rooms();
    let tokens = tokens(&text);
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let strange =
        ["NaN", "-", "(", ")", "]", "\"", "'", "None", "Some(1)", "{", "1e999", "r#\"", "\\", "é", "0x", "/*"];
    for round in 0..1500 {
        let mut left: Vec<&str> = tokens.clone();
        for _ in 0..rng.gen_range(1..4) {
            let at = rng.gen_range(0..left.len());
            match round % 4 {
                0 => drop(left.remove(at)),
                1 => left[at] = strange.choose(&mut rng).unwrap(),
                2 => left.insert(at, strange.choose(&mut rng).unwrap()),
                _ => left.swap(at, rng.gen_range(0..tokens.len())),
            }
        }
        sound_or_told(&left.concat());
    }
}

/// Nobody waits long, and nothing runs out of memory.
#[test]
fn a_scenario_of_too_much_is_told() {
    let text = two_rooms();
    let ball = "(name: \"b\", shape: Disc(radius_m: 0.1), position_m: (\"wall_x\", 1)),";
    let agent = "(name: \"b\", shape: Disc(radius_m: 1), position_m: (1, 1), actuator: Force(), sensors: [Touch()]),";
    let maze = "(name: \"m\", draw: Maze(cells: (40, 40), loops: 0.5)), ";
    let scatter = "(name: \"s\", shape: Scatter(count: 256, size_m: (10, 10), radius_m: (0.1, 0.2), gap_m: 0.1, seed: 1), \
                   position_m: (5, 5)), ";
    for (from, to, expected) in [
        ("bodies: [", format!("bodies: [{}", ball.repeat(9000)), "found 9001 of them, expected at most 4096"),
        ("bodies: [", format!("bodies: [{}", "(name: \"b\"),".repeat(60_000)), "100 problems"),
        ("agents: [", format!("agents: [{}", agent.repeat(9000)), "found 9001 of them, expected at most 256"),
        ("agents: [", format!("agents: [{}", agent.repeat(200)), "which overlaps `b`"),
        ("factors: [", format!("factors: [{}", maze.repeat(9)), "found 9 factors that are generated"),
        ("factors: [", format!("factors: [{}", maze.repeat(8)), "7 problems in"),
        ("bodies: [", format!("bodies: [{}", scatter.repeat(9)), "found 9 shapes that are generated"),
        ("bodies: [", format!("bodies: [{}", scatter.repeat(8)), "`s`, the name of bodies[0] too"),
        ("PI / 2", "1+".repeat(300_000), "an expression of 600000 characters"),
        (
            "name: \"wall_x\"",
            format!("name: \"{}\"", "x".repeat(900_000)),
            "a name of 900000 letters, expected at most 64",
        ),
    ] {
        let start = std::time::Instant::now();
        let errors = scenario::parse(&text.replacen(from, &to, 1), Path::new("x.ron")).map(|_| ()).unwrap_err();
        assert!(start.elapsed().as_secs() < 60, "{expected}: {:?}", start.elapsed());
        let message = errors.to_string();
        assert!(message.contains(expected), "{expected}: {}", &message[message.len().saturating_sub(500)..]);
        assert!(message.len() < 200_000, "{}", message.len());
    }
}

/// Words, numbers, spaces and signs.
fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| {
        if c.is_alphanumeric() || c == '_' || c == '.' {
            0
        } else if c.is_whitespace() {
            1
        } else {
            2
        }
    };
    let mut tokens = Vec::new();
    let mut begin = 0;
    let mut last = None;
    for (at, c) in text.char_indices() {
        if last.is_some_and(|last| last != class(c) || last == 2) {
            tokens.push(&text[begin..at]);
            begin = at;
        }
        last = Some(class(c));
    }
    tokens.push(&text[begin..]);
    tokens
}

#[test]
fn the_reference_is_up_to_date() {
    let file = root().join("docs/scenario-reference.md");
    let page = scenario::reference::markdown();
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &page).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == page, "docs/scenario-reference.md is stale: run the tests once with UPDATE_REFERENCE=1");
}
