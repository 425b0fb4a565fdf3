//! The memory of a browser's pages, as counted by the system.

use std::fs;

/// Resident bytes of the largest process that runs pages among the descendants of the process `ancestor`; `None`
/// where there is no `/proc`.
pub fn renderer_bytes(ancestor: u32) -> Option<u64> {
    let processes: Vec<(u32, u32)> = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, parent(id)?)))
        .collect();
    let is_descendant = |mut id: u32| {
        while let Some(&(_, parent)) = processes.iter().find(|&&(process, _)| process == id) {
            if parent == ancestor {
                return true;
            }
            id = parent;
        }
        false
    };
    processes
        .iter()
        .map(|&(id, _)| id)
        .filter(|&id| is_descendant(id) && runs_pages(id))
        .filter_map(resident_bytes)
        .max()
}

fn parent(id: u32) -> Option<u32> {
    status(id, "PPid:")?.parse().ok()
}

fn runs_pages(id: u32) -> bool {
    fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|arguments| {
        let arguments = String::from_utf8_lossy(&arguments).into_owned();
        arguments.contains("--type=renderer") || arguments.contains("-contentproc")
    })
}

fn resident_bytes(id: u32) -> Option<u64> {
    let kib: u64 = status(id, "VmRSS:")?
        .split_whitespace()
        .next()?
        .parse()
        .ok()?;
    Some(kib * 1024)
}

/// A field of the status of a running process.
fn status(id: u32, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(value.trim().to_owned())
}
