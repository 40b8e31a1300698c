//! In which order a type's fields and variants are declared, asked of serde's own code. Read first: [`Order::of`].

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::{Error, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

/// The declared order of everything within a type.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// By the struct's name, or by the enum's and the variant's.
    fields: HashMap<(&'static str, &'static str), &'static [&'static str]>,
    variants: HashMap<&'static str, &'static [&'static str]>,
}

/// Lists deeper than this are empty: types may contain themselves.
const DEEPEST: usize = 12;

impl Order {
    /// Read a made-up `T` once for each variant that is in it.
    pub fn of<T: Deserialize<'static>>() -> Self {
        let order = RefCell::new(Self::default());
        let mut ahead: Vec<HashMap<&'static str, usize>> = vec![HashMap::new()];
        let mut known: HashSet<&'static str> = HashSet::new();
        while let Some(choices) = ahead.pop() {
            let _ = T::deserialize(Probe { order: &order, choices: &choices, depth: 0 });
            for (name, variants) in &order.borrow().variants {
                if known.insert(name) {
                    let choose = |index| choices.iter().map(|(k, v)| (*k, *v)).chain([(*name, index)]).collect();
                    ahead.extend((0..variants.len()).map(choose));
                }
            }
        }
        order.into_inner()
    }

    pub fn of_field(&self, name: &str, variant: &str, field: &str) -> Option<usize> {
        let mut entries = self.fields.iter();
        let (_, fields) = entries.find(|((owner, own), _)| *owner == name && *own == variant)?;
        fields.iter().position(|other| *other == field)
    }

    pub fn of_variant(&self, name: &str, variant: &str) -> Option<usize> {
        self.variants.get(name)?.iter().position(|other| *other == variant)
    }
}

/// Answers every question of a type with a value of the right kind.
#[derive(Clone, Copy)]
struct Probe<'a> {
    order: &'a RefCell<Order>,
    /// Which variant to be, by the enum's name; the first if it is not here.
    choices: &'a HashMap<&'static str, usize>,
    depth: usize,
}

impl Deserializer<'static> for Probe<'_> {
    type Error = Error;

    forward_to_deserialize_any! {
        <V: Visitor<'static>>
        i8 i16 i32 i64 u8 u16 u32 u64 char bytes byte_buf unit unit_struct map identifier ignored_any
    }

    fn deserialize_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u8(1)
    }

    fn deserialize_bool<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(false)
    }

    fn deserialize_f32<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f32(1.0)
    }

    fn deserialize_f64<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(1.0)
    }

    fn deserialize_str<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str("")
    }

    fn deserialize_string<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str("")
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = usize::from(self.depth < DEEPEST);
        visitor.visit_seq(Several { probe: Self { depth: self.depth + 1, ..self }, left })
    }

    fn deserialize_tuple<V: Visitor<'static>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Several { probe: self, left })
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(left, visitor)
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.order.borrow_mut().fields.insert((name, ""), fields);
        visitor.visit_map(Fields { probe: self, fields: fields.iter() })
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.order.borrow_mut().variants.insert(name, variants);
        let chosen = self.choices.get(name).copied().unwrap_or(0);
        let variant = variants.get(chosen).copied().unwrap_or_default();
        visitor.visit_enum(Chosen { probe: self, name, variant })
    }
}

struct Several<'a> {
    probe: Probe<'a>,
    left: usize,
}

impl SeqAccess<'static> for Several<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'static>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.probe).map(Some)
    }
}

struct Fields<'a> {
    probe: Probe<'a>,
    fields: std::slice::Iter<'static, &'static str>,
}

impl MapAccess<'static> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'static>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.fields.next().map(|name| seed.deserialize((*name).into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'static>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.probe)
    }
}

struct Chosen<'a> {
    probe: Probe<'a>,
    name: &'static str,
    variant: &'static str,
}

impl EnumAccess<'static> for Chosen<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'static>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = seed.deserialize(StrDeserializer::<Error>::new(self.variant))?;
        Ok((variant, self))
    }
}

impl VariantAccess<'static> for Chosen<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'static>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.probe)
    }

    fn tuple_variant<V: Visitor<'static>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.probe.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.probe.order.borrow_mut().fields.insert((self.name, self.variant), fields);
        visitor.visit_map(Fields { probe: self.probe, fields: fields.iter() })
    }
}
