//! What agents live on and die of: food, harm, cold, pursuers; and that it all repeats bit for bit.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::*;
use forethought_interface::{Death, Think, Vitals};
use forethought_world::*;

/// An agent that lives on energy: 100 J at most, 70 J at the start, 1 W at rest and 1 W more for acting.
fn hungry(name: &str, x: f64, y: f64) -> AgentBodySpec {
    AgentBodySpec {
        sensors: vec![
            SensorSpec::Proprioception(ProprioceptionSpec::default()),
            SensorSpec::Interoception(InteroceptionSpec {}),
        ],
        metabolism: Some(MetabolismSpec::default()),
        ..agent(name, x, y)
    }
}

fn sandbox(spec: &WorldSpec, actions: &[[f32; 2]]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(actions.iter().map(|action| constant(*action)).collect::<Vec<Box<dyn Think>>>());
    sandbox.reset(spec, 3).unwrap();
    sandbox
}

fn steps(sandbox: &mut Sandbox, count: u32) {
    (0..count).for_each(|_| sandbox.control_step().unwrap());
}

fn vitals(sandbox: &Sandbox, agent: usize) -> Vitals {
    sandbox.record().agents[agent].vitals.unwrap()
}

fn assert_near(a: f32, b: f32) {
    assert!((a - b).abs() < 1e-3, "{a} is not {b}");
}

#[test]
fn living_costs_and_so_does_acting() {
    let spec = arena(vec![hungry("rests", 2.0, 2.0), hungry("acts", 2.0, 8.0), agent("plain", 8.0, 8.0)]);
    // Beyond 1 an action counts as 1, like what it does.
    let mut sandbox = sandbox(&spec, &[[0.0, 0.0], [5.0, 0.0], [1.0, 0.0]]);
    assert_near(vitals(&sandbox, 0).energy_j, 70.0);
    steps(&mut sandbox, 20);
    assert_near(vitals(&sandbox, 0).energy_j, 68.0);
    assert_near(vitals(&sandbox, 1).energy_j, 67.0);
    assert_eq!((vitals(&sandbox, 0).effort, vitals(&sandbox, 1).effort), (0.0, 0.5));
    assert_eq!(sandbox.record().agents[2].vitals, None);
    assert_eq!(sandbox.record().light, None);
    assert!(sandbox.record().foods.is_empty());
    let values = sandbox.observe(1).values;
    let [energy, health, harm, effort, light, dusk_in, warmth] = values[4..] else {
        panic!("seven values of interoception")
    };
    assert_near(energy, 0.67);
    assert_eq!([health, harm, effort, light, dusk_in, warmth], [1.0, 0.0, 0.5, 1.0, 1.0, 1.0]);
}

#[test]
fn who_starves_moves_no_more_and_stays_dead() {
    let mut spec = arena(vec![hungry("a", 1.0, 5.0)]);
    spec.agents[0].metabolism = Some(MetabolismSpec { start_j: num(1.5), ..MetabolismSpec::default() });
    spec.foods.push(food("late", 4.3, 5.0));
    let mut sandbox = sandbox(&spec, &[[1.0, 0.0]]);
    // 1.5 W for a second.
    steps(&mut sandbox, 9);
    assert!(vitals(&sandbox, 0).alive());
    steps(&mut sandbox, 2);
    assert_eq!(vitals(&sandbox, 0).died_of, Some(Death::Starved));
    steps(&mut sandbox, 20);
    let at = sandbox.record().agents[0].pose.position_m;
    assert_eq!(sandbox.record().agents[0].velocity_m_s.map(|v| (v * 100.0).round()), [0.0, 0.0]);
    assert!(at[0] < 4.6 && at[0] > 4.0, "it came to rest on the food: {at:?}");
    assert_eq!((vitals(&sandbox, 0).meals, vitals(&sandbox, 0).effort), (0, 0.0));
    assert!(sandbox.record().foods[0].present, "the dead do not eat");
}

#[test]
fn who_cannot_die_keeps_a_rest_and_its_body() {
    let mut spec = arena(vec![hungry("a", 1.0, 5.0)]);
    spec.agents[0].metabolism = Some(MetabolismSpec { start_j: num(1.0), ..MetabolismSpec::default() });
    spec.agents[0].immortal = true;
    spec.zones.push(ZoneSpec { harm_per_s: num(1.0), ..zone("harm", 20.0, 5.0, 5.0) });
    let mut sandbox = sandbox(&spec, &[[0.5, 0.0]]);
    steps(&mut sandbox, 30);
    let now = vitals(&sandbox, 0);
    assert!(now.alive() && now.harm_per_s == 1.0);
    assert_near(now.energy, 0.02);
    assert_near(now.health, 0.02);
    assert!(sandbox.record().agents[0].velocity_m_s[0] > 1.0, "it still moves");
}

#[test]
fn food_is_eaten_once_by_the_first_and_grows_again() {
    let mut spec = arena(vec![agent("plain", 5.0, 5.0), hungry("first", 4.3, 5.0), hungry("second", 5.0, 5.7)]);
    spec.agents.iter_mut().for_each(|agent| agent.shape = disc(0.1));
    spec.foods.push(FoodSpec { radius_m: num(0.8), ..food("one", 5.0, 5.0) });
    let mut sandbox = sandbox(&spec, &[[0.0, 0.0]; 3]);
    assert!(sandbox.record().foods[0].present);
    steps(&mut sandbox, 1);
    assert!(!sandbox.record().foods[0].present);
    assert_eq!([vitals(&sandbox, 1).meals, vitals(&sandbox, 2).meals], [1, 0]);
    assert_near(vitals(&sandbox, 1).energy_j, 99.9);
    steps(&mut sandbox, 9);
    assert!(!sandbox.record().foods[0].present);
    steps(&mut sandbox, 1);
    assert!(sandbox.record().foods[0].present, "a second later it is there again");
    steps(&mut sandbox, 1);
    assert_eq!([vitals(&sandbox, 1).meals, vitals(&sandbox, 2).meals], [2, 0]);
    assert_near(vitals(&sandbox, 1).energy_j, 100.0);
}

#[test]
fn zones_harm_who_is_inside_and_health_comes_back() {
    let mut spec = arena(vec![hungry("in", 3.0, 5.0), hungry("out", 6.0, 5.0)]);
    spec.zones.push(ZoneSpec { harm_per_s: num(0.2), ..zone("one", 1.0, 3.5, 5.0) });
    spec.zones.push(ZoneSpec { harm_per_s: num(0.1), ..zone("two", 1.0, 2.5, 5.0) });
    let mut sandbox = sandbox(&spec, &[[0.0, 0.0], [0.0, 0.0]]);
    steps(&mut sandbox, 10);
    assert_near(vitals(&sandbox, 0).health, 0.7);
    assert_near(vitals(&sandbox, 0).harm_per_s, 0.3);
    assert_eq!((vitals(&sandbox, 1).health, vitals(&sandbox, 1).harm_per_s), (1.0, 0.0));
    assert!(sandbox.place(0, forethought_interface::Pose { position_m: [8.0, 8.0], angle_rad: 0.0 }));
    steps(&mut sandbox, 10);
    assert_near(vitals(&sandbox, 0).health, 0.72);
    assert_eq!(vitals(&sandbox, 0).harm_per_s, 0.0);
    assert!(sandbox.place(0, forethought_interface::Pose { position_m: [3.0, 5.0], angle_rad: 0.0 }));
    steps(&mut sandbox, 25);
    assert_eq!(vitals(&sandbox, 0).died_of, Some(Death::Hurt));
}

#[test]
fn nights_are_cold_outside() {
    let mut spec = arena(vec![hungry("out", 2.0, 2.0), hungry("in", 5.0, 5.0), hungry("half", 8.0, 8.0)]);
    spec.zones.push(ZoneSpec { shelter: num(1.0), ..zone("house", 1.0, 5.0, 5.0) });
    spec.zones.push(ZoneSpec { shelter: num(0.5), ..zone("hedge", 1.0, 8.0, 8.0) });
    let [day_s, night_s, dusk_s, phase_s, cold_harm_per_s] = [2.0, 1.0, 1.0, 0.0, 0.2].map(num);
    spec.climate = Some(ClimateSpec { day_s, night_s, dusk_s, phase_s, cold_harm_per_s });
    let mut sandbox = sandbox(&spec, &[[0.0, 0.0]; 3]);
    assert_eq!(sandbox.record().light, Some(0.0));
    steps(&mut sandbox, 15);
    assert_near(sandbox.record().light.unwrap(), 0.5);
    assert_near(sandbox.observe(0).values[8], 0.5);
    assert_near(sandbox.observe(0).values[9], 0.25);
    assert_eq!(vitals(&sandbox, 0).health, 1.0);
    // From 2 s to 3 s it is night.
    steps(&mut sandbox, 14);
    assert_near(vitals(&sandbox, 0).health, 0.8);
    assert_near(vitals(&sandbox, 0).harm_per_s, 0.2);
    assert_eq!(vitals(&sandbox, 1).health, 1.0);
    assert_near(vitals(&sandbox, 2).health, 0.9);
    assert_eq!(sandbox.observe(0).values[8..], [0.0, 0.0, 0.0]);
    assert_eq!([1, 2].map(|agent| sandbox.observe(agent).values[10]), [1.0, 0.5], "a shelter is warm");
    steps(&mut sandbox, 1);
    assert_eq!((vitals(&sandbox, 0).harm_per_s, sandbox.observe(0).values[9]), (0.0, 1.0));
}

#[test]
fn a_goal_observation_is_as_hungry_as_now() {
    let mut spec = arena(vec![hungry("a", 2.0, 2.0)]);
    spec.targets.push(target("goal", 8.0, 5.0));
    spec.agents[0].target = Some("goal".into());
    let mut sandbox = sandbox(&spec, &[[0.0, 0.0]]);
    steps(&mut sandbox, 21);
    let record = &sandbox.record().agents[0];
    let goal = &record.goal.as_ref().unwrap().values;
    assert_eq!(goal[..2], [8.0, 5.0]);
    assert_eq!(goal[4..], record.observation.values[4..]);
    assert_near(goal[4], 0.68);
}

/// A pursuer of 2 m/s that sees 4 m far, bites 0.3 and rests for a second.
fn pursuer(x: f64, y: f64) -> BodySpec {
    BodySpec {
        pursues: Some(PursuitSpec { sight_m: num(4.0), rests_s: num(1.0), ..PursuitSpec::default() }),
        material: MaterialSpec { friction: num(0.0), ..MaterialSpec::default() },
        ..body("pursuer", BodyKind::Dynamic, disc(0.3), x, y)
    }
}

fn place(sandbox: &Sandbox) -> [f32; 2] {
    sandbox.record().bodies[0].position_m
}

#[test]
fn a_pursuer_goes_after_who_it_sees_bites_and_rests() {
    let mut spec = arena(vec![hungry("near", 5.0, 5.0), hungry("far", 9.0, 5.0)]);
    spec.bodies.push(pursuer(2.0, 5.0));
    let mut sandbox = sandbox(&spec, &[[0.0, 0.0], [0.0, 0.0]]);
    let mut bites = Vec::new();
    for step in 1..=40 {
        steps(&mut sandbox, 1);
        if step == 10 {
            let [x, y] = place(&sandbox);
            assert!(x > 3.5 && (y - 5.0).abs() < 1e-3, "straight after it: {x}, {y}");
            assert_eq!(sandbox.record().bodies[0].angle_rad, 0.0);
        }
        if vitals(&sandbox, 0).harm_per_s > 0.0 {
            bites.push(step);
        }
    }
    assert!(bites.len() >= 2 && bites.windows(2).all(|pair| pair[1] - pair[0] >= 10), "{bites:?}");
    assert_eq!(bites[1] - bites[0], 10, "it stays and bites again once it has rested: {bites:?}");
    let healed = 0.02 * 0.1 * (40 - bites[0] - (bites.len() as i32 - 1)) as f32;
    assert_near(vitals(&sandbox, 0).health, 1.0 - 0.3 * bites.len() as f32 + healed);
    assert_eq!(vitals(&sandbox, 1).health, 1.0);
}

#[test]
fn a_pursuer_loses_sight_behind_walls_and_in_shelters() {
    let gap = |spec: &WorldSpec| {
        let mut sandbox = sandbox(spec, &[[0.0, 0.0]]);
        let mut least = f32::INFINITY;
        for _ in 0..150 {
            steps(&mut sandbox, 1);
            let ([x, y], [agent_x, agent_y]) = (place(&sandbox), sandbox.record().agents[0].pose.position_m);
            least = least.min((x - agent_x).hypot(y - agent_y));
        }
        (least, vitals(&sandbox, 0))
    };
    let mut spec = arena(vec![hungry("a", 5.0, 5.0)]);
    spec.bodies.push(pursuer(2.0, 5.0));
    let (least, open) = gap(&spec);
    assert!(least < 0.7 && open.died_of == Some(Death::Hurt), "{least} {open:?}");

    // Walls all across: it wanders, and never sees it.
    let mut walled = spec.clone();
    walled.bodies.push(body("wall", BodyKind::Static, cuboid(0.2, 10.0), 4.0, 5.0));
    let (least, kept) = gap(&walled);
    assert!(least > 1.1 && kept.health == 1.0, "{least} {kept:?}");

    let mut sheltered = spec.clone();
    sheltered.zones.push(ZoneSpec { shelter: num(1.0), ..zone("house", 1.5, 5.0, 5.0) });
    let (least, kept) = gap(&sheltered);
    assert!(least > 1.7 && kept.health == 1.0, "it stays outside: {least} {kept:?}");
    let bold = sheltered.bodies[0].pursues.as_mut().unwrap();
    bold.respects_shelters = false;
    let (least, bitten) = gap(&sheltered);
    assert!(least < 0.7 && bitten.health < 0.5, "{least} {bitten:?}");
}

#[test]
fn a_pursuer_lets_the_dead_be_and_wanders() {
    let mut spec = arena(vec![hungry("a", 5.0, 5.0)]);
    spec.agents[0].metabolism = Some(MetabolismSpec { start_j: num(0.05), ..MetabolismSpec::default() });
    spec.bodies.push(pursuer(2.0, 5.0));
    let mut sandbox = sandbox(&spec, &[[0.0, 0.0]]);
    steps(&mut sandbox, 1);
    let (mut way, mut seen, mut before) = (0.0, [0_u32; 4], place(&sandbox));
    for _ in 0..600 {
        steps(&mut sandbox, 1);
        let [x, y] = place(&sandbox);
        way += (x - before[0]).hypot(y - before[1]);
        seen[usize::from(x > 5.0) + 2 * usize::from(y > 5.0)] += 1;
        before = [x, y];
    }
    assert_eq!(vitals(&sandbox, 0).health, 1.0);
    assert!((40.0..65.0).contains(&way), "about 1 m/s for a minute: {way} m");
    assert!(seen.iter().all(|count| *count > 20), "all over the arena: {seen:?}");
}

/// Everything at once.
fn lively(seed: u64) -> WorldSpec {
    let sensors = || {
        let of = |of| ScentSpec {
            of,
            beams: 12,
            range_m: num(2.0),
            sharpness: num(3.0),
            reach_m: num(6.0),
            occluded: of == Scented::Food,
        };
        let scents = [Scented::Food, Scented::Harm, Scented::Shelter, Scented::Mover].map(|s| SensorSpec::Scent(of(s)));
        let mut sensors = vec![SensorSpec::Interoception(InteroceptionSpec {})];
        sensors.extend(scents);
        sensors.push(SensorSpec::Raster(RasterSpec { width_px: 8, height_px: 8 }));
        sensors
    };
    let mut spec = arena(vec![hungry("a", 1.0, 1.0), hungry("b", 9.0, 9.0)]);
    spec.agents.iter_mut().for_each(|agent| agent.sensors = sensors());
    spec.bodies.push(pursuer(5.0, 8.0));
    spec.bodies.push(body("wall", BodyKind::Static, cuboid(0.4, 4.0), 5.0, 3.0));
    spec.zones.push(ZoneSpec { shelter: num(1.0), ..zone("house", 1.0, 2.0, 8.0) });
    spec.zones.push(ZoneSpec { harm_per_s: num(0.1), ..zone("bog", 1.5, 8.0, 2.0) });
    let all = FoodSpec { size_m: None, position_m: None, ..food("all", 0.0, 0.0) };
    spec.foods.push(FoodSpec { count: num(20.0), clear_m: num(0.4), seed: num(seed as f64), ..all });
    let [day_s, night_s, dusk_s, phase_s, cold_harm_per_s] = [3.0, 1.0, 1.0, 0.5, 0.1].map(num);
    spec.climate = Some(ClimateSpec { day_s, night_s, dusk_s, phase_s, cold_harm_per_s });
    spec
}

fn digests(sandbox: &mut Sandbox, seed: u64) -> Vec<u64> {
    sandbox.reset(&lively(seed), seed).unwrap();
    let mut digests = vec![sandbox.digest()];
    for _ in 0..120 {
        sandbox.control_step().unwrap();
        digests.push(sandbox.digest());
    }
    digests
}

#[test]
fn a_world_of_needs_repeats_bit_for_bit_after_any_other() {
    let fresh = || {
        let mut sandbox = Sandbox::new();
        sandbox.set_minds(vec![scripted(restless), scripted(restless)]);
        sandbox
    };
    let expected: Vec<Vec<u64>> = (0..3).map(|seed| digests(&mut fresh(), seed)).collect();
    assert!(expected.windows(2).all(|pair| pair[0][0] != pair[1][0]), "other seeds are other worlds");
    let mut reused = fresh();
    for seed in [0, 0, 2, 1, 2, 0] {
        assert_eq!(digests(&mut reused, seed), expected[seed as usize], "seed {seed}");
        reused.reset(&arena(vec![agent("a", 1.0, 1.0), agent("b", 2.0, 2.0)]), 9).unwrap();
        reused.control_step().unwrap();
        assert!(reused.record().foods.is_empty() && reused.record().agents[0].vitals.is_none());
    }
}

#[test]
fn the_digest_sees_vitals_and_food() {
    let with = |change: &dyn Fn(&mut WorldSpec)| {
        let mut spec = arena(vec![hungry("a", 1.0, 1.0)]);
        spec.agents[0].sensors.truncate(1);
        spec.foods.push(food("far", 9.0, 9.0));
        change(&mut spec);
        let mut sandbox = sandbox(&spec, &[[0.0, 0.0]]);
        steps(&mut sandbox, 3);
        sandbox.digest()
    };
    let plain = with(&|_| ());
    assert_eq!(plain, with(&|_| ()));
    let store = |spec: &mut WorldSpec| spec.agents[0].metabolism.as_mut().unwrap().start_j = num(69.0);
    assert_ne!(plain, with(&store));
    assert_ne!(plain, with(&|spec| spec.foods[0].position_m = Some(pair(9.0, 8.0))));
}
