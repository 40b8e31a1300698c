//! Mazes: corridors between square cells, generated from a seed. Read first: [`Maze`].

use forethought_interface::derive_seed;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// `loops` is kept in so many parts.
const LOOP_PARTS: f64 = 1000.0;

/// A maze of `columns` by `rows` cells: from every cell a way leads to every other one. Cells are `[column, row]`, counted
/// from the lower left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maze {
    columns: u32,
    rows: u32,
    /// `loops` in thousandths.
    loops: u32,
    seed: u32,
    /// Whether a cell is open to its right neighbour, row by row.
    right: Vec<bool>,
    /// Whether a cell is open to the neighbour above it, row by row.
    above: Vec<bool>,
}

/// Why there is no such maze.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum MazeError {
    /// A side without cells, or with too many.
    #[error("a maze has 1 to {most} cells along each side, not {0}", most = Maze::MOST_CELLS)]
    Cells(u32),
    /// A share outside `[0, 1]`.
    #[error("`loops` is a share from 0 to 1, not {0}")]
    Loops(f64),
}

/// A way through a maze.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// The cell where it begins, `[column, row]`.
    pub start: [u32; 2],
    /// The cell where it ends.
    pub goal: [u32; 2],
    /// Moves from cell to cell along the shortest way.
    pub path_cells: u32,
}

/// A piece of wall in the maze's own frame, whose origin is its middle: centre and size in metres.
pub(crate) struct WallPiece {
    pub center_m: [f64; 2],
    pub size_m: [f64; 2],
}

impl Maze {
    /// The most cells along a side.
    pub const MOST_CELLS: u32 = 40;
    /// How many seeds give mazes of their own: as many as fit, with all else that makes a maze, into one double.
    pub const SEEDS: u64 = 1 << 30;

    /// A random depth-first tree over `cells`, `[columns, rows]`; then `loops` of its dead ends, a share in thousandths,
    /// are opened into a neighbour. 0 leaves one way between any two cells; 1 leaves no dead end, where there are two
    /// cells or more along both sides. Of the seed, the remainder of [`Maze::SEEDS`] counts.
    ///
    /// # Errors
    /// [`MazeError`] for a side of none or of more than [`Maze::MOST_CELLS`] cells, or `loops` outside `[0, 1]`.
    pub fn generate(cells: [u32; 2], loops: f64, seed: u64) -> Result<Self, MazeError> {
        if let Some(wrong) = cells.into_iter().find(|count| !(1..=Self::MOST_CELLS).contains(count)) {
            return Err(MazeError::Cells(wrong));
        }
        if !(0.0..=1.0).contains(&loops) {
            return Err(MazeError::Loops(loops));
        }
        let [columns, rows] = cells;
        let seed = seed % Self::SEEDS;
        let closed = vec![false; (columns * rows) as usize];
        let parts = (loops * LOOP_PARTS).round() as u32;
        let mut maze = Self { columns, rows, loops: parts, seed: seed as u32, right: closed.clone(), above: closed };
        let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(seed, "maze", 0));
        maze.grow(&mut rng);
        maze.braid(&mut rng);
        Ok(maze)
    }

    /// All that this maze was generated from, as one number: a whole one below 2^52.
    #[must_use]
    pub fn number(&self) -> f64 {
        let cells = u64::from(self.columns) << 6 | u64::from(self.rows);
        (u64::from(self.seed) << 22 | cells << 10 | u64::from(self.loops)) as f64
    }

    /// The maze with this [`Maze::number`]; none where no maze has it.
    #[must_use]
    pub fn of_number(number: f64) -> Option<Self> {
        if !(number >= 0.0 && number < (Self::SEEDS << 22) as f64 && number.fract() == 0.0) {
            return None;
        }
        let bits = number as u64;
        let field = |shift: u32, width: u32| (bits >> shift & ((1 << width) - 1)) as u32;
        Self::generate([field(16, 6), field(10, 6)], f64::from(field(0, 10)) / LOOP_PARTS, bits >> 22).ok()
    }

    /// Columns and rows.
    #[must_use]
    pub fn cells(&self) -> [u32; 2] {
        [self.columns, self.rows]
    }

    /// The cells that are open to this one; none of a cell outside.
    #[must_use]
    pub fn open(&self, cell: [u32; 2]) -> Vec<[u32; 2]> {
        self.neighbours(cell).filter(|other| self.is_open(cell, *other)).collect()
    }

    /// Moves along the shortest way from this cell to every other one, `[columns * rows]`, row by row from the lower
    /// left; empty for a cell outside.
    #[must_use]
    pub fn distances(&self, from: [u32; 2]) -> Vec<u32> {
        if self.has(from) { spread(&self.links(), self.index(from)) } else { Vec::new() }
    }

    /// The cells that are open to each one, by index.
    fn links(&self) -> Vec<Vec<usize>> {
        self.all().map(|cell| self.open(cell).into_iter().map(|other| self.index(other)).collect()).collect()
    }

    /// Start and goal, drawn evenly from all pairs whose shortest way has `least` to `most` moves; without any such pair
    /// from those whose way is longest. The same maze gives the same pair.
    #[must_use]
    pub fn endpoints(&self, least: u32, most: u32) -> Endpoints {
        let links = self.links();
        let lengths: Vec<Vec<u32>> = (0..links.len()).map(|from| spread(&links, from)).collect();
        let count = |least: u32, most: u32| -> usize {
            lengths.iter().flatten().filter(|length| (least..=most).contains(*length)).count()
        };
        let longest = lengths.iter().flatten().copied().max().unwrap_or(0);
        let (least, most, pairs) = match count(least, most) {
            0 => (longest, longest, count(longest, longest)),
            pairs => (least, most, pairs),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(derive_seed(self.seed.into(), "endpoints", 0));
        let chosen = rng.gen_range(0..pairs.max(1) as u64) as usize;
        let pairs = self.all().zip(&lengths).flat_map(|(start, lengths)| {
            self.all().zip(lengths).map(move |(goal, length)| Endpoints { start, goal, path_cells: *length })
        });
        let mut fitting = pairs.filter(|pair| (least..=most).contains(&pair.path_cells));
        // There is always one: each cell is at 0 moves from itself.
        fitting.nth(chosen).unwrap_or(Endpoints { start: [0, 0], goal: [0, 0], path_cells: 0 })
    }

    /// The walls inside the maze, of cells this far apart. Straight runs are one piece; a post without walls is one too.
    pub(crate) fn walls(&self, cell_m: f64, wall_m: f64) -> Vec<WallPiece> {
        let mut walls = Vec::new();
        let extent = [self.columns, self.rows].map(|count| f64::from(count) * cell_m);
        let mut add = |from: [f64; 2], to: [f64; 2]| {
            // Posts are part of the walls that meet there, but nothing reaches out of the maze.
            let low: [f64; 2] = std::array::from_fn(|axis| (from[axis] * cell_m - wall_m / 2.0).max(0.0));
            let high: [f64; 2] = std::array::from_fn(|axis| (to[axis] * cell_m + wall_m / 2.0).min(extent[axis]));
            walls.push(WallPiece {
                center_m: std::array::from_fn(|axis| (low[axis] + high[axis] - extent[axis]) / 2.0),
                size_m: std::array::from_fn(|axis| high[axis] - low[axis]),
            });
        };
        for line in 1..self.columns {
            for (from, to) in runs(self.rows, |row| !self.is_open([line - 1, row], [line, row])) {
                add([line, from].map(f64::from), [line, to].map(f64::from));
            }
        }
        for line in 1..self.rows {
            for (from, to) in runs(self.columns, |column| !self.is_open([column, line - 1], [column, line])) {
                add([from, line].map(f64::from), [to, line].map(f64::from));
            }
        }
        for (x, y) in (1..self.columns).flat_map(|x| (1..self.rows).map(move |y| (x, y))) {
            let around = [[x - 1, y - 1], [x, y - 1], [x, y], [x - 1, y]];
            if (0..4).all(|corner| self.is_open(around[corner], around[(corner + 1) % 4])) {
                add([x, y].map(f64::from), [x, y].map(f64::from));
            }
        }
        walls
    }

    /// Open a way from cell to cell, always on into a neighbour not yet seen; where there is none, go back.
    fn grow(&mut self, rng: &mut ChaCha8Rng) {
        let mut seen = vec![false; self.right.len()];
        let start = [rng.gen_range(0..self.columns), rng.gen_range(0..self.rows)];
        seen[self.index(start)] = true;
        let mut way = vec![start];
        while let Some(cell) = way.last().copied() {
            let fresh: Vec<[u32; 2]> = self.neighbours(cell).filter(|other| !seen[self.index(*other)]).collect();
            if let Some(next) = pick(&fresh, rng) {
                self.connect(cell, next);
                seen[self.index(next)] = true;
                way.push(next);
            } else {
                way.pop();
            }
        }
    }

    /// Open the share of dead ends into a neighbour.
    fn braid(&mut self, rng: &mut ChaCha8Rng) {
        let mut ends: Vec<[u32; 2]> = self.all().filter(|cell| self.open(*cell).len() == 1).collect();
        ends.shuffle(rng);
        let share = ends.len() as f64 * f64::from(self.loops) / LOOP_PARTS;
        for end in ends.into_iter().take(share.round() as usize) {
            let closed: Vec<[u32; 2]> = self.neighbours(end).filter(|other| !self.is_open(end, *other)).collect();
            // An earlier one may have been opened into this one.
            if self.open(end).len() == 1
                && let Some(other) = pick(&closed, rng)
            {
                self.connect(end, other);
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = [u32; 2]> + use<> {
        let columns = self.columns;
        (0..self.rows).flat_map(move |row| (0..columns).map(move |column| [column, row]))
    }

    fn has(&self, cell: [u32; 2]) -> bool {
        cell[0] < self.columns && cell[1] < self.rows
    }

    fn index(&self, [column, row]: [u32; 2]) -> usize {
        (row * self.columns + column) as usize
    }

    /// The cells beside this one, open to it or not: right, above, left, below.
    fn neighbours(&self, [column, row]: [u32; 2]) -> impl Iterator<Item = [u32; 2]> + use<> {
        let (columns, rows) = if self.has([column, row]) { (self.columns, self.rows) } else { (0, 0) };
        let steps = [(1, 0), (0, 1), (-1, 0), (0, -1)];
        steps.into_iter().filter_map(move |(x, y)| {
            let next = [column.checked_add_signed(x)?, row.checked_add_signed(y)?];
            (next[0] < columns && next[1] < rows).then_some(next)
        })
    }

    /// The place of the opening between two neighbours.
    fn between(&mut self, a: [u32; 2], b: [u32; 2]) -> &mut bool {
        let index = self.index(a.min(b));
        if a[1] == b[1] { &mut self.right[index] } else { &mut self.above[index] }
    }

    fn connect(&mut self, a: [u32; 2], b: [u32; 2]) {
        *self.between(a, b) = true;
    }

    fn is_open(&self, a: [u32; 2], b: [u32; 2]) -> bool {
        let index = self.index(a.min(b));
        if a[1] == b[1] { self.right[index] } else { self.above[index] }
    }
}

/// Moves along the shortest way from one cell to each, by index.
fn spread(links: &[Vec<usize>], from: usize) -> Vec<u32> {
    let mut distances = vec![u32::MAX; links.len()];
    distances[from] = 0;
    let mut reached = vec![from];
    let mut next = 0;
    while let Some(cell) = reached.get(next).copied() {
        next += 1;
        for other in &links[cell] {
            if distances[*other] == u32::MAX {
                distances[*other] = distances[cell] + 1;
                reached.push(*other);
            }
        }
    }
    distances
}

/// One of these, each as likely. The index is drawn as 32 bits, so that it is the same on every machine.
fn pick(cells: &[[u32; 2]], rng: &mut ChaCha8Rng) -> Option<[u32; 2]> {
    if cells.is_empty() {
        return None;
    }
    cells.get(rng.gen_range(0..cells.len() as u32) as usize).copied()
}

/// The runs of neighbouring places below `count` that are closed, each from its first to past its last.
fn runs(count: u32, closed: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for place in (0..count).filter(|place| closed(*place)) {
        match runs.last_mut() {
            Some((_, end)) if *end == place => *end += 1,
            _ => runs.push((place, place + 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openings(maze: &Maze) -> usize {
        maze.right.iter().chain(&maze.above).filter(|open| **open).count()
    }

    fn dead_ends(maze: &Maze) -> usize {
        maze.all().filter(|cell| maze.open(*cell).len() == 1).count()
    }

    #[test]
    fn every_cell_is_reached_and_a_perfect_maze_has_no_loop() {
        for seed in 0..50 {
            for cells in [[1, 1], [1, 9], [7, 7], [5, 3], [40, 40]] {
                for loops in [0.0, 0.4, 1.0] {
                    let maze = Maze::generate(cells, loops, seed).unwrap();
                    assert!(maze.distances([0, 0]).iter().all(|distance| *distance != u32::MAX));
                    if loops == 0.0 {
                        assert_eq!(openings(&maze), (cells[0] * cells[1] - 1) as usize);
                    }
                }
            }
        }
    }

    #[test]
    fn loops_open_their_share_of_dead_ends() {
        for seed in 0..50 {
            let ends = |loops| dead_ends(&Maze::generate([9, 8], loops, seed).unwrap());
            assert!(ends(0.0) > 0);
            assert_eq!(ends(1.0), 0);
            // Opening one may open its neighbour too.
            let (all, half) = (ends(0.0), ends(0.5));
            assert!(half < all && half <= all.div_ceil(2), "{half} of {all}");
        }
    }

    #[test]
    fn a_seed_is_one_maze_and_its_number_too() {
        let mut different = 0;
        for seed in [0, 1, 77, Maze::SEEDS - 1] {
            for (cells, loops) in [([7, 7], 0.0), ([3, 11], 0.333), ([40, 40], 1.0), ([1, 1], 0.5)] {
                let maze = Maze::generate(cells, loops, seed).unwrap();
                assert_eq!(maze, Maze::generate(cells, loops, seed).unwrap());
                assert_eq!(Maze::of_number(maze.number()), Some(maze.clone()));
                assert!(maze.number() < 2.0_f64.powi(52));
                different += usize::from(maze.right != Maze::generate(cells, loops, seed + 1).unwrap().right);
            }
        }
        assert!(different >= 11, "{different}");
    }

    #[test]
    fn what_is_no_maze_is_told() {
        for cells in [[0, 7], [7, 0], [41, 7], [7, u32::MAX]] {
            assert!(matches!(Maze::generate(cells, 0.0, 0), Err(MazeError::Cells(_))), "{cells:?}");
        }
        for loops in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(matches!(Maze::generate([7, 7], loops, 0), Err(MazeError::Loops(_))), "{loops}");
        }
        let good = Maze::generate([7, 7], 0.0, 5).unwrap().number();
        for number in [0.0, 3.0, -good, good + 0.5, good + 1023.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Maze::of_number(number), None, "{number}");
        }
        let maze = Maze::generate([2, 2], 0.0, 0).unwrap();
        assert!(maze.distances([2, 0]).is_empty() && maze.open([0, u32::MAX]).is_empty());
    }

    #[test]
    fn endpoints_keep_their_bounds_and_vary() {
        let mut starts = std::collections::HashSet::new();
        for seed in 0..200 {
            for loops in [0.0, 1.0] {
                let maze = Maze::generate([7, 7], loops, seed).unwrap();
                let way = maze.endpoints(4, 9);
                assert!((4..=9).contains(&way.path_cells));
                assert_eq!(maze.distances(way.start)[maze.index(way.goal)], way.path_cells);
                assert_eq!(maze.distances(way.goal)[maze.index(way.start)], way.path_cells);
                assert_eq!(way, maze.endpoints(4, 9));
                starts.insert(way.start);
            }
        }
        assert_eq!(starts.len(), 49);
    }

    #[test]
    fn without_a_way_of_that_length_the_longest_is_taken() {
        let maze = Maze::generate([6, 5], 0.2, 3).unwrap();
        let longest = maze.all().flat_map(|cell| maze.distances(cell)).max().unwrap();
        for (least, most) in [(longest + 1, 500), (9, 3), (u32::MAX, u32::MAX)] {
            assert_eq!(maze.endpoints(least, most).path_cells, longest);
        }
        let alone = Maze::generate([1, 1], 0.0, 0).unwrap().endpoints(3, 4);
        assert_eq!(alone, Endpoints { start: [0, 0], goal: [0, 0], path_cells: 0 });
    }

    /// All openings are open over their width, all else between neighbours and every post is solid.
    #[test]
    fn walls_stand_where_cells_are_closed() {
        let (cell, wall) = (2.0, 0.4);
        for (seed, loops) in (0..20).flat_map(|seed| [0.0, 0.5, 1.0].map(|loops| (seed, loops))) {
            let maze = Maze::generate([7, 5], loops, seed).unwrap();
            let walls = maze.walls(cell, wall);
            let solid = |x: f64, y: f64| {
                let at = [x * cell - 7.0, y * cell - 5.0];
                walls.iter().any(|wall| (0..2).all(|i| (at[i] - wall.center_m[i]).abs() < wall.size_m[i] / 2.0))
            };
            for [column, row] in maze.all() {
                let [x, y] = [column, row].map(f64::from);
                // Wall faces are at a tenth of a cell.
                for offset in [0.11, 0.3, 0.5, 0.7, 0.89] {
                    assert!(!solid(x + offset, y + 0.5) && !solid(x + 0.5, y + offset));
                    if column + 1 < 7 {
                        let open = maze.is_open([column, row], [column + 1, row]);
                        assert_eq!(solid(x + 1.0, y + offset), !open);
                        assert_eq!(solid(x + 1.09, y + offset), !open);
                    }
                    if row + 1 < 5 {
                        assert_eq!(solid(x + offset, y + 1.0), !maze.is_open([column, row], [column, row + 1]));
                    }
                }
                if column + 1 < 7 && row + 1 < 5 {
                    assert!(solid(x + 1.0, y + 1.0) && solid(x + 1.09, y + 1.09) && solid(x + 0.91, y + 1.09));
                }
            }
            let closed = 2 * 7 * 5 - 7 - 5 - openings(&maze);
            assert!(walls.len() <= closed + 24, "{} pieces for {closed} walls", walls.len());
            let inside = |w: &WallPiece| {
                w.center_m[0].abs() + w.size_m[0] / 2.0 <= 7.0 + 1e-9
                    && w.center_m[1].abs() + w.size_m[1] / 2.0 <= 5.0 + 1e-9
            };
            assert!(walls.iter().all(inside), "a wall reaches out of the maze");
        }
    }
}
