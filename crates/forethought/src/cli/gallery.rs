//! `forethought gallery`. Read first: [`Gallery`].

use super::{Done, bad_usage, output, stop_on_ctrl_c};
use crate::{
    chart::{self, Format, WIDTH_PX, number},
    error::Error,
    files::{Unfinished, make_folder},
    gallery::{PARTS, Played, find, play},
    progress::Progress,
    stop::Stop,
};
use anyhow::{Context, Result};
use clap::CommandFactory;
use forethought_energy::gallery::{Entry, Settings, entries};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

/// The energy-based models of the theory, each to run, look at and measure
///
/// Without a name, all of them. With one, it is trained and what it is judged by is printed beside what theory says of it.
/// `gallery NAME --help` tells what to look for and what can be set.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, disable_help_flag = true)]
pub struct Gallery {
    /// An entry's name
    #[arg(value_name = "NAME", conflicts_with = "all")]
    name: Option<String>,

    /// Set a number of the entry, such as `--set beta=10`
    #[arg(long = "set", value_name = "KNOB=VALUE", value_parser = setting)]
    settings: Vec<(String, f64)>,

    /// Where all randomness comes from
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Draw what there is to see as shapes
    #[arg(long, value_name = "FILE", requires = "name")]
    svg: Option<PathBuf>,

    /// Draw what there is to see as pixels
    #[arg(long, value_name = "FILE", requires = "name")]
    png: Option<PathBuf>,

    /// Width of pictures in pixels
    #[arg(long, value_name = "PX", default_value_t = WIDTH_PX, value_parser = clap::value_parser!(u16).range(300..=4000))]
    width: u16,

    /// Every entry, one after another, into the folder of --out
    #[arg(long, requires = "out")]
    all: bool,

    /// Where --all leaves a picture of each entry, and gallery.jsonl with a line for each
    #[arg(long, value_name = "DIR", requires = "all")]
    out: Option<PathBuf>,

    /// What pictures --all makes
    #[arg(long, value_enum, value_delimiter = ',', default_value = "svg", requires = "all")]
    format: Vec<Format>,

    /// Watch it in a window while it trains, with sliders for all that can be set
    #[arg(long, conflicts_with_all = ["all", "svg", "png"])]
    window: bool,

    /// Save a picture of the window as PNG and close it
    #[arg(long, value_name = "FILE", hide = true, requires = "window")]
    screenshot: Option<PathBuf>,

    /// After how many slices of work the window's picture is taken; without it, at the end
    #[arg(long, value_name = "N", hide = true, requires = "screenshot")]
    at_step: Option<u32>,

    /// This, or with a name what the entry shows and what can be set
    #[arg(short, long)]
    help: bool,
}

const EXAMPLES: &str = "\
Examples:
  forethought gallery                                  what there is
  forethought gallery ellipse --help                   what it shows, and what can be set
  forethought gallery ellipse --svg ellipse.svg
  forethought gallery ellipse --set beta=30 --seed 3 --png ellipse.png --json
  forethought gallery ellipse --window                 watch it, with sliders
  forethought gallery --all --out runs/gallery         all of them, with a picture each";

impl Gallery {
    /// List, play or show.
    pub fn execute(&self, json: bool) -> Result<Done> {
        let entry = self.name.as_deref().map(find).transpose()?;
        if self.help {
            return help(entry.as_ref());
        }
        if self.window {
            return self.window(entry.as_ref());
        }
        match (&entry, &self.out) {
            (Some(entry), _) => self.one(entry, json),
            (None, Some(folder)) => self.all(folder, json),
            (None, None) if !self.settings.is_empty() => bad_usage("--set sets a number of an entry: name one"),
            (None, None) => list(json),
        }
    }

    fn settings(&self) -> Settings {
        let values: BTreeMap<String, f64> = self.settings.iter().cloned().collect();
        Settings { seed: self.seed, values, frames: None }
    }

    fn one(&self, entry: &Entry, json: bool) -> Result<Done> {
        let played = play_showing(entry, &self.settings(), &stop_on_ctrl_c()?)?;
        for (file, format) in [(&self.svg, Format::Svg), (&self.png, Format::Png)] {
            if let Some(file) = file {
                chart::write(file, format, &played.chart, self.width)?;
            }
        }
        if json {
            output::json(&played.report)?;
        } else {
            output::line(table(&played))?;
        }
        Ok(if played.report.progress < 1.0 { Done::Badly } else { Done::Well })
    }

    fn all(&self, folder: &Path, json: bool) -> Result<Done> {
        let stop = stop_on_ctrl_c()?;
        make_folder(folder)?;
        let file = folder.join("gallery.jsonl");
        let mut lines = Unfinished::begin(&file)?;
        let (mut names, mut seconds) = (vec![], 0.0);
        for entry in entries() {
            if stop.requested() {
                break;
            }
            let played = play_showing(&entry, &self.settings(), &stop)?;
            for format in &self.format {
                let picture = folder.join(entry.name).with_extension(format.extension());
                chart::write(&picture, *format, &played.chart, self.width)?;
            }
            let line = serde_json::to_string(&played.report).context("a result has no JSON form")?;
            writeln!(lines, "{line}").map_err(|source| Error::NotKept { path: file.clone(), source })?;
            names.push(entry.name);
            seconds += played.report.seconds;
            if !json {
                output::line(table(&played))?;
                output::line("")?;
            }
        }
        lines.keep()?;
        if json {
            output::json(&serde_json::json!({ "entries": names, "seconds": seconds, "out": folder }))?;
        }
        Ok(if stop.requested() { Done::Badly } else { Done::Well })
    }

    #[cfg(not(feature = "view"))]
    fn window(&self, _: Option<&Entry>) -> Result<Done> {
        let _ = (&self.screenshot, self.at_step);
        anyhow::bail!(
            "this program was built without the window: leave out --window, or build it with the feature `view`"
        )
    }

    #[cfg(feature = "view")]
    fn window(&self, entry: Option<&Entry>) -> Result<Done> {
        use crate::gallery::{LiveOptions, open};
        let screenshot = self.screenshot.clone().map(|file| (file, self.at_step.unwrap_or(u32::MAX)));
        open(&LiveOptions { entry: entry.copied(), settings: self.settings(), screenshot })?;
        Ok(Done::Well)
    }
}

/// Play an entry, and show on stderr how far it is.
fn play_showing(entry: &Entry, settings: &Settings, stop: &Stop) -> Result<Played, Error> {
    let mut progress = Progress::begin(entry.name, PARTS);
    let played = play(entry, settings, stop, &mut progress);
    progress.end();
    played
}

/// `beta=10`.
fn setting(text: &str) -> Result<(String, f64), String> {
    let (knob, value) = text.split_once('=').ok_or_else(|| format!("`{text}` sets nothing: write KNOB=VALUE"))?;
    let value = value.trim().parse().map_err(|_| format!("`{value}` is no number"))?;
    Ok((knob.trim().to_owned(), value))
}

fn list(json: bool) -> Result<Done> {
    let all = entries();
    if json {
        let names: Vec<&str> = all.iter().map(|entry| entry.name).collect();
        output::json(&serde_json::json!({ "entries": names }))?;
        return Ok(Done::Well);
    }
    let rows = all.iter().map(|entry| [entry.name, entry.title, entry.source].map(str::to_owned));
    output::line(columns(rows.collect()))?;
    output::line("\n`forethought gallery NAME --help` tells what an entry shows; `--window` lets you watch it.")?;
    Ok(Done::Well)
}

/// What the command says of itself, or what an entry is about.
fn help(entry: Option<&Entry>) -> Result<Done> {
    let Some(entry) = entry else {
        let mut whole = super::Cli::command();
        whole.build();
        if let Some(command) = whole.find_subcommand_mut("gallery") {
            command.print_long_help()?;
        }
        return Ok(Done::Well);
    };
    let Entry { name, title, source, about, knobs, .. } = entry;
    output::line(format!("{title} ({source})\n\n{}", wrapped(about)))?;
    if !knobs.is_empty() {
        let rows = knobs.iter().map(|knob| {
            let [low, high] = knob.range;
            let kind = if knob.whole { "whole, " } else { "" };
            [format!("  --set {}={}", knob.name, knob.default), format!("{kind}{low} to {high}"), knob.about.to_owned()]
        });
        output::line(format!("\nWhat can be set, as it is unless set:\n{}", columns(rows.collect())))?;
    }
    output::line(format!("\nforethought gallery {name} --svg {name}.svg"))?;
    Ok(Done::Well)
}

/// What an entry is judged by, for people.
fn table(Played { report, measures, .. }: &Played) -> String {
    let done =
        if report.progress < 1.0 { format!(", stopped at {:.0}%", 100.0 * report.progress) } else { String::new() };
    let head = format!("{} ({}), seed {}, {:.1} s{done}", report.title, report.source, report.seed, report.seconds);
    let mut rows = vec![["", "value", "expected"].map(str::to_owned)];
    rows.extend(measures.iter().map(|measure| {
        [format!("  {}", measure.about), number(measure.value), measure.expected.map_or(String::new(), number)]
    }));
    format!("{head}\n{}", columns(rows))
}

/// Text in columns, two spaces apart.
fn columns(rows: Vec<[String; 3]>) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [first, second] = [width(0), width(1)];
    let line = |[a, b, c]: &[String; 3]| format!("{a:first$}  {b:second$}  {c}").trim_end().to_owned();
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Lines of at most a hundred letters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < 100) {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
