//! `forethought batch`. Read first: [`Batch`].

use super::{
    Done, bad_usage,
    options::{Choices, Jobs, Learn, actor_parser},
    output,
    plan::Plan,
    stop_on_ctrl_c,
};
use crate::{
    Error,
    batch::{Cell, Crossings, Grid, Point, Shard, Summary, SweepOptions, Tally, Watch, export, folder_names, sweep},
    episode::EpisodeResult,
    learning::LearningSummary,
    life::Lives,
    locate,
    progress::Progress,
    setup::{Models, Setup},
    tasks::{Tasks, shares},
    tracking::Track,
};
use anyhow::Result;
use forethought_mind::{actor::planners::PlannerName, learning::Pace};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Run many episodes over all cores
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Batch {
    /// RON files, or bare names of those in scenarios/
    #[arg(required_unless_present = "sweep", value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// How many episodes of each combination [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    episodes: Option<u64>,

    /// The first episode's number
    #[arg(long, value_name = "I", default_value_t = 0)]
    first: u64,

    #[command(flatten)]
    choices: Choices,

    /// Several seeds, separated by commas: a batch from each
    #[arg(long, value_name = "SEEDS", value_delimiter = ',', conflicts_with = "seed")]
    seeds: Vec<u64>,

    /// Several planners, separated by commas: a batch with each
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = actor_parser(), conflicts_with = "actor")]
    actors: Vec<PlannerName>,

    /// A RON file with scenarios, seeds, actors, sets and episodes to combine; what is given here comes in its place
    #[arg(long, value_name = "FILE")]
    sweep: Option<PathBuf>,

    #[command(flatten)]
    learn: Learn,

    #[command(flatten)]
    jobs: Jobs,

    /// A new or empty folder for results; with several combinations, for a folder each
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Go on with the run in --out: only what is missing is run
    #[arg(long, requires = "out")]
    resume: bool,

    /// Write how it goes as TensorBoard's event files to this folder; with several combinations, to a folder each in it
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,

    /// Run only part I of N, for a machine of its own; `forethought merge` puts the parts together
    #[arg(long, value_name = "I/N", requires = "out")]
    shard: Option<Shard>,

    /// Run nothing: say as JSON what would be run, by which program and from which files, for whoever spreads it over machines
    #[arg(long, conflicts_with_all = ["out", "shard"])]
    plan: bool,
}

const EXAMPLES: &str = r#"Examples:
  forethought batch two_rooms --episodes 500 --seed 1 --out runs/two_rooms
  forethought batch two_rooms --episodes 500 --seed 1 --out runs/two_rooms --resume
  forethought batch two_rooms --actor cem --jobs 2 --json
  forethought batch two_rooms --episodes 300 --seed 7 --learn my_model.safetensors
  forethought batch scenarios/*.ron --actor random --episodes 50 --out runs/all
  forethought batch two_rooms --seeds 1,2,3 --set 'agents[0].actor.horizon=20,64' --out runs/horizons
  forethought batch two_rooms --actors gradient,cem --out runs/actors --tensorboard runs/events
  forethought batch --sweep sweep.ron --out runs/sweep --resume
  forethought batch two_rooms --episodes 100000 --out parts/3 --shard 3/8 --resume

A sweep runs every scenario with every seed, actor and value of each --set. A sweep file is, for example,
  (scenarios: ["two_rooms"], seeds: [1, 2], actors: ["gradient", "cem"], episodes: 200,
   sets: [(path: "agents[0].actor.horizon", values: [20, 64])])

Ctrl-C ends the batch after the episodes under way and keeps them; --resume goes on. With --learn the episodes run one
after another, for what is learnt in one is lived with in the next; --jobs is then how many threads learn. Without a
file, what is learnt is kept beside --out, or in learnt/SCENARIO.safetensors; where the file is there already, learning
goes on from it."#;

impl Batch {
    /// Run all combinations, and tell of each as soon as its episodes have ended.
    pub fn execute(&self, json: bool) -> Result<Done> {
        let grid = self.grid()?;
        if self.plan && self.learn.is_on() {
            return Err(Error::LearnShard.into());
        }
        let cells = self.cells(&grid)?;
        if self.plan {
            output::json(&Plan::of(&grid, &self.choices, (self.first, self.count(&grid)), &cells))?;
            return Ok(Done::Well);
        }
        let stop = stop_on_ctrl_c()?;
        let options = SweepOptions {
            first: self.first,
            episodes: self.count(&grid),
            jobs: self.jobs.count(),
            out: self.out.clone(),
            resume: self.resume,
            shard: self.shard.unwrap_or_default(),
        };
        let label =
            if let [cell] = &cells[..] { cell.setup.name().to_owned() } else { format!("{} cells", cells.len()) };
        let progress = Progress::begin(&label, options.episodes * cells.len() as u64 / options.shard.of);
        let folder =
            |cell: &Cell| self.tensorboard.as_ref().map(|out| out.join(cell.folder.as_deref().unwrap_or_default()));
        let tracks = cells.iter().map(|cell| (Track::in_folder(folder(cell)), Tally::default())).collect();
        let mut telling = Telling { progress, lines: !json, closed: BTreeSet::new(), tracks };
        let summaries = sweep(&cells, &options, &stop, &mut telling)?;
        telling.progress.end();
        if let Some(out) = &self.out {
            Self::export(out, &cells, &telling.closed, &summaries)?;
        }
        if json {
            match summaries.as_slice() {
                [summary] if cells.len() == 1 => output::json(summary)?,
                several => output::json(&serde_json::json!({ "batches": several }))?,
            }
        }
        Ok(self.verdict(&summaries, cells.len()))
    }

    /// Episodes of each cell.
    fn count(&self, grid: &Grid) -> u64 {
        self.episodes.or(grid.episodes).unwrap_or(100)
    }

    /// Table and report of the cells that have come to something.
    fn export(out: &Path, cells: &[Cell], closed: &BTreeSet<usize>, summaries: &[Summary]) -> Result<(), Error> {
        let folder = |cell: &usize| cells[*cell].folder.as_ref().map_or_else(PathBuf::new, PathBuf::from);
        let folders: Vec<PathBuf> = closed.iter().map(folder).collect();
        export(out, &folders, summaries)
    }

    /// What to combine with what: the sweep file, and in its place what is given on the command line.
    fn grid(&self) -> Result<Grid, Error> {
        let mut grid = self.sweep.as_deref().map_or_else(|| Ok(Grid::default()), Grid::read)?;
        let files: Vec<PathBuf> =
            self.scenarios.iter().map(|scenario| locate::scenario_file(scenario)).collect::<Result<_, _>>()?;
        grid.scenarios = if files.is_empty() { grid.scenarios } else { files };
        grid.seeds = if self.seeds.is_empty() { grid.seeds } else { self.seeds.clone() };
        grid.actors = if self.actors.is_empty() { grid.actors } else { self.actors.clone() };
        for axis in &self.choices.axes {
            grid.axes.retain(|other| other.path != axis.path);
        }
        grid.axes.extend(self.choices.axes.iter().cloned());
        Ok(grid)
    }

    fn cells(&self, grid: &Grid) -> Result<Vec<Cell>, Error> {
        let points = grid.points().unwrap_or_else(|problem| bad_usage(problem));
        if self.learn.names_a_file() && points.len() > 1 {
            bad_usage(
                "several scenarios cannot keep what is learnt in one file: leave out the file, or run them in two calls",
            );
        }
        if self.learn.is_on() && self.resume {
            return Err(Error::LearnResume);
        }
        let mut known = Models::default();
        let setups: Vec<Setup> =
            points.iter().map(|point| self.choices.setup_of(point, &mut known)).collect::<Result<_, _>>()?;
        // A scenario is known by its name, and so are its results.
        let mut files: BTreeMap<&str, &Path> = BTreeMap::new();
        for (number, scenario) in grid.scenarios.iter().enumerate() {
            let name = setups[number * points.len() / grid.scenarios.len()].name();
            if files.insert(name, scenario).is_some() {
                bad_usage("two of the scenarios have the same name: run them in two calls");
            }
        }
        let named: Vec<(String, &Point)> = setups.iter().map(|setup| setup.name().to_owned()).zip(&points).collect();
        let folders = folder_names(&named);
        let cell = |((setup, point), folder): ((Setup, &Point), String)| {
            let folder = (points.len() > 1).then_some(folder);
            let out = self.out.as_ref().map(|out| folder.as_ref().map_or_else(|| out.clone(), |name| out.join(name)));
            let setup = self.learn.apply(setup, &self.choices, out.as_deref(), self.jobs.count(), Pace::InStep)?;
            Ok(Cell { setup, folder, replay: self.choices.replay(point) })
        };
        setups.into_iter().zip(&points).zip(folders).map(cell).collect()
    }

    fn verdict(&self, summaries: &[Summary], wanted: usize) -> Done {
        let errors: u64 = summaries.iter().map(|summary| summary.errors).sum();
        let complete =
            summaries.len() == wanted && summaries.iter().all(|summary| summary.episodes == summary.requested);
        if errors > 0 {
            eprintln!("error: {errors} episodes went wrong; their lines say why and from which seed");
        }
        if !complete {
            let remedy = if self.out.is_some() { "go on with --resume" } else { "with --out, --resume could go on" };
            eprintln!("error: stopped before the end; {remedy}");
        }
        if errors == 0 && complete { Done::Well } else { Done::Badly }
    }
}

/// Tells how it goes on stderr, and what each cell came to on stdout.
struct Telling {
    progress: Progress,
    lines: bool,
    /// The cells that have come to something.
    closed: BTreeSet<usize>,
    /// How each cell goes, for TensorBoard, and how all of its episodes went so far.
    tracks: Vec<(Track, Tally)>,
}

impl Watch for Telling {
    fn begin(&mut self, cell: usize, earlier: &Tally) -> Result<(), Error> {
        self.tracks[cell].1 = *earlier;
        Ok(())
    }

    fn episode(&mut self, cell: usize, result: &EpisodeResult, tally: &Tally) -> Result<(), Error> {
        self.progress.episode(result, tally);
        let (track, so_far) = &mut self.tracks[cell];
        so_far.count(result);
        track.episode(result, so_far)
    }

    fn cell(&mut self, cell: usize, summary: &Summary) -> Result<(), Error> {
        self.closed.insert(cell);
        // Whoever does not listen finds it in the folder.
        let _ = self.lines.then(|| output::line(describe(summary)));
        Ok(())
    }
}

/// A summary for people.
pub fn describe(summary: &Summary) -> String {
    let [low, high] = summary.ci95.map(|end| end * 100.0);
    let mean = |steps: Option<f64>| steps.map_or("-".into(), |steps| format!("{steps:.1}"));
    let Summary { manifest, successes, episodes, .. } = summary;
    let settings = manifest.told_settings().map_or_else(String::new, |settings| format!(", {settings}"));
    let part = if manifest.shard.is_whole() { String::new() } else { format!(", part {}", manifest.shard) };
    let mut text = format!(
        "{}, actor {}{settings}, seed {}{part}: {successes} of {episodes} succeeded: {:.1}% (95% interval {low:.1}% to {high:.1}%)\n  \
         {} steps on average where it succeeded, {} in all; {} steps in {:.1} s\n",
        manifest.scenario,
        manifest.actor,
        manifest.seed,
        summary.success_rate * 100.0,
        mean(summary.mean_steps),
        mean(summary.mean_steps_all),
        summary.env_steps,
        summary.wall_secs,
    );
    if summary.decisions > 0 {
        text += &format!(
            "  a decision takes {:.2} ms (median; {:.2} ms at the 95th percentile), {:.2} ms of thinking a step\n",
            summary.decision_ms_p50, summary.decision_ms_p95, summary.decision_ms_mean_per_step,
        );
    }
    if let Some(lives) = &summary.lives {
        let Lives { mean_energy, meals_per_life, steps_per_life, starved, hurt, survived, .. } = lives;
        text += &format!(
            "  a life lasts {steps_per_life:.1} steps on {:.0}% of the store, with {meals_per_life:.1} meals; \
             {starved} starved, {hurt} died of harm, {survived} survived\n",
            mean_energy * 100.0,
        );
    }
    if let Some(Tasks { switches_per_life, at }) = &summary.tasks {
        let shares = shares(at.iter().map(|(name, at)| (name, at.share)));
        text += &format!("  {shares} of the time; {switches_per_life:.1} switches in a life\n");
    }
    if let Some(crossings) = &summary.crossings {
        let Crossings { agents, arrived, arrived_share, arrived_ci95, collisions_per_agent, .. } = crossings;
        let [low, high] = arrived_ci95.map(|end| end * 100.0);
        text += &format!(
            "  {arrived} of {agents} agents arrived: {:.1}% (95% interval {low:.1}% to {high:.1}%), after {} steps on \
             average; {collisions_per_agent:.3} collisions for each agent\n",
            arrived_share * 100.0,
            mean(crossings.mean_arrival_steps),
        );
    }
    if let Some(learning) = &summary.learning {
        let LearningSummary { kept, synchronisations, taken_up, rolled_back, went_back, .. } = learning;
        text += &format!(
            "  of {synchronisations} synchronisations {taken_up} brought something new, {rolled_back} rolled something back, \
             {went_back} went back to an earlier model; it is kept in {}\n",
            kept.display(),
        );
    }
    text + &format!("  digest {}", summary.digest)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Cli, Command},
        *,
    };
    use clap::Parser;

    fn read(words: &[&str]) -> Batch {
        let cli = Cli::try_parse_from([&["forethought", "batch"][..], words].concat()).unwrap();
        let Some(Command::Batch(batch)) = cli.command else { panic!("it is a batch") };
        batch
    }

    #[test]
    fn the_words_of_a_plan_are_the_same_batch() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sweep.ron");
        let text = "(scenarios: [\"two_rooms\"], seeds: [1, 2], actors: [\"cem\"], episodes: 9,
            sets: [(path: \"agents[0].actor.horizon\", values: [20, 64]), (path: \"name\", values: [\"a, b\"])])";
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        for words in [
            &["two_rooms", "--seed", "7", "--actor", "cem", "--mode", "mixed", "--horizon", "8", "--critic", "true"][..],
            &["two_rooms", "foraging", "--seeds", "3,4", "--without", "hunger,pain", "--configurator", "none"],
            &["--sweep", file, "--task", "eat", "--set", "name=\"c\""],
        ] {
            let batch = read(words);
            let grid = batch.grid().unwrap();
            let scenarios: Vec<&str> = grid.scenarios.iter().map(|path| path.to_str().unwrap()).collect();
            let said = batch.choices.words(&grid);
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            let again = read(&[&scenarios[..], &said[..]].concat());
            let same = Grid { episodes: None, ..grid.clone() };
            assert_eq!(again.grid().unwrap(), same, "{said:?}");
            let points = grid.points().unwrap();
            let replays = |batch: &Batch| points.iter().map(|point| batch.choices.replay(point)).collect::<Vec<_>>();
            assert_eq!(replays(&again), replays(&batch), "{said:?}");
        }
    }
}
