//! Interventions: what an experimenter does to a body between control steps, and that it stays with that episode.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::*;
use forethought_interface::Pose;
use forethought_world::{BodyKind, Sandbox, WorldSpec};

/// A wall from x = 4.8 m to 5.2 m, with an agent to its left.
fn walled() -> WorldSpec {
    let mut spec = arena(vec![agent("a", 3.0, 5.0), agent("b", 9.0, 9.0)]);
    spec.bodies.push(body("wall", BodyKind::Static, cuboid(0.4, 10.0), 5.0, 5.0));
    spec
}

fn sandbox(minds: [[f32; 2]; 2]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(minds.map(constant).into());
    sandbox.reset(&walled(), 1).unwrap();
    sandbox
}

fn at(x: f32, y: f32) -> Pose {
    Pose { position_m: [x, y], angle_rad: 0.0 }
}

/// The digests after each of 20 steps, and where the agent was then; `act` before each step.
fn run(sandbox: &mut Sandbox, mut act: impl FnMut(&mut Sandbox, u32)) -> Vec<(u64, [f32; 2])> {
    sandbox.reset(&walled(), 1).unwrap();
    let step = |step| {
        act(sandbox, step);
        sandbox.control_step().unwrap();
        (sandbox.digest(), sandbox.record().agents[0].pose.position_m)
    };
    (0..20).map(step).collect()
}

fn restless_pair() -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![scripted(restless), scripted(restless)]);
    sandbox
}

#[test]
fn an_agent_is_where_it_was_put_and_keeps_its_velocity() {
    let mut sandbox = sandbox([[1.0, 0.0], [0.0, 0.0]]);
    for _ in 0..3 {
        sandbox.control_step().unwrap();
    }
    let before = sandbox.record().agents[0].clone();
    assert!(before.velocity_m_s[0] > 1.0);
    assert!(sandbox.place(0, at(6.0, 2.0)));
    assert_eq!(sandbox.record().agents[0].pose.position_m, [6.0, 2.0]);
    assert_eq!(sandbox.observe(0).values[..4], [6.0, 2.0, before.velocity_m_s[0], before.velocity_m_s[1]]);
    sandbox.control_step().unwrap();
    let after = &sandbox.record().agents[0];
    assert_eq!(after.observation.values[..2], [6.0, 2.0], "the next step begins there");
    let moved = after.pose.position_m[0] - 6.0;
    assert!(moved > before.velocity_m_s[0] * 0.09 && moved < 0.31, "{moved}");
    assert_eq!(after.bump_impulse_n_s, 0.0);
    // The other agent sees it there.
    assert!(sandbox.clearance_m(1, after.pose.position_m) < 0.0);

    let digest = sandbox.digest();
    assert!(!sandbox.place(2, at(1.0, 1.0)), "there is no such agent");
    assert!(!sandbox.place(0, at(f32::NAN, 1.0)) && !sandbox.set_solid(2, false));
    assert_eq!(sandbox.digest(), digest);
}

#[test]
fn a_body_that_is_not_solid_passes_through_a_wall() {
    let mut through = sandbox([[1.0, 0.0], [0.0, 0.0]]);
    for _ in 0..12 {
        through.control_step().unwrap();
    }
    let stopped = through.record().agents[0].pose.position_m[0];
    assert!((stopped - 4.5).abs() < 0.02, "the wall stops it: {stopped}");
    assert!(through.set_solid(0, false));
    for _ in 0..8 {
        through.control_step().unwrap();
        assert_eq!(through.record().agents[0].bump_impulse_n_s, 0.0);
    }
    assert!(through.record().agents[0].pose.position_m[0] > 5.5);
    assert!(through.set_solid(0, true));
    for _ in 0..30 {
        through.control_step().unwrap();
    }
    let end = through.record().agents[0].pose.position_m[0];
    assert!((end - 9.7).abs() < 0.02, "the arena's end stops it again: {end}");
}

#[test]
fn steps_before_an_intervention_are_as_without_and_a_reset_forgets_it() {
    let expected = run(&mut restless_pair(), |_, _| {});
    let mut reused = restless_pair();
    let placing = |sandbox: &mut Sandbox, step: u32| {
        if step == 8 {
            sandbox.place(0, at(7.0, 5.0));
        }
    };
    let fading = |sandbox: &mut Sandbox, step: u32| {
        if step == 8 {
            sandbox.place(0, at(4.9, 5.0));
            sandbox.set_solid(0, false);
        }
    };
    let placed = run(&mut reused, placing);
    assert_eq!(placed[..8], expected[..8]);
    assert!(placed.iter().zip(&expected).skip(8).all(|(placed, expected)| placed.0 != expected.0));
    assert_eq!(run(&mut reused, placing), placed, "the same again");
    let faded = run(&mut reused, fading);
    assert_eq!(faded[..8], expected[..8]);
    assert_ne!(faded[8..], placed[8..]);
    assert_eq!(run(&mut reused, |_, _| {}), expected, "a reset forgets");
    assert_eq!(run(&mut restless_pair(), fading), faded, "a fresh sandbox does the same");
}

#[test]
fn clearance_is_the_distance_to_the_nearest_solid() {
    let sandbox = sandbox([[0.0, 0.0]; 2]);
    let clear = |x, y| sandbox.clearance_m(0, [x, y]);
    assert!((clear(4.0, 5.0) - 0.8).abs() < 1e-5, "the wall; its own body does not count");
    assert!((clear(3.0, 5.0) - 1.8).abs() < 1e-5);
    assert!((clear(5.0, 5.0) + 0.2).abs() < 1e-5);
    assert!((clear(1.0, 0.25) - 0.25).abs() < 1e-5);
    assert!(clear(-1.0, 5.0) < 0.0);
    assert!(clear(9.0, 9.0) < 0.0, "the other agent");
    assert!((sandbox.reach_m(0) - 0.3).abs() < 1e-6);
    assert_eq!(sandbox.reach_m(7), 0.0);
}

/// What is sensed ahead is what the next step begins with, and all is the same bits.
#[test]
fn sensing_ahead_changes_nothing() {
    let plain = run(&mut restless_pair(), |_, _| {});
    let mut sandbox = Sandbox::sensing_ahead();
    sandbox.set_minds(vec![scripted(restless), scripted(restless)]);
    let ahead = run(&mut sandbox, |sandbox, step| {
        let sensed = [0, 1].map(|agent| sandbox.record().agents[agent].observation.clone());
        assert_eq!(sensed, [sandbox.observe(0), sandbox.observe(1)], "before step {step}");
    });
    assert_eq!(plain, ahead);
}
