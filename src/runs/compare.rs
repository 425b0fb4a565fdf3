//! Two runs side by side: their parameters and their results.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Run;

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Their ids.
    pub runs: [String; 2],
    /// Settings that differ, with the value in each run.
    pub config: Vec<Difference>,
    /// The last value of every metric.
    pub metrics: Vec<Difference>,
}

/// A value in each of two runs; `null` where a run has none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its name; names inside each other are joined by dots.
    pub name: String,
    /// Its values.
    pub values: [Value; 2],
}

/// Compares two runs.
pub fn compare(one: &Run, other: &Run) -> Comparison {
    let both = [one, other];
    let settings = both.map(|run| {
        let mut flat = Map::new();
        flatten("", &Value::Object(run.config.clone()), &mut flat);
        for (name, seed) in &run.seeds {
            flat.insert(format!("seed {name}"), (*seed).into());
        }
        flat
    });
    let last = both.map(|run| {
        let mut last = Map::new();
        for metric in &run.metrics {
            for (name, value) in &metric.values {
                last.insert(name.clone(), (*value).into());
            }
        }
        last
    });
    let mut config = side_by_side(&settings);
    config.retain(|it| it.values[0] != it.values[1]);
    Comparison {
        runs: both.map(|run| run.id.clone()),
        config,
        metrics: side_by_side(&last),
    }
}

fn flatten(name: &str, value: &Value, out: &mut Map<String, Value>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let name = match name {
                    "" => key.clone(),
                    name => format!("{name}.{key}"),
                };
                flatten(&name, value, out);
            }
        }
        value => {
            out.insert(name.to_owned(), value.clone());
        }
    }
}

fn side_by_side(both: &[Map<String, Value>; 2]) -> Vec<Difference> {
    let names = both.iter().flat_map(Map::keys);
    let names: std::collections::BTreeSet<&String> = names.collect();
    let values = |name: &String| {
        both.each_ref()
            .map(|map| map.get(name).cloned().unwrap_or_default())
    };
    names
        .into_iter()
        .map(|name| Difference {
            name: name.clone(),
            values: values(name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::tests::example;

    #[test]
    fn settings_that_differ_and_last_metrics_are_compared() {
        let comparison = compare(
            &example("abcdefg1", 0.5).run,
            &example("abcdefg2", 0.25).run,
        );
        let names = |list: &[Difference]| -> Vec<String> {
            list.iter().map(|it| it.name.clone()).collect()
        };
        assert_eq!(names(&comparison.config), ["learning_rate"]);
        assert_eq!(
            comparison.config[0].values,
            [Value::from(0.5), Value::from(0.25)]
        );
        assert_eq!(
            names(&comparison.metrics),
            ["train/learning_rate", "train/loss"]
        );
        assert_eq!(comparison.metrics[1].values[0], Value::from(0.4));
    }
}
