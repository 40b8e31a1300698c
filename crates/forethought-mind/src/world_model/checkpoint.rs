//! The trained model and its file: safetensors with its configuration, normalisation, scenario hash and seed inside.
//! Read first: [`Model`] and [`ModelError`].

use super::{
    LatentVariableSpec, WorldModelSpec,
    clearance::{Clearance, ClearanceCard},
    encoder::Encoder,
    hjepa::{Level, LevelCard},
    interoception::{Interoception, InteroceptionCard},
    jepa::{Shape, Sizes},
    latent_variable::Variants,
    map::MapReader,
    predictor::{Looking, Predictor},
    readout::Readout,
};
use crate::{
    actor::policy::{Policy, PolicyCard},
    configurator::{Learned, LearnedCard},
    cost::critic::{Critic, CriticCard},
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
    /// How predictors read the floor plan, where the agent has one.
    #[serde(default)]
    pub map: Option<MapReader>,
    /// The levels above the first, from the second up.
    #[serde(default)]
    pub levels: Vec<LevelCard>,
    /// The share of the experience's sequences that each value of the latent variable predicts best; empty without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code_shares: Vec<f32>,
    /// From a latent to how near what moves has come, where anything but the agent moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clearance: Option<ClearanceCard>,
    /// From a latent to what the body feels, where the agent has such senses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interoception: Option<InteroceptionCard>,
    /// From a latent to what it will cost, where the agent has practised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critic: Option<CriticCard>,
    /// From a latent to what to do (Mode-1), where the agent has practised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyCard>,
    /// From a latent to what each task will cost, where the agent has tried them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configurator: Option<LearnedCard>,
}

/// A trained world model: perception, encoder, predictor and readout.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub(crate) card: ModelCard,
    pub(crate) encoder: Mlp,
    pub(crate) predictor: Variants,
    pub(crate) levels: Vec<Arc<Level>>,
    pub(crate) clearance: Option<Arc<Clearance>>,
    pub(crate) interoception: Option<Arc<Interoception>>,
    pub(crate) critic: Option<Arc<Critic>>,
    pub(crate) policy: Option<Arc<Policy>>,
    pub(crate) configurator: Option<Arc<Learned>>,
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

    /// The predictor; with a latent variable, that under its first value.
    #[must_use]
    pub fn predictor(&self) -> &Arc<Predictor> {
        &self.predictors()[0]
    }

    /// The predictor under each value of the latent variable; without one there is one.
    #[must_use]
    pub fn predictors(&self) -> &[Arc<Predictor>] {
        self.predictor.under()
    }

    /// How near what moves has come, as a latent tells it; none where nothing but the agent moved in training.
    #[must_use]
    pub fn clearance(&self) -> Option<&Arc<Clearance>> {
        self.clearance.as_ref()
    }

    /// What the body feels, as a latent tells it; none where the agent has no such senses.
    #[must_use]
    pub fn interoception(&self) -> Option<&Arc<Interoception>> {
        self.interoception.as_ref()
    }

    /// What states cost later on; none where the agent has not practised.
    #[must_use]
    pub fn critic(&self) -> Option<&Arc<Critic>> {
        self.critic.as_ref()
    }

    /// What to do in a state, without a plan; none where the agent has not practised.
    #[must_use]
    pub fn policy(&self) -> Option<&Arc<Policy>> {
        self.policy.as_ref()
    }

    /// What taking up a task will cost; none where the agent has not tried any.
    #[must_use]
    pub fn configurator(&self) -> Option<&Arc<Learned>> {
        self.configurator.as_ref()
    }

    /// The same with another learned configurator.
    #[must_use]
    pub fn with_configurator(&self, configurator: Option<Arc<Learned>>) -> Self {
        let mut model = Self { configurator, ..self.clone() };
        model.card.configurator = model.configurator.as_ref().map(|learned| learned.card.clone());
        model
    }

    /// The same world model with another critic and policy.
    #[must_use]
    pub fn with_behaviour(&self, critic: Option<Arc<Critic>>, policy: Option<Arc<Policy>>) -> Self {
        let mut model = Self { critic, policy, ..self.clone() };
        model.card.critic = model.critic.as_ref().map(|critic| critic.card.clone());
        model.card.policy = model.policy.as_ref().map(|policy| policy.card.clone());
        model
    }

    /// The levels above the first, from the second up.
    #[must_use]
    pub fn levels(&self) -> &[Arc<Level>] {
        &self.levels
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

    /// What differs, where an agent does not remember what the model was trained to perceive from memory, or the other way round.
    #[must_use]
    pub fn misfit_of_memory(&self, recalls: &[String]) -> Option<String> {
        let trained = self.card.perception.recalls();
        let named = |recalls: &[String]| match recalls {
            [] => "without memory of what is out of sight".to_owned(),
            _ => format!("with `memory: (recall: {recalls:?})`"),
        };
        (trained != recalls)
            .then(|| format!("it was trained {} but the agent lives {}", named(trained), named(recalls)))
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
            && fits(readout, spec.latent)
            && card.map.as_ref().is_none_or(MapReader::is_sound)
            && card.levels.len() == spec.levels.len()
            && spec.latent_variable.as_ref().is_none_or(LatentVariableSpec::is_sound)
            && spec.levels.iter().zip(&card.levels).all(|(spec, level)| level.is_sound(spec));
        if !sound {
            return Err(refuse("perception or readout do not fit the latent".into()));
        }
        let glimpse = card.map.as_ref().map_or(0, MapReader::len);
        let shapes = Shape::all(spec, card.perception.len(), card.action_len, glimpse, 0);
        let load = |name: &str, sizes: Sizes| load_mlp(&tensors, path, name, sizes);
        let looking = |readout: &Readout| {
            card.map.as_ref().map(|reader| Looking { reader: reader.clone(), readout: readout.clone() })
        };
        let (encoding, predicting, ..) = shapes[0].networks();
        let (encoder, predictor) = (load("encoder", encoding)?, load("predictor", predicting)?);
        let looks = looking(&card.readout);
        let predictor = Variants::new(predictor, shapes[0].acting(), shapes[0].codes(), looks.as_ref());
        let clearance = card.clearance.as_ref().map(|own| {
            let mlp = load("clearance", (spec.latent, &own.hidden, 1))?;
            Ok(Arc::new(Clearance::new(own.clone(), mlp)))
        });
        let clearance = clearance.transpose()?;
        let interoception = card.interoception.as_ref().map(|own| {
            if own.channels.is_empty() {
                return Err(refuse("an interoception of nothing".into()));
            }
            let linear = load("interoception", (spec.latent, &[], own.channels.len()))?;
            Ok(Arc::new(Interoception { card: own.clone(), linear }))
        });
        let interoception = interoception.transpose()?;
        let critic = card.critic.as_ref().map(|own| {
            if !(0.0..1.0).contains(&own.discount) {
                return Err(refuse(format!("a critic with a discount of {}", own.discount)));
            }
            let goals = own.goals.then(|| load("critic.goals", (2 * spec.latent, &own.hidden, 1))).transpose()?;
            let count = own.drives.len();
            let drives = (count > 0).then(|| load("critic.drives", (spec.latent, &own.hidden, count))).transpose()?;
            Ok(Arc::new(Critic::new(own.clone(), goals, drives)))
        });
        let critic = critic.transpose()?;
        let policy = card.policy.as_ref().map(|own| {
            let inputs = spec.latent * if own.goals { 2 } else { 1 };
            let mlp = load("policy", (inputs, &own.hidden, spec.stride * card.action_len))?;
            Ok(Arc::new(Policy::new(own.clone(), mlp)))
        });
        let policy = policy.transpose()?;
        let configurator = card.configurator.as_ref().map(|own| {
            if let Some(fault) = own.fault() {
                return Err(refuse(fault.into()));
            }
            let mlp = load("configurator", (spec.latent + 1, &own.hidden, own.tasks.len()))?;
            Ok(Arc::new(Learned::new(own.clone(), mlp)))
        });
        let configurator = configurator.transpose()?;
        let mut levels: Vec<Arc<Level>> = Vec::new();
        for ((spec, own), shape) in spec.levels.iter().zip(&card.levels).zip(&shapes[1..]) {
            let name = |part: &str| format!("level{}.{part}", levels.len() + 2);
            let (encoding, predicting, _, acting) = shape.networks();
            let acting = acting.ok_or_else(|| refuse("a level without actions".into()))?;
            let predictor = load(&name("predictor"), predicting)?;
            let span_below = levels.last().map_or(card.world_model.stride, |below| below.span);
            levels.push(Arc::new(Level {
                spec: spec.clone(),
                card: own.clone(),
                encoder: Encoder::new(load(&name("encoder"), encoding)?),
                action_encoder: Encoder::new(load(&name("action"), acting)?),
                predictor: Arc::new(Predictor::new(predictor, shape.acting(), looking(&own.readout))),
                span: span_below * spec.stride,
                span_below,
            }));
        }
        Ok(Self { card, encoder, predictor, levels, clearance, interoception, critic, policy, configurator })
    }

    /// Write the model; an existing file is replaced only once the new one is complete.
    ///
    /// # Errors
    /// [`ModelError::Io`] where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let mut tensors = Vec::new();
        name_mlp("encoder", &self.encoder, &mut tensors);
        name_mlp("predictor", self.predictor.whole(), &mut tensors);
        if let Some(clearance) = &self.clearance {
            name_mlp("clearance", clearance.network.mlp(), &mut tensors);
        }
        if let Some(interoception) = &self.interoception {
            name_mlp("interoception", &interoception.linear, &mut tensors);
        }
        if let Some(critic) = &self.critic {
            critic.goals.iter().for_each(|network| name_mlp("critic.goals", network.mlp(), &mut tensors));
            critic.drives.iter().for_each(|network| name_mlp("critic.drives", network.mlp(), &mut tensors));
        }
        if let Some(policy) = &self.policy {
            name_mlp("policy", policy.network.mlp(), &mut tensors);
        }
        if let Some(configurator) = &self.configurator {
            name_mlp("configurator", configurator.network.mlp(), &mut tensors);
        }
        for (index, level) in self.levels.iter().enumerate() {
            name_mlp(&format!("level{}.encoder", index + 2), level.encoder.mlp(), &mut tensors);
            name_mlp(&format!("level{}.predictor", index + 2), level.predictor.mlp(), &mut tensors);
            name_mlp(&format!("level{}.action", index + 2), level.action_encoder.mlp(), &mut tensors);
        }
        write(path, CARD_KEY, &self.card, &tensors)
    }
}

/// Whether a readout reads latents of this width.
pub(crate) fn fits(readout: &Readout, latent: usize) -> bool {
    readout.weight.len() == (latent + 1) * 2 && readout.weight.iter().all(|value| value.is_finite())
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
    (inputs, hidden, outputs): Sizes,
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
