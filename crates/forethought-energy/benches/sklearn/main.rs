//! Forethought's side of the comparison with scikit-learn: answers "fit this to that", one JSON object a line, on standard input and
//! output. `compare.py` beside this file asks.

#![allow(clippy::expect_used, missing_docs, reason = "a bench may panic")]

use forethought_energy::models::{Chains, GaussianMixture, KMeans, Pca, Rbm, Samples, SparseCoding};
use nalgebra::{DMatrix, DVector};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::io::{BufRead, Write};

fn main() {
    if !std::env::args().any(|argument| argument == "--serve") {
        eprintln!("run by `python3 crates/forethought-energy/benches/sklearn/compare.py`");
        return;
    }
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let request: Value = serde_json::from_str(&line).expect("a request is JSON");
        let answer = answer(&request);
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}").and_then(|()| out.flush()).expect("somebody listens");
    }
}

/// What was fitted, and the processor's seconds that it took.
fn answer(request: &Value) -> Value {
    let matrix = |name: &str| {
        let values: Vec<f64> = serde_json::from_value(request[name]["values"].clone()).expect("numbers");
        let rows = whole(&request[name]["rows"]);
        DMatrix::from_vec(rows, values.len() / rows, values)
    };
    let number = |name: &str| request[name].as_f64().expect("a number");
    let samples: Samples = matrix("samples");
    let mut rng = ChaCha8Rng::seed_from_u64(request["seed"].as_u64().unwrap_or(0));
    match request["case"].as_str().expect("a case") {
        "pca" => {
            let (pca, seconds) = timed(|| Pca::fit(&samples, whole(&request["components"])).expect("samples fit"));
            json!({"seconds": seconds, "mean": pca.mean().as_slice(), "components": pca.components().as_slice()})
        }
        "kmeans" => {
            let how = (whole(&request["restarts"]), 300, 0.0);
            let fit = || KMeans::fit(&samples, whole(&request["centres"]), how, &mut rng).expect("samples fit");
            let (model, seconds) = timed(fit);
            json!({"seconds": seconds, "centres": model.centres().as_slice()})
        }
        "gaussian_mixture" => {
            let (means, covariances, weights) = (matrix("means"), matrix("covariances"), matrix("weights"));
            let features = means.nrows();
            let covariances =
                (0..means.ncols()).map(|part| covariances.columns(part * features, features).into_owned());
            let (covariances, weights) = (covariances.collect(), DVector::from_column_slice(weights.as_slice()));
            let mut model = GaussianMixture::new(weights, means, covariances).expect("a mixture");
            let stop = (whole(&request["steps"]), number("tolerance"));
            let (_, seconds) = timed(|| model.ascend(&samples, number("floor"), stop).expect("a mixture"));
            let covariances: Vec<f64> =
                model.covariances().iter().flat_map(|covariance| covariance.iter()).copied().collect();
            json!({"seconds": seconds, "weights": model.weights().as_slice(), "means": model.means().as_slice(),
                "covariances": covariances})
        }
        "sparse_coding" => {
            let mut model = SparseCoding::new(matrix("atoms"), number("lambda")).expect("atoms");
            let mut codes = DMatrix::zeros(model.atoms().ncols(), samples.ncols());
            let ((), seconds) = timed(|| {
                for _ in 0..whole(&request["steps"]) {
                    model.step(&samples, &mut codes).expect("samples fit");
                }
            });
            json!({"seconds": seconds, "atoms": model.atoms().as_slice()})
        }
        "rbm" => {
            let weights = matrix("weights");
            let (visible, hidden) = weights.shape();
            let mut model = Rbm::new(weights, DVector::zeros(visible), DVector::zeros(hidden)).expect("weights");
            let (batch, rate) = (whole(&request["batch"]), number("rate"));
            let ((), seconds) = timed(|| {
                let mut chains = Chains(Samples::zeros(visible, batch));
                let mut order: Vec<usize> = (0..samples.ncols()).collect();
                for _ in 0..whole(&request["epochs"]) {
                    order.shuffle(&mut rng);
                    for picks in order.chunks(batch) {
                        let some = samples.select_columns(picks);
                        let slope = model.persistent_divergence(&some, &mut chains, 1, &mut rng);
                        model.ascend(&slope, rate);
                    }
                }
            });
            let [visible, hidden] = model.biases().map(DVector::as_slice);
            json!({"seconds": seconds, "weights": model.weights().as_slice(), "visible": visible, "hidden": hidden})
        }
        case => json!({"error": format!("no case {case}")}),
    }
}

fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a whole number")).expect("a small number")
}

/// What it gives, and how long this thread had a processor for it.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = processor_secs();
    let result = work();
    (result, processor_secs() - begun)
}

fn processor_secs() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + 1e-9 * time.tv_nsec as f64
}
