//! A sweep: every scenario with every seed, actor and value of its fields. Read first: [`Grid`].

use crate::{
    error::Error,
    locate,
    scenario::{Axis, Setting},
};
use forethought_mind::actor::planners::PlannerName;
use ron::{extensions::Extensions, value::RawValue};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What to combine with what. Without seeds or actors it is one of each, that of the command line or of the scenario.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grid {
    /// Scenario files.
    pub scenarios: Vec<PathBuf>,
    /// Seeds of runs.
    pub seeds: Vec<u64>,
    /// Planners of all agents.
    pub actors: Vec<PlannerName>,
    /// Fields of the scenarios and their values.
    pub axes: Vec<Axis>,
    /// Episodes of each cell, where the sweep file says so.
    pub episodes: Option<u64>,
}

/// One combination.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The scenario file.
    pub scenario: PathBuf,
    /// The seed, where the grid has any.
    pub seed: Option<u64>,
    /// The planner, where the grid has any.
    pub actor: Option<PlannerName>,
    /// The fields' values.
    pub settings: Vec<Setting>,
    /// What tells it from others of its scenario: the parts of its folder's name.
    pub traits: Vec<String>,
}

/// A sweep as it is written down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SweepFile {
    scenarios: Vec<String>,
    #[serde(default)]
    seeds: Vec<u64>,
    #[serde(default)]
    actors: Vec<String>,
    #[serde(default)]
    sets: Vec<SetSpec>,
    #[serde(default)]
    episodes: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetSpec {
    path: String,
    values: Vec<Box<RawValue>>,
}

/// No more cells than these in one sweep: each has a folder.
const MOST_CELLS: usize = 10_000;

impl Grid {
    /// Read a sweep file; scenarios are paths from its folder, or names of those that come along.
    ///
    /// # Errors
    /// Where it cannot be read, or names what there is not.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|error| problem(path, error.to_string()))?;
        let options = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
        let file: SweepFile = options.from_str(&text).map_err(|error| problem(path, error.to_string()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let scenario = |name: &String| match folder.join(name) {
            beside if beside.is_file() => Ok(beside),
            _ => locate::scenario_file(name),
        };
        let actor = |name: &String| {
            let known = PlannerName::ALL.map(PlannerName::as_str).join(", ");
            PlannerName::from_name(name)
                .ok_or_else(|| problem(path, format!("there is no actor `{name}`; the actors are {known}")))
        };
        let axis = |set: &SetSpec| {
            let values: Vec<&str> = set.values.iter().map(|value| value.get_ron().trim()).collect();
            Axis::parse(&format!("{}={}", set.path, values.join(","))).map_err(|text| problem(path, text))
        };
        let grid = Self {
            scenarios: file.scenarios.iter().map(scenario).collect::<Result<_, _>>()?,
            seeds: file.seeds,
            actors: file.actors.iter().map(actor).collect::<Result<_, _>>()?,
            axes: file.sets.iter().map(axis).collect::<Result<_, _>>()?,
            episodes: file.episodes,
        };
        match () {
            () if grid.scenarios.is_empty() => Err(problem(path, "it names no scenario".into())),
            () if grid.episodes == Some(0) => Err(problem(path, "episodes is 0".into())),
            () => Ok(grid),
        }
    }

    /// All combinations: scenario by scenario, then seed by seed, then actor by actor, the last field fastest.
    ///
    /// # Errors
    /// What is wrong with them together, in words.
    pub fn points(&self) -> Result<Vec<Point>, String> {
        let paths: BTreeSet<&str> = self.axes.iter().map(|axis| axis.path.as_str()).collect();
        if paths.len() < self.axes.len() {
            return Err("a field is set twice: give all of its values at once, as PATH=VALUE1,VALUE2".into());
        }
        let counts = [self.scenarios.len(), self.seeds.len().max(1), self.actors.len().max(1)];
        let counts = counts.into_iter().chain(self.axes.iter().map(|axis| axis.values.len()));
        if counts.fold(1_usize, usize::saturating_mul) > MOST_CELLS {
            return Err(format!("more than {MOST_CELLS} combinations"));
        }
        let mut points: Vec<Point> = self.scenarios.iter().map(|scenario| Point::of(scenario)).collect();
        points = spread(points, &self.seeds, |point, seed| point.seed = Some(*seed), |seed| format!("seed_{seed}"));
        points = spread(points, &self.actors, |point, actor| point.actor = Some(*actor), |actor| actor.as_str().into());
        for axis in &self.axes {
            let settings: Vec<Setting> = axis.settings().collect();
            points = spread(points, &settings, |point, setting| point.settings.push(setting.clone()), told);
        }
        Ok(points)
    }
}

fn problem(path: &Path, problem: String) -> Error {
    Error::Sweep { path: path.to_owned(), problem }
}

/// Each point with each of the values, and its name where there are several.
fn spread<T>(
    points: Vec<Point>,
    values: &[T],
    put: impl Fn(&mut Point, &T),
    name: impl Fn(&T) -> String,
) -> Vec<Point> {
    if values.is_empty() {
        return points;
    }
    let with = |point: &Point, value: &T| {
        let mut point = point.clone();
        put(&mut point, value);
        if values.len() > 1 {
            point.traits.push(name(value));
        }
        point
    };
    points.iter().flat_map(|point| values.iter().map(move |value| with(point, value))).collect()
}

/// A setting as a part of a folder's name: the field's own name and the value.
fn told(setting: &Setting) -> String {
    format!("{}_{}", setting.path.rsplit('.').next().unwrap_or_default(), setting.value)
}

impl Point {
    fn of(scenario: &Path) -> Self {
        Self { scenario: scenario.to_owned(), seed: None, actor: None, settings: Vec::new(), traits: Vec::new() }
    }
}

/// A folder's name for each of these cells, which are named by scenario and traits.
#[must_use]
pub fn folder_names(cells: &[(String, &Point)]) -> Vec<String> {
    const LONGEST: usize = 100;
    let mut taken = BTreeSet::new();
    let name = |(number, (scenario, point)): (usize, &(String, &Point))| {
        let parts = [scenario].into_iter().chain(&point.traits).map(String::as_str);
        let whole = parts.collect::<Vec<_>>().join("-");
        let fits = |c: char| c.is_alphanumeric() || "._-".contains(c);
        let mut name: String = whole.chars().map(|c| if fits(c) { c } else { '_' }).collect();
        if name.len() > LONGEST || !taken.insert(name.clone()) {
            name = format!("{}-cell_{number}", name.chars().take(LONGEST / 2).collect::<String>());
        }
        name
    };
    cells.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_a_name_of_its_own() {
        let axis = |text: &str| Axis::parse(text).unwrap();
        let grid = Grid {
            scenarios: vec!["a.ron".into(), "b.ron".into()],
            seeds: vec![1, 2],
            actors: vec![PlannerName::Cem],
            axes: vec![axis("agents[0].actor.horizon=8,16"), axis("arena.size_m=(5, 5),[5, 5]"), axis("x=1")],
            episodes: None,
        };
        assert!(grid.points().is_ok());
        let points = grid.points().unwrap();
        assert_eq!(points.len(), 16);
        assert_eq!((points[0].seed, points[0].actor), (Some(1), Some(PlannerName::Cem)));
        let cells: Vec<(String, &Point)> = points.iter().map(|point| ("two".to_owned(), point)).collect();
        let names = folder_names(&cells);
        assert_eq!(names[0], "two-seed_1-horizon_8-size_m__5__5_");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 16, "{names:?}");

        let twice = Grid { axes: vec![axis("x=1"), axis("x=2")], ..grid.clone() };
        assert!(twice.points().unwrap_err().contains("set twice"));
        let many = Grid { seeds: (0..9000).collect(), ..grid };
        assert!(many.points().unwrap_err().contains("10000"));
    }

    #[test]
    fn a_sweep_file_is_read_or_told_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sweep.ron");
        let text = "(scenarios: [\"two_rooms\"], seeds: [1, 2], actors: [\"random\"], episodes: 9,
            sets: [(path: \"agents[0].actor.mode\", values: [Mode1, Mode2 /* both */])])";
        fs::write(&file, text).unwrap();
        let grid = Grid::read(&file).unwrap();
        assert_eq!((grid.seeds.len(), grid.episodes, grid.axes[0].values.len()), (2, Some(9), 2));
        for (from, to, expected) in [
            ("random", "ghost", "the actors are hierarchical, gradient"),
            ("seeds", "sids", "sids"),
            ("two_rooms", "no_rooms", "no_rooms"),
            ("[\"two_rooms\"]", "[]", "no scenario"),
        ] {
            fs::write(&file, text.replace(from, to)).unwrap();
            let error = Grid::read(&file).unwrap_err();
            assert!(error.to_string().contains(expected) && error.is_bad_input(), "{error}");
        }
    }
}
