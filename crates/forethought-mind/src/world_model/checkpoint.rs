//! The trained model and its file: safetensors with its configuration, normalisation, scenario hash and seed inside.
//! Read first: [`Model`] and [`ModelError`].

use super::{WorldModelSpec, predictor::Predictor, readout::Readout};
use crate::{
    network::{Dense, Mlp},
    perception::Perception,
};
use forethought_interface::ObservationLayout;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The key under which a file carries its card, and with it the mark of a Forethought model.
const CARD_KEY: &str = "forethought.model";
/// The format's version.
pub(crate) const FORMAT: u32 = 2;
/// No prediction spans more control steps.
const MAX_STRIDE: usize = 1000;
/// No model of this kind is larger; a larger file is something else.
const MAX_BYTES: u64 = 256 << 20;

/// Why a model file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read or written.
    #[error("cannot {verb} the model {}: {source}", path.display())]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are no safetensors file.
    #[error("{} is no complete safetensors file ({reason}): it was cut short or is something else; train the model again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },
    /// A safetensors file that Forethought did not write.
    #[error("{} is a safetensors file but no Forethought model; write one with `forethought train SCENARIO --out MODEL.safetensors`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A card of another version, or one that cannot be read.
    #[error("{} has a card that this version cannot read ({reason}); train the model again with this version", path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor is missing or has another shape than the card says.
    #[error("{}: tensor `{tensor}` should be f32 {expected:?} but is {found}; the file was changed after training", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// The expected shape.
        expected: Vec<usize>,
        /// What is there.
        found: String,
    },
    /// A weight is infinite or no number.
    #[error("{}: tensor `{tensor}` holds values that are not finite: the training diverged; train it again with a lower learning rate", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
    },
}

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The format's version.
    pub format: u32,
    /// The scenario it was trained on.
    pub scenario: String,
    /// The hash of that scenario's file, in hexadecimal.
    pub scenario_hash: String,
    /// The seed that training started from.
    pub seed: u64,
    /// Observations it was trained on.
    pub frames: u64,
    /// Gradient updates.
    pub updates: u32,
    /// The last effective rank of the representation.
    pub effective_rank: f32,
    /// Layer sizes.
    pub world_model: WorldModelSpec,
    /// How many values an action has.
    pub action_len: usize,
    /// Senses and their normalisation.
    pub perception: Perception,
    /// From a latent to a position.
    pub readout: Readout,
}

/// A trained world model: perception, encoder, predictor and readout.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(crate) card: ModelCard,
    pub(crate) encoder: Mlp,
    pub(crate) predictor: Arc<Predictor>,
}

impl Model {
    /// What the model says of itself.
    #[must_use]
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Percepts `[rows, percept]` to latents `[rows, latent]`.
    #[must_use]
    pub fn encode(&self, percepts: &[f32]) -> Vec<f32> {
        self.encoder.forward(percepts)
    }

    /// The predictor.
    #[must_use]
    pub fn predictor(&self) -> &Arc<Predictor> {
        &self.predictor
    }

    /// Control steps that one prediction spans.
    #[must_use]
    pub fn stride(&self) -> usize {
        self.card.world_model.stride
    }

    /// What differs, where an agent's senses or actions are not those that the model was trained with.
    #[must_use]
    pub fn misfit(&self, layout: &ObservationLayout, action_len: usize) -> Option<String> {
        let trained = self.card.perception.layout();
        if trained != layout {
            let names = |layout: &ObservationLayout| {
                layout.channels.iter().map(|c| format!("{}{:?}", c.name, c.shape)).collect::<Vec<_>>().join(", ")
            };
            return Some(format!("it was trained with senses {} but the agent has {}", names(trained), names(layout)));
        }
        let trained = self.card.action_len;
        (trained != action_len)
            .then(|| format!("it was trained with {trained} action values, the agent has {action_len}"))
    }

    /// Read a model.
    ///
    /// # Errors
    /// [`ModelError`] where the file is missing, cut short, foreign, inconsistent or not finite.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let bytes = read(path)?;
        let tensors = open(&bytes, path)?;
        let card: ModelCard = card(&bytes, path, CARD_KEY)?;
        let refuse = |reason: String| ModelError::Card { path: path.into(), reason };
        if card.format != FORMAT {
            return Err(refuse(format!("format {}, expected {FORMAT}", card.format)));
        }
        let (spec, readout) = (&card.world_model, &card.readout);
        let sound = card.perception.is_sound()
            && !card.perception.is_empty()
            && card.action_len > 0
            && spec.latent > 0
            && (1..=MAX_STRIDE).contains(&spec.stride)
            && readout.weight.len() == (spec.latent + 1) * 2
            && readout.weight.iter().all(|value| value.is_finite());
        if !sound {
            return Err(refuse("perception or readout do not fit the latent".into()));
        }
        let encoder = load_mlp(&tensors, path, "encoder", card.perception.len(), &spec.encoder_hidden, spec.latent)?;
        let acting = spec.stride * card.action_len;
        let inputs = spec.latent + acting;
        let predictor = load_mlp(&tensors, path, "predictor", inputs, &spec.predictor_hidden, spec.latent)?;
        let predictor = Arc::new(Predictor::new(predictor, acting));
        Ok(Self { card, encoder, predictor })
    }

    /// Write the model; an existing file is replaced only once the new one is complete.
    ///
    /// # Errors
    /// [`ModelError::Io`] where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let mut tensors = Vec::new();
        name_mlp("encoder", &self.encoder, &mut tensors);
        name_mlp("predictor", self.predictor.mlp(), &mut tensors);
        write(path, CARD_KEY, &self.card, &tensors)
    }
}

/// A named tensor to write.
pub(crate) type Named<'a> = (String, Vec<usize>, &'a [f32]);

/// The tensors of a network, by name.
pub(crate) fn name_mlp<'a>(name: &str, mlp: &'a Mlp, tensors: &mut Vec<Named<'a>>) {
    for (index, layer) in mlp.layers.iter().enumerate() {
        tensors.push((format!("{name}.{index}.weight"), vec![layer.inputs, layer.outputs], &layer.weight));
        tensors.push((format!("{name}.{index}.bias"), vec![layer.outputs], &layer.bias));
    }
}

/// The tensors of a network, read back.
pub(crate) fn load_mlp(
    tensors: &SafeTensors,
    path: &Path,
    name: &str,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
) -> Result<Mlp, ModelError> {
    let sizes: Vec<usize> = std::iter::once(inputs).chain(hidden.iter().copied()).chain([outputs]).collect();
    let layer = |(index, pair): (usize, &[usize])| {
        Ok(Dense {
            inputs: pair[0],
            outputs: pair[1],
            weight: load_tensor(tensors, path, &format!("{name}.{index}.weight"), &[pair[0], pair[1]])?,
            bias: load_tensor(tensors, path, &format!("{name}.{index}.bias"), &[pair[1]])?,
        })
    };
    Ok(Mlp { layers: sizes.windows(2).enumerate().map(layer).collect::<Result<_, ModelError>>()? })
}

/// One tensor, checked for its type, its shape and for finiteness.
pub(crate) fn load_tensor(
    tensors: &SafeTensors,
    path: &Path,
    name: &str,
    expected: &[usize],
) -> Result<Vec<f32>, ModelError> {
    let wrong =
        |found: String| ModelError::Tensor { path: path.into(), tensor: name.into(), expected: expected.into(), found };
    let view = tensors.tensor(name).map_err(|_| wrong("missing".into()))?;
    if view.dtype() != Dtype::F32 || view.shape() != expected {
        return Err(wrong(format!("{:?} {:?}", view.dtype(), view.shape())));
    }
    let values: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(ModelError::NotFinite { path: path.into(), tensor: name.into() });
    }
    Ok(values)
}

/// The bytes of a file that may be a model.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    let io = |source| ModelError::Io { verb: "read", path: path.into(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > MAX_BYTES {
        return Err(ModelError::Damaged { path: path.into(), reason: format!("{size} bytes is too large") });
    }
    std::fs::read(path).map_err(io)
}

/// The tensors in those bytes.
pub(crate) fn open<'a>(bytes: &'a [u8], path: &Path) -> Result<SafeTensors<'a>, ModelError> {
    SafeTensors::deserialize(bytes)
        .map_err(|error| ModelError::Damaged { path: path.into(), reason: error.to_string() })
}

/// The card under `key` in those bytes.
pub(crate) fn card<T: serde::de::DeserializeOwned>(bytes: &[u8], path: &Path, key: &str) -> Result<T, ModelError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes)
        .map_err(|error| ModelError::Damaged { path: path.into(), reason: error.to_string() })?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(key));
    let text = text.ok_or_else(|| ModelError::Foreign { path: path.into() })?;
    serde_json::from_str(text).map_err(|error| ModelError::Card { path: path.into(), reason: error.to_string() })
}

/// Write tensors and a card to `path` by way of a temporary file beside it.
pub(crate) fn write<T: Serialize>(path: &Path, key: &str, card: &T, tensors: &[Named]) -> Result<(), ModelError> {
    let io = |source| ModelError::Io { verb: "write", path: path.into(), source };
    let text = serde_json::to_string(card).map_err(|error| io(error.into()))?;
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let mut views = Vec::with_capacity(tensors.len());
    for ((name, shape, _), bytes) in tensors.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        views.push((name.as_str(), view.map_err(|error| io(std::io::Error::other(error)))?));
    }
    let metadata = HashMap::from([(key.to_owned(), text)]);
    let file = safetensors::serialize(views, Some(metadata)).map_err(|error| io(std::io::Error::other(error)))?;

    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".writing");
    let beside = PathBuf::from(beside);
    let written = std::fs::File::create(&beside).and_then(|mut out| {
        out.write_all(&file)?;
        out.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&beside, path)) {
        // What was half written is of no use; the file that was there before is untouched.
        let _ = std::fs::remove_file(&beside);
        return Err(io(error));
    }
    Ok(())
}
