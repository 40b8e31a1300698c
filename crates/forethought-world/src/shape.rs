//! Shapes of bodies, agents and zones. Read first: [`ShapeSpec`].

use crate::ClearSpec;
use forethought_interface::{Num, impl_numbers};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The shape of a body, in the body's own frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum ShapeSpec {
    /// A rectangle centred on the body.
    Cuboid {
        /// Width and height in metres.
        size_m: [Num; 2],
    },
    /// A disc centred on the body.
    Disc {
        /// The radius in metres.
        radius_m: Num,
    },
    /// A convex polygon.
    Polygon {
        /// At least three corners in metres, in order around the polygon.
        vertices_m: Vec<[Num; 2]>,
    },
    /// A straight wall along the body's x axis, centred on the body, with any number of doors.
    Wall {
        /// The length in metres, doors included.
        length_m: Num,
        /// The thickness in metres.
        thickness_m: Num,
        /// The doors.
        #[serde(default)]
        doors: Vec<DoorSpec>,
    },
    /// The walls of a maze whose middle is the body's place. Walls around it are not among them: an arena has its own.
    Maze {
        /// The maze: the name of a factor that is drawn with `Maze(...)`.
        of: Num,
        /// The distance between the middles of two neighbouring cells, in metres.
        cell_m: Num,
        /// How thick walls are, in metres.
        wall_m: Num,
    },
    /// Convex obstacles at random places of a field that is centred on the body: as many as are wanted, or as there is
    /// room for. Each has 5 to 8 corners and lies in a circle; gaps are those between the circles.
    Scatter {
        /// How many obstacles, 1 to 256.
        count: Num,
        /// Width and height of the field in metres.
        size_m: [Num; 2],
        /// The radius of the smallest and of the largest obstacle's circle, in metres.
        radius_m: [Num; 2],
        /// The least distance between two obstacles, and from them to the field's edge, in metres.
        gap_m: Num,
        /// What to leave free, such as the places of the agent and of its target.
        #[serde(default)]
        clear: Vec<ClearSpec>,
        /// Any number, such as a factor: another one is another scatter.
        seed: Num,
    },
    /// Several shapes that move as one.
    Compound {
        /// The parts.
        parts: Vec<PartSpec>,
    },
}

/// A door: a gap in a wall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoorSpec {
    /// The door's middle, in metres along the wall from its beginning.
    pub at_m: Num,
    /// The door's width in metres.
    pub width_m: Num,
}

/// A part of a compound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// The part's shape.
    pub shape: ShapeSpec,
    /// The part's place in the body's frame, in metres.
    #[serde(default = "origin")]
    pub position_m: [Num; 2],
    /// The part's angle in the body's frame, in radians.
    #[serde(default = "zero")]
    pub angle_rad: Num,
}

impl ShapeSpec {
    /// How many generated shapes it is or has in it: places rather than things, which only a static body can be.
    #[must_use]
    pub fn grown(&self) -> usize {
        match self {
            Self::Maze { .. } | Self::Scatter { .. } => 1,
            Self::Compound { parts } => parts.iter().map(|part| part.shape.grown()).sum(),
            Self::Cuboid { .. } | Self::Disc { .. } | Self::Polygon { .. } | Self::Wall { .. } => 0,
        }
    }
}

pub(crate) fn origin() -> [Num; 2] {
    [zero(), zero()]
}

pub(crate) fn zero() -> Num {
    Num::Literal(0.0)
}

impl_numbers!(struct DoorSpec { at_m, width_m });
impl_numbers!(struct PartSpec { shape, position_m, angle_rad });
impl_numbers!(enum ShapeSpec {
    Cuboid { size_m },
    Disc { radius_m },
    Polygon { vertices_m },
    Wall { length_m, thickness_m, doors },
    Maze { of, cell_m, wall_m },
    Scatter { count, size_m, radius_m, gap_m, clear, seed },
    Compound { parts },
});
