//! Memory of a process and its children, where there is a `/proc`.

use std::fs;

/// Resident memory of the process and all its descendants, in KiB: `spin up`
/// serves from a child.
pub fn resident(root: u32) -> Option<u64> {
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok());
        let status =
            id.and_then(|id| Some((id, fs::read_to_string(format!("/proc/{id}/status")).ok()?)));
        if let Some((id, status)) = status {
            let parent = field(&status, "PPid:").unwrap_or(0);
            processes.push((id, parent, field(&status, "VmRSS:").unwrap_or(0)));
        }
    }
    let mut family = vec![u64::from(root)];
    loop {
        let before = family.len();
        for (id, parent, _) in &processes {
            let id = u64::from(*id);
            if family.contains(parent) && !family.contains(&id) {
                family.push(id);
            }
        }
        if family.len() == before {
            break;
        }
    }
    let sum = processes
        .iter()
        .filter(|(id, _, _)| family.contains(&u64::from(*id)))
        .map(|(_, _, size)| size)
        .sum();
    (sum > 0).then_some(sum)
}

fn field(status: &str, name: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}
