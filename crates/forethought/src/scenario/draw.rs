//! One episode of a scenario: factors drawn, expressions resolved. Read first: [`LoadedScenario::draw`].

use super::{AgentSpec, Draw, EpisodeSpec, FactorSpec, Scenario};
use forethought_interface::{FactorValues, Num, NumError, Numbers, derive_seed};
use forethought_mind::cost::drives::DriveSpec;
use forethought_world::{AgentBodySpec, Endpoints, Maze, MazeError, WorldSpec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

/// A scenario that was read from a file and found to be sound.
#[derive(Debug, Clone)]
pub struct LoadedScenario {
    /// The scenario.
    pub scenario: Scenario,
    /// The file it came from.
    pub path: PathBuf,
    /// XXH3 of the file's text.
    pub hash: u64,
}

/// One episode, drawn from a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// The factors of variation, in file order.
    pub factors: Vec<(String, f64)>,
    /// The world, all its numbers resolved.
    pub world: WorldSpec,
    /// When the episode ends, all its numbers resolved.
    pub episode: EpisodeSpec,
    /// The seed that it was drawn from.
    pub seed: u64,
}

/// Why an episode cannot be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DrawError {
    /// An expression has no value for the factors drawn.
    #[error("{path}: {source}")]
    Number {
        /// Where it stands.
        path: String,
        /// Why.
        source: NumError,
    },
    /// A factor's lower bound is above its upper bound.
    #[error("{path}: the lower bound {low} is above the upper bound {high}")]
    Bounds {
        /// Where they stand.
        path: String,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// There is no such maze.
    #[error("{path}: {source}")]
    Maze {
        /// Where it stands.
        path: String,
        /// Why.
        source: MazeError,
    },
    /// A choice between nothing.
    #[error("{path}: there is nothing to choose from")]
    Empty {
        /// Where it stands.
        path: String,
    },
}

impl LoadedScenario {
    /// Draw one episode. The same seed draws the same episode; every factor takes one random number, whatever its kind,
    /// so that a change to one leaves the others as they were.
    ///
    /// # Errors
    /// [`DrawError`] where an expression has no value for the factors drawn.
    pub fn draw(&self, seed: u64) -> Result<Episode, DrawError> {
        draw(&self.scenario, seed)
    }

    /// Draw one episode to explore.
    ///
    /// # Errors
    /// As [`LoadedScenario::draw`].
    pub fn draw_exploring(&self, seed: u64) -> Result<Episode, DrawError> {
        draw(&self.scenario.exploring(), seed)
    }
}

fn draw(scenario: &Scenario, seed: u64) -> Result<Episode, DrawError> {
    let mut values = FactorValues::new();
    let mut factors = Vec::new();
    for (index, (factor, at)) in scenario.factors.iter().zip(random_positions(seed)).enumerate() {
        let drawn = factor_values(factor, index, at, &values)?;
        values.extend(drawn.iter().cloned());
        factors.extend(drawn);
    }
    let mut world = world_of(scenario);
    let mut episode = scenario.episode.clone();
    resolve(&mut world, "", &values)?;
    resolve(&mut episode, "episode", &values)?;
    Ok(Episode { factors, world, episode, seed })
}

/// Where in its range each factor is, from 0 to 1: an endless stream.
pub(super) fn random_positions(seed: u64) -> impl Iterator<Item = f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(seed, "factors", 0));
    std::iter::repeat_with(move || rng.r#gen::<f64>())
}

/// The values of factor `index` at this position of its range, from 0 to 1, under the names that it gives.
pub(super) fn factor_values(
    factor: &FactorSpec,
    index: usize,
    at: f64,
    before: &FactorValues,
) -> Result<Vec<(String, f64)>, DrawError> {
    let path = |rest: &str| format!("factors[{index}].draw{rest}");
    let number =
        |num: &Num, rest: &str| num.evaluate(before).map_err(|source| DrawError::Number { path: path(rest), source });
    let value = match &factor.draw {
        Draw::Uniform { low, high } => {
            let (low, high) = (number(low, ".low")?, number(high, ".high")?);
            if low > high {
                return Err(DrawError::Bounds { path: path(""), low, high });
            }
            (low * (1.0 - at) + high * at).clamp(low, high)
        }
        Draw::Choice { of } => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an index: below the length, which is small"
            )]
            let chosen = ((at * of.len() as f64) as usize).min(of.len().saturating_sub(1));
            let num = of.get(chosen).ok_or_else(|| DrawError::Empty { path: path(".of") })?;
            number(num, &format!(".of[{chosen}]"))?
        }
        Draw::Fixed { value } => number(value, ".value")?,
        Draw::Maze { cells, loops, path_cells: [least, most] } => {
            if least > most {
                let (low, high) = (f64::from(*least), f64::from(*most));
                return Err(DrawError::Bounds { path: path(".path_cells"), low, high });
            }
            let maze = draw_maze(*cells, number(loops, ".loops")?, at).map_err(|source| {
                let rest = match source {
                    MazeError::Cells(_) => ".cells",
                    MazeError::Loops(_) => ".loops",
                };
                DrawError::Maze { path: path(rest), source }
            })?;
            let Endpoints { start, goal, path_cells } = maze.endpoints(*least, *most);
            let whole = [start[0], start[1], goal[0], goal[1], path_cells].map(f64::from);
            return Ok(factor.names().into_iter().zip(std::iter::once(maze.number()).chain(whole)).collect());
        }
    };
    Ok(vec![(factor.name.clone(), value)])
}

/// The maze at this position among all of its kind.
fn draw_maze(cells: [u32; 2], loops: f64, at: f64) -> Result<Maze, MazeError> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "from 0 to 2^30"
    )]
    let seed = (at * Maze::SEEDS as f64) as u64;
    Maze::generate(cells, loops, seed)
}

/// The world of a scenario, its numbers as they were written.
pub(super) fn world_of(scenario: &Scenario) -> WorldSpec {
    WorldSpec {
        arena: scenario.arena.clone(),
        bodies: scenario.bodies.clone(),
        agents: scenario.agents.iter().map(body_of).collect(),
        targets: scenario.targets.clone(),
        zones: scenario.zones.clone(),
        foods: scenario.foods.clone(),
        climate: scenario.climate.clone(),
        timing: scenario.timing.clone(),
    }
}

fn body_of(agent: &AgentSpec) -> AgentBodySpec {
    let target = agent.drives.iter().find_map(|drive| match drive {
        DriveSpec::Reach(reach) => Some(reach.target.clone()),
        _ => None,
    });
    AgentBodySpec {
        name: agent.name.clone(),
        shape: agent.shape.clone(),
        position_m: agent.position_m.clone(),
        angle_rad: agent.angle_rad.clone(),
        material: agent.material.clone(),
        color: agent.color.clone(),
        actuator: agent.actuator.clone(),
        sensors: agent.sensors.clone(),
        target,
        metabolism: agent.metabolism.clone(),
        immortal: false,
    }
}

/// Replace every expression by its value.
fn resolve(numbers: &mut impl Numbers, path: &str, values: &FactorValues) -> Result<(), DrawError> {
    let mut result = Ok(());
    numbers.numbers(path, &mut |path, num| {
        if result.is_ok() && matches!(num, Num::Expression(_)) {
            result = num.resolve(values).map_err(|source| DrawError::Number { path: path.to_owned(), source });
        }
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load_without_models;
    use std::path::Path;

    fn two_rooms() -> LoadedScenario {
        load_without_models(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"))).unwrap()
    }

    #[test]
    fn a_seed_draws_one_episode() {
        let loaded = two_rooms();
        for seed in [0, 1, u64::MAX] {
            assert_eq!(loaded.draw(seed).unwrap(), loaded.draw(seed).unwrap());
        }
        assert_ne!(loaded.draw(0).unwrap().factors, loaded.draw(1).unwrap().factors);
    }

    #[test]
    fn factors_stay_in_their_bounds_and_fill_them() {
        let loaded = two_rooms();
        let episodes: Vec<Episode> = (0..2000).map(|seed| loaded.draw(seed).unwrap()).collect();
        let names: Vec<&str> = episodes[0].factors.iter().map(|(name, _)| name.as_str()).collect();
        let expected: Vec<&str> = loaded.scenario.factors.iter().map(|factor| factor.name.as_str()).collect();
        assert_eq!(names, expected);
        let column = |name: &str| -> Vec<f64> {
            let index = names.iter().position(|other| *other == name).unwrap();
            episodes.iter().map(|episode| episode.factors[index].1).collect()
        };
        let (wall, left) = (column("wall_x"), column("left_x"));
        assert!(wall.iter().all(|x| (3.0..=7.0).contains(x)));
        assert!(wall.iter().any(|x| *x < 3.1) && wall.iter().any(|x| *x > 6.9));
        assert!(left.iter().zip(&wall).all(|(left, wall)| (0.6..=wall - 0.8).contains(left)));
        let right = column("starts_right").iter().filter(|side| **side == 1.0).count();
        assert!((900..1100).contains(&right), "{right}");
    }

    #[test]
    fn no_expression_is_left() {
        let mut episode = two_rooms().draw(3).unwrap();
        episode.world.numbers("", &mut |path, num| assert!(num.value().is_finite(), "{path}"));
        episode.episode.numbers("", &mut |path, num| assert!(num.value().is_finite(), "{path}"));
        let turn = episode.world.bodies[0].angle_rad.value();
        assert_eq!(turn, std::f64::consts::FRAC_PI_2, "`PI / 2` is an expression");
        assert_eq!(episode.world.agents[0].target.as_deref(), Some("goal"));
    }

    #[test]
    fn a_factor_changed_leaves_the_others() {
        let loaded = two_rooms();
        let mut changed = loaded.clone();
        changed.scenario.factors[1].draw = Draw::Fixed { value: Num::Literal(5.0) };
        let (before, after) = (loaded.draw(9).unwrap().factors, changed.draw(9).unwrap().factors);
        for index in [0, 2, 3, 4, 5, 6] {
            assert_eq!(before[index], after[index]);
        }
    }

    #[test]
    fn a_maze_comes_with_a_way_through_it() {
        let loaded =
            load_without_models(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/maze.ron"))).unwrap();
        let (mut mazes, mut far) = (std::collections::BTreeSet::new(), 0);
        for seed in 0..400 {
            let episode = loaded.draw(seed).unwrap();
            let names: Vec<&str> = episode.factors.iter().map(|(name, _)| name.as_str()).collect();
            let expected: Vec<String> = loaded.scenario.factors.iter().flat_map(FactorSpec::names).collect();
            assert_eq!(names, expected);
            let value = |name: &str| episode.factors.iter().find(|(other, _)| other == name).unwrap().1;
            let number = value("maze");
            mazes.insert(number.to_bits());
            let forethought_world::ShapeSpec::Maze { of, .. } = &episode.world.bodies[0].shape else {
                panic!("a maze")
            };
            assert_eq!(of.value(), number, "the body's maze is the factor's");
            let way = Maze::of_number(number).unwrap().endpoints(14, 28);
            let told = ["maze_start_column", "maze_start_row", "maze_goal_column", "maze_goal_row", "maze_path_cells"];
            let [x, y] = way.start;
            assert_eq!(told.map(value), [x, y, way.goal[0], way.goal[1], way.path_cells].map(f64::from));
            assert!((12..=28).contains(&way.path_cells), "{} moves, loops {}", way.path_cells, value("loops"));
            far += usize::from(way.path_cells >= 14);
        }
        assert_eq!(mazes.len(), 400);
        assert!(far > 380, "{far} of 400 ways are as long as asked for");
    }

    #[test]
    fn what_cannot_be_drawn_says_why() {
        let mut loaded = two_rooms();
        loaded.scenario.factors[2].draw = Draw::Choice { of: Vec::new() };
        assert_eq!(loaded.draw(0).unwrap_err().to_string(), "factors[2].draw.of: there is nothing to choose from");
        let mut loaded = two_rooms();
        loaded.scenario.bodies[0].position_m[0] = Num::Expression("wall_z".into());
        let message = loaded.draw(0).unwrap_err().to_string();
        assert_eq!(message, "bodies[0].position_m[0]: `wall_z` uses `wall_z`, which is no factor of variation");
    }
}
