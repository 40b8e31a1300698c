//! What a batch would run, for whoever spreads it over machines: `forethought batch --plan`. Read first: [`Plan`].

use super::options::Choices;
use crate::{
    batch::{Cell, Grid, Manifest, Provenance},
    setup::named_file,
};
use serde::Serialize;
use std::{collections::BTreeSet, path::PathBuf};

/// A batch before it is run. `batch SCENARIOS OPTIONS --model MODEL` is the same batch, wherever its files are by then.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The scenario files.
    scenarios: Vec<PathBuf>,
    /// The model of all agents, where one was chosen in place of the scenarios'.
    model: Option<PathBuf>,
    /// The other words of the command line that decide what is run; a sweep file is resolved into them.
    options: Vec<String>,
    /// The first episode's number.
    first: u64,
    /// Episodes of each cell from there on.
    episodes: u64,
    /// What is combined, in order.
    cells: Vec<PlannedCell>,
    /// This call: program, libraries and machine.
    call: Provenance,
}

/// One cell of it.
#[derive(Debug, Serialize)]
struct PlannedCell {
    /// Its folder within that of the results; null where it is the only cell.
    folder: Option<String>,
    /// Its scenario file.
    file: PathBuf,
    /// The model files that its scenario or the command line names, as far as there are any.
    models: BTreeSet<PathBuf>,
    /// The command that runs an episode of it again, without the episode's number.
    replay: String,
    /// What its manifest will say.
    manifest: Manifest,
}

impl Plan {
    /// The plan of these cells of a grid, from the first episode's number on so many episodes each.
    pub fn of(grid: &Grid, choices: &Choices, (first, episodes): (u64, u64), cells: &[Cell]) -> Self {
        let mut options = choices.words(grid);
        options.extend([format!("--first={first}"), format!("--episodes={episodes}")]);
        let planned = |cell: &Cell| {
            let loaded = &cell.setup.loaded;
            let models = loaded.scenario.agents.iter();
            let models = models.filter_map(|agent| named_file(loaded, agent, choices.model.as_deref()));
            PlannedCell {
                folder: cell.folder.clone(),
                file: loaded.path.clone(),
                models: models.filter(|model| model.is_file()).collect(),
                replay: cell.replay.clone(),
                manifest: Manifest::of(&cell.setup),
            }
        };
        Self {
            scenarios: grid.scenarios.clone(),
            model: choices.model.clone(),
            options,
            first,
            episodes,
            cells: cells.iter().map(planned).collect(),
            call: Provenance::now(0, first, episodes),
        }
    }
}
