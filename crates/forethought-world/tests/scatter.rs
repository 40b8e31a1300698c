//! Scattered obstacles as bodies: seen, solid, and with ways between them.

mod common;

use common::*;
use forethought_interface::{Num, Outline};
use forethought_world::*;

fn scatter(seed: f64) -> ShapeSpec {
    ShapeSpec::Scatter {
        count: num(15.0),
        size_m: pair(10.0, 10.0),
        radius_m: pair(0.35, 0.9),
        gap_m: num(0.65),
        clear: vec![ClearSpec { position_m: pair(1.0, 5.0), radius_m: num(0.6) }],
        seed: num(seed),
    }
}

fn world(seed: f64) -> WorldSpec {
    let mut agent = agent("agent", 1.0, 5.0);
    agent.shape = disc(0.25);
    let mut spec = arena(vec![agent]);
    spec.bodies.push(body("obstacles", BodyKind::Static, scatter(seed), 5.0, 5.0));
    spec
}

/// The obstacles' corners in the arena.
fn obstacles(seed: f64) -> Vec<Vec<[f64; 2]>> {
    let corners = |outline: Outline| match outline {
        Outline::Polygon { vertices_m } => vertices_m.into_iter().map(|at| at.map(|x| f64::from(x) + 5.0)).collect(),
        Outline::Disc { .. } => panic!("a polygon"),
    };
    outlines(&scatter(seed)).into_iter().map(corners).collect()
}

#[test]
fn the_start_is_free_and_obstacles_are_apart() {
    for seed in 0..50 {
        assert_eq!(check_world(&world(f64::from(seed))), []);
        let obstacles = obstacles(f64::from(seed));
        for (index, one) in obstacles.iter().enumerate() {
            for [x, y] in one {
                assert!((x - 1.0).hypot(y - 5.0) >= 0.6);
                assert!([x, y].into_iter().all(|at| (0.65..=9.35).contains(at)));
                let apart = |[a, b]: &[f64; 2]| (x - a).hypot(y - b) >= 0.65 - 1e-5;
                assert!(obstacles[..index].iter().flatten().all(apart));
            }
        }
    }
}

#[test]
fn an_obstacle_stops_an_agent() {
    let mut stopped = 0;
    for seed in 0..40 {
        // Straight to the right; the middle line is free where no obstacle is within the agent's radius of it.
        let in_the_way = obstacles(f64::from(seed))
            .iter()
            .any(|corners| corners.iter().any(|[_, y]| *y < 5.25) && corners.iter().any(|[_, y]| *y > 4.75));
        let mut sandbox = Sandbox::new();
        sandbox.set_minds(vec![constant([1.0, 0.0])]);
        sandbox.reset(&world(f64::from(seed)), 1).unwrap();
        let near = sandbox.observe(0).values[4];
        (0..60).for_each(|_| sandbox.control_step().unwrap());
        let agent = &sandbox.record().agents[0];
        let bumped_aside = (agent.pose.position_m[1] - 5.0).abs() > 1e-4;
        let arrived = agent.pose.position_m[0] > 9.7;
        assert_eq!(arrived && !bumped_aside, !in_the_way, "seed {seed}");
        if !arrived && !bumped_aside {
            assert!((agent.pose.position_m[0] - 0.75 - near).abs() < 0.3, "stopped where ray 0 ends");
        }
        stopped += usize::from(in_the_way);
    }
    assert!((10..40).contains(&stopped), "{stopped}");
}

#[test]
fn a_scatter_is_the_same_after_any_other_episode() {
    let run = |sandbox: &mut Sandbox, seed: u32| {
        sandbox.reset(&world(f64::from(seed)), 3).unwrap();
        (0..40).for_each(|_| sandbox.control_step().unwrap());
        sandbox.digest()
    };
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![scripted(restless)]);
    let first = run(&mut sandbox, 5);
    assert_ne!(run(&mut sandbox, 6), first);
    assert_eq!(run(&mut sandbox, 5), first);
}

#[test]
fn impossible_scatters_are_told() {
    let paths = |field: &str, value: f64| -> Vec<String> {
        let mut spec = world(1.0);
        let ShapeSpec::Scatter { count, size_m, radius_m, gap_m, clear, seed } = &mut spec.bodies[0].shape else {
            panic!("a scatter")
        };
        let number: &mut Num = match field {
            "count" => count,
            "size_m[1]" => &mut size_m[1],
            "radius_m[0]" => &mut radius_m[0],
            "radius_m[1]" => &mut radius_m[1],
            "gap_m" => gap_m,
            "clear[0].radius_m" => &mut clear[0].radius_m,
            "clear[0].position_m[0]" => &mut clear[0].position_m[0],
            _ => seed,
        };
        *number = num(value);
        check_world(&spec).into_iter().map(|problem| problem.path.replace("bodies[0].shape.", "")).collect()
    };
    for (field, value) in [
        ("count", 0.0),
        ("count", 257.0),
        ("count", 2.5),
        ("count", 1e300),
        ("size_m[1]", -1.0),
        ("radius_m[0]", 0.0),
        ("radius_m[0]", 4.9),
        ("radius_m[1]", 0.3),
        ("gap_m", -0.1),
        ("clear[0].radius_m", 0.0),
        ("clear[0].position_m[0]", f64::INFINITY),
        ("seed", f64::NAN),
    ] {
        let found = paths(field, value);
        assert!(found.iter().any(|path| path == field), "{field} {value}: {found:?}");
        if field != "radius_m[0]" {
            assert_eq!(found.len(), 1, "{field} {value}: {found:?}");
        }
    }
    assert_eq!(paths("gap_m", 5.0), ["radius_m[0]"]);
    let mut spec = world(1.0);
    spec.bodies[0].kind = BodyKind::Kinematic;
    assert_eq!(check_world(&spec)[0].path, "bodies[0].kind");
}
