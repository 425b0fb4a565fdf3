//! A run's metrics as CSV: `step,timestamp` and a column per metric, as `trackio` imports it.

use super::Run;
use crate::posts::time;

/// The metrics, a line each; empty where nothing was measured at a step.
pub fn metrics(run: &Run) -> String {
    let names = run.metric_names();
    let mut csv = String::from("step,timestamp");
    for name in &names {
        csv.push(',');
        csv.push_str(&field(name));
    }
    csv.push('\n');
    for metric in &run.metrics {
        csv.push_str(&format!(
            "{},{}",
            metric.step,
            time::iso_8601(metric.time_ms)
        ));
        for name in &names {
            csv.push(',');
            if let Some(value) = metric.values.get(*name) {
                csv.push_str(&value.to_string());
            }
        }
        csv.push('\n');
    }
    csv
}

/// A field, in quotes where it needs them.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::tests::example;

    #[test]
    fn a_line_per_step() {
        let csv = metrics(&example("abcdefg1", 0.5).run);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "step,timestamp,train/learning_rate,train/loss");
        assert_eq!(lines[2], "5,2023-11-14T22:13:25.000Z,0.5,0.8");
        assert_eq!(lines.len(), 4);
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
