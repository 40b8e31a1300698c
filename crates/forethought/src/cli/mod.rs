//! What the command line says and does, for the program and for other languages. Read first: [`main`]; each command has a file.

mod batch;
mod bench;
mod check;
mod collect;
mod compare;
mod gallery;
mod merge;
mod options;
mod output;
mod plan;
mod probe;
mod run;
mod train;

use crate::{Error, stop::Stop};
use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use std::{
    ffi::OsString,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Run, train and measure agents that plan by imagining.
#[derive(Debug, Parser)]
#[command(name = "forethought", version, about, after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    /// End with one JSON object as the last line on stdout
    #[arg(long, global = true)]
    json: bool,

    /// Say more on stderr; twice for everything. RUST_LOG overrides it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,

    /// Without a command: choose a scenario in a window
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  forethought                                     a window: choose a scenario and watch
  forethought run two_rooms --headless            without a window, as text
  forethought batch two_rooms --episodes 200 --out runs/two_rooms
  forethought collect two_rooms --episodes 200 --out data/two_rooms
  forethought train two_rooms --out my_model.safetensors
  forethought bench two_rooms --episodes 100      all actors side by side
  forethought probe two_rooms                     what its model knows
  forethought check scenarios/*.ron               validate scenario files
  forethought gallery ellipse --svg ellipse.svg   an energy-based model of the theory

A SCENARIO is a RON file, or the bare name of one in scenarios/.
Exit status: 0 done, 1 failed while running, 2 the input was bad.";

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Batch(batch::Batch),
    Collect(collect::Collect),
    Train(train::Train),
    Bench(bench::Bench),
    Probe(probe::Probe),
    Check(check::Check),
    Compare(compare::Compare),
    Gallery(gallery::Gallery),
    Merge(merge::Merge),
}

/// How a command ended that went through.
enum Done {
    /// All is well: exit status 0.
    Well,
    /// It has results, but something went wrong on the way: exit status 1.
    Badly,
    /// The input is bad: exit status 2.
    BadInput,
}

/// Parse the command line (its first word is the program's name), do what it says, and give the exit status: 0 done, 1 failed
/// while running, 2 the input was bad. A word that is not known ends the process.
pub fn main<I, T>(words: I) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let mut cli = Cli::parse_from(words);
    let command = cli.command.take().or_else(|| Cli::parse_from(["forethought", "run"]).command);
    start_logging(cli.verbose);
    match command.map_or(Ok(Done::Well), |command| command.execute(cli.json)) {
        Ok(Done::Well) => 0,
        Ok(Done::Badly) => 1,
        Ok(Done::BadInput) => 2,
        Err(error) => {
            let (status, message) = match error.downcast_ref::<Error>() {
                // These say their causes themselves.
                Some(known) => (if known.is_bad_input() { 2 } else { 1 }, known.to_string()),
                None => (1, format!("{error:#}")),
            };
            eprintln!("error: {message}");
            if cli.json {
                // There is nothing left to do where stdout is closed too.
                let _ = output::json(&serde_json::json!({ "error": message, "exit_status": status }));
            }
            status
        }
    }
}

impl Command {
    fn execute(&self, json: bool) -> Result<Done> {
        match self {
            Self::Run(command) => command.execute(json),
            Self::Batch(command) => command.execute(json),
            Self::Collect(command) => command.execute(json),
            Self::Train(command) => command.execute(json),
            Self::Bench(command) => command.execute(json),
            Self::Probe(command) => command.execute(json),
            Self::Check(command) => command.execute(json),
            Self::Compare(command) => command.execute(json),
            Self::Gallery(command) => command.execute(json),
            Self::Merge(command) => command.execute(json),
        }
    }
}

/// Logs go to stderr; stdout belongs to results.
fn start_logging(verbose: u8) {
    use tracing_subscriber::{EnvFilter, fmt};
    // What the engine and the graphics stack warn of is for their developers.
    let level = ["error,forethought=warn", "warn,forethought=info", "debug"][usize::from(verbose.min(2))];
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).without_time().try_init();
}

/// What Ctrl-C asks to stop, and when it was first pressed. A process has one, but may run several command lines, one after another.
static UNDER_WAY: Mutex<Option<(Stop, Option<Instant>)>> = Mutex::new(None);

/// Ctrl-C asks once, and insists the second time.
fn stop_on_ctrl_c() -> Result<Stop> {
    let stop = Stop::default();
    let before = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).replace((stop.clone(), None));
    if before.is_none() {
        ctrlc::set_handler(|| {
            let mut under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((asked, first)) = under_way.as_mut() else { return };
            match first {
                None => {
                    *first = Some(Instant::now());
                    asked.request();
                    eprintln!("\nstopping after what is under way; Ctrl-C again quits at once");
                }
                // Wrappers such as `timeout` pass one Ctrl-C on twice.
                Some(first) if first.elapsed() < Duration::from_millis(300) => {}
                Some(_) => std::process::exit(130),
            }
        })
        .context("cannot listen for Ctrl-C")?;
    }
    Ok(stop)
}

/// Input that clap cannot check: its own kind of message, and exit status 2.
fn bad_usage(message: impl std::fmt::Display) -> ! {
    Cli::command().error(ErrorKind::ArgumentConflict, message).exit()
}
