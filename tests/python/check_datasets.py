"""Opens what `forethought collect`, `train --tensorboard` and `batch --tensorboard` write with the tools that it is written for.

    pip install numpy h5py pyarrow pillow tensorboard
    pip install "stable-worldmodel[format]" opencv-python-headless
    python tests/python/check_datasets.py [--program target/release/forethought] [--skip stable_worldmodel,tensorboard]

Every check that is not skipped by name must pass; a tool that is missing is a failure.
"""

import argparse
import io
import json
import math
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(program, *words):
    """What a command says as JSON."""
    done = subprocess.run([program, *map(str, words), "--json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Dataset:
    """A dataset in both formats, with pictures; the same scenario with a model and without."""

    def __init__(self, program, folder):
        self.folder = folder / "data"
        self.summary = run(
            program, "collect", "two_rooms", "--episodes", 6, "--seed", 1, "--format", "parquet,hdf5",
            "--frames", "64x48", "--out", self.folder,
        )
        self.card = json.loads((self.folder / "manifest.json").read_text())
        self.episodes = lines(self.folder / "episodes.jsonl")


def check_pyarrow(data):
    import numpy as np
    import pyarrow.parquet as pq
    from PIL import Image

    table = pq.read_table(data.folder / "trajectories.parquet")
    assert table.num_rows == data.summary["rows"]
    assert table.column_names == [column["name"] for column in data.card["columns"]]
    rows = table.to_pylist()
    for episode in data.episodes:
        (place,) = episode["trajectories"]
        own = rows[place["row"] : place["row"] + place["rows"]]
        assert place["rows"] == episode["steps"] + 1
        assert [row["step"] for row in own] == list(range(place["rows"]))
        assert all(row["seed"] == episode["seed"] and row["episode"] == episode["episode"] for row in own)
        assert all(row["variation." + name] == value for row in own for name, value in episode["factors"].items())
        *before, ended, last = own
        assert ended["success"] == ended["terminated"] == (episode["outcome"] == "success")
        assert ended["truncated"] == (episode["outcome"] == "time_limit")
        assert ended["reward"] == (1.0 if episode["outcome"] == "success" else 0.0)
        assert all(row["reward"] == 0.0 and not row["terminated"] for row in before)
        assert all(math.isnan(value) for value in last["action"] + [last["reward"], last["energy"]])
        assert all(math.isfinite(row["energy"]) and math.isfinite(row["drive.reach"]) for row in before)
        assert all(len(row["lidar.range_m"]) == 32 and -1 <= min(row["action"]) for row in before)
        # The drive to reach the goal costs less where the goal is reached.
        assert ended["drive.reach"] < own[0]["drive.reach"] or episode["outcome"] != "success"
    picture = Image.open(io.BytesIO(rows[0]["pixels"]))
    assert picture.size == (64, 48) and np.asarray(picture).std() > 5
    return rows


def check_h5py(data):
    import h5py
    import numpy as np

    rows = check_pyarrow(data)
    with h5py.File(data.folder / "trajectories.h5", "r") as file:
        assert set(file) == {column["name"] for column in data.card["columns"]} | {"ep_len", "ep_offset"}
        places = [place for episode in data.episodes for place in episode["trajectories"]]
        assert file["ep_len"][:].tolist() == [place["rows"] for place in places]
        assert file["ep_offset"][:].tolist() == [place["row"] for place in places]
        kinds = {"f32": "<f4", "f64": "<f8", "i64": "<i8", "u64": "<u8", "bool": "|b1", "u8": "|u1"}
        for column in data.card["columns"]:
            values = file[column["name"]]
            assert values.shape == (len(rows), *column["shape"]) and values.compression == "gzip", column
            assert values.dtype == np.dtype(kinds[column["kind"]]), (column, values.dtype)
            if column["name"] != "pixels":
                other = np.array([row[column["name"]] for row in rows], values.dtype)
                assert np.array_equal(values[:].reshape(other.shape), other, equal_nan=column["kind"] in ("f32", "f64"))
        from PIL import Image

        assert np.array_equal(file["pixels"][3], np.asarray(Image.open(io.BytesIO(rows[3]["pixels"]))))


def check_stable_worldmodel(data):
    import torch
    from stable_worldmodel.data import detect_format, load_dataset

    assert detect_format(data.folder).name == "hdf5"
    dataset = load_dataset(str(data.folder), num_steps=4, frameskip=2)
    lengths = [place["rows"] for episode in data.episodes for place in episode["trajectories"]]
    assert dataset.lengths.tolist() == lengths
    assert len(dataset) == sum(max(0, length - 8 + 1) for length in lengths)
    clip = dataset[0]
    assert clip["pixels"].shape == (4, 3, 48, 64) and clip["pixels"].dtype == torch.uint8
    assert clip["lidar.range_m"].shape == (4, 32) and clip["action"].shape == (4, 4)
    assert clip["step"].tolist() == [0, 2, 4, 6]
    whole = dataset.load_episode(len(lengths) - 1)
    assert whole["action"].shape == (lengths[-1], 2) and torch.isnan(whole["action"][-1]).all()
    loader = torch.utils.data.DataLoader(
        load_dataset(str(data.folder), num_steps=4, keys_to_load=["pixels", "action", "proprioception.position_m"]),
        batch_size=8, shuffle=True,
    )
    batch = next(iter(loader))
    assert batch["pixels"].shape == (8, 4, 3, 48, 64) and batch["proprioception.position_m"].shape == (8, 4, 2)


def check_tensorboard(data, program, folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def scalars(path):
        events = EventAccumulator(str(path)).Reload()
        return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}

    close = lambda one, other: math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    model = folder / "model.safetensors"
    run(
        program, "train", "two_rooms", "--episodes", 8, "--updates", 120, "--lives", 0, "--out", model,
        "--tensorboard", folder / "train",
    )
    told = scalars(folder / "train")
    log = lines(model.with_suffix(".log.jsonl"))
    assert [step for step, _ in told["loss"]] == [line["update"] for line in log] == [50, 100, 120]
    for line, (_, loss), (_, rank) in zip(log, told["loss"], told["effective_rank"]):
        assert close(loss, line["loss"]) and close(rank, line["effective_rank"])
    for term in log[0]["terms"]:
        assert [close(value, line["terms"][term]) for line, (_, value) in zip(log, told["terms/" + term])] == [True] * 3
    assert told["readout/r2_x"][0][0] == 120

    batch = ["batch", "two_rooms", "--actor", "random", "--jobs", 1, "--out", folder / "batch", "--tensorboard", folder / "events"]
    run(program, *batch, "--episodes", 5)
    run(program, *batch, "--episodes", 9, "--resume")
    told = scalars(folder / "events")
    episodes = lines(folder / "batch" / "episodes.jsonl")
    assert told["episode/steps"] == [(number + 1, episode["steps"]) for number, episode in enumerate(episodes)]
    successes = sum(episode["outcome"] == "success" for episode in episodes)
    assert told["success_rate"][-1][0] == 9 and close(told["success_rate"][-1][1], successes / 9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "target" / "release" / "forethought")
    parser.add_argument("--skip", default="", help="checks to leave out, separated by commas")
    chosen = parser.parse_args()
    program = str(pathlib.Path(chosen.program).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = Dataset(program, folder)
        checks = {
            "pyarrow": lambda: check_pyarrow(data),
            "h5py": lambda: check_h5py(data),
            "stable_worldmodel": lambda: check_stable_worldmodel(data),
            "tensorboard": lambda: check_tensorboard(data, program, folder),
        }
        for check, passes in checks.items():
            if check in chosen.skip.split(","):
                print(f"{check}: skipped")
                continue
            passes()
            print(f"{check}: reads what was written")


if __name__ == "__main__":
    main()
