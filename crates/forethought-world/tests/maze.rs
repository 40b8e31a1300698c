//! Mazes as bodies: walls that stop, corridors that let through.

mod common;

use common::*;
use forethought_interface::{Action, Detail, Observation, Think, ThinkError, Thought};
use forethought_world::*;

const CELL_M: f64 = 2.0;

fn middle(cell: [u32; 2]) -> [f64; 2] {
    cell.map(|index| (f64::from(index) + 0.5) * CELL_M)
}

/// The maze over all of its arena, and an agent in one of its cells.
fn world(maze: &Maze, start: [u32; 2], sensors: Vec<SensorSpec>) -> WorldSpec {
    let [width, height] = maze.cells().map(|count| f64::from(count) * CELL_M);
    let [x, y] = middle(start);
    let mut agent = agent("agent", x, y);
    agent.shape = disc(0.25);
    agent.actuator = ActuatorSpec::VelocityCommand(VelocityCommandSpec {
        max_speed_m_s: num(1.5),
        ..VelocityCommandSpec::default()
    });
    agent.sensors = sensors;
    let mut spec = arena(vec![agent]);
    spec.arena.size_m = pair(width, height);
    let shape = ShapeSpec::Maze { of: num(maze.number()), cell_m: num(CELL_M), wall_m: num(0.4) };
    spec.bodies.push(body("walls", BodyKind::Static, shape, width / 2.0, height / 2.0));
    spec
}

/// Heads for one place after the other, each when the one before is near.
struct Follower {
    places: Vec<[f64; 2]>,
    next: usize,
}

impl Think for Follower {
    fn begin(&mut self, _: u64) {
        self.next = 0;
    }

    fn think(&mut self, observation: &Observation, _: Option<&Observation>, _: Detail) -> Result<Thought, ThinkError> {
        let place = self.places[self.next];
        let offset = [0, 1].map(|axis| place[axis] as f32 - observation.values[axis]);
        if offset[0].hypot(offset[1]) < 0.4 && self.next + 1 < self.places.len() {
            self.next += 1;
        }
        let longest = offset[0].abs().max(offset[1].abs()).max(0.3);
        Ok(Thought { action: Action { values: offset.map(|part| part / longest).to_vec() }, ..Thought::default() })
    }
}

fn proprioception() -> Vec<SensorSpec> {
    vec![SensorSpec::Proprioception(ProprioceptionSpec::default())]
}

#[test]
fn an_agent_passes_from_start_to_goal_along_the_shortest_way() {
    for (seed, loops) in (0..6).flat_map(|seed| [0.0, 1.0].map(|loops| (seed, loops))) {
        let maze = Maze::generate([7, 7], loops, seed).unwrap();
        let Endpoints { start, goal, path_cells } = maze.endpoints(12, 48);
        let to_goal = maze.distances(goal);
        let distance = |cell: [u32; 2]| to_goal[(cell[1] * 7 + cell[0]) as usize];
        let mut places = vec![start];
        while *places.last().unwrap() != goal {
            let cells = maze.open(*places.last().unwrap());
            places.push(cells.into_iter().min_by_key(|cell| distance(*cell)).unwrap());
        }
        assert_eq!(places.len(), path_cells as usize + 1);
        let mut sandbox = Sandbox::new();
        sandbox.set_minds(vec![Box::new(Follower { places: places.into_iter().map(middle).collect(), next: 0 })]);
        sandbox.reset(&world(&maze, start, proprioception()), seed).unwrap();
        let near = |sandbox: &Sandbox| {
            let [x, y] = sandbox.record().agents[0].pose.position_m.map(f64::from);
            let [goal_x, goal_y] = middle(goal);
            (x - goal_x).hypot(y - goal_y) < 0.5
        };
        // A move takes 13.3 steps at full speed along one axis.
        let most = path_cells * 15 + 10;
        let arrived = (0..most).any(|_| {
            sandbox.control_step().unwrap();
            near(&sandbox)
        });
        assert!(arrived, "not after {most} steps: seed {seed}, {loops} loops");
    }
}

#[test]
fn a_closed_side_stops_an_agent_and_an_open_one_does_not() {
    let maze = Maze::generate([5, 4], 0.3, 8).unwrap();
    for (column, row) in (0..5).flat_map(|column| (0..4).map(move |row| (column, row))) {
        let cell = [column, row];
        for (x, y) in [(1, 0), (0, 1), (-1, 0), (0, -1)] {
            let mut sandbox = Sandbox::new();
            sandbox.set_minds(vec![constant([x as f32, y as f32])]);
            sandbox.reset(&world(&maze, cell, proprioception()), 0).unwrap();
            for _ in 0..14 {
                sandbox.control_step().unwrap();
            }
            let at = sandbox.record().agents[0].pose.position_m.map(f64::from);
            let [from_x, from_y] = middle(cell);
            let moved = (at[0] - from_x) * f64::from(x) + (at[1] - from_y) * f64::from(y);
            let next = [column.checked_add_signed(x), row.checked_add_signed(y)];
            let open = maze.open(cell).iter().any(|other| [Some(other[0]), Some(other[1])] == next);
            // Half a cell, less half a wall and the agent's radius; the arena's wall stands at the cell's edge.
            if open {
                assert!(moved > 1.7, "{moved} m through an opening of {cell:?}");
            } else {
                assert!(moved < 0.78, "{moved} m into a wall of {cell:?}");
            }
        }
    }
}

#[test]
fn rays_see_walls_where_cells_are_closed() {
    let maze = Maze::generate([7, 7], 0.0, 21).unwrap();
    let lidar = LidarSpec { rays: 4, range_m: num(30.0), ..LidarSpec::default() };
    for (column, row) in (0..7).flat_map(|column| (0..7).map(move |row| (column, row))) {
        let cell = [column, row];
        let mut sandbox = Sandbox::new();
        sandbox.reset(&world(&maze, cell, vec![SensorSpec::Lidar(lidar.clone())]), 0).unwrap();
        let ranges = sandbox.observe(0).values;
        for ((x, y), range) in [(1, 0), (0, 1), (-1, 0), (0, -1)].into_iter().zip(ranges) {
            let (mut cells, mut at) = (0, cell);
            while let Some(next) = maze.open(at).into_iter().find(|next| {
                [Some(next[0]), Some(next[1])] == [at[0].checked_add_signed(x), at[1].checked_add_signed(y)]
            }) {
                (cells, at) = (cells + 1, next);
            }
            let edge = [at[0].checked_add_signed(x), at[1].checked_add_signed(y)];
            let at_arena = !edge.into_iter().all(|index| index.is_some_and(|index| index < 7));
            let expected = 2.0 * cells as f32 + if at_arena { 1.0 } else { 0.8 };
            assert!((range - expected).abs() < 1e-4, "{range} instead of {expected} from {cell:?} to ({x}, {y})");
        }
    }
}

#[test]
fn a_maze_is_the_same_after_any_other_episode() {
    let spec = |seed| world(&Maze::generate([7, 7], 0.5, seed).unwrap(), [3, 3], agent("agent", 0.0, 0.0).sensors);
    let run = |sandbox: &mut Sandbox, seed| {
        sandbox.reset(&spec(seed), seed).unwrap();
        (0..40).for_each(|_| sandbox.control_step().unwrap());
        sandbox.digest()
    };
    let mut fresh = Sandbox::new();
    fresh.set_minds(vec![scripted(restless)]);
    let first = run(&mut fresh, 5);
    assert_ne!(run(&mut fresh, 6), first);
    assert_eq!(run(&mut fresh, 5), first);
}

#[test]
fn impossible_mazes_are_told() {
    let paths = |change: &dyn Fn(&mut ShapeSpec)| -> Vec<String> {
        let maze = Maze::generate([3, 3], 0.0, 1).unwrap();
        let mut spec = world(&maze, [0, 0], proprioception());
        change(&mut spec.bodies[0].shape);
        check_world(&spec).into_iter().map(|problem| problem.path).collect()
    };
    let with = |of: f64, cell: f64, wall: f64| {
        paths(&|shape| *shape = ShapeSpec::Maze { of: num(of), cell_m: num(cell), wall_m: num(wall) })
    };
    let good = Maze::generate([3, 3], 0.0, 1).unwrap().number();
    assert!(paths(&|_| ()).is_empty());
    assert_eq!(with(3.0, 2.0, 0.4), ["bodies[0].shape.of"]);
    assert_eq!(with(f64::NAN, 2.0, 0.4), ["bodies[0].shape.of"]);
    assert_eq!(with(good, -2.0, 0.4), ["bodies[0].shape.cell_m"]);
    assert_eq!(with(good, 2.0, 0.0), ["bodies[0].shape.wall_m"]);
    assert_eq!(with(good, 2.0, 2.0), ["bodies[0].shape.wall_m"]);
    assert_eq!(with(good, f64::NAN, f64::NAN), ["bodies[0].shape.cell_m", "bodies[0].shape.wall_m"]);
    let mut spec = world(&Maze::generate([3, 3], 0.0, 1).unwrap(), [0, 0], proprioception());
    spec.bodies[0].kind = BodyKind::Dynamic;
    spec.agents[0].shape = spec.bodies[0].shape.clone();
    let told: Vec<String> = check_world(&spec).into_iter().map(|problem| problem.path).collect();
    assert!(told.contains(&"bodies[0].kind".into()) && told.contains(&"agents[0].shape".into()), "{told:?}");
}
