//! `forethought check`. Read first: [`Check`].

use super::{Done, output};
use crate::{
    locate,
    scenario::{self, LoadedScenario, ScenarioErrors},
    setup::{Setup, SetupOptions},
};
use anyhow::Result;
use serde::Serialize;
use std::path::PathBuf;

/// Validate scenario files without running them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// RON files, or bare names of those in scenarios/
    #[arg(required_unless_present = "reference", value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// Print the reference of the scenario format instead; with --json its JSON schema
    #[arg(long)]
    reference: bool,
}

const EXAMPLES: &str = "\
Examples:
  forethought check two_rooms
  forethought check scenarios/*.ron --json
  forethought check --reference

Exit status 2 where any scenario has problems; a model that is not there is one.";

/// What there is to say about one scenario.
#[derive(Serialize)]
struct Report {
    scenario: String,
    path: Option<PathBuf>,
    ok: bool,
    /// What is wrong with it.
    problems: Option<ScenarioErrors>,
    /// Why there is nothing to check.
    error: Option<String>,
}

impl Check {
    /// Check every scenario; all problems of all files are told at once.
    pub fn execute(&self, json: bool) -> Result<Done> {
        if self.reference {
            if json {
                output::json(scenario::reference::schema())?;
            } else {
                output::line(scenario::reference::markdown().trim_end())?;
            }
            return Ok(Done::Well);
        }
        let reports: Vec<Report> = self.scenarios.iter().map(|scenario| Report::on(scenario)).collect();
        let bad = reports.iter().filter(|report| !report.ok).count();
        if json {
            output::json(&serde_json::json!({ "ok": bad == 0, "scenarios": reports }))?;
        } else {
            reports.iter().try_for_each(Report::tell)?;
            if bad > 0 {
                eprintln!("error: {bad} of {} scenarios cannot be used", reports.len());
            }
        }
        Ok(if bad == 0 { Done::Well } else { Done::BadInput })
    }
}

/// What is wrong with the agents' models, or between them and their agents. Agents without one can only act at random.
fn misfit(loaded: LoadedScenario) -> Option<String> {
    let trained = loaded.scenario.agents.iter().all(|agent| agent.model.is_some());
    let setup = trained.then(|| Setup::of(loaded, &SetupOptions::default()))?;
    setup.err().map(|error| error.to_string())
}

impl Report {
    fn on(scenario: &str) -> Self {
        let mut report = Self { scenario: scenario.into(), path: None, ok: false, problems: None, error: None };
        match locate::scenario_file(scenario) {
            Err(error) => report.error = Some(error.to_string()),
            Ok(path) => {
                match scenario::load(&path) {
                    Err(problems) => report.problems = Some(problems),
                    Ok(loaded) => report.error = misfit(loaded),
                }
                report.ok = report.problems.is_none() && report.error.is_none();
                report.path = Some(path);
            }
        }
        report
    }

    fn tell(&self) -> Result<()> {
        if let Some(error) = &self.error {
            eprintln!("{}: {error}", self.scenario);
        }
        if let Some(problems) = &self.problems {
            eprintln!("{problems}\n");
        }
        if self.ok {
            output::line(format!("ok: {}", self.scenario))?;
        }
        Ok(())
    }
}
