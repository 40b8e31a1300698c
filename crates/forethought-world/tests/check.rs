//! Every impossible value of a world is reported at once, with its place.

mod common;

use common::*;
use forethought_interface::Num;
use forethought_world::*;

fn problems(change: impl FnOnce(&mut WorldSpec)) -> Vec<WorldProblem> {
    let mut spec = arena(vec![agent("agent", 5.0, 5.0)]);
    spec.bodies.push(body("box", BodyKind::Static, cuboid(1.0, 1.0), 2.0, 2.0));
    spec.targets.push(target("goal", 8.0, 8.0));
    change(&mut spec);
    check_world(&spec)
}

fn paths(change: impl FnOnce(&mut WorldSpec)) -> Vec<String> {
    problems(change).into_iter().map(|problem| problem.path).collect()
}

fn with_shape(shape: ShapeSpec) -> Vec<String> {
    paths(|spec| spec.bodies[0].shape = shape)
}

fn polygon(corners: &[(f64, f64)]) -> ShapeSpec {
    ShapeSpec::Polygon { vertices_m: corners.iter().map(|(x, y)| pair(*x, *y)).collect() }
}

fn wall(length: f64, doors: &[(f64, f64)]) -> ShapeSpec {
    let doors = doors.iter().map(|(at, width)| DoorSpec { at_m: num(*at), width_m: num(*width) }).collect();
    ShapeSpec::Wall { length_m: num(length), thickness_m: num(0.2), doors }
}

#[test]
fn a_good_world_has_no_problems() {
    assert_eq!(problems(|_| ()), []);
}

#[test]
fn all_problems_come_at_once() {
    let found = paths(|spec| {
        spec.arena.size_m[1] = num(0.0);
        spec.bodies[0].shape = disc(-1.0);
        spec.bodies[0].material.restitution = num(1.5);
        spec.bodies[0].color[2] = num(f64::NAN);
        spec.agents[0].sensors.push(SensorSpec::Raster(RasterSpec { width_px: 0, height_px: 1025 }));
        spec.targets[0].radius_m = Num::Expression("wall_x".into());
    });
    assert_eq!(
        found,
        [
            "arena.size_m[1]",
            "bodies[0].shape.radius_m",
            "bodies[0].material.restitution",
            "bodies[0].color[2]",
            "agents[0].position_m",
            "agents[0].sensors[3].width_px",
            "agents[0].sensors[3].height_px",
            "targets[0].position_m",
            "targets[0].radius_m",
        ]
    );
}

#[test]
fn shapes() {
    assert_eq!(with_shape(cuboid(1.0, -1.0)), ["bodies[0].shape.size_m[1]"]);
    assert_eq!(with_shape(disc(f64::INFINITY)), ["bodies[0].shape.radius_m"]);
    assert_eq!(with_shape(polygon(&[(0.0, 0.0), (1.0, 0.0)])), ["bodies[0].shape.vertices_m"]);
    let in_line = polygon(&[(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]);
    assert_eq!(with_shape(in_line), ["bodies[0].shape.vertices_m"]);
    let dart = polygon(&[(0.0, 0.0), (2.0, 0.0), (0.5, 0.5), (0.0, 2.0)]);
    assert_eq!(with_shape(dart), ["bodies[0].shape.vertices_m[2]"]);
    let star: Vec<(f64, f64)> = (0..5).map(|i| (f64::from(i) * 2.0 * std::f64::consts::TAU / 5.0).sin_cos()).collect();
    assert_eq!(with_shape(polygon(&star)), ["bodies[0].shape.vertices_m"]);
    for corners in [[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)]] {
        assert!(with_shape(polygon(&corners)).is_empty());
    }
}

#[test]
fn walls_and_doors() {
    assert!(with_shape(wall(4.0, &[(1.0, 1.0), (3.0, 1.0)])).is_empty());
    assert!(with_shape(wall(4.0, &[(0.5, 1.0)])).is_empty());
    assert_eq!(with_shape(wall(4.0, &[(2.0, 5.0)])), ["bodies[0].shape.doors[0].width_m"]);
    assert_eq!(with_shape(wall(4.0, &[(2.0, 0.5), (4.0, 1.0)])), ["bodies[0].shape.doors[1].at_m"]);
    assert_eq!(with_shape(wall(4.0, &[(2.5, 1.0), (2.0, 1.0)])), ["bodies[0].shape.doors[1].at_m"]);
    assert_eq!(with_shape(wall(4.0, &[(2.0, 0.0)])), ["bodies[0].shape.doors[0].width_m"]);
    assert_eq!(with_shape(wall(4.0, &[(1.0, 2.0), (3.0, 2.0)])), ["bodies[0].shape.doors"]);
}

#[test]
fn compounds() {
    let nest = |shape| ShapeSpec::Compound {
        parts: vec![PartSpec { shape, position_m: pair(0.0, 0.0), angle_rad: num(0.0) }],
    };
    let four = nest(nest(nest(nest(disc(0.1)))));
    assert!(with_shape(four.clone()).is_empty());
    let found = with_shape(nest(four));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0], "bodies[0].shape.parts[0].shape.parts[0].shape.parts[0].shape.parts[0].shape.parts");
    assert_eq!(with_shape(nest(disc(-0.1))), ["bodies[0].shape.parts[0].shape.radius_m"]);
    assert_eq!(with_shape(ShapeSpec::Compound { parts: Vec::new() }), ["bodies[0].shape.parts"]);
}

#[test]
fn places() {
    assert_eq!(paths(|spec| spec.agents[0].position_m = pair(11.0, 5.0)), ["agents[0].position_m"]);
    assert_eq!(paths(|spec| spec.targets[0].position_m = pair(5.0, -0.1)), ["targets[0].position_m"]);
    // The box reaches from 1.5 to 2.5: the disc of radius 0.3 overlaps it up to 2.8, but not over its corner.
    assert_eq!(paths(|spec| spec.agents[0].position_m = pair(2.75, 2.0)), ["agents[0].position_m"]);
    assert!(paths(|spec| spec.agents[0].position_m = pair(2.8, 2.0)).is_empty());
    assert!(paths(|spec| spec.agents[0].position_m = pair(2.75, 2.75)).is_empty());
    let problems = problems(|spec| spec.agents[0].position_m = pair(0.2, 5.0));
    assert!(problems[0].found.contains("arena's wall"), "{problems:?}");
    assert!(paths(|spec| spec.agents[0].position_m = pair(0.3, 0.3)).is_empty());
    assert_eq!(paths(|spec| spec.agents.push(agent("other", 5.1, 5.0))), ["agents[1].position_m"]);
    // A dynamic body gives way.
    assert!(
        paths(|spec| {
            spec.bodies[0].kind = BodyKind::Dynamic;
            spec.agents[0].position_m = pair(2.0, 2.0);
        })
        .is_empty()
    );
}

#[test]
fn names_and_targets() {
    assert_eq!(paths(|spec| spec.bodies[0].name = "agent".into()), ["agents[0].name"]);
    assert_eq!(paths(|spec| spec.targets.push(target("goal", 1.0, 9.0))), ["targets[1].name"]);
    assert_eq!(paths(|spec| spec.agents[0].target = Some("gaol".into())), ["agents[0].target"]);
    let problem = &problems(|spec| spec.agents[0].target = Some("gaol".into()))[0];
    assert_eq!(problem.expected, "one of `goal`");
    assert!(paths(|spec| spec.agents[0].target = Some("goal".into())).is_empty());
}

#[test]
fn sensors_and_actuators() {
    for (cells, wrong) in [([0, 28], Some(0)), ([28, 65], Some(1)), ([64, 1], None)] {
        let found = paths(|spec| spec.agents[0].sensors = vec![SensorSpec::Map(MapSpec { cells })]);
        let expected: Vec<String> =
            wrong.map(|axis| format!("agents[0].sensors[0].cells[{axis}]")).into_iter().collect();
        assert_eq!(found, expected);
    }
    let sensor = |sensor| paths(|spec| spec.agents[0].sensors = vec![sensor]);
    assert_eq!(sensor(SensorSpec::Lidar(LidarSpec { rays: 0, ..LidarSpec::default() })), ["agents[0].sensors[0].rays"]);
    assert_eq!(
        sensor(SensorSpec::Lidar(LidarSpec { rays: 5000, range_m: num(-1.0), ..LidarSpec::default() })).len(),
        2
    );
    assert_eq!(sensor(SensorSpec::Touch(TouchSpec { sectors: 0 })), ["agents[0].sensors[0].sectors"]);
    let twice = vec![SensorSpec::Touch(TouchSpec::default()); 2];
    assert_eq!(paths(|spec| spec.agents[0].sensors = twice), ["agents[0].sensors[1]"]);
    let actuator = |actuator| paths(|spec| spec.agents[0].actuator = actuator);
    assert_eq!(
        actuator(ActuatorSpec::VelocityCommand(VelocityCommandSpec {
            time_constant_s: num(0.0),
            ..Default::default()
        })),
        ["agents[0].actuator.time_constant_s"]
    );
    assert_eq!(actuator(ActuatorSpec::Force(ForceSpec { max_force_n: num(-1.0) })), ["agents[0].actuator.max_force_n"]);
    assert_eq!(
        actuator(ActuatorSpec::DifferentialDrive(DifferentialDriveSpec {
            wheel_base_m: num(0.0),
            ..Default::default()
        })),
        ["agents[0].actuator.wheel_base_m"]
    );
}

#[test]
fn timing() {
    let timing =
        |physics_step_s, control_period_s| paths(|spec| spec.timing = TimingSpec { physics_step_s, control_period_s });
    assert!(timing(0.02, 0.1).is_empty());
    assert!(timing(0.1, 0.1).is_empty());
    assert!(timing(1.0 / 60.0, 0.1).is_empty());
    assert_eq!(timing(0.03, 0.1), ["timing.control_period_s"]);
    assert_eq!(timing(0.025, 0.0), ["timing.control_period_s"]);
    assert_eq!(timing(0.025, f64::NAN), ["timing.control_period_s"]);
    for step in [0.0, -0.1, 0.2, f64::NAN, f64::INFINITY] {
        assert_eq!(timing(step, 0.1), ["timing.physics_step_s"]);
    }
}

#[test]
fn reset_refuses_what_the_check_reports() {
    let mut spec = arena(vec![agent("agent", 5.0, 5.0)]);
    spec.agents[0].shape = disc(f64::NAN);
    let mut sandbox = Sandbox::new();
    let Err(WorldError::Invalid(problems)) = sandbox.reset(&spec, 1) else { panic!("refused") };
    assert_eq!(problems, check_world(&spec));
    assert_eq!(sandbox.control_step(), Err(WorldError::Empty));
}

#[test]
fn needs_are_possible() {
    let living = |spec: &mut WorldSpec| spec.agents[0].metabolism = Some(MetabolismSpec::default());
    let sense = |spec: &mut WorldSpec, sensor| spec.agents[0].sensors.push(sensor);
    let scent =
        |of| ScentSpec { of, beams: 12, range_m: num(2.0), sharpness: num(3.0), reach_m: num(6.0), occluded: false };
    let feels = || SensorSpec::Interoception(InteroceptionSpec {});
    let smells = |of| SensorSpec::Scent(scent(of));
    let good = paths(|spec| {
        living(spec);
        sense(spec, feels());
        sense(spec, smells(Scented::Food));
        sense(spec, smells(Scented::Harm));
        spec.foods.push(food("food", 5.0, 5.0));
        spec.bodies[0].kind = BodyKind::Dynamic;
        spec.bodies[0].pursues = Some(PursuitSpec::default());
    });
    assert_eq!(good, [""; 0]);

    assert_eq!(paths(|spec| sense(spec, feels())), ["agents[0].sensors[3]"], "without a metabolism");
    let twice = paths(|spec| [Scented::Food, Scented::Food].map(|of| sense(spec, smells(of))).into_iter().collect());
    assert_eq!(twice, ["agents[0].sensors[4]"]);
    let odd =
        ScentSpec { beams: 0, range_m: num(0.0), sharpness: num(0.0), reach_m: num(-1.0), ..scent(Scented::Food) };
    let expected = ["beams", "range_m", "reach_m", "sharpness"].map(|field| format!("agents[0].sensors[3].{field}"));
    assert_eq!(paths(|spec| sense(spec, SensorSpec::Scent(odd))), expected);

    let starving = paths(|spec| {
        living(spec);
        let metabolism = spec.agents[0].metabolism.as_mut();
        metabolism.map(|own| (own.start_j, own.resting_w) = (num(120.0), num(-1.0))).unwrap_or_default();
    });
    assert_eq!(starving, ["agents[0].metabolism.start_j", "agents[0].metabolism.resting_w"]);
    let zones = paths(|spec| {
        spec.zones.push(ZoneSpec { harm_per_s: num(-0.1), shelter: num(1.5), ..zone("odd", 1.0, 5.0, 5.0) });
    });
    assert_eq!(zones, ["zones[0].harm_per_s", "zones[0].shelter"]);
    let [day_s, night_s, dusk_s, phase_s, cold_harm_per_s] = [0.0, -1.0, 1.0, 0.0, -0.1].map(num);
    let climate = ClimateSpec { day_s, night_s, dusk_s, phase_s, cold_harm_per_s };
    let expected = ["climate.day_s", "climate.night_s", "climate.cold_harm_per_s"];
    assert_eq!(paths(|spec| spec.climate = Some(climate.clone())), expected);
    let dim = ClimateSpec { day_s: num(1.5), night_s: num(0.0), cold_harm_per_s: num(0.0), ..climate.clone() };
    assert_eq!(paths(|spec| spec.climate = Some(dim)), ["climate.dusk_s"]);

    for kind in [BodyKind::Static, BodyKind::Kinematic] {
        let still = paths(|spec| {
            spec.bodies[0].kind = kind;
            spec.bodies[0].pursues = Some(PursuitSpec { rests_s: num(-1.0), ..PursuitSpec::default() });
        });
        assert_eq!(still, ["bodies[0].pursues", "bodies[0].pursues.rests_s"]);
    }
}

#[test]
fn food_finds_room() {
    let with = |change: fn(&mut FoodSpec)| {
        paths(|spec| {
            let mut food = food("food", 2.0, 2.0);
            change(&mut food);
            spec.foods.push(food);
        })
    };
    assert_eq!(with(|_| ()), ["foods[0]"], "all of it is in the box");
    assert_eq!(with(|food| food.size_m = Some(pair(3.0, 3.0))), [""; 0]);
    assert_eq!(with(|food| (food.size_m, food.clear_m) = (Some(pair(3.0, 3.0)), num(6.0))), ["foods[0]"]);
    assert_eq!(with(|food| food.position_m = Some(pair(20.0, 2.0))), ["foods[0]"], "outside the arena");
    assert_eq!(with(|food| food.count = num(1.5)), ["foods[0].count"]);
    assert_eq!(with(|food| food.count = num(257.0)), ["foods[0].count"]);
    assert_eq!(with(|food| food.radius_m = num(0.0)), ["foods[0].radius_m"]);
    let twice = paths(|spec| spec.foods.extend([food("food", 5.0, 5.0), food("food", 6.0, 5.0)]));
    assert_eq!(twice, ["foods[1].name"]);
}
