//! `TokenIds`: the tokens that a configuration names under a key such as `eos_token_id`.

use serde_json::Value;

use crate::json::whole_number;

/// Most ids that one key may list.
const MOST_IDS: usize = 256;

/// The ids that a key names, in their order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenIds {
    /// The ids.
    pub ids: Vec<u32>,
    /// Values that are no ids, such as −1 or a text.
    pub others: Vec<Value>,
}

impl TokenIds {
    /// Reads one id or a list of ids; `null` is an empty list. A whole number may be written as a float.
    pub fn of(value: &Value) -> Self {
        let mut read = Self::default();
        let listed = match value {
            Value::Null => &[],
            Value::Array(listed) if listed.len() <= MOST_IDS => listed.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in listed {
            match whole_number(value) {
                Some(id) if read.ids.contains(&id) => {}
                Some(id) => read.ids.push(id),
                None => read.others.push(value.clone()),
            }
        }
        read
    }
}

/// Writes no id as `null`, one as a number and several as a list, as `config.json` does; reads all three.
pub(super) mod as_in_config {
    use super::TokenIds;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub(crate) fn serialize<S: Serializer>(ids: &[u32], to: S) -> Result<S::Ok, S::Error> {
        match ids {
            [] => to.serialize_none(),
            [one] => one.serialize(to),
            several => several.serialize(to),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u32>, D::Error> {
        Ok(TokenIds::of(&Value::deserialize(from)?).ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_id_a_list_and_null_are_read() {
        let read = |value: Value| TokenIds::of(&value).ids;
        assert_eq!(read(json!(50256)), [50256]);
        assert_eq!(read(json!(50256.0)), [50256]);
        assert_eq!(read(json!([50256, 198, 50256])), [50256, 198]);
        assert_eq!(TokenIds::of(&Value::Null), TokenIds::default());
        assert_eq!(TokenIds::of(&json!([])), TokenIds::default());
    }

    #[test]
    fn what_is_no_id_is_told_apart() {
        for odd in [json!(-1), json!("2"), json!(1.5), json!(1e20), json!(true)] {
            let read = TokenIds::of(&json!([7, odd]));
            assert_eq!((read.ids, read.others), (vec![7], vec![odd]));
        }
        let long = json!(vec![1; MOST_IDS + 1]);
        assert_eq!(TokenIds::of(&long).others, [long]);
    }
}
