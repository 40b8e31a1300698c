//! What a user may do to a world by hand. Read first: [`Edit`].

/// Something that can be taken hold of, by its number in [`crate::Scene`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// An agent.
    Agent(usize),
    /// A body.
    Body(usize),
    /// A target.
    Target(usize),
    /// An item of food.
    Food(usize),
    /// A zone.
    Zone(usize),
}

/// One change of the world between two control steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edit {
    /// Put a thing here, at rest or as fast as it was.
    Move {
        /// What.
        what: Thing,
        /// Where its middle is to be, in metres.
        to_m: [f32; 2],
    },
    /// Give an agent or a body that can be moved another velocity on top of its own.
    Push {
        /// What.
        what: Thing,
        /// In m/s.
        by_m_s: [f32; 2],
    },
    /// A straight wall that never moves.
    AddWall {
        /// Where it begins, in metres.
        from_m: [f32; 2],
        /// Where it ends, in metres.
        to_m: [f32; 2],
    },
    /// A box that can be pushed.
    AddBox {
        /// Where, in metres.
        at_m: [f32; 2],
    },
    /// An item of food that grows again where it is.
    AddFood {
        /// Where, in metres.
        at_m: [f32; 2],
    },
    /// Take a body or an item of food away.
    Remove(Thing),
}
