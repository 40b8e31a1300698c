//! A hand in an episode under way: what a user's edits do to its world. Read first: [`edit`].

use crate::{episode::Runner, scenario::Episode};
use forethought_interface::{Edit, Num, Pose, Thing};
use forethought_world::{
    ActuatorSpec, BodyKind, BodySpec, FoodSpec, MaterialSpec, Sandbox, SensorSpec, ShapeSpec, WorldError, WorldSpec,
};

/// How thick a wall is that is drawn by hand, in metres.
const WALL_M: f32 = 0.2;
/// A box's sides, in metres.
const BOX_M: f32 = 0.6;
/// Shorter walls are slips of the hand, in metres.
const SHORTEST_WALL_M: f32 = 0.2;
/// Within what distance food grows again where it was put, in metres.
const FOOD_FIELD_M: f64 = 0.02;

/// What an edit changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Where things are.
    Places,
    /// What there is.
    Things,
}

/// Do it to the sandbox and to the episode's specification.
///
/// # Errors
/// A sentence that says why it cannot be done; then nothing has changed.
pub fn edit(runner: &mut Runner, episode: &mut Episode, edit: Edit) -> Result<Changed, String> {
    let changed = match edit {
        Edit::Move { what, to_m } => put(runner.sandbox_mut(), &mut episode.world, what, to_m),
        Edit::Push { what, by_m_s } if runner.sandbox_mut().push(what, by_m_s) => Ok(Changed::Places),
        Edit::Push { .. } => Err("only agents and bodies that move can be pushed".into()),
        Edit::AddWall { from_m, to_m } => {
            let body = wall(&episode.world, from_m, to_m)?;
            rebuild(runner, episode, |world| world.bodies.push(body))
        }
        Edit::AddBox { at_m } => {
            let body = box_at(&episode.world, at_m);
            rebuild(runner, episode, |world| world.bodies.push(body))
        }
        Edit::AddFood { at_m } => {
            let food = food_at(&episode.world, at_m);
            runner.sandbox_mut().add_food(&food, episode.seed);
            episode.world.foods.push(food);
            Ok(Changed::Things)
        }
        Edit::Remove(Thing::Body(body)) if body < episode.world.bodies.len() => {
            rebuild(runner, episode, |world| drop(world.bodies.remove(body)))
        }
        Edit::Remove(Thing::Food(item)) => remove_food(runner.sandbox_mut(), &mut episode.world, item),
        Edit::Remove(_) => Err("agents, targets and zones cannot be taken away".into()),
    }?;
    // What was planned was planned for another world.
    for agent in 0..episode.world.agents.len() {
        if let Some(mind) = runner.sandbox_mut().mind(agent).and_then(|mind| mind.inspect()) {
            mind.reconsider();
        }
    }
    Ok(changed)
}

/// The action that goes where a hand wants to: to the right and up, or for wheels to the right and ahead.
pub fn steered(actuator: &ActuatorSpec, [right, ahead]: [f32; 2]) -> [f32; 2] {
    match actuator {
        ActuatorSpec::DifferentialDrive(_) => [ahead + 0.5 * right, ahead - 0.5 * right],
        ActuatorSpec::VelocityCommand(_) | ActuatorSpec::Force(_) => [right, ahead],
    }
}

fn put(sandbox: &mut Sandbox, world: &mut WorldSpec, what: Thing, to_m: [f32; 2]) -> Result<Changed, String> {
    let to_m = within(world, to_m);
    let record = sandbox.record();
    let angle = |pose: Option<Pose>| pose.map_or(0.0, |pose| pose.angle_rad);
    let (done, changed) = match what {
        Thing::Agent(agent) => {
            let angle_rad = angle(record.agents.get(agent).map(|agent| agent.pose));
            (sandbox.place(agent, Pose { position_m: to_m, angle_rad }), Changed::Places)
        }
        Thing::Body(body) => {
            let angle_rad = angle(record.bodies.get(body).copied());
            let placed = sandbox.place_body(body, Pose { position_m: to_m, angle_rad });
            let mapped = world.agents.iter().flat_map(|agent| &agent.sensors);
            if placed && mapped.into_iter().any(|sensor| matches!(sensor, SensorSpec::Map(_))) {
                sandbox.renew_senses(world);
            }
            (placed, Changed::Places)
        }
        Thing::Target(target) => {
            let Some(spec) = world.targets.get_mut(target) else { return Err("there is no such target".into()) };
            spec.position_m = literal(to_m);
            let name = &world.targets[target].name;
            let agents = world.agents.iter().enumerate();
            let seekers = agents.filter(|(_, agent)| agent.target.as_ref() == Some(name)).map(|(index, _)| index);
            (sandbox.place_target(target, to_m, &seekers.collect::<Vec<_>>()), Changed::Things)
        }
        Thing::Food(item) => {
            // A patch of one item is where its item is.
            if let Some(spec) = sandbox.patch_of(item).and_then(|patch| world.foods.get_mut(patch))
                && spec.count.value() < 1.5
            {
                (spec.position_m, spec.size_m) = (Some(literal(to_m)), Some(field()));
            }
            (sandbox.place_food(item, to_m), Changed::Places)
        }
        Thing::Zone(zone) => {
            let Some(spec) = world.zones.get_mut(zone) else { return Err("there is no such zone".into()) };
            spec.position_m = literal(to_m);
            (sandbox.place_zone(zone, to_m), Changed::Things)
        }
    };
    if done { Ok(changed) } else { Err("there is nothing there to move".into()) }
}

/// Go on with other bodies, everything being where it is now.
fn rebuild(runner: &mut Runner, episode: &mut Episode, change: impl FnOnce(&mut WorldSpec)) -> Result<Changed, String> {
    let mut after = as_it_is(&episode.world, runner.sandbox());
    change(&mut after);
    runner.sandbox_mut().rebuild(&episode.world, &after, episode.seed).map_err(|error| match error {
        WorldError::Invalid(problems) => problems.first().map_or_else(
            || "that is no possible world".into(),
            |problem| format!("that cannot be: found {}, where {} was expected", problem.found, problem.expected),
        ),
        error => error.to_string(),
    })?;
    episode.world = after;
    Ok(Changed::Things)
}

/// The world with everything where it is now.
fn as_it_is(world: &WorldSpec, sandbox: &Sandbox) -> WorldSpec {
    let mut world = world.clone();
    let record = sandbox.record();
    for (body, pose) in world.bodies.iter_mut().zip(&record.bodies) {
        (body.position_m, body.angle_rad) = (literal(pose.position_m), Num::Literal(pose.angle_rad.into()));
    }
    for (agent, now) in world.agents.iter_mut().zip(&record.agents) {
        (agent.position_m, agent.angle_rad) = (literal(now.pose.position_m), Num::Literal(now.pose.angle_rad.into()));
    }
    world
}

fn wall(world: &WorldSpec, from_m: [f32; 2], to_m: [f32; 2]) -> Result<BodySpec, String> {
    let (from, to) = (within(world, from_m), within(world, to_m));
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy);
    if length < SHORTEST_WALL_M {
        return Err("a wall is drawn by dragging from one end to the other".into());
    }
    Ok(BodySpec {
        shape: ShapeSpec::Cuboid { size_m: literal([length, WALL_M]) },
        angle_rad: Num::Literal(dy.atan2(dx).into()),
        // Agents of the scenarios slide along walls.
        material: MaterialSpec { friction: Num::Literal(0.0), ..MaterialSpec::default() },
        ..body(world, "wall", [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0])
    })
}

fn box_at(world: &WorldSpec, at_m: [f32; 2]) -> BodySpec {
    BodySpec {
        shape: ShapeSpec::Cuboid { size_m: literal([BOX_M; 2]) },
        kind: BodyKind::Dynamic,
        // Light, and at rest again soon after it was pushed.
        material: MaterialSpec {
            density_kg_m2: Num::Literal(0.5),
            linear_damping_per_s: Num::Literal(3.0),
            angular_damping_per_s: Num::Literal(3.0),
            ..MaterialSpec::default()
        },
        color: [0.80, 0.62, 0.38].map(Num::Literal),
        ..body(world, "box", within(world, at_m))
    }
}

/// A static body without a shape yet, named so that it has a name of its own.
fn body(world: &WorldSpec, what: &str, at_m: [f32; 2]) -> BodySpec {
    BodySpec {
        name: unused(what, |name| {
            world.bodies.iter().any(|body| body.name == name) || world.agents.iter().any(|agent| agent.name == name)
        }),
        shape: ShapeSpec::Cuboid { size_m: literal([BOX_M; 2]) },
        kind: BodyKind::Static,
        position_m: literal(at_m),
        angle_rad: Num::Literal(0.0),
        velocity_m_s: literal([0.0; 2]),
        angular_velocity_rad_s: Num::Literal(0.0),
        then: vec![],
        pursues: None,
        material: MaterialSpec::default(),
        color: [0.45, 0.47, 0.50].map(Num::Literal),
    }
}

/// One item, like those of the first patch.
fn food_at(world: &WorldSpec, at_m: [f32; 2]) -> FoodSpec {
    let like = world.foods.first();
    let or = |own: Option<&Num>, value: f64| own.cloned().unwrap_or(Num::Literal(value));
    FoodSpec {
        name: unused("food", |name| world.foods.iter().any(|food| food.name == name)),
        count: Num::Literal(1.0),
        size_m: Some(field()),
        position_m: Some(literal(within(world, at_m))),
        places_m: vec![],
        radius_m: or(like.map(|food| &food.radius_m), 0.3),
        energy_j: or(like.map(|food| &food.energy_j), 30.0),
        regrows_s: or(like.map(|food| &food.regrows_s), 15.0),
        clear_m: Num::Literal(0.0),
        seed: Num::Literal(0.0),
        color: like.map_or_else(|| [0.35, 0.65, 0.20].map(Num::Literal), |food| food.color.clone()),
    }
}

fn remove_food(sandbox: &mut Sandbox, world: &mut WorldSpec, item: usize) -> Result<Changed, String> {
    let gone = || "there is no such food".to_owned();
    let spec = sandbox.patch_of(item).and_then(|patch| world.foods.get_mut(patch)).ok_or_else(gone)?;
    spec.count = Num::Literal((spec.count.value() - 1.0).max(0.0));
    if sandbox.remove_food(item) { Ok(Changed::Things) } else { Err(gone()) }
}

/// `wall_1`, or the first number that is free.
fn unused(what: &str, taken: impl Fn(&str) -> bool) -> String {
    (1..).map(|number: u32| format!("{what}_by_hand_{number}")).find(|name| !taken(name)).unwrap_or_default()
}

/// A place in the arena, a little off its edge.
fn within(world: &WorldSpec, at_m: [f32; 2]) -> [f32; 2] {
    let size = [&world.arena.size_m[0], &world.arena.size_m[1]].map(Num::value_f32);
    std::array::from_fn(|axis| {
        let at = if at_m[axis].is_finite() { at_m[axis] } else { size[axis] / 2.0 };
        // To the millimetre.
        (at.clamp(0.02, (size[axis] - 0.02).max(0.02)) * 1e3).round() / 1e3
    })
}

fn literal(pair: [f32; 2]) -> [Num; 2] {
    // By way of text, so that 0.3 is 0.3.
    pair.map(|number| Num::Literal(number.to_string().parse().unwrap_or_else(|_| f64::from(number))))
}

fn field() -> [Num; 2] {
    [FOOD_FIELD_M; 2].map(Num::Literal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::{Setup, SetupOptions};
    use forethought_interface::Detail;
    use forethought_mind::actor::planners::PlannerName;
    use std::{path::Path, sync::Arc};

    fn runner(name: &str) -> Runner {
        let file = format!("{}/../../scenarios/{name}.ron", env!("CARGO_MANIFEST_DIR"));
        let options = SetupOptions { actor: Some(PlannerName::Random), ..SetupOptions::default() };
        Runner::new(Arc::new(Setup::load(Path::new(&file), &options).unwrap()), Detail::Full)
    }

    #[test]
    fn a_hand_moves_adds_and_takes_away_while_time_goes_on() {
        let mut runner = runner("two_rooms");
        let mut current = runner.begin(0).unwrap();
        for _ in 0..5 {
            runner.step(&mut current).unwrap();
        }
        let mut act = |runner: &mut Runner, this: Edit| edit(runner, &mut current.drawn, this);
        let to_m = [1.0, 9.0];
        assert_eq!(act(&mut runner, Edit::Move { what: Thing::Target(0), to_m }), Ok(Changed::Things));
        assert_eq!(act(&mut runner, Edit::Move { what: Thing::Agent(0), to_m: [2.0, 2.0] }), Ok(Changed::Places));
        assert_eq!(act(&mut runner, Edit::AddWall { from_m: [1.0, 4.0], to_m: [2.5, 4.0] }), Ok(Changed::Things));
        assert_eq!(act(&mut runner, Edit::AddBox { at_m: [1.0, 1.0] }), Ok(Changed::Things));
        assert_eq!(act(&mut runner, Edit::AddFood { at_m: [1.0, 5.0] }), Ok(Changed::Things));
        let pushed = Edit::Push { what: Thing::Body(2), by_m_s: [1.0, 0.0] };
        assert_eq!(act(&mut runner, pushed), Ok(Changed::Places));
        assert!(act(&mut runner, Edit::Push { what: Thing::Body(1), by_m_s: [1.0, 0.0] }).is_err(), "a wall");
        assert!(act(&mut runner, Edit::AddWall { from_m: [1.0, 2.0], to_m: [3.0, 2.0] }).is_err(), "over the agent");
        assert!(act(&mut runner, Edit::AddWall { from_m: [1.0, 4.0], to_m: [1.0, 4.0] }).is_err(), "a click");
        let record = runner.sandbox().record();
        assert_eq!((record.step, record.bodies.len(), record.foods.len()), (5, 3, 1));
        assert_eq!(record.agents[0].pose.position_m, [2.0, 2.0]);
        runner.step(&mut current).unwrap();
        let record = runner.sandbox().record();
        assert!(record.step == 6 && record.bodies[2].position_m[0] > 1.01, "the box glides: {:?}", record.bodies[2]);
        assert_eq!(current.drawn.world.targets[0].position_m[1].value(), 9.0);
        let mut act = |runner: &mut Runner, this: Edit| edit(runner, &mut current.drawn, this);
        assert_eq!(act(&mut runner, Edit::Remove(Thing::Body(1))), Ok(Changed::Things));
        assert_eq!(act(&mut runner, Edit::Remove(Thing::Food(0))), Ok(Changed::Things));
        assert!(act(&mut runner, Edit::Remove(Thing::Agent(0))).is_err());
        assert!(act(&mut runner, Edit::Remove(Thing::Body(9))).is_err());
        runner.step(&mut current).unwrap();
        assert_eq!((runner.sandbox().record().bodies.len(), runner.sandbox().record().foods.len()), (2, 0));
    }

    #[test]
    fn an_agent_is_led() {
        let mut runner = runner("two_rooms");
        let mut current = runner.begin(1).unwrap();
        let before = runner.sandbox().record().agents[0].pose.position_m;
        runner.sandbox_mut().lead(0, Some([0.0, 1.0]));
        for _ in 0..5 {
            runner.step(&mut current).unwrap();
        }
        let agent = &runner.sandbox().record().agents[0];
        assert_eq!(agent.thought.as_ref().unwrap().action.values, [0.0, 1.0]);
        assert!((agent.pose.position_m[0] - before[0]).abs() < 1e-3 && agent.pose.position_m[1] > before[1]);
    }

    #[test]
    fn what_lives_goes_on_living() {
        let mut runner = runner("foraging");
        let mut current = runner.begin(0).unwrap();
        for _ in 0..20 {
            runner.step(&mut current).unwrap();
        }
        let before = runner.sandbox().record().clone();
        edit(&mut runner, &mut current.drawn, Edit::AddBox { at_m: [11.0, 11.0] }).unwrap();
        let after = runner.sandbox().record();
        assert_eq!(after.foods, before.foods);
        assert_eq!(after.agents[0].vitals, before.agents[0].vitals);
        assert_eq!(after.agents[0].velocity_m_s, before.agents[0].velocity_m_s);
        let moved = Edit::Move { what: Thing::Food(1), to_m: [6.0, 6.0] };
        edit(&mut runner, &mut current.drawn, moved).unwrap();
        assert_eq!(runner.sandbox().record().foods[1].position_m, [6.0, 6.0]);
        // A zone that harms comes to the agent, and harms it.
        let at = runner.sandbox().record().agents[0].pose.position_m;
        let moved = Edit::Move { what: Thing::Zone(0), to_m: at };
        assert_eq!(edit(&mut runner, &mut current.drawn, moved), Ok(Changed::Things));
        let health = |runner: &Runner| runner.sandbox().record().agents[0].vitals.unwrap().health;
        let before = health(&runner);
        runner.step(&mut current).unwrap();
        assert!(health(&runner) < before, "{before}");
        assert!(edit(&mut runner, &mut current.drawn, Edit::Move { what: Thing::Zone(99), to_m: at }).is_err());
        assert!(edit(&mut runner, &mut current.drawn, Edit::Remove(Thing::Zone(0))).is_err());
    }
}
