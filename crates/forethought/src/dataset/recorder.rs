//! From an episode under way to rows of a dataset. Read first: [`Scribe`], then [`Schema`].

use super::column::{Column, Kind, Rows, Values};
use crate::{
    error::Error,
    experience::{like_first, nothing_yet},
    picture,
    recall::recall_of,
    recording::Portrait,
    scenario::Episode,
    setup::Setup,
};
use forethought_interface::{Channel, Observation, ObservationLayout, Outcome, Thought};
use forethought_mind::{perception::MAP, recall::Recall, training::Experience};
use forethought_world::Sandbox;
use std::{ops::Range, sync::Arc};

/// What every row of a dataset holds, in the order of its columns.
///
/// A row is a moment: what was sensed, what was done then and what came of it. Row `t` of a trajectory of `T` control steps holds
/// observation `t`, action `t` and the reward of that action; the last row, `T`, holds the last observation, and its action, reward,
/// energy and costs are no numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// All columns.
    pub columns: Vec<Column>,
    /// What an observation holds.
    pub layout: ObservationLayout,
    /// How many values an action has.
    pub action_len: usize,
    /// The scents that were completed from memory.
    pub recalls: Vec<String>,
    /// Width and height of the arena in metres.
    pub arena_m: [f32; 2],
    /// Where the channels of a goal stand in an observation; none where there is no goal.
    goal: Vec<Range<usize>>,
    /// The drives by name; none where no model tells what they cost.
    drives: Vec<String>,
    plans: bool,
    factors: Vec<String>,
    frames: Option<[u16; 2]>,
}

impl Schema {
    /// What is recorded of the first agent and those that are like it; `explores` where they walk about without a goal.
    ///
    /// # Errors
    /// Where the first episode cannot be drawn, or the agent cannot remember what its scenario says.
    pub fn of(setup: &Setup, explores: bool, frames: Option<[u16; 2]>) -> Result<Self, Error> {
        let drawn = if explores { setup.draw_training(0)? } else { setup.draw(0)? };
        let Experience { layout, action_len, recalls, arena_m, .. } = nothing_yet(setup)?;
        let (agent, body) = (&setup.loaded.scenario.agents[0], &drawn.world.agents[0]);
        let plans = !explores && setup.models().first().is_some_and(Option::is_some);
        let drives = agent.drives.iter().filter(|_| plans).map(|drive| drive.name().to_owned());
        let sought = layout.channels.iter().filter(|channel| is_sought(channel) && !explores && body.target.is_some());
        let sought: Vec<&Channel> = sought.collect();
        let mut schema = Self {
            columns: Vec::new(),
            recalls,
            arena_m,
            goal: sought.iter().filter_map(|channel| layout.range(&channel.name)).collect(),
            drives: drives.filter(|name| !setup.changes.without.contains(name)).collect(),
            plans,
            factors: drawn.factors.iter().map(|(name, _)| name.clone()).collect(),
            frames,
            action_len,
            layout: ObservationLayout::default(),
        };
        schema.columns = schema.columns(&layout, &sought);
        schema.layout = layout;
        Ok(schema)
    }

    fn columns(&self, layout: &ObservationLayout, sought: &[&Channel]) -> Vec<Column> {
        let whole = ["episode", "agent", "step"].map(|name| Column::of(name, Kind::I64));
        let number = |name: &str| Column::of(name, Kind::F32);
        let mut columns = Vec::from(whole);
        columns.push(Column::of("seed", Kind::U64));
        columns.extend(layout.channels.iter().map(|channel| Column::shaped(&channel.name, Kind::F32, &channel.shape)));
        let goal = |channel: &&Channel| Column::shaped(&format!("goal.{}", channel.name), Kind::F32, &channel.shape);
        columns.extend(sought.iter().map(goal));
        columns.push(Column::shaped("action", Kind::F32, &[self.action_len]));
        columns.push(number("reward"));
        columns.extend(["terminated", "truncated", "success"].map(|name| Column::of(name, Kind::Bool)));
        columns.extend(self.plans.then(|| number("energy")));
        columns.extend(self.drives.iter().map(|drive| number(&format!("drive.{drive}"))));
        columns.push(Column::shaped("position_m", Kind::F32, &[2]));
        columns.extend(["angle_rad", "clearance_m"].map(number));
        columns.extend(self.factors.iter().map(|factor| Column::of(&format!("variation.{factor}"), Kind::F64)));
        let pixels = |[width, height]: [u16; 2]| [usize::from(height), usize::from(width), 3];
        columns.extend(self.frames.map(|size| Column::shaped("pixels", Kind::U8, &pixels(size))));
        columns
    }
}

/// Whether a goal is told by this channel: pictures and floor plans are of the world, not of a place in it.
fn is_sought(channel: &Channel) -> bool {
    !channel.name.starts_with("raster.") && channel.name != MAP
}

/// Writes down an episode as it goes on: a trajectory for each agent that is like the first.
pub struct Scribe {
    schema: Arc<Schema>,
    portrait: Option<Portrait>,
    episode: i64,
    seed: u64,
    /// Each factor's value, in the schema's order.
    factors: Vec<f64>,
    pens: Vec<Pen>,
}

/// Writes down one agent's trajectory.
struct Pen {
    agent: usize,
    /// What completes each observation, as it does while the agent lives.
    recall: Option<Recall>,
    rows: Rows,
    /// The moment that has begun.
    now: Now,
}

/// What is there at the start of a control step.
#[derive(Default)]
struct Now {
    position_m: [f32; 2],
    angle_rad: f32,
    clearance_m: Option<f32>,
}

/// What was done in a control step, and what came of it; nothing at the end.
#[derive(Default)]
struct Deed<'a> {
    thought: Option<&'a Thought>,
    goal: Option<&'a Observation>,
    ended: Option<Outcome>,
    done: bool,
}

impl Scribe {
    /// For an episode as it was drawn.
    ///
    /// # Errors
    /// As [`Schema::of`], or where there is no memory for a picture.
    pub fn begin(schema: &Arc<Schema>, setup: &Setup, drawn: &Episode, index: u64) -> Result<Self, Error> {
        let portrait =
            schema.frames.map(|size| Portrait::within(picture::scene(setup, drawn, index), size)).transpose()?;
        let pen = |agent: usize| {
            let (own, body) = (&setup.loaded.scenario.agents[agent], &drawn.world.agents[agent]);
            let recall = recall_of(own, body, &drawn.world.timing)?;
            Ok(Pen { agent, recall, rows: Rows::none(&schema.columns), now: Now::default() })
        };
        let value =
            |name: &String| drawn.factors.iter().find(|(own, _)| own == name).map_or(f64::NAN, |(_, value)| *value);
        Ok(Self {
            schema: schema.clone(),
            portrait,
            episode: index.cast_signed(),
            seed: drawn.seed,
            factors: schema.factors.iter().map(value).collect(),
            pens: like_first(setup, drawn).into_iter().map(pen).collect::<Result<_, Error>>()?,
        })
    }

    /// A control step begins.
    pub fn before(&mut self, sandbox: &Sandbox) {
        let record = sandbox.record();
        if let Some(portrait) = &mut self.portrait {
            portrait.draw(record);
        }
        for pen in &mut self.pens {
            let pose = record.agents[pen.agent].pose;
            let clearance_m = sandbox.mover_distance_m(pen.agent);
            pen.now = Now { position_m: pose.position_m, angle_rad: pose.angle_rad, clearance_m };
        }
    }

    /// It has ended, and the episode with it where there is an outcome.
    pub fn after(&mut self, sandbox: &Sandbox, ended: Option<Outcome>) {
        let mut pens = std::mem::take(&mut self.pens);
        for pen in &mut pens {
            let record = &sandbox.record().agents[pen.agent];
            let (thought, goal) = (record.thought.as_ref(), record.goal.as_ref());
            self.write(pen, &record.observation, &Deed { thought, goal, ended, done: true });
        }
        self.pens = pens;
    }

    /// The last observations, after [`Scribe::before`] was told of the end.
    #[must_use]
    pub fn end(mut self, sandbox: &Sandbox) -> Vec<Rows> {
        let mut pens = std::mem::take(&mut self.pens);
        for pen in &mut pens {
            let goal = sandbox.record().agents[pen.agent].goal.as_ref();
            self.write(pen, &sandbox.observe(pen.agent), &Deed { goal, ..Deed::default() });
        }
        pens.into_iter().map(|pen| pen.rows).collect()
    }

    /// One row.
    fn write(&self, pen: &mut Pen, observation: &Observation, deed: &Deed) {
        let Pen { agent, recall, rows, now } = pen;
        let schema = &self.schema;
        let perceived = match recall {
            Some(recall) => recall.complete(observation).values.clone(),
            None => observation.values.clone(),
        };
        let (agent, step) = (*agent as i64, rows.count as i64);
        let mut row = Row(rows.values.iter_mut());
        [self.episode, agent, step].into_iter().for_each(|number| row.whole(number));
        row.seed(self.seed);
        for channel in &schema.layout.channels {
            row.numbers(schema.layout.range(&channel.name).and_then(|range| perceived.get(range)), channel.len());
        }
        for range in &schema.goal {
            row.numbers(deed.goal.and_then(|goal| goal.values.get(range.clone())), range.len());
        }
        row.numbers(deed.thought.map(|thought| &thought.action.values[..]), schema.action_len);
        let reward = match deed.ended {
            Some(Outcome::Success) => 1.0,
            Some(Outcome::Failure) => -1.0,
            _ if deed.done => 0.0,
            _ => f32::NAN,
        };
        row.number(Some(reward));
        row.flag(matches!(deed.ended, Some(Outcome::Success | Outcome::Failure)));
        row.flag(deed.ended == Some(Outcome::TimeLimit));
        row.flag(deed.ended == Some(Outcome::Success));
        if schema.plans {
            row.number(deed.thought.map(|thought| thought.energy));
        }
        let costs = deed.thought.and_then(|thought| thought.introspection.as_ref());
        for name in &schema.drives {
            let cost = costs.and_then(|costs| costs.drives.iter().find(|drive| drive.name == *name));
            row.number(cost.map(|drive| drive.cost));
        }
        row.numbers(Some(&now.position_m), 2);
        row.number(Some(now.angle_rad));
        row.number(now.clearance_m);
        self.factors.iter().for_each(|value| row.double(*value));
        if let Some(portrait) = &self.portrait {
            row.pixels(portrait.pixels());
        }
        rows.count += 1;
        debug_assert!(rows.fit(&schema.columns), "a row holds what the schema says");
    }
}

/// The columns of one row from left to right.
struct Row<'a>(std::slice::IterMut<'a, Values>);

impl Row<'_> {
    fn whole(&mut self, value: i64) {
        if let Some(Values::I64(values)) = self.0.next() {
            values.push(value);
        }
    }

    fn seed(&mut self, value: u64) {
        if let Some(Values::U64(values)) = self.0.next() {
            values.push(value);
        }
    }

    fn flag(&mut self, value: bool) {
        if let Some(Values::Bool(values)) = self.0.next() {
            values.push(value);
        }
    }

    fn double(&mut self, value: f64) {
        if let Some(Values::F64(values)) = self.0.next() {
            values.push(value);
        }
    }

    fn number(&mut self, value: Option<f32>) {
        self.numbers(value.as_ref().map(std::slice::from_ref), 1);
    }

    /// So many numbers; what there is none of is no number.
    fn numbers(&mut self, numbers: Option<&[f32]>, count: usize) {
        if let Some(Values::F32(values)) = self.0.next() {
            match numbers.filter(|numbers| numbers.len() == count) {
                Some(numbers) => values.extend(numbers),
                None => values.extend(std::iter::repeat_n(f32::NAN, count)),
            }
        }
    }

    fn pixels(&mut self, colors: impl Iterator<Item = [u8; 3]>) {
        if let Some(Values::U8(values)) = self.0.next() {
            values.extend(colors.flatten());
        }
    }
}
