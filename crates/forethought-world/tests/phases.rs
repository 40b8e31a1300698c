//! Kinematic bodies that change their way later on, and who notices.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::*;
use forethought_interface::Num;
use forethought_world::*;

fn phase(from_s: f64, x: f64, y: f64) -> PhaseSpec {
    PhaseSpec { from_s: num(from_s), velocity_m_s: pair(x, y), angular_velocity_rad_s: num(0.0) }
}

/// A gate that goes right for half a second and then up or down, until it stops.
fn gated(side: f64) -> WorldSpec {
    let mut spec = arena(vec![agent("agent", 2.0, 2.0)]);
    let mut gate = body("gate", BodyKind::Kinematic, cuboid(0.6, 2.0), 4.0, 5.0);
    gate.velocity_m_s = pair(1.0, 0.0);
    gate.then = vec![phase(0.5, 0.0, 2.0 * side), phase(1.5, 0.0, 0.0)];
    spec.bodies.push(gate);
    spec
}

fn sandbox(spec: &WorldSpec, action: [f32; 2]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![constant(action)]);
    sandbox.reset(spec, 3).unwrap();
    sandbox
}

#[test]
fn a_body_moves_as_its_phases_say_and_nothing_tells_which_way_before() {
    let runs = [1.0, -1.0].map(|side| {
        let mut sandbox = sandbox(&gated(side), [0.0, 0.0]);
        let mut seen = Vec::new();
        for step in 1..=20_u32 {
            sandbox.control_step().unwrap();
            let [x, y] = sandbox.record().bodies[0].position_m;
            #[expect(clippy::cast_precision_loss, reason = "few steps")]
            let time = step as f32 * 0.1;
            let expected = [4.0 + time.min(0.5), 5.0 + side as f32 * 2.0 * (time - 0.5).clamp(0.0, 1.0)];
            assert!((x - expected[0]).abs() < 1e-4 && (y - expected[1]).abs() < 1e-4, "({x}, {y}) at {time} s");
            seen.push(sandbox.observe(0).values);
        }
        seen
    });
    assert_eq!(runs[0][..5], runs[1][..5], "the side shows too early");
    assert_ne!(runs[0][6], runs[1][6]);
}

#[test]
fn the_same_phases_give_the_same_bits_and_a_reset_starts_them_anew() {
    let spec = gated(1.0);
    let run = |sandbox: &mut Sandbox| {
        sandbox.reset(&spec, 3).unwrap();
        (0..20).for_each(|_| sandbox.control_step().unwrap());
        sandbox.digest()
    };
    let mut one = sandbox(&spec, [1.0, 0.5]);
    let first = run(&mut one);
    assert_eq!(run(&mut one), first);
    assert_eq!(run(&mut sandbox(&spec, [1.0, 0.5])), first);
}

#[test]
fn who_was_bumped_into_and_how_near_a_mover_is() {
    let mut spec = gated(-1.0);
    spec.bodies.push(body("post", BodyKind::Static, cuboid(0.2, 0.2), 1.2, 2.0));
    // Beneath the gate, which comes down on it: its lower edge is at 4, the agent's upper at 2.3.
    spec.agents[0].position_m = pair(4.25, 2.5);
    let mut below = sandbox(&spec, [0.0, 0.0]);
    assert!((below.mover_distance_m(0).unwrap() - 1.2).abs() < 1e-4, "{:?}", below.mover_distance_m(0));
    let mut bumped = [0.0; 2];
    for _ in 0..15 {
        below.control_step().unwrap();
        for (sum, other) in bumped.iter_mut().zip(["gate", "post"]) {
            *sum += below.bumped_into_n_s("agent", other).unwrap();
        }
    }
    assert!(bumped[0] > 0.1 && bumped[1] == 0.0, "{bumped:?}");
    assert!(below.mover_distance_m(0).unwrap() < 0.02);
    assert_eq!(below.bumped_into_n_s("agent", "nobody"), None);
    assert_eq!(sandbox(&arena(vec![agent("agent", 2.0, 2.0)]), [0.0, 0.0]).mover_distance_m(0), None);
}

#[test]
fn phases_that_cannot_be_are_told() {
    let paths = |change: &dyn Fn(&mut BodySpec)| -> Vec<String> {
        let mut spec = gated(1.0);
        change(&mut spec.bodies[0]);
        check_world(&spec).into_iter().map(|problem| problem.path).collect()
    };
    assert!(paths(&|_| ()).is_empty());
    assert_eq!(paths(&|gate| gate.kind = BodyKind::Dynamic), ["bodies[0].then"]);
    assert_eq!(paths(&|gate| gate.then[1].from_s = num(0.5)), ["bodies[0].then[1].from_s"]);
    assert_eq!(paths(&|gate| gate.then[0].from_s = num(-1.0)), ["bodies[0].then[0].from_s"]);
    let unresolved = Num::Expression("side * 2".into());
    let wrong = |gate: &mut BodySpec| gate.then[0].velocity_m_s[1] = unresolved.clone();
    assert_eq!(paths(&wrong), ["bodies[0].then[0].velocity_m_s[1]"]);
    assert_eq!(paths(&|gate| gate.then = vec![phase(1.0, 0.0, 0.0); 65]), ["bodies[0].then"]);
}
