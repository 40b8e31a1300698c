"""A batch on a Ray cluster, from its command line to its results. Read first: `run`, then `Run.shards`."""

import json
import sys
import time
from argparse import Namespace
from collections import deque

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError, TaskCancelledError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from forethought.ray import work
from forethought.ray.parts import Parts
from forethought.ray.plan import ROUNDS, Plan, differences, doubts
from forethought.ray.progress import Interrupt, Progress
from forethought.ray.trouble import Trouble

# How long a node may take to say what it would run; the first time it may have to install it.
LOOK_TIMEOUT_S = 600.0
# How long an actor may take to answer.
ANSWER_TIMEOUT_S = 10.0
# How often nodes are counted.
COUNT_EVERY_S = 5.0
# Ray is given this many shards at once at least, so that a cluster that grows sees that it should.
FEWEST_QUEUED = 64


def run(options: Namespace, words: list[str]) -> int:
    """Run a batch, or what is missing of it, and return the exit status."""
    began = time.monotonic()
    plan = Plan.of(words, options.json)
    if "--plan" in words:
        print(json.dumps(plan.said))
        return 0
    if options.shards is not None and options.shards > plan.said["episodes"]:
        raise Trouble(f"--shards {options.shards}: there are only {plan.said['episodes']} episodes", 2)
    parts = Parts(options.out)
    begun = parts.examine(plan, options.shards, options.resume)
    connect(options)
    try:
        this = Run(options, plan, parts)
        this.look()
        this.begin(begun or options.shards)
        this.shards()
    finally:
        ray.shutdown()
    return this.end(began)


def connect(options: Namespace) -> None:
    """Join the cluster, or make one of this machine."""
    settings = {"logging_level": "warning", "log_to_driver": False, "runtime_env": options.runtime_env}
    # A cluster of this machine alone has nobody to show a dashboard to.
    if options.address == "local":
        settings["include_dashboard"] = False
    try:
        ray.init(address=options.address, **settings)
    except (ConnectionError, ValueError, RuntimeError) as error:
        remedy = "start one with `ray start --head`, or give --address local"
        if str(options.address).startswith("ray://"):
            remedy = "if it asks for a token, set RAY_AUTH_MODE=token"
        raise Trouble(f"no Ray cluster at {options.address or 'RAY_ADDRESS'}: {error}; {remedy}", 2) from error
    # Nodes need not have this package to say that they have not.
    ray.cloudpickle.register_pickle_by_value(work)


class Run:
    """A batch under way: its plan, what is kept of it, and how it goes."""

    def __init__(self, options: Namespace, plan: Plan, parts: Parts) -> None:
        self.options, self.plan, self.parts = options, plan, parts
        self.nodes = nodes()
        cpus = [node["Resources"].get("CPU", 0) for node in self.nodes.values()]
        if max(cpus, default=0) < options.cpus_per_shard:
            say(f"no node has {options.cpus_per_shard} CPUs as yet: the shards wait for one that has")
        self.at_once = max(1, int(sum(cpu // options.cpus_per_shard for cpu in cpus)))
        # How many shards there are, and which an earlier run left.
        self.number, self.resumed = 0, set()
        self.job = plan.job(options.cpus_per_shard)
        self.files = ray.put(plan.files())
        # Shards that failed, with what they said.
        self.failed: dict[int, str] = {}
        self.cpu_secs = self.secs = 0.0
        self.starts = 0
        self.interrupted = False
        # What the counter was asked last, and what it said last: episodes of each shard under way.
        self.asked: ray.ObjectRef | None = None
        self.told: dict[int, int] = {}
        self.counted = time.monotonic()

    def look(self) -> None:
        """Ask each node what it would run. Raises `Trouble` where that is something else than here."""
        task = ray.remote(num_cpus=0, max_retries=0)(work.look)
        here = self.plan.said["call"]
        asked = {}
        for key, node in self.nodes.items():
            if node["Resources"].get("CPU", 0) >= 1:
                strategy = NodeAffinitySchedulingStrategy(key, soft=False)
                asked[task.options(scheduling_strategy=strategy).remote(self.job, self.files)] = node
        refused = []
        for ref, node in asked.items():
            name = f"node {node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
            try:
                answer = ray.get(ref, timeout=LOOK_TIMEOUT_S)
            except (RayError, GetTimeoutError) as error:
                # It is looked at again when it has run a shard.
                say(f"{name} does not say what it would run: {first_line(error)}")
                continue
            if "error" in answer:
                remedy = "install the same forethought there, or give --runtime-env"
                refused.append(f"{name} cannot run this batch, its process {answer['error']}\n({remedy})")
                continue
            manifests = {cell["folder"] or "": cell["manifest"] for cell in answer["plan"]["cells"]}
            if different := differences(here, answer["plan"]["call"], manifests, self.plan):
                refused.append(f"{name} runs something else: {different}; install the same forethought there, or give --runtime-env")
            elif different := doubts(here, answer["plan"]["call"]):
                say(f"{name} is another machine than this one, its numbers may differ: {different}")
        if refused:
            raise Trouble("\n".join(refused), 2)

    def begin(self, shards: int | None) -> None:
        """Begin with so many shards, or as many as suit the cluster, or go on."""
        self.number = shards or self.plan.shards(self.at_once)
        self.parts.open(self.plan, self.number)
        self.resumed = self.parts.have()

    def shards(self) -> None:
        """Run the shards that are missing and keep each as it ends. Ray runs those again that fail or whose node is lost."""
        run_shard = ray.remote(
            num_cpus=self.options.cpus_per_shard, max_retries=self.options.retries, retry_exceptions=[ChildProcessError]
        )(work.run_shard)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        counter = ray.remote(num_cpus=0, max_restarts=-1, scheduling_strategy=here)(work.Counter).remote()
        waiting = deque(shard for shard in range(1, self.number + 1) if shard not in self.resumed)
        running: dict[ray.ObjectRef, int] = {}
        kept = sum(self.plan.share(shard, self.number) for shard in self.resumed)
        with Progress(self.plan.label, self.plan.share(1, 1), kept) as progress, Interrupt(progress) as interrupt:
            while running or (waiting and not interrupt.asked):
                while waiting and not interrupt.asked and len(running) < max(FEWEST_QUEUED, ROUNDS * self.at_once):
                    shard = waiting.popleft()
                    running[run_shard.remote(self.job, self.files, shard, self.number, counter)] = shard
                if interrupt.asked and not self.interrupted:
                    self.interrupted = True
                    drop_queued(counter, running)
                for ref in ray.wait(list(running), timeout=0.5)[0]:
                    kept += self.take(ref, running.pop(ref), progress)
                self.count_nodes(progress, COUNT_EVERY_S)
                ended = self.number - len(running) - len(waiting)
                progress.set(kept + self.under_way(counter, running), f"{ended}/{self.number} shards, nodes: {len(self.nodes)}")
            self.count_nodes(progress, 0.0)
        self.starts = asked(counter.begun.remote(), 0)

    def take(self, ref: ray.ObjectRef, shard: int, progress: Progress) -> int:
        """Keep what a shard came to, and return how many episodes that are."""
        try:
            result = ray.get(ref)
        except TaskCancelledError:
            return 0
        except RayError as error:
            self.failed[shard] = str(error.cause if isinstance(error, RayTaskError) else error)
            progress.say(f"shard {shard}/{self.number} failed for good (--retries {self.options.retries}): {self.failed[shard]}")
            return 0
        self.parts.keep(shard, result["files"], self.plan)
        self.secs += result["secs"]
        self.cpu_secs += result["cpu_secs"]
        return self.plan.share(shard, self.number)

    def under_way(self, counter: ray.actor.ActorHandle, running: dict[ray.ObjectRef, int]) -> int:
        """How many episodes have ended of the shards under way, as far as is known."""
        if self.asked is None:
            self.asked = counter.of.remote(list(running.values()))
        elif ray.wait([self.asked], timeout=0)[0]:
            try:
                self.told = ray.get(self.asked)
            except RayError:
                # It begins anew elsewhere.
                self.told = {}
            self.asked = None
        return sum(self.told.get(shard, 0) for shard in running.values())

    def count_nodes(self, progress: Progress, every_s: float) -> None:
        """Tell of nodes that came or went, unless they were counted less than so long ago."""
        if time.monotonic() - self.counted < every_s:
            return
        self.counted = time.monotonic()
        before, self.nodes = self.nodes, nodes()
        for key in before.keys() - self.nodes.keys():
            progress.say(f"node {before[key]['NodeManagerAddress']} is lost; Ray runs its shards elsewhere")
        for key in self.nodes.keys() - before.keys():
            progress.say(f"node {self.nodes[key]['NodeManagerAddress']} is new")

    def end(self, began: float) -> int:
        """Put the shards together, tell what they came to, and return the exit status."""
        have = self.parts.have()
        missing = self.number - len(have)
        if not have or self.interrupted:
            raise Trouble(f"stopped before the end, with {len(have)} of {self.number} shards in {self.parts.path}; go on with --resume")
        status, said = self.parts.merge(self.options.resume, self.options.json)
        wall_secs = round(time.monotonic() - began, 3)
        about = {
            "shards": self.number,
            "shards_resumed": len(self.resumed),
            "shards_failed": {str(shard): problem for shard, problem in self.failed.items()},
            "shard_starts": self.starts,
            "nodes": len(self.nodes),
            "cpus_per_shard": self.options.cpus_per_shard,
            "shard_secs": round(self.secs, 3),
            "shard_cpu_secs": round(self.cpu_secs, 3),
            "wall_secs": wall_secs,
        }
        if not self.options.json:
            said.append(f"  in {self.number} shards, {len(self.resumed)} of them from before; nodes: {len(self.nodes)}; {wall_secs:.1f} s in all")
        elif said:
            said[-1] = json.dumps(json.loads(said[-1]) | {"ray": about})
        print("\n".join(said), flush=True)
        if missing:
            say(f"error: {missing} of {self.number} shards failed; --resume runs them again")
            return 1
        return status


def nodes() -> dict[str, dict]:
    """The nodes that are alive, by their numbers."""
    return {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}


def drop_queued(counter: ray.actor.ActorHandle, running: dict[ray.ObjectRef, int]) -> None:
    """Take back the shards that no node has begun with."""
    begun = asked(counter.of.remote(list(running.values())), {})
    for ref, shard in running.items():
        if shard not in begun:
            ray.cancel(ref)


def asked(ref: ray.ObjectRef, otherwise: object) -> object:
    """What an actor answers, or something else where it does not."""
    try:
        return ray.get(ref, timeout=ANSWER_TIMEOUT_S)
    except (RayError, GetTimeoutError):
        return otherwise


def first_line(error: Exception) -> str:
    """What an error says, briefly."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def say(text: str) -> None:
    """A line for people."""
    print(text, file=sys.stderr, flush=True)
