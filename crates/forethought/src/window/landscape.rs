//! The energy of being at each point of the arena, worked out a row at a time while there is time. Read first:
//! [`Surveyor::work`].

use crate::episode::Runner;
use forethought_interface::Landscape;
use std::time::{Duration, Instant};

/// Points along the arena's longer side.
const POINTS: usize = 44;
/// Between two landscapes.
const EVERY: Duration = Duration::from_millis(250);

/// How long to wait before it is asked again whether it is time for the next one.
const A_MOMENT: Duration = Duration::from_millis(4);

/// Works out one landscape after another.
#[derive(Debug, Default)]
pub struct Surveyor {
    agent: Option<usize>,
    under_way: Option<Landscape>,
    /// When the latest one was ready, and what it showed.
    ready: Option<(Instant, Moment)>,
}

/// A state of the world: its control step, and how often a hand was in it.
pub type Moment = (u32, u64);

impl Surveyor {
    /// From now on those of this agent, or none.
    pub fn survey(&mut self, agent: Option<usize>) {
        *self = Self { agent, ..Self::default() };
    }

    /// Whether a landscape is wanted.
    pub fn wanted(&self) -> bool {
        self.agent.is_some()
    }

    /// The world is another one.
    pub fn begin_anew(&mut self) {
        self.survey(self.agent);
    }

    /// Go on by a row. Gives the landscape that it completes, and says whether there is more to do now.
    pub fn work(&mut self, runner: &mut Runner, size_m: [f32; 2], moment: Moment) -> (Option<Landscape>, bool) {
        let Some(agent) = self.agent else { return (None, false) };
        if self.under_way.is_none() {
            if self.ready.is_some_and(|(_, shown)| shown == moment) {
                return (None, false);
            }
            if self.ready.is_some_and(|(when, _)| when.elapsed() < EVERY) {
                std::thread::sleep(A_MOMENT);
                return (None, true);
            }
        }
        let columns = columns(size_m);
        let rows = ((columns as f32 * size_m[1] / size_m[0]).round() as usize).max(1);
        let landscape = self.under_way.get_or_insert_with(|| Landscape {
            agent,
            step: moment.0,
            columns,
            energies: Vec::with_capacity(rows * columns),
        });
        let Some(row) = row(runner, agent, size_m, [columns, rows], landscape.energies.len() / columns) else {
            // Nothing to be had, such as of an agent without a model.
            self.under_way = None;
            self.ready = Some((Instant::now(), moment));
            return (None, false);
        };
        landscape.energies.extend(row);
        if landscape.energies.len() < rows * columns {
            return (None, true);
        }
        self.ready = Some((Instant::now(), moment));
        (self.under_way.take(), false)
    }
}

/// Points along each row.
fn columns([width, height]: [f32; 2]) -> usize {
    if width >= height { POINTS } else { ((POINTS as f32 * width / height).round() as usize).max(1) }
}

/// The energies of row `index`.
fn row(
    runner: &mut Runner,
    agent: usize,
    size_m: [f32; 2],
    [columns, rows]: [usize; 2],
    index: usize,
) -> Option<Vec<f32>> {
    let sandbox = runner.sandbox();
    let at = |column: usize| {
        let part = |index: usize, count: usize, side: f32| (index as f32 + 0.5) / count as f32 * side;
        [part(column, columns, size_m[0]), part(index, rows, size_m[1])]
    };
    let free: Vec<bool> = (0..columns).map(|column| sandbox.clearance_m(agent, at(column)) > 0.0).collect();
    let there = (0..columns).filter(|column| free[*column]);
    let observations: Vec<_> = there.map(|column| sandbox.sense_at(agent, at(column))).collect::<Option<_>>()?;
    let goal = sandbox.record().agents.get(agent)?.goal.clone();
    let mind = runner.sandbox_mut().mind(agent)?.inspect()?;
    let mut energies = mind.energies(&observations, goal.as_ref())?.into_iter();
    Some(free.iter().map(|free| if *free { energies.next().unwrap_or(f32::NAN) } else { f32::NAN }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::{Setup, SetupOptions};
    use forethought_interface::Detail;
    use std::{path::Path, sync::Arc};

    #[test]
    fn the_goal_is_the_lowest_place_and_nothing_is_decided_by_looking() {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/two_rooms.ron"));
        let setup = Arc::new(Setup::load(file, &SetupOptions::default()).unwrap());
        let alone = Runner::new(setup.clone(), Detail::Brief).run(2).unwrap();
        let mut runner = Runner::new(setup, Detail::Full);
        let mut surveyor = Surveyor::default();
        surveyor.survey(Some(0));
        let mut current = runner.begin(2).unwrap();
        let (mut landscapes, mut outcome) = (vec![], None);
        while outcome.is_none() {
            outcome = runner.step(&mut current).unwrap();
            let moment = (runner.sandbox().record().step, 0);
            landscapes.extend(surveyor.work(&mut runner, [10.0, 10.0], moment).0);
        }
        while landscapes.is_empty() {
            landscapes.extend(surveyor.work(&mut runner, [10.0, 10.0], (0, 0)).0);
        }
        let Landscape { columns, energies, .. } = &landscapes[0];
        assert_eq!(energies.len(), columns * columns);
        let lowest = (0..energies.len()).filter(|at| energies[*at].is_finite());
        let lowest = lowest.min_by(|a, b| energies[*a].total_cmp(&energies[*b])).unwrap();
        let place = [lowest % columns, lowest / columns].map(|at| (at as f64 + 0.5) / *columns as f64 * 10.0);
        let goal = [0, 1].map(|axis| current.drawn.world.targets[0].position_m[axis].value());
        let off = (place[0] - goal[0]).hypot(place[1] - goal[1]);
        assert!(off < 1.0, "lowest at {place:?}, the goal at {goal:?}");
        assert!(energies.iter().any(|energy| energy.is_nan()), "nobody can be inside the wall");
        let shown = runner.end(current, outcome.unwrap());
        assert_eq!((shown.digest, shown.steps), (alone.digest, alone.steps), "bit for bit the batch's episode");
    }
}
