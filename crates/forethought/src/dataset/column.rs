//! What a row of a dataset holds. Read first: [`Column`], then [`Rows`].

use serde::{Deserialize, Serialize};

/// What kind of number a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Single precision, as senses and actions are.
    F32,
    /// Double precision, as factors are.
    F64,
    /// A count.
    I64,
    /// A seed, which uses all 64 bits.
    U64,
    /// Yes or no.
    Bool,
    /// A pixel's red, green or blue.
    U8,
}

/// One column: a quantity at each moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// The shape of one row's values; empty for a single one.
    pub shape: Vec<usize>,
}

impl Column {
    /// A column with one value a row.
    #[must_use]
    pub fn of(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, shape: Vec::new() }
    }

    /// A column with an array a row.
    #[must_use]
    pub fn shaped(name: &str, kind: Kind, shape: &[usize]) -> Self {
        Self { name: name.to_owned(), kind, shape: shape.to_vec() }
    }

    /// How many values a row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Values of one column, row by row.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "named as the kinds are")]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    U64(Vec<u64>),
    Bool(Vec<bool>),
    U8(Vec<u8>),
}

impl Values {
    /// None yet.
    #[must_use]
    pub fn none(kind: Kind) -> Self {
        match kind {
            Kind::F32 => Self::F32(Vec::new()),
            Kind::F64 => Self::F64(Vec::new()),
            Kind::I64 => Self::I64(Vec::new()),
            Kind::U64 => Self::U64(Vec::new()),
            Kind::Bool => Self::Bool(Vec::new()),
            Kind::U8 => Self::U8(Vec::new()),
        }
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    /// True without any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, where they are of single precision; else none.
    #[must_use]
    pub fn f32s(&self) -> &[f32] {
        if let Self::F32(values) = self { values } else { &[] }
    }

    /// Add those of another of the same kind.
    pub fn append(&mut self, others: &Self) {
        match (self, others) {
            (Self::F32(own), Self::F32(others)) => own.extend(others),
            (Self::F64(own), Self::F64(others)) => own.extend(others),
            (Self::I64(own), Self::I64(others)) => own.extend(others),
            (Self::U64(own), Self::U64(others)) => own.extend(others),
            (Self::Bool(own), Self::Bool(others)) => own.extend(others),
            (Self::U8(own), Self::U8(others)) => own.extend(others),
            _ => debug_assert!(false, "columns are of one kind"),
        }
    }

    /// Take off the values from `at` on.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::F32(values) => Self::F32(values.split_off(at)),
            Self::F64(values) => Self::F64(values.split_off(at)),
            Self::I64(values) => Self::I64(values.split_off(at)),
            Self::U64(values) => Self::U64(values.split_off(at)),
            Self::Bool(values) => Self::Bool(values.split_off(at)),
            Self::U8(values) => Self::U8(values.split_off(at)),
        }
    }

    /// Add their bytes, the least significant first.
    pub fn write(&self, to: &mut Vec<u8>) {
        match self {
            Self::F32(values) => values.iter().for_each(|value| to.extend(value.to_le_bytes())),
            Self::F64(values) => values.iter().for_each(|value| to.extend(value.to_le_bytes())),
            Self::I64(values) => values.iter().for_each(|value| to.extend(value.to_le_bytes())),
            Self::U64(values) => values.iter().for_each(|value| to.extend(value.to_le_bytes())),
            Self::Bool(values) => to.extend(values.iter().map(|value| u8::from(*value))),
            Self::U8(values) => to.extend(values),
        }
    }

    /// Read so many values from the front of `bytes`; none where there are not so many.
    #[must_use]
    pub fn read(kind: Kind, count: usize, bytes: &mut &[u8]) -> Option<Self> {
        fn words<const N: usize, T>(count: usize, bytes: &mut &[u8], word: fn([u8; N]) -> T) -> Option<Vec<T>> {
            let (own, rest) = bytes.split_at_checked(count.checked_mul(N)?)?;
            *bytes = rest;
            Some(own.as_chunks().0.iter().map(|bytes| word(*bytes)).collect())
        }
        Some(match kind {
            Kind::F32 => Self::F32(words(count, bytes, f32::from_le_bytes)?),
            Kind::F64 => Self::F64(words(count, bytes, f64::from_le_bytes)?),
            Kind::I64 => Self::I64(words(count, bytes, i64::from_le_bytes)?),
            Kind::U64 => Self::U64(words(count, bytes, u64::from_le_bytes)?),
            Kind::Bool => Self::Bool(words(count, bytes, |[byte]| byte != 0)?),
            Kind::U8 => Self::U8(words(count, bytes, |[byte]| byte)?),
        })
    }
}

/// The moments of one trajectory: the values of each column, in the order of the dataset's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// How many there are.
    pub count: usize,
    /// `[columns]`, each with `count` rows.
    pub values: Vec<Values>,
}

impl Rows {
    /// None yet.
    #[must_use]
    pub fn none(columns: &[Column]) -> Self {
        Self { count: 0, values: columns.iter().map(|column| Values::none(column.kind)).collect() }
    }

    /// Add the rows of another with the same columns.
    pub fn append(&mut self, others: &Self) {
        self.count += others.count;
        self.values.iter_mut().zip(&others.values).for_each(|(own, others)| own.append(others));
    }

    /// One by one the trajectories that stand here one after another: the first column is `step`, which begins each at 0. `widths`
    /// has the values of a row of each column.
    #[must_use]
    pub fn trajectories(mut self, widths: &[usize]) -> Vec<Self> {
        let begins: Vec<usize> = match self.values.first() {
            Some(Values::I64(steps)) => (0..self.count).filter(|row| steps[*row] == 0).collect(),
            _ => Vec::new(),
        };
        // From the last to the first: each is what is left at the end.
        let mut trajectories = Vec::with_capacity(begins.len());
        for begin in begins.into_iter().rev() {
            let values = self.values.iter_mut().zip(widths).map(|(values, width)| values.split_off(begin * width));
            trajectories.push(Self { count: self.count - begin, values: values.collect() });
            self.count = begin;
        }
        trajectories.reverse();
        trajectories
    }

    /// True where every column has its values for every row.
    #[must_use]
    pub fn fit(&self, columns: &[Column]) -> bool {
        self.values.len() == columns.len()
            && self.values.iter().zip(columns).all(|(values, column)| values.len() == self.count * column.width())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_their_bytes() {
        let all = [
            (Kind::F32, Values::F32(vec![1.5, -0.0, f32::MIN_POSITIVE])),
            (Kind::F64, Values::F64(vec![f64::MAX])),
            (Kind::I64, Values::I64(vec![-3, i64::MAX])),
            (Kind::U64, Values::U64(vec![u64::MAX, 0])),
            (Kind::Bool, Values::Bool(vec![true, false, true])),
            (Kind::U8, Values::U8(vec![0, 255])),
        ];
        let mut bytes = Vec::new();
        all.iter().for_each(|(_, values)| values.write(&mut bytes));
        let mut rest = &bytes[..];
        for (kind, values) in &all {
            assert_eq!(Values::read(*kind, values.len(), &mut rest).as_ref(), Some(values));
        }
        assert!(rest.is_empty());
        assert_eq!(Values::read(Kind::F32, 1, &mut &bytes[..3]), None);
        assert_eq!(Values::read(Kind::F64, usize::MAX, &mut &bytes[..]), None);
    }

    #[test]
    fn rows_fit_their_columns() {
        let columns = [Column::of("step", Kind::I64), Column::shaped("pixels", Kind::U8, &[2, 2, 3])];
        let mut rows = Rows::none(&columns);
        assert!(rows.fit(&columns));
        rows.count = 1;
        assert!(!rows.fit(&columns));
        rows.values = vec![Values::I64(vec![0]), Values::U8(vec![7; 12])];
        assert!(rows.fit(&columns) && !rows.fit(&columns[..1]));
    }

    #[test]
    fn trajectories_come_apart_as_they_were_put_together() {
        let of = |count: usize, value: f32| Rows {
            count,
            values: vec![Values::I64((0..count as i64).collect()), Values::F32(vec![value; 2 * count])],
        };
        let all = [of(3, 1.0), of(1, 2.0), of(5, 3.0)];
        let mut together = of(0, 0.0);
        all.iter().for_each(|rows| together.append(rows));
        assert_eq!(together.trajectories(&[1, 2]), all);
    }
}
