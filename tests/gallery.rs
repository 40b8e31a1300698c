//! The gallery as a whole: every entry keeps the same promises, and the command says so. Read first: [`every_entry_begins_and_goes_on`].

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use forethought::{
    chart::{Room, draw, svg},
    gallery::{begin, find},
};
use forethought_energy::gallery::{Entry, Settings, Study, entries};
use forethought_interface::{Chart, Layer};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    process::{Command, Output},
};

/// So many slices of work say whether an entry works at all.
const SLICES: usize = 4;

fn started(entry: &Entry, settings: &mut Settings) -> Box<dyn Study> {
    let mut study = begin(entry, settings).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    for _ in 0..SLICES {
        study.advance().unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    }
    study
}

/// Every number that a chart would draw.
fn numbers(chart: &Chart) -> Vec<f32> {
    let layer = |layer: &Layer| match layer {
        Layer::Heat { values, range, .. } => [values, &range[..]].concat(),
        Layer::Points { places, .. } | Layer::Line { places, .. } => places.concat(),
        Layer::Segments { places, .. } => places.concat().concat(),
        Layer::Bars { heights, .. } => heights.clone(),
        Layer::Tiles { images, .. } => images.concat(),
    };
    chart.panels.iter().flat_map(|panel| &panel.layers).flat_map(layer).collect()
}

#[test]
fn every_entry_begins_and_goes_on() {
    let mut names = BTreeSet::new();
    for entry in entries() {
        let name = entry.name;
        assert!(names.insert(name), "two entries are called {name}");
        assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{name}");
        assert!(
            !entry.title.is_empty() && !entry.source.is_empty() && entry.about.len() > 80,
            "{name} says too little"
        );
        let mut settings = Settings { seed: 1, ..Settings::default() };
        let study = started(&entry, &mut settings);
        assert!((0.0..=1.0).contains(&study.progress()) && study.progress() > 0.0, "{name}: {}", study.progress());
        let chart = study.chart();
        assert!(!chart.panels.is_empty(), "{name} shows nothing");
        for panel in chart.panels.iter().filter(|panel| !matches!(panel.layers[..], [Layer::Tiles { .. }])) {
            for axis in [&panel.x, &panel.y] {
                let [low, high] = axis.range;
                assert!(
                    low < high && (high - low).is_finite() && (!axis.log || low > 0.0),
                    "{name}, {}: {axis:?}",
                    panel.title
                );
            }
        }
        let shown = numbers(&chart);
        let finite = shown.iter().filter(|number| number.is_finite()).count();
        assert!(finite > 0 && 2 * finite >= shown.len(), "{name}: {finite} of {} numbers are finite", shown.len());
        let text = svg(&draw(&chart, Room { width: 960.0, height: None }));
        assert!(!text.contains("NaN") && text.len() < 1_500_000, "{name}: {} bytes", text.len());
        let measures = study.measures();
        assert!(!measures.is_empty(), "{name} is judged by nothing");
        let again = started(&entry, &mut settings).measures();
        // As bits: what is no number yet is the same no number.
        let bits = |study: &[forethought_energy::gallery::Measure]| -> Vec<u64> {
            study.iter().map(|measure| measure.value.to_bits()).collect()
        };
        assert_eq!(bits(&measures), bits(&again), "{name}: the same seed, other numbers");
    }
    assert!(!names.is_empty());
}

#[test]
fn every_knob_holds_what_it_promises() {
    for entry in entries() {
        let mut settings = Settings::default();
        begin(&entry, &mut settings).unwrap();
        for knob in entry.knobs {
            let [low, high] = knob.range;
            let whole = !knob.whole || [low, high, knob.default].iter().all(|value| value.fract() == 0.0);
            assert!((low..=high).contains(&knob.default) && low < high && whole, "{}: {knob:?}", entry.name);
            assert!(!knob.log || low > 0.0, "{}: {knob:?}", entry.name);
            for value in knob.range {
                let values = [(knob.name.to_owned(), value)].into();
                let mut settings = Settings { values, ..settings.clone() };
                if let Err(error) = begin(&entry, &mut settings) {
                    panic!("{} with {} = {value}: {error}", entry.name, knob.name);
                }
            }
            let values = [(knob.name.to_owned(), high + 1.0)].into();
            let error = begin(&entry, &mut Settings { values, ..settings.clone() }).err().unwrap();
            assert!(error.is_bad_input() && error.to_string().contains(knob.name), "{error}");
        }
        let values = [("no_such_knob".to_owned(), 1.0)].into();
        let error = begin(&entry, &mut Settings { values, ..settings.clone() }).err().unwrap();
        assert!(error.is_bad_input() && error.to_string().contains("no_such_knob"), "{error}");
    }
}

#[test]
fn unknown_names_are_told_with_what_was_meant() {
    let first = entries()[0].name;
    let wrong = format!("{first}x");
    let error = find(&wrong).unwrap_err();
    assert!(error.is_bad_input());
    assert!(error.to_string().contains(&format!("did you mean `{first}`?")), "{error}");
}

/// Run the binary from the workspace's root, without a display.
fn forethought(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_forethought"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(stdout(output).lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn the_command_lists_explains_plays_and_draws() {
    let names = json(&forethought(&["gallery", "--json"]));
    let names: Vec<&str> = names["entries"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names, entries().iter().map(|entry| entry.name).collect::<Vec<_>>());
    let list = stdout(&forethought(&["gallery"]));
    assert!(entries().iter().all(|entry| list.contains(entry.title) && list.contains(entry.source)), "{list}");
    let help = stdout(&forethought(&["gallery", "--help"]));
    assert!(help.contains("Examples:") && help.contains("--window"), "{help}");

    let entry = entries()[0];
    let help = stdout(&forethought(&["gallery", entry.name, "--help"]));
    assert!(help.contains(entry.title) && entry.knobs.iter().all(|knob| help.contains(knob.name)), "{help}");

    let folder = tempfile::tempdir().unwrap();
    let [svg, png] = ["new/a.svg", "a.png"].map(|name| folder.path().join(name).display().to_string());
    let output = forethought(&["gallery", entry.name, "--seed", "3", "--svg", &svg, "--png", &png, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report = json(&output);
    assert_eq!((report["entry"].as_str(), report["seed"].as_u64()), (Some(entry.name), Some(3)));
    assert_eq!(report["progress"].as_f64(), Some(1.0));
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
    assert!(entry.knobs.iter().all(|knob| report["settings"][knob.name].as_f64() == Some(knob.default)));
    let measures = report["measures"].as_object().unwrap();
    assert!(!measures.is_empty() && measures.values().all(|measure| measure["value"].is_number()), "{report}");
    assert!(std::fs::read_to_string(svg).unwrap().contains("</svg>"));
    assert!(std::fs::read(png).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn bad_input_is_status_2_and_says_what_there_is() {
    let name = entries()[0].name;
    for (arguments, expected) in [
        (&["gallery", "no_such_entry"][..], "There are `"),
        (&["gallery", name, "--set", "frobnication=1"], "no setting `frobnication`"),
        (&["gallery", name, "--set", "frobnication"], "KNOB=VALUE"),
        (&["gallery", name, "--set", "a=b"], "is no number"),
        (&["gallery", "--set", "a=1"], "name one"),
        (&["gallery", "--all"], "--out"),
        (&["gallery", name, "--all", "--out", "x"], "cannot be used with"),
        (&["gallery", name, "--window", "--svg", "x.svg"], "cannot be used with"),
        (&["gallery", name, "--width", "3"], "300..=4000"),
    ] {
        let output = forethought(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
