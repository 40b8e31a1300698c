//! A comparison as a picture: a panel for each scenario, a bar for each actor, its numbers beside it. Read first: [`svg`].

use crate::{
    batch::Summary,
    drawing::{Canvas, Drawn, FAINT, GRID, TEXT, label},
    error::Error,
    files::{make_folder, write_whole},
};
use forethought_mind::actor::planners::PlannerName;
use plotters::{prelude::*, style::text_anchor::HPos};
use std::{io, path::Path};

// Okabe & Ito's colours, which the colour-blind tell apart. Their greys differ as well.
const BLUE: RGBColor = RGBColor(0, 114, 178);
const SKY: RGBColor = RGBColor(86, 180, 233);
const PALE: RGBColor = RGBColor(190, 190, 190);

const WIDTH: i32 = 1000;
const ROW: i32 = 30;
/// A panel's height besides its rows: title and column names above, the scale below.
const HEAD: i32 = 70;
const SCALE: i32 = 44;
const FOOT: i32 = 62;
/// Where bars begin and end.
const BARS: [i32; 2] = [110, 490];
/// Where each column of numbers ends, and its name in two lines.
const COLUMNS: [(i32, [&str; 2]); 4] = [
    (675, ["success", "95% interval"]),
    (765, ["steps to", "the goal"]),
    (885, ["evaluations", "a decision"]),
    (970, ["ms a", "decision"]),
];

/// See to it that a picture can be written here, before hours are spent on it.
///
/// # Errors
/// Where the place is a folder, or its own folder cannot be made.
pub fn prepare(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Err(Error::io("write", path)(io::ErrorKind::IsADirectory.into()));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => make_folder(folder),
        _ => Ok(()),
    }
}

/// Write the picture of these summaries.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(path: &Path, summaries: &[Summary]) -> Result<(), Error> {
    let svg = svg(summaries).map_err(Error::io("draw", path))?;
    write_whole(path, svg.as_bytes())
}

/// The picture as SVG: a panel for each scenario, in the order of the summaries.
///
/// # Errors
/// None that is known; drawing to a text does not fail.
pub fn svg(summaries: &[Summary]) -> Result<String, io::Error> {
    let panels: Vec<&[Summary]> = summaries.chunk_by(|a, b| a.manifest.scenario == b.manifest.scenario).collect();
    let height = panels.iter().map(|rows| height(rows)).sum::<i32>() + FOOT;
    let mut svg = String::new();
    {
        let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&canvas, &panels).map_err(|error| io::Error::other(error.to_string()))?;
    }
    Ok(svg)
}

fn height(rows: &[Summary]) -> i32 {
    HEAD + SCALE + ROW * i32::try_from(rows.len()).unwrap_or(i32::MAX / ROW / 2)
}

fn draw(canvas: &Canvas, panels: &[&[Summary]]) -> Drawn {
    canvas.fill(&WHITE)?;
    let mut top = 0;
    for rows in panels {
        draw_panel(canvas, rows, top)?;
        top += height(rows);
    }
    let about = "Bars: share of episodes that succeed; whiskers: its 95% Wilson interval. Steps: control steps of the episodes \
                 that succeed, on average.";
    label(canvas, about, (BARS[0], top + 12), 15, FAINT, HPos::Left)?;
    let mut about = "Evaluations: predictor calls. ms: the median decision, on one core.".to_owned();
    if let Some(first) = panels.first().and_then(|rows| rows.first()) {
        about.push_str(&format!(
            " {} episodes for each actor, the same ones, seed {}.",
            first.requested, first.manifest.seed
        ));
    }
    label(canvas, &about, (BARS[0], top + 32), 15, FAINT, HPos::Left)?;
    canvas.present()
}

fn draw_panel(canvas: &Canvas, rows: &[Summary], top: i32) -> Drawn {
    let Some(first) = rows.first() else { return Ok(()) };
    label(canvas, &first.manifest.scenario, (BARS[0], top + 32), 24, TEXT, HPos::Left)?;
    for (end, names) in COLUMNS {
        for (name, y) in names.into_iter().zip([34, 50]) {
            label(canvas, name, (end, top + y), 15, FAINT, HPos::Right)?;
        }
    }
    let bottom = top + height(rows) - SCALE;
    for percent in [0, 25, 50, 75, 100] {
        let x = across(f64::from(percent) / 100.0);
        canvas.draw(&PathElement::new([(x, top + HEAD - 4), (x, bottom + 4)], GRID))?;
        label(canvas, &format!("{percent}%"), (x, bottom + 16), 15, FAINT, HPos::Center)?;
    }
    for (row, y) in rows.iter().zip((top + HEAD + ROW / 2..).step_by(ROW.unsigned_abs() as usize)) {
        draw_row(canvas, row, y)?;
    }
    Ok(())
}

fn draw_row(canvas: &Canvas, row: &Summary, y: i32) -> Drawn {
    let actor = row.manifest.actor.as_str();
    let color = match actor {
        _ if actor == PlannerName::Gradient.as_str() => BLUE,
        _ if actor == PlannerName::Random.as_str() => PALE,
        _ => SKY,
    };
    label(canvas, actor, (BARS[0] - 10, y), 17, TEXT, HPos::Right)?;
    canvas.draw(&Rectangle::new([(BARS[0], y - 9), (across(row.success_rate), y + 9)], color.filled()))?;
    let [low, high] = row.ci95.map(across);
    // White beneath keeps the whisker apart from the bar.
    for (style, cap) in [(WHITE.stroke_width(5), 7), (TEXT.stroke_width(2), 6)] {
        canvas.draw(&PathElement::new([(low, y), (high, y)], style))?;
        for x in [low, high] {
            canvas.draw(&PathElement::new([(x, y - cap), (x, y + cap)], style))?;
        }
    }
    for (text, (end, _)) in numbers(row).iter().zip(COLUMNS) {
        label(canvas, text, (end, y), 16, TEXT, HPos::Right)?;
    }
    Ok(())
}

/// What stands beside a bar.
fn numbers(row: &Summary) -> [String; 4] {
    let [low, high] = row.ci95.map(|end| end * 100.0);
    let evaluations = row.model_evaluations_per_decision;
    let decided = row.decisions > 0;
    [
        format!("{:.1}% ({low:.1} - {high:.1})", row.success_rate * 100.0),
        row.mean_steps.map_or("-".into(), |steps| format!("{steps:.0}")),
        evaluations.map_or("-".into(), |count| thousands(&format!("{count:.0}"))),
        if decided { format!("{:.2}", row.decision_ms_p50) } else { "-".into() },
    ]
}

/// Digits with a comma before each three.
fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Where a share stands on the scale.
#[expect(clippy::cast_possible_truncation, reason = "a place in the picture")]
fn across(share: f64) -> i32 {
    BARS[0] + (share * f64::from(BARS[1] - BARS[0])).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{BatchOptions, batch};
    use crate::{setup::Setup, setup::SetupOptions, stop::Stop};
    use std::sync::Arc;

    fn summary(scenario: &str, actor: &str, successes: u64) -> Summary {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/two_rooms.ron");
        let chosen = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        let setup = Arc::new(Setup::load(&file, &chosen).unwrap());
        let options = BatchOptions { first: 0, episodes: 1, jobs: 1, out: None, resume: false };
        let mut summary = batch(&setup, &options, &Stop::default(), &mut |_, _| Ok(())).unwrap().summary;
        summary.manifest.scenario = scenario.into();
        summary.manifest.actor = actor.into();
        summary.successes = successes;
        summary.success_rate = successes as f64 / 100.0;
        summary.ci95 = crate::batch::wilson95(successes, 100);
        summary.decisions = 10;
        summary.model_evaluations_per_decision = Some(13_440.0);
        summary
    }

    #[test]
    fn every_pair_has_its_bar_and_numbers() {
        let summaries = [summary("maze", "gradient", 90), summary("maze", "random", 3), summary("clutter", "cem", 70)];
        let svg = svg(&summaries).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for text in ["maze", "clutter", "gradient", "random", "cem", "90.0% (82.6 - 94.5)", "13,440", "100%"] {
            assert!(svg.lines().any(|line| line.trim() == text), "{text} is missing");
        }
        let [scenarios, fills] = ["\nmaze\n", "fill=\"#0072B2\""].map(|text| svg.matches(text).count());
        assert_eq!((scenarios, fills), (1, 1), "one panel for each scenario, one colour for the gradient");
        assert!(self::svg(&[]).unwrap().contains("</svg>"));
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told_first() {
        let folder = tempfile::tempdir().unwrap();
        assert!(prepare(folder.path()).is_err());
        let file = folder.path().join("new/picture.svg");
        prepare(&file).unwrap();
        write(&file, &[summary("maze", "gradient", 50)]).unwrap();
        assert!(prepare(&file.join("below.svg")).is_err());
    }

    #[test]
    fn large_numbers_have_commas() {
        for (digits, expected) in [("0", "0"), ("999", "999"), ("1344", "1,344"), ("1234567", "1,234,567")] {
            assert_eq!(thousands(digits), expected);
        }
    }
}
