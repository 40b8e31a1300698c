//! The sandbox as its users see it: actuators, senses, goals, zones and errors.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::*;
use forethought_interface::{Detail, Observation, Think, ThinkError, Thought};
use forethought_world::*;

fn sandbox(spec: &WorldSpec, action: [f32; 2]) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.set_minds((0..spec.agents.len()).map(|_| constant(action)).collect());
    sandbox.reset(spec, 1).unwrap();
    sandbox
}

fn steps(sandbox: &mut Sandbox, steps: u32) {
    for _ in 0..steps {
        sandbox.control_step().unwrap();
    }
}

/// The named channel of an agent's observation now.
fn sensed(sandbox: &Sandbox, spec: &WorldSpec, channel: &str) -> Vec<f32> {
    let range = observation_layout(&spec.agents[0]).range(channel).unwrap();
    sandbox.observe(0).values[range].to_vec()
}

#[test]
fn a_velocity_command_is_approached_exponentially() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0)]);
    let mut sandbox = sandbox(&spec, [1.0, -0.5]);
    for step in 1..=10 {
        sandbox.control_step().unwrap();
        let reached = 1.0 - (-0.1 * f64::from(step) / 0.145).exp();
        let [x, y] = sandbox.record().agents[0].velocity_m_s.map(f64::from);
        assert!((x - 3.0 * reached).abs() < 1e-4, "step {step}: {x}");
        assert!((y + 1.5 * reached).abs() < 1e-4, "step {step}: {y}");
    }
    // The same after as many seconds of other physics steps.
    spec.timing = TimingSpec { physics_step_s: 0.01, control_period_s: 0.05 };
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 4);
    let [x, _] = sandbox.record().agents[0].velocity_m_s;
    assert!((x - 3.0 * (1.0 - (-0.2_f32 / 0.145).exp())).abs() < 1e-4);
    assert!((sandbox.record().time_s - 0.2).abs() < 1e-12);
}

#[test]
fn walls_stop_an_agent_and_it_slides_along_them() {
    let spec = arena(vec![agent("a", 5.0, 5.0)]);
    let mut sandbox = sandbox(&spec, [1.0, 0.2]);
    steps(&mut sandbox, 40);
    let record = sandbox.record();
    let [x, y] = record.agents[0].pose.position_m;
    assert!((x - 9.7).abs() < 0.02, "stopped at {x}");
    // Friction is the smaller of the two coefficients, and the agent's is 0: nothing slows it along the wall.
    let free = 0.6 * (4.0 - 0.145);
    assert!((y - 5.0 - free).abs() < 0.05, "slid {} of {free}", y - 5.0);
    assert!(record.agents[0].bump_impulse_n_s > 0.0);
    assert!((sensed(&sandbox, &spec, "lidar.range_m")[0] - 0.3).abs() < 0.02);
    assert_eq!(record.agents[0].pose.angle_rad, 0.0);
}

#[test]
fn actions_beyond_one_are_cut() {
    let spec = arena(vec![agent("a", 2.0, 5.0)]);
    let mut one = sandbox(&spec, [1.0, -1.0]);
    let mut many = sandbox(&spec, [9.0, -1e30]);
    steps(&mut one, 10);
    steps(&mut many, 10);
    assert_eq!(one.record().agents[0].pose, many.record().agents[0].pose);
}

#[test]
fn a_force_accelerates() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0)]);
    spec.agents[0].actuator = ActuatorSpec::Force(ForceSpec { max_force_n: num(2.0) });
    spec.agents[0].material.density_kg_m2 = num(3.0);
    let mut sandbox = sandbox(&spec, [0.5, 0.0]);
    steps(&mut sandbox, 10);
    let mass = 3.0 * std::f32::consts::PI * 0.3 * 0.3;
    let [x, y] = sandbox.record().agents[0].velocity_m_s;
    assert!((x - 1.0 / mass).abs() < 1e-4, "{x} m/s after a second");
    assert_eq!(y, 0.0);
    let [x, _] = sandbox.record().agents[0].pose.position_m;
    assert!((x - 2.0 - 0.5 / mass).abs() < 0.02, "went {} m", x - 2.0);
}

#[test]
fn a_force_ends_with_its_action() {
    let mut spec = arena(vec![agent("a", 5.0, 5.0)]);
    spec.agents[0].actuator = ActuatorSpec::Force(ForceSpec { max_force_n: num(0.1) });
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![scripted(|_, step| vec![if step == 0 { 1.0 } else { 0.0 }, 0.0])]);
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 1);
    let velocity = sandbox.record().agents[0].velocity_m_s;
    assert!(velocity[0] > 0.0);
    steps(&mut sandbox, 3);
    assert_eq!(sandbox.record().agents[0].velocity_m_s, velocity);
}

#[test]
fn a_differential_drive_goes_in_circles() {
    let mut spec = arena(vec![agent("a", 5.0, 5.0)]);
    spec.agents[0].actuator = ActuatorSpec::DifferentialDrive(DifferentialDriveSpec {
        max_wheel_speed_m_s: num(1.0),
        wheel_base_m: num(0.2),
        time_constant_s: num(0.1),
    });
    let mut sandbox = sandbox(&spec, [0.2, 1.0]);
    steps(&mut sandbox, 20);
    // Forward at 0.6 m/s, turning at 4 rad/s: a circle of radius 0.15 m.
    let mut places = Vec::new();
    for _ in 0..80 {
        steps(&mut sandbox, 1);
        let agent = &sandbox.record().agents[0];
        let [x, y] = agent.velocity_m_s;
        assert!((x.hypot(y) - 0.6).abs() < 1e-3, "forward at {}", x.hypot(y));
        // The latest physics step went along its middle heading, 0.05 rad before the present one.
        let (sin, cos) = (agent.pose.angle_rad - 0.05).sin_cos();
        assert!((y * cos - x * sin).abs() < 1e-3, "sideways at {}", y * cos - x * sin);
        assert!((agent.angular_velocity_rad_s - 4.0).abs() < 1e-3);
        places.push(agent.pose.position_m);
    }
    let reach = |axis: usize| {
        let values = places.iter().map(|place| place[axis]);
        values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
    };
    assert!((reach(0) - 0.3).abs() < 0.002 && (reach(1) - 0.3).abs() < 0.002, "{} by {}", reach(0), reach(1));
}

#[test]
fn a_differential_drive_does_not_slip_sideways() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0)]);
    spec.agents[0].actuator = ActuatorSpec::DifferentialDrive(DifferentialDriveSpec::default());
    // A ball comes from the side.
    let mut ball = body("ball", BodyKind::Dynamic, disc(0.3), 2.0, 7.0);
    ball.velocity_m_s = pair(0.0, -4.0);
    spec.bodies.push(ball);
    let mut sandbox = sandbox(&spec, [0.0, 0.0]);
    steps(&mut sandbox, 30);
    let [_, y] = sandbox.record().agents[0].pose.position_m;
    assert!((y - 5.0).abs() < 0.1, "pushed aside by {}", y - 5.0);
    assert!(sandbox.record().bodies[0].position_m[1] < 7.0);
}

#[test]
fn kinematic_bodies_keep_their_velocity() {
    let mut spec = arena(vec![agent("a", 5.0, 5.0)]);
    let mut gate = body("gate", BodyKind::Kinematic, cuboid(0.5, 2.0), 2.0, 5.0);
    gate.velocity_m_s = pair(1.0, 0.0);
    spec.bodies.push(gate);
    let mut door = body("door", BodyKind::Kinematic, cuboid(0.2, 1.0), 8.0, 2.0);
    door.angular_velocity_rad_s = num(0.1);
    spec.bodies.push(door);
    let mut sandbox = sandbox(&spec, [-1.0, 0.0]);
    steps(&mut sandbox, 40);
    let record = sandbox.record();
    assert!((record.bodies[0].position_m[0] - 6.0).abs() < 1e-3, "{:?}", record.bodies[0]);
    assert!((record.bodies[1].angle_rad - 0.4).abs() < 1e-3, "{:?}", record.bodies[1]);
    assert_eq!(record.bodies[1].position_m, [8.0, 2.0]);
    assert!(record.agents[0].pose.position_m[0] > 6.0, "the agent was pushed along");
}

#[test]
fn slow_bodies_do_not_fall_asleep() {
    let mut spec = arena(Vec::new());
    let mut snail = body("snail", BodyKind::Dynamic, cuboid(0.4, 0.2), 2.0, 5.0);
    snail.velocity_m_s = pair(0.01, 0.0);
    snail.angular_velocity_rad_s = num(0.1);
    spec.bodies.push(snail);
    let mut sandbox = Sandbox::new();
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 100);
    let pose = sandbox.record().bodies[0];
    assert!((pose.position_m[0] - 2.1).abs() < 1e-3 && (pose.angle_rad - 1.0).abs() < 1e-3, "{pose:?}");
}

#[test]
fn gravity_is_off_unless_asked_for() {
    let mut spec = arena(Vec::new());
    spec.bodies.push(body("ball", BodyKind::Dynamic, disc(0.2), 5.0, 5.0));
    let mut sandbox = Sandbox::new();
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 5);
    assert_eq!(sandbox.record().bodies[0].position_m, [5.0, 5.0]);
    spec.arena.gravity_m_s2 = pair(0.0, -2.0);
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 10);
    assert!((sandbox.record().bodies[0].position_m[1] - 4.0).abs() < 0.05);
}

#[test]
fn a_bouncy_ball_bounces_off_anything() {
    let mut spec = arena(Vec::new());
    let mut ball = body("ball", BodyKind::Dynamic, disc(0.2), 8.0, 5.0);
    ball.velocity_m_s = pair(4.0, 0.0);
    ball.material.restitution = num(1.0);
    spec.bodies.push(ball.clone());
    let mut sandbox = Sandbox::new();
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 10);
    // 1.8 m to the wall and back: 4 m travelled in a second, less what the physics step of the bounce cuts off.
    assert!((sandbox.record().bodies[0].position_m[0] - 7.6).abs() < 0.15, "{:?}", sandbox.record().bodies);
    spec.arena.boundary = Boundary::Open;
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 10);
    assert!((sandbox.record().bodies[0].position_m[0] - 12.0).abs() < 0.01, "nothing stands at an open edge");
}

#[test]
fn touch_is_the_momentum_that_the_wall_took() {
    let mut spec = arena(vec![agent("a", 8.0, 5.0)]);
    spec.agents[0].actuator = ActuatorSpec::Force(ForceSpec { max_force_n: num(1.0) });
    spec.agents[0].angle_rad = num(std::f64::consts::FRAC_PI_2);
    spec.agents[0].sensors = vec![SensorSpec::Touch(TouchSpec::default())];
    // A ball flies in from the left and hits the resting agent from behind, which is its left side.
    let mut ball = body("ball", BodyKind::Dynamic, disc(0.3), 7.0, 5.0);
    ball.velocity_m_s = pair(2.0, 0.0);
    spec.bodies.push(ball);
    let mut sandbox = sandbox(&spec, [0.0, 0.0]);
    let mut felt = [0.0; 4];
    let mut bumped = 0.0;
    for _ in 0..4 {
        steps(&mut sandbox, 1);
        let touch = sandbox.observe(0).values;
        felt = std::array::from_fn(|sector| felt[sector] + touch[sector]);
        bumped += sandbox.record().agents[0].bump_impulse_n_s;
    }
    // Without bounce both go on at half the ball's speed: half its momentum was handed over.
    let momentum = std::f32::consts::PI * 0.3 * 0.3 * 1.0;
    assert!((felt[1] - momentum).abs() < 0.02 * momentum, "{felt:?}, expected {momentum} on the left");
    assert_eq!([felt[0], felt[2], felt[3]], [0.0; 3]);
    assert!((bumped - momentum).abs() < 0.02 * momentum);
    let speed = sandbox.record().agents[0].velocity_m_s[0];
    assert!((speed - 1.0).abs() < 0.02, "{speed} m/s");
    // The next steps start from nothing.
    steps(&mut sandbox, 4);
    assert!(sandbox.observe(0).values.iter().all(|value| *value < 1e-3));
}

#[test]
fn proprioception_is_the_record() {
    let mut spec = arena(vec![agent("a", 3.0, 4.0)]);
    spec.agents[0].angle_rad = num(0.5);
    spec.agents[0].sensors = vec![SensorSpec::Proprioception(ProprioceptionSpec { heading: true })];
    spec.agents[0].actuator = ActuatorSpec::DifferentialDrive(DifferentialDriveSpec::default());
    let mut sandbox = sandbox(&spec, [0.2, 0.8]);
    assert_eq!(sandbox.record().agents[0].observation.values[..4], [3.0, 4.0, 0.0, 0.0]);
    steps(&mut sandbox, 7);
    let agent = &sandbox.record().agents[0];
    let (sin, cos) = agent.pose.angle_rad.sin_cos();
    let expected = [agent.pose.position_m.as_slice(), &agent.velocity_m_s, &[cos, sin, agent.angular_velocity_rad_s]];
    let sensed = sandbox.observe(0).values;
    assert!(sensed.iter().zip(expected.concat()).all(|(a, b)| (a - b).abs() < 1e-6), "{sensed:?} {expected:?}");
    assert_eq!(observation_layout(&spec.agents[0]).len(), sensed.len());
}

#[test]
fn the_observation_is_from_before_the_step() {
    let spec = arena(vec![agent("a", 5.0, 5.0)]);
    let mut sandbox = sandbox(&spec, [1.0, 0.0]);
    assert_eq!(sandbox.record().agents[0].thought, None);
    for step in 0..5 {
        assert_eq!(sandbox.record().step, step);
        let before = sandbox.observe(0);
        steps(&mut sandbox, 1);
        assert_eq!(sandbox.record().agents[0].observation, before);
        assert_ne!(sandbox.observe(0), before);
        assert_eq!(sandbox.record().agents[0].thought.as_ref().unwrap().action.values, [1.0, 0.0]);
    }
}

#[test]
fn the_goal_is_what_the_agent_will_sense_at_its_target() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0)]);
    spec.targets = vec![target("elsewhere", 1.0, 1.0), target("goal", 7.0, 6.0)];
    spec.agents[0].target = Some("goal".into());
    spec.bodies.push(body("pillar", BodyKind::Static, disc(0.4), 8.5, 6.0));
    let goal = sandbox(&spec, [1.0, 0.0]).record().agents[0].goal.clone().unwrap();
    // Put the agent there and compare: nothing but itself is missing from the picture.
    spec.agents[0].sensors.push(SensorSpec::Raster(RasterSpec { width_px: 32, height_px: 32 }));
    let goal_with_raster = sandbox(&spec, [1.0, 0.0]).record().agents[0].goal.clone().unwrap();
    assert_eq!(goal_with_raster.values[..goal.values.len()], goal.values);
    spec.agents[0].position_m = pair(7.0, 6.0);
    assert_eq!(sandbox(&spec, [0.0, 0.0]).observe(0), goal_with_raster);
    spec.agents[0].target = None;
    assert_eq!(sandbox(&spec, [0.0, 0.0]).record().agents[0].goal, None);
}

#[test]
fn the_goal_follows_what_moves() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0), agent("b", 5.0, 2.0)]);
    spec.targets = vec![target("goal", 7.0, 5.0)];
    spec.agents[0].target = Some("goal".into());
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![constant([0.5, 0.0]), scripted(|_, step| vec![0.0, if step < 5 { 0.0 } else { 1.0 }])]);
    sandbox.reset(&spec, 1).unwrap();
    let goal = |sandbox: &Sandbox| sandbox.record().agents[0].goal.clone().unwrap();
    let first = goal(&sandbox);
    steps(&mut sandbox, 6);
    assert_eq!(goal(&sandbox), first, "only the agent itself has moved so far");
    steps(&mut sandbox, 1);
    assert_ne!(goal(&sandbox), first, "the other one has begun to move");
    // It is the goal of a world in which the other one stands where it is now.
    steps(&mut sandbox, 3);
    let [x, y] = sandbox.record().agents[1].pose.position_m.map(f64::from);
    spec.agents[1].position_m = pair(x, y);
    steps(&mut sandbox, 1);
    let followed = goal(&sandbox);
    let mut fresh = Sandbox::new();
    fresh.reset(&spec, 1).unwrap();
    assert_eq!(followed, goal(&fresh));
}

#[test]
fn lidar_follows_a_turning_body() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0)]);
    let mut bar = body("bar", BodyKind::Dynamic, cuboid(4.0, 0.2), 7.0, 5.0);
    bar.angular_velocity_rad_s = num(std::f64::consts::FRAC_PI_2);
    spec.bodies.push(bar);
    let mut sandbox = sandbox(&spec, [0.0, 0.0]);
    assert!((sensed(&sandbox, &spec, "lidar.range_m")[0] - 3.0).abs() < 1e-3);
    steps(&mut sandbox, 10);
    assert!((sensed(&sandbox, &spec, "lidar.range_m")[0] - 4.9).abs() < 0.02, "the bar stands upright now");
}

#[test]
fn rays_are_there_for_those_who_look() {
    let spec = arena(vec![agent("a", 2.0, 5.0)]);
    let mut sandbox = sandbox(&spec, [1.0, 0.0]);
    assert!(sandbox.record().agents[0].rays.is_empty());
    sandbox.set_detail(Detail::Full);
    steps(&mut sandbox, 3);
    let agent = &sandbox.record().agents[0];
    assert_eq!(agent.rays.len(), 32);
    assert_eq!(agent.rays[0].from_m, agent.pose.position_m);
    assert!((agent.rays[0].to_m[0] - 10.0).abs() < 1e-4);
}

#[test]
fn zones_know_who_is_inside() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0)]);
    spec.bodies.push(body("box", BodyKind::Static, cuboid(1.0, 1.0), 8.0, 8.0));
    let zone = |name: &str, shape, x, y, angle| ZoneSpec {
        name: name.into(),
        shape,
        position_m: pair(x, y),
        angle_rad: num(angle),
        harm_per_s: num(0.0),
        shelter: num(0.0),
        color: [num(0.5), num(0.5), num(0.5)],
    };
    spec.zones.push(zone("strip", cuboid(6.0, 1.0), 6.0, 5.0, std::f64::consts::FRAC_PI_2));
    spec.zones.push(zone("corner", disc(1.0), 8.5, 8.5, 0.0));
    let mut sandbox = sandbox(&spec, [1.0, 0.0]);
    assert_eq!(sandbox.inside_zone("a", "strip"), Some(false));
    assert_eq!(sandbox.inside_zone("box", "corner"), Some(true));
    assert_eq!(sandbox.inside_zone("box", "strip"), Some(false));
    assert_eq!(sandbox.inside_zone("nobody", "strip"), None);
    assert_eq!(sandbox.inside_zone("a", "nowhere"), None);
    let mut seen = Vec::new();
    for _ in 0..24 {
        steps(&mut sandbox, 1);
        let [x, _] = sandbox.record().agents[0].pose.position_m;
        let inside = sandbox.inside_zone("a", "strip").unwrap();
        assert_eq!(inside, (5.5..=6.5).contains(&x), "at {x}");
        seen.push(inside);
    }
    seen.dedup();
    assert_eq!(seen, [false, true, false], "zones stop nobody");
}

#[test]
fn what_is_not_a_number_is_no_action() {
    let spec = arena(vec![agent("a", 2.0, 5.0)]);
    for (action, word) in [
        (vec![0.0, f32::NAN], "NaN"),
        (vec![f32::INFINITY, 0.0], "inf"),
        (vec![0.0], "1 values"),
        (vec![0.0; 3], "3 values"),
    ] {
        let mut sandbox = Sandbox::new();
        sandbox.set_minds(vec![scripted(move |_, step| if step == 2 { action.clone() } else { vec![0.0, 0.0] })]);
        sandbox.reset(&spec, 1).unwrap();
        steps(&mut sandbox, 2);
        let before = sandbox.digest();
        let Err(WorldError::Action { agent, reason }) = sandbox.control_step() else { panic!("{word}") };
        assert_eq!(agent, "a");
        assert!(reason.contains(word), "{reason}");
        assert_eq!((sandbox.record().step, sandbox.digest()), (2, before), "the step did not take place");
        assert_eq!(sandbox.control_step(), Err(WorldError::Empty), "nor does another");
        sandbox.reset(&spec, 1).unwrap();
        steps(&mut sandbox, 2);
        assert_eq!(sandbox.digest(), before, "a reset makes good");
    }
}

#[test]
fn a_mind_that_cannot_think_is_named() {
    struct Lost;
    impl Think for Lost {
        fn begin(&mut self, _: u64) {}
        fn think(&mut self, _: &Observation, goal: Option<&Observation>, _: Detail) -> Result<Thought, ThinkError> {
            assert_eq!(goal, None);
            Err(ThinkError::NoGoal { drive: "Reach".into() })
        }
    }
    let mut sandbox = Sandbox::new();
    sandbox.set_minds(vec![constant([0.0, 0.0]), Box::new(Lost)]);
    sandbox.reset(&arena(vec![agent("a", 2.0, 5.0), agent("b", 5.0, 5.0)]), 1).unwrap();
    let error = sandbox.control_step().unwrap_err();
    assert_eq!(error, WorldError::Think(ThinkError::NoGoal { drive: "Reach".into() }, "b".into()));
    assert!(error.to_string().contains("`b`"));
}

#[test]
fn there_is_one_mind_for_each_agent() {
    let spec = arena(vec![agent("a", 2.0, 5.0), agent("b", 5.0, 5.0)]);
    let mut sandbox = Sandbox::new();
    sandbox.reset(&spec, 1).unwrap();
    assert_eq!(sandbox.record().agents.len(), 2, "a world without minds can be looked at");
    assert_eq!(sandbox.control_step(), Err(WorldError::MindCount { agents: 2, minds: 0 }));
    sandbox.set_minds(vec![constant([0.0, 0.0])]);
    assert_eq!(sandbox.reset(&spec, 1), Err(WorldError::MindCount { agents: 2, minds: 1 }));
    assert_eq!(Sandbox::new().control_step(), Err(WorldError::Empty));
}

#[test]
fn compounds_and_walls_may_be_dynamic() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0)]);
    let doors = vec![DoorSpec { at_m: num(1.5), width_m: num(0.5) }];
    let wall = ShapeSpec::Wall { length_m: num(3.0), thickness_m: num(0.2), doors };
    let mut wall = body("wall", BodyKind::Dynamic, wall, 5.0, 5.0);
    wall.angle_rad = num(std::f64::consts::FRAC_PI_2);
    spec.bodies.push(wall);
    // Through the door ahead, against the wall above it.
    let mut sandbox = sandbox(&spec, [0.0, 0.0]);
    assert!((sensed(&sandbox, &spec, "lidar.range_m")[0] - 8.0).abs() < 1e-4);
    assert!((sensed(&sandbox, &spec, "lidar.range_m")[1] - 2.9 / (std::f32::consts::TAU / 32.0).cos()).abs() < 1e-3);
    sandbox.set_minds(vec![constant([1.0, 0.0])]);
    sandbox.reset(&spec, 1).unwrap();
    steps(&mut sandbox, 20);
    assert!(sandbox.record().bodies[0].position_m[0] > 5.1, "the agent is wider than the door and pushes the wall");
    assert_eq!(outlines(&spec.bodies[0].shape).len(), 2);
}

/// The floor plan is drawn once an episode: neither time nor place changes it, and the next episode has its own.
#[test]
fn a_map_is_the_same_all_the_episode_and_at_the_goal() {
    let mut spec = arena(vec![agent("a", 2.0, 5.0), agent("b", 8.0, 2.0)]);
    spec.bodies.push(body("block", BodyKind::Static, cuboid(2.0, 1.0), 5.0, 8.5));
    spec.bodies.push(body("ball", BodyKind::Dynamic, disc(0.8), 5.0, 5.0));
    spec.bodies.push(body("gate", BodyKind::Kinematic, cuboid(1.0, 1.0), 8.0, 8.0));
    spec.bodies[2].velocity_m_s = pair(-0.5, 0.0);
    spec.targets.push(target("goal", 9.0, 9.0));
    spec.agents[0].target = Some("goal".into());
    spec.agents[0].sensors.push(SensorSpec::Map(MapSpec { cells: [10, 5] }));
    let layout = observation_layout(&spec.agents[0]);
    assert_eq!(layout.channels.last().unwrap().shape, [5, 10]);
    let range = layout.range("map.occupancy").unwrap();
    let mut expected = vec![0.0; 50];
    expected[44..46].copy_from_slice(&[0.5, 0.5]);
    let mut sandbox = sandbox(&spec, [1.0, 0.3]);
    for _ in 0..20 {
        assert_eq!(sandbox.observe(0).values[range.clone()], expected);
        let seen = &sandbox.record().agents[0];
        assert_eq!(seen.observation.values[range.clone()], expected);
        assert_eq!(seen.goal.as_ref().unwrap().values[range.clone()], expected);
        sandbox.control_step().unwrap();
    }
    spec.bodies[0].position_m = pair(1.0, 0.5);
    sandbox.reset(&spec, 1).unwrap();
    let moved = sandbox.observe(0).values[range].to_vec();
    assert_eq!(moved.iter().position(|share| *share > 0.0), Some(0));
    assert_eq!(moved.iter().sum::<f32>(), 1.0);
}
