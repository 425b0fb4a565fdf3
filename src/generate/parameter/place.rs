//! `Place`: where a parameter's value stands in [`GenerationParams`](super::GenerationParams), by its type: how values of
//! each type are shown, typed, read from JSON and checked.

use serde_json::{Value, json};

use super::range::Range;
use crate::generate::params::EarlyStopping;
use crate::json::whole_number;

/// Most elements of a list.
const MOST_LISTED: usize = 1 << 16;

/// A value of this type is refused; the caller knows which parameter's.
pub(super) struct Refused;

/// The place of a value, by its type.
pub(super) enum Place<'a> {
    Count(&'a mut usize),
    OptionalCount(&'a mut Option<usize>),
    OptionalId(&'a mut Option<u32>),
    Number(&'a mut f32),
    OptionalNumber(&'a mut Option<f32>),
    Switch(&'a mut bool),
    Text(&'a mut String),
    Early(&'a mut EarlyStopping),
    Ids(&'a mut Vec<u32>),
    IdLists(&'a mut Vec<Vec<u32>>),
    Biases(&'a mut Vec<(Vec<u32>, f32)>),
    Decay(&'a mut Option<(u32, f32)>),
    Texts(&'a mut Vec<String>),
}

impl Place<'_> {
    /// The value as a visitor would type it; empty if there is none.
    pub(super) fn text(&self) -> String {
        match self {
            Place::Number(number) => number.to_string(),
            Place::OptionalNumber(number) => number.map_or_else(String::new, |x| x.to_string()),
            Place::Text(text) => (**text).clone(),
            Place::Ids(ids) if ids.is_empty() => String::new(),
            Place::IdLists(lists) if lists.is_empty() => String::new(),
            Place::Biases(biases) if biases.is_empty() => String::new(),
            Place::Texts(texts) if texts.is_empty() => String::new(),
            _ => match self.json() {
                Value::Null => String::new(),
                value => value.to_string(),
            },
        }
    }

    /// The value as JSON states it.
    pub(super) fn json(&self) -> Value {
        match self {
            Place::Count(count) => json!(**count),
            Place::OptionalCount(count) => json!(**count),
            Place::OptionalId(id) => json!(**id),
            Place::Number(number) => json!(**number),
            Place::OptionalNumber(number) => json!(**number),
            Place::Switch(switch) => json!(**switch),
            Place::Text(text) => json!(**text),
            Place::Early(early) => json!(**early),
            Place::Ids(ids) => json!(**ids),
            Place::IdLists(lists) => json!(**lists),
            Place::Biases(biases) => json!(**biases),
            Place::Decay(decay) => json!(**decay),
            Place::Texts(texts) => json!(**texts),
        }
    }

    /// Sets a value of this range as a visitor types it.
    ///
    /// # Errors
    /// [`Refused`]; nothing is changed then.
    pub(super) fn set_text(self, text: &str, range: Range) -> Result<(), Refused> {
        let trimmed = text.trim();
        let whole = || match trimmed.parse::<u32>() {
            Ok(n) if range.has_whole(n as usize) => Ok(n),
            _ => Err(Refused),
        };
        // Many languages write the decimal point as a comma.
        let number = || match trimmed.replace(',', ".").parse() {
            Ok(value) if range.has_decimal(value) => Ok(value),
            _ => Err(Refused),
        };
        match self {
            Place::Count(count) => *count = whole()? as usize,
            Place::OptionalCount(count) if trimmed.is_empty() => *count = None,
            Place::OptionalCount(count) => *count = Some(whole()? as usize),
            Place::OptionalId(id) if trimmed.is_empty() => *id = None,
            Place::OptionalId(id) => *id = Some(whole()?),
            Place::Number(place) => *place = number()?,
            Place::OptionalNumber(place) if trimmed.is_empty() => *place = None,
            Place::OptionalNumber(place) => *place = Some(number()?),
            Place::Switch(switch) => *switch = trimmed.parse().map_err(|_| Refused)?,
            Place::Text(place) => text.clone_into(place),
            Place::Texts(texts) if trimmed.is_empty() => texts.clear(),
            Place::Texts(texts) if !trimmed.starts_with('[') => *texts = vec![text.to_owned()],
            Place::Early(_)
            | Place::Ids(_)
            | Place::IdLists(_)
            | Place::Biases(_)
            | Place::Decay(_)
            | Place::Texts(_) => {
                let value = match trimmed {
                    "" => json!([]),
                    "never" => json!("never"),
                    json => serde_json::from_str(json).map_err(|_| Refused)?,
                };
                return self.set_json(&value, range);
            }
        }
        Ok(())
    }

    /// Sets a value of this range as JSON states it.
    ///
    /// # Errors
    /// As [`Self::set_text`].
    pub(super) fn set_json(self, value: &Value, range: Range) -> Result<(), Refused> {
        let count = || match whole_number(value) {
            Some(n) if range.has_whole(n as usize) => Ok(n),
            _ => Err(Refused),
        };
        let number = || match value.as_f64().map(|x| x as f32) {
            Some(x) if range.has_decimal(x) => Ok(x),
            _ => Err(Refused),
        };
        match self {
            Place::Count(place) => *place = count()? as usize,
            Place::OptionalCount(place) => *place = Some(count()? as usize),
            Place::OptionalId(place) => *place = Some(count()?),
            Place::Number(place) => *place = number()?,
            Place::OptionalNumber(place) => *place = Some(number()?),
            Place::Switch(place) => {
                *place = match whole_number(value) {
                    Some(0) => false,
                    Some(1) => true,
                    _ => value.as_bool().ok_or(Refused)?,
                }
            }
            Place::Text(place) => value.as_str().ok_or(Refused)?.clone_into(place),
            Place::Early(place) => *place = value.clone().try_into().map_err(|_| Refused)?,
            Place::Ids(place) => *place = ids(value).ok_or(Refused)?,
            Place::IdLists(place) => *place = id_lists(value).ok_or(Refused)?,
            Place::Biases(place) => *place = biases(value).ok_or(Refused)?,
            Place::Decay(place) => *place = decay(value).ok_or(Refused)?,
            Place::Texts(place) => *place = texts(value).ok_or(Refused)?,
        }
        Ok(())
    }

    /// Whether the value is in this range.
    pub(super) fn is_in(&self, range: Range) -> bool {
        match self {
            Place::Count(count) => range.has_whole(**count),
            Place::OptionalCount(count) => count.is_none_or(|count| range.has_whole(count)),
            Place::Number(number) => range.has_decimal(**number),
            Place::OptionalNumber(number) => number.is_none_or(|x| range.has_decimal(x)),
            Place::IdLists(lists) => {
                lists.len() <= MOST_LISTED && lists.iter().all(|list| !list.is_empty())
            }
            Place::Biases(biases) => {
                let is_bias = |(list, bias): &(Vec<u32>, f32)| !list.is_empty() && bias.is_finite();
                biases.len() <= MOST_LISTED && biases.iter().all(is_bias)
            }
            Place::Decay(decay) => {
                decay.is_none_or(|(_, factor)| factor.is_finite() && factor > 0.0)
            }
            Place::Ids(ids) => ids.len() <= MOST_LISTED,
            Place::Texts(texts) => {
                texts.len() <= MOST_LISTED && texts.iter().all(|text| !text.is_empty())
            }
            // Every value of these types is in range.
            Place::OptionalId(_) | Place::Switch(_) | Place::Text(_) | Place::Early(_) => true,
        }
    }
}

/// The elements of a list that is not too long.
fn listed(value: &Value) -> Option<&[Value]> {
    let list = value.as_array()?;
    (list.len() <= MOST_LISTED).then_some(list)
}

/// Token ids; one may stand without a list.
fn ids(value: &Value) -> Option<Vec<u32>> {
    match value {
        Value::Array(_) => listed(value)?.iter().map(whole_number).collect(),
        one => Some(vec![whole_number(one)?]),
    }
}

/// A list of token ids that is not empty.
fn id_list(value: &Value) -> Option<Vec<u32>> {
    let list = listed(value)?;
    if list.is_empty() {
        return None;
    }
    list.iter().map(whole_number).collect()
}

fn id_lists(value: &Value) -> Option<Vec<Vec<u32>>> {
    listed(value)?.iter().map(id_list).collect()
}

/// Pairs of token ids and a finite number.
fn biases(value: &Value) -> Option<Vec<(Vec<u32>, f32)>> {
    let pairs = listed(value)?;
    let pairs = pairs.iter().map(|pair| match pair.as_array()?.as_slice() {
        [sequence, bias] => {
            let bias = finite_or_lowest(bias.as_f64()?)?;
            Some((id_list(sequence)?, bias))
        }
        _ => None,
    });
    pairs.collect()
}

/// The number; for one below all others, which forbids a token, the lowest that JSON can hold.
fn finite_or_lowest(number: f64) -> Option<f32> {
    let number = (number as f32).max(f32::MIN);
    number.is_finite().then_some(number)
}

/// A number of tokens and a factor; an empty list for none.
fn decay(value: &Value) -> Option<Option<(u32, f32)>> {
    match listed(value)? {
        [] => Some(None),
        [start, factor] => {
            let factor = factor.as_f64().map(|x| x as f32);
            let factor = factor.filter(|x| x.is_finite() && *x > 0.0)?;
            Some(Some((whole_number(start)?, factor)))
        }
        _ => None,
    }
}

/// Texts that are not empty; one may stand without a list.
fn texts(value: &Value) -> Option<Vec<String>> {
    let texts = match value {
        Value::String(_) => std::slice::from_ref(value),
        list => listed(list)?,
    };
    let texts = texts.iter().map(|text| Some(text.as_str()?.to_owned()));
    let texts: Vec<_> = texts.collect::<Option<_>>()?;
    texts.iter().all(|text| !text.is_empty()).then_some(texts)
}
