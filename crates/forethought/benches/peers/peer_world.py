"""A world of two rooms, ten bodies and 32 rays, in pymunk (Chipmunk) and in Box2D, Gymnasium's engine."""

from __future__ import annotations

import math
from typing import Callable, Iterator, Protocol

from common import Runnable

DT = 0.025
ARENA = 10.0
RADIUS = 0.3
RANGE = 15.0
RESTITUTION = 0.9
AGENT = (3.5, 3.5)
# The velocity that the agent is told to have, and the part of the way to it that one step goes.
WANTED = (0.6 * 3.0, 0.3 * 3.0)
APPROACH = -math.expm1(-DT / 0.145)
RAYS = [(math.cos(2.0 * math.pi * k / 32), math.sin(2.0 * math.pi * k / 32)) for k in range(32)]
# Steps before the scene starts anew, so that every engine simulates the same lively first minute.
EPISODE = 2400
STEPS = 100

Box = tuple[float, float, float, float]
# Centre and half extents: four walls just outside the arena, and the wall with its 1.8 m door.
WALLS: list[Box] = [
    (-1.25, 5.0, 1.25, 7.5),
    (11.25, 5.0, 1.25, 7.5),
    (5.0, -1.25, 7.5, 1.25),
    (5.0, 11.25, 7.5, 1.25),
    (5.0, 2.05, 0.2, 2.05),
    (5.0, 7.95, 0.2, 2.05),
]


def bodies() -> Iterator[tuple[tuple[float, float], tuple[float, float], bool]]:
    """Eight bodies: place, velocity, and whether it is a box of side 0.6 m or a disc. The agent is one more."""
    for k in range(8):
        column, row = k % 4, k // 4
        place = ((1.2, 3.6, 6.4, 8.8)[column], (2.5, 7.5)[row])
        yield place, (1.5 - column, 0.8 - 1.6 * row), k % 2 == 0


class World(Protocol):
    ranges: list[float]

    def step(self) -> None: ...

    def cast(self) -> None: ...

    def positions(self) -> list[tuple[float, float]]: ...


def runnable(make: Callable[[], World]) -> Runnable:
    world, steps = make(), 0

    def prepare() -> None:
        nonlocal world, steps
        if steps >= EPISODE:
            world, steps = make(), 0
        steps += STEPS

    def block() -> None:
        for _ in range(STEPS):
            world.step()
            world.cast()

    return Runnable(prepare, block, STEPS)


def pymunk_world() -> World:
    import pymunk

    class Chipmunk:
        def __init__(self) -> None:
            self.space = pymunk.Space()
            self.space.gravity = (0.0, 0.0)
            # Chipmunk's default, 0.1, is meant for pixels rather than metres.
            self.space.collision_slop = 0.005
            self.ranges = [RANGE] * len(RAYS)
            self.steps_to = [(RANGE * x, RANGE * y) for x, y in RAYS]
            for wall in WALLS:
                self.add_wall(wall)
            for place, velocity, is_box in bodies():
                self.add_body(place, velocity, is_box)
            self.agent = self.add_agent()
            # Shapes of one group do not meet, so the agent's rays pass its own shape.
            self.filter = pymunk.ShapeFilter(group=1)

        def material(self, shape: pymunk.Shape) -> None:
            shape.elasticity, shape.friction = RESTITUTION, 0.0

        def add_wall(self, wall: Box) -> None:
            x, y, half_x, half_y = wall
            box = pymunk.BB(x - half_x, y - half_y, x + half_x, y + half_y)
            shape = pymunk.Poly.create_box_bb(self.space.static_body, box)
            # Chipmunk multiplies the elasticities of two that touch.
            shape.elasticity, shape.friction = 1.0, 0.0
            self.space.add(shape)

        def add_body(self, place: tuple[float, float], velocity: tuple[float, float], is_box: bool) -> None:
            body = pymunk.Body()
            side = 2.0 * RADIUS
            shape = pymunk.Poly.create_box(body, (side, side)) if is_box else pymunk.Circle(body, RADIUS)
            shape.density = 1.0
            self.material(shape)
            self.space.add(body, shape)
            body.position, body.velocity = place, velocity

        def add_agent(self) -> pymunk.Body:
            body = pymunk.Body(math.pi * RADIUS**2, math.inf)
            shape = pymunk.Circle(body, RADIUS)
            shape.filter = pymunk.ShapeFilter(group=1)
            self.material(shape)
            self.space.add(body, shape)
            body.position = AGENT
            return body

        def step(self) -> None:
            x, y = self.agent.velocity
            self.agent.velocity = x + APPROACH * (WANTED[0] - x), y + APPROACH * (WANTED[1] - y)
            self.space.step(DT)

        def cast(self) -> None:
            query, own, ranges = self.space.segment_query_first, self.filter, self.ranges
            x, y = here = self.agent.position
            for index, (to_x, to_y) in enumerate(self.steps_to):
                hit = query(here, (x + to_x, y + to_y), 0.0, own)
                ranges[index] = RANGE if hit is None else RANGE * hit.alpha

        def positions(self) -> list[tuple[float, float]]:
            return [tuple(body.position) for body in self.space.bodies]

    return Chipmunk()


def box2d_world() -> World:
    import Box2D

    class Nearest(Box2D.b2RayCastCallback):
        """The nearest hit. The agent's own disc needs no exclusion: Box2D's discs are not hit from within."""

        fraction = 1.0

        def ReportFixture(self, _fixture: object, _point: object, _normal: object, fraction: float) -> float:
            self.fraction = fraction
            return fraction

    class Two:
        def __init__(self) -> None:
            self.world = Box2D.b2World(gravity=(0.0, 0.0), doSleep=False)
            self.ranges = [RANGE] * len(RAYS)
            self.steps_to = [(RANGE * x, RANGE * y) for x, y in RAYS]
            self.nearest = Nearest()
            ground = self.world.CreateStaticBody()
            for x, y, half_x, half_y in WALLS:
                shape = Box2D.b2PolygonShape(box=(half_x, half_y, (x, y), 0.0))
                ground.CreateFixture(shape=shape, friction=0.0, restitution=RESTITUTION)
            for place, velocity, is_box in bodies():
                self.add_body(place, velocity, is_box)
            self.agent = self.add_body(AGENT, (0.0, 0.0), False, fixedRotation=True)

        def add_body(
            self, place: tuple[float, float], velocity: tuple[float, float], is_box: bool, **options: bool
        ) -> Box2D.b2Body:
            body = self.world.CreateDynamicBody(position=place, linearVelocity=velocity, **options)
            disc = Box2D.b2CircleShape(radius=RADIUS)
            shape = Box2D.b2PolygonShape(box=(RADIUS, RADIUS)) if is_box else disc
            body.CreateFixture(shape=shape, density=1.0, friction=0.0, restitution=RESTITUTION)
            return body

        def step(self) -> None:
            x, y = self.agent.linearVelocity
            self.agent.linearVelocity = x + APPROACH * (WANTED[0] - x), y + APPROACH * (WANTED[1] - y)
            # The numbers of iterations that its manual suggests.
            self.world.Step(DT, 8, 3)

        def cast(self) -> None:
            cast, nearest, ranges = self.world.RayCast, self.nearest, self.ranges
            x, y = here = tuple(self.agent.position)
            for index, (to_x, to_y) in enumerate(self.steps_to):
                nearest.fraction = 1.0
                cast(nearest, here, (x + to_x, y + to_y))
                ranges[index] = RANGE * nearest.fraction

        def positions(self) -> list[tuple[float, float]]:
            return [tuple(body.position) for body in self.world.bodies]

    return Two()


def pymunk_variants(_case: str, _starts: int, _thorough: bool) -> dict[str, Callable[[], Runnable]]:
    return {"pymunk": lambda: runnable(pymunk_world)}


def box2d_variants(_case: str, _starts: int, _thorough: bool) -> dict[str, Callable[[], Runnable]]:
    return {"Box2D": lambda: runnable(box2d_world)}
