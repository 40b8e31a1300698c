//! Episodes as a table that data tools read: `episodes.parquet`. Read first: [`Table`].

use super::{Kept, Totals};
use crate::{episode::EpisodeResult, files::write_whole_by};
use crate::{error::Error, life::Life};
use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};
use std::{collections::BTreeSet, io::Write, path::Path, sync::Arc};

/// Rows that are held in memory and written together.
const GROUP: usize = 8192;

/// A cell's value.
enum Value {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

/// The values of one column for the rows that are not written yet; a row without a value has none.
struct Column {
    name: String,
    values: Values,
    /// 1 for each row with a value, 0 for each without.
    present: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Bool(Vec<bool>),
}

impl Values {
    fn physical(&self) -> Physical {
        match self {
            Self::Text(_) => Physical::BYTE_ARRAY,
            Self::Int(_) => Physical::INT64,
            Self::Float(_) => Physical::DOUBLE,
            Self::Bool(_) => Physical::BOOLEAN,
        }
    }
}

/// A table under way: one row an episode, one column a quantity. Factors and settings have a column each.
pub(super) struct Table<'a> {
    columns: Vec<Column>,
    factors: Vec<String>,
    settings: Vec<String>,
    writer: SerializedFileWriter<&'a mut (dyn Write + Send)>,
    rows: usize,
}

/// Write the table of what `fill` puts into it; `factors` and `settings` are all names that it will meet.
pub(super) fn write(
    path: &Path,
    factors: &BTreeSet<String>,
    settings: &BTreeSet<String>,
    fill: impl FnOnce(&mut Table) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut filled = Ok(());
    let written = write_whole_by(path, |file| {
        let mut table = Table::new(file, factors, settings).map_err(as_io)?;
        filled = fill(&mut table);
        if filled.is_err() {
            return Err(std::io::Error::other("it is not complete"));
        }
        table.end().map_err(as_io)
    });
    filled.and(written)
}

/// A full disk stays a full disk.
fn as_io(error: ParquetError) -> std::io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => *io,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    }
}

impl<'a> Table<'a> {
    fn new(
        file: &'a mut (dyn Write + Send),
        factors: &BTreeSet<String>,
        settings: &BTreeSet<String>,
    ) -> Result<Self, ParquetError> {
        let texts = ["scenario", "actor", "outcome", "digest", "life_died_of", "error"];
        let ints = [
            "run_seed",
            "episode",
            "seed",
            "steps",
            "decisions",
            "model_evaluations",
            "life_steps",
            "life_meals",
            "task_switches",
            "agents",
            "agents_arrived",
            "agents_collisions",
        ];
        let floats = [
            "wall_secs",
            "think_ms",
            "decision_ms_p50",
            "distance_m",
            "life_mean_energy",
            "life_least_energy",
            "life_least_health",
            "life_harm",
        ];
        let column = |name: &str, values| Column { name: name.to_owned(), values, present: Vec::new() };
        let mut columns: Vec<Column> = vec![column("success", Values::Bool(Vec::new()))];
        columns.extend(texts.map(|name| column(name, Values::Text(Vec::new()))));
        columns.extend(ints.map(|name| column(name, Values::Int(Vec::new()))));
        columns.extend(floats.map(|name| column(name, Values::Float(Vec::new()))));
        columns.extend(settings.iter().map(|path| column(&format!("set_{path}"), Values::Text(Vec::new()))));
        columns.extend(factors.iter().map(|name| column(&format!("factor_{name}"), Values::Float(Vec::new()))));
        let fields = columns.iter().map(Column::field).collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder("episodes").with_fields(fields).build()?;
        let created_by = concat!("forethought version ", env!("CARGO_PKG_VERSION")).to_owned();
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).set_created_by(created_by);
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties.build()))?;
        let (factors, settings) = (factors.iter().cloned().collect(), settings.iter().cloned().collect());
        Ok(Self { columns, factors, settings, writer, rows: 0 })
    }

    /// Add an episode of this cell.
    pub fn push(&mut self, kept: &Kept, result: &EpisodeResult) -> Result<(), Error> {
        for index in 0..self.columns.len() {
            let value = self.value(&self.columns[index].name, kept, result);
            self.columns[index].push(value);
        }
        self.rows += 1;
        if self.rows == GROUP { self.flush().map_err(|error| Error::Table(as_io(error))) } else { Ok(()) }
    }

    /// What stands in this column of this episode's row.
    fn value(&self, column: &str, kept: &Kept, result: &EpisodeResult) -> Option<Value> {
        let float = |value: f64| Some(Value::Float(value));
        let int = |value: u64| Some(Value::Int(value.cast_signed()));
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let life = |of: &dyn Fn(&Life) -> Option<Value>| result.life.as_ref().and_then(of);
        let crossing = result.crossing.as_ref();
        match column {
            "scenario" => text(&kept.manifest.scenario),
            "actor" => text(&kept.manifest.actor),
            "run_seed" => int(kept.manifest.seed),
            "episode" => int(result.episode),
            "seed" => int(result.seed),
            "outcome" => text(result.outcome.as_str()),
            "success" => Some(Value::Bool(result.outcome == crate::episode::Ending::Success)),
            "steps" => int(result.steps.into()),
            "digest" => text(&result.digest),
            "error" => result.error.as_deref().and_then(text),
            "wall_secs" => float(result.wall_secs),
            "think_ms" => float(result.think_ms),
            "decisions" => int(result.decision_ms.len() as u64),
            "decision_ms_p50" => Totals::median_ms(&result.decision_ms).and_then(float),
            "model_evaluations" => int(result.model_evaluations),
            "distance_m" => result.distance_m.map(|metres| Value::Float(metres.into())),
            "life_steps" => life(&|life| int(life.steps.into())),
            "life_meals" => life(&|life| int(life.meals.into())),
            "life_mean_energy" => life(&|life| float(life.mean_energy)),
            "life_least_energy" => life(&|life| float(life.least_energy)),
            "life_least_health" => life(&|life| float(life.least_health)),
            "life_harm" => life(&|life| float(life.harm)),
            "life_died_of" => life(&|life| life.died_of.and_then(|of| text(&format!("{of:?}").to_lowercase()))),
            "task_switches" => result.tasks.as_ref().and_then(|log| int(log.at.values().map(|at| at.taken_up).sum())),
            "agents" => crossing.and_then(|crossing| int(crossing.agents.into())),
            "agents_arrived" => crossing.and_then(|crossing| int(crossing.arrived.into())),
            "agents_collisions" => crossing.and_then(|crossing| int(crossing.collisions.into())),
            named => self.named(named, kept, result),
        }
    }

    /// A factor or a setting.
    fn named(&self, column: &str, kept: &Kept, result: &EpisodeResult) -> Option<Value> {
        if let Some(name) = column.strip_prefix("factor_").and_then(|name| self.factors.iter().find(|own| *own == name))
        {
            return result.factors.get(name).map(|value| Value::Float(*value));
        }
        let path = column.strip_prefix("set_").and_then(|path| self.settings.iter().find(|own| *own == path))?;
        let setting = kept.manifest.settings.iter().find(|setting| setting.path == *path)?;
        Some(Value::Text(setting.value.clone()))
    }

    /// Write the rows that are held.
    fn flush(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        let mut columns = self.columns.iter_mut();
        while let (Some(mut to), Some(column)) = (group.next_column()?, columns.next()) {
            let present = Some(&column.present[..]);
            match &mut column.values {
                Values::Text(values) => to.typed::<ByteArrayType>().write_batch(values, present, None).map(drop)?,
                Values::Int(values) => to.typed::<Int64Type>().write_batch(values, present, None).map(drop)?,
                Values::Float(values) => to.typed::<DoubleType>().write_batch(values, present, None).map(drop)?,
                Values::Bool(values) => to.typed::<BoolType>().write_batch(values, present, None).map(drop)?,
            }
            to.close()?;
            column.clear();
        }
        self.rows = 0;
        group.close().map(drop)
    }

    fn end(mut self) -> Result<(), ParquetError> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.writer.close().map(drop)
    }
}

impl Column {
    fn field(&self) -> Result<Arc<Type>, ParquetError> {
        let logical = match self.name.as_str() {
            // Seeds use all 64 bits.
            "seed" | "run_seed" => Some(LogicalType::integer(64, false)),
            _ if matches!(self.values, Values::Text(_)) => Some(LogicalType::String),
            _ => None,
        };
        let builder = Type::primitive_type_builder(&self.name, self.values.physical());
        Ok(Arc::new(builder.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()?))
    }

    fn push(&mut self, value: Option<Value>) {
        self.present.push(i16::from(value.is_some()));
        match (&mut self.values, value) {
            (Values::Text(values), Some(Value::Text(text))) => values.push(ByteArray::from(text.into_bytes())),
            (Values::Int(values), Some(Value::Int(value))) => values.push(value),
            (Values::Float(values), Some(Value::Float(value))) => values.push(value),
            (Values::Bool(values), Some(Value::Bool(value))) => values.push(value),
            // A value of another kind counts as none.
            _ => self.present.iter_mut().next_back().into_iter().for_each(|present| *present = 0),
        }
    }

    fn clear(&mut self) {
        self.present.clear();
        match &mut self.values {
            Values::Text(values) => values.clear(),
            Values::Int(values) => values.clear(),
            Values::Float(values) => values.clear(),
            Values::Bool(values) => values.clear(),
        }
    }
}
