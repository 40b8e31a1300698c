//! From the numbers to the text in BENCHMARKS.md and to the files. Read first: [`render`] and [`splice`].

use crate::{
    growth::{Speedup, Sweep},
    profile::{Profile, REST, Row},
};
use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

const BEGIN: &str = "<!-- scaling:begin -->";
const END: &str = "<!-- scaling:end -->";

/// Seconds with three digits and a unit.
pub fn time_text(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 0.9995 => (s, "s"),
        s if s >= 0.9995e-3 => (s * 1e3, "ms"),
        s if s >= 0.9995e-6 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    let digits = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.digits$}");
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

/// Two lines: sizes and what belongs to them.
fn two_lines(name: &str, values: &[(f64, f64)], text: impl Fn(f64) -> String) -> String {
    let mut table = format!("| {name} |");
    values.iter().for_each(|(size, _)| {
        let _ = write!(table, " {size} |");
    });
    let _ = write!(table, "\n|{}\n| |", "---|".repeat(values.len() + 1));
    values.iter().for_each(|(_, value)| {
        let _ = write!(table, " {} |", text(*value));
    });
    table + "\n"
}

/// A sweep: its law and its numbers.
pub fn sweep_text(sweep: &Sweep) -> String {
    let law = sweep.law.map_or_else(String::new, |law| {
        let end = law.end;
        format!(" Exponent **{}** from {} to {}; {end:.2} between the last two.", law.text(), law.from, law.to)
    });
    let title = format!("**{}**, {}.{law}\n\n", sweep.name, sweep.of);
    title + &two_lines(sweep.name, &sweep.points, time_text)
}

/// How much faster more threads are.
pub fn speedup_text(speedup: &Speedup) -> String {
    let title = format!("**threads**, a planning iteration as above from {} starts.\n\n", speedup.starts);
    let mut text = title + &two_lines("threads", &speedup.points, time_text);
    text.push_str("| speed-up |");
    for (_, factor) in speedup.factors() {
        let _ = write!(text, " {factor:.2}x |");
    }
    text + "\n"
}

fn rows_text(title: &str, rows: &[Row]) -> String {
    let sum = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
    let (before, after) = (sum(|row| row.before), sum(|row| row.after));
    let mut text = format!("| {title} | before | share | after | share | |\n|---|---|---|---|---|---|\n");
    let mut line = |name: &str, row: [f64; 2]| {
        let shares = [100.0 * row[0] / before, 100.0 * row[1] / after];
        let faster =
            if (row[0] / row[1] - 1.0).abs() < 1e-9 { String::new() } else { format!("{:.1}x", row[0] / row[1]) };
        let times = row.map(time_text);
        let _ = writeln!(
            text,
            "| {name} | {} | {:.1}% | {} | {:.1}% | {faster} |",
            times[0], shares[0], times[1], shares[1]
        );
    };
    rows.iter().for_each(|row| line(row.part, [row.before, row.after]));
    line("**sum**", [before, after]);
    text
}

/// How well the parts make the whole.
fn whole_text(profile: &Profile) -> String {
    let parts: f64 = profile.decision.iter().filter(|row| row.part != REST).map(|row| row.after).sum();
    let share = 100.0 * parts / profile.think;
    format!(
        "The mind itself takes {} for a decision; the parts that were timed add up to {share:.0}% of that.\n",
        time_text(profile.think)
    )
}

/// The profile's tables.
pub fn profile_text(profile: &Profile) -> String {
    format!(
        "{}. On one thread. *Before* is dfdx's own operations, *after* the fused ones; medians, taken in turn. \
         A control step's *before* is its *after* and what its share of a decision would take longer.\n\n{}\n{}\n{}\n{}",
        profile.about,
        rows_text("one planning iteration", &profile.iteration),
        rows_text("one decision", &profile.decision),
        whole_text(profile),
        rows_text("one control step, on average", &profile.step)
    )
}

/// Everything between the markers.
pub fn render(sweeps: &[Sweep], speedups: &[Speedup], profile: &Profile, root: &Path) -> String {
    let mut text = format!(
        "{}\n\nEach time is that of the fastest of several blocks, on one thread but for the threads themselves. A power law \
         is fitted to the larger half of the points: least squares on logarithms, the exponent with its standard error.\n\n\
         ### How cost grows\n\n",
        machine_text(root)
    );
    let parts: Vec<String> = sweeps.iter().map(sweep_text).chain(speedups.iter().map(speedup_text)).collect();
    text.push_str(&parts.join("\n"));
    let _ = write!(text, "\n### Where the time goes\n\n{}", profile_text(profile));
    text
}

fn output_of(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

fn machine_text(root: &Path) -> String {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cpu = model.map(|(_, name)| name.trim().to_owned());
    let cpu = cpu.or_else(|| output_of("sysctl", &["-n", "machdep.cpu.brand_string"], root));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let commit = output_of("git", &["rev-parse", "--short", "HEAD"], root).unwrap_or_else(|| "unknown".into());
    // What this bench itself writes does not count as a change.
    let others = ["status", "--porcelain", "--", ".", ":(exclude)BENCHMARKS.md", ":(exclude)docs/scaling.svg"];
    let changed = output_of("git", &others, root).is_some_and(|text| !text.is_empty());
    let rustc = output_of("rustc", &["--version"], root).unwrap_or_else(|| "rustc".into());
    format!(
        "Measured on {} at commit {commit}{}; {}, {cores} cores, {} {}; {}.",
        date(),
        if changed { ", with changes not committed" } else { "" },
        cpu.as_deref().unwrap_or(std::env::consts::ARCH),
        std::env::consts::OS,
        std::env::consts::ARCH,
        rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    )
}

/// Today, in UTC.
fn date() -> String {
    let mut days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, days + 1)
}

/// What is written where.
pub struct Files {
    pub table: PathBuf,
    pub picture: PathBuf,
}

impl Files {
    pub fn under(root: &Path) -> Self {
        Self { table: root.join("BENCHMARKS.md"), picture: root.join("docs/scaling.svg") }
    }

    /// Write both; the error names the file.
    pub fn write(&self, text: &str, svg: &str) -> Result<(), String> {
        let whole = splice(&self.table, text)?;
        replace(&self.picture, svg)?;
        replace(&self.table, &whole)
    }
}

/// The file with `text` between the markers and the rest as it is.
pub fn splice(path: &Path, text: &str) -> Result<String, String> {
    let old = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let places: Vec<_> = [BEGIN, END].iter().map(|marker| old.match_indices(marker).collect::<Vec<_>>()).collect();
    match (&places[0][..], &places[1][..]) {
        ([(begin, _)], [(end, _)]) if begin < end => {
            Ok(format!("{}\n{text}{}", &old[..begin + BEGIN.len()], &old[*end..]))
        }
        _ => Err(format!("{}: {BEGIN} and {END} do not appear once each, in this order", path.display())),
    }
}

/// By way of a file beside it, so that nobody ever sees a half.
fn replace(path: &Path, text: &str) -> Result<(), String> {
    let beside = path.with_added_extension("writing");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(|error| {
        // A half-written file is of no use.
        let _ = std::fs::remove_file(&beside);
        format!("cannot write {}: {error}", path.display())
    })
}
