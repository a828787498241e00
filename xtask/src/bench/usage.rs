//! What a process and its children use, where there is a `/proc`: `spin up` serves from a child.

use std::fs;
use std::time::Duration;

/// The kernel counts processor time for others in hundredths of a second (`USER_HZ`, `proc(5)`).
const TICK: Duration = Duration::from_millis(10);

/// Resident memory of the process and all its descendants, in KiB.
pub fn resident(root: u32) -> Option<u64> {
    let sum = family(root)
        .into_iter()
        .filter_map(|id| {
            field(
                &fs::read_to_string(format!("/proc/{id}/status")).ok()?,
                "VmRSS:",
            )
        })
        .sum();
    (sum > 0).then_some(sum)
}

/// Processor time, the kernel's included, that the process and its descendants have used since
/// they began.
pub fn processor_time(root: u32) -> Option<Duration> {
    let ticks: u32 = family(root)
        .into_iter()
        .filter_map(|id| ticks(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?))
        .sum();
    (ticks > 0).then(|| TICK * ticks)
}

/// The process and all its descendants.
fn family(root: u32) -> Vec<u32> {
    let mut family = vec![root];
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok());
        let status =
            id.and_then(|id| Some((id, fs::read_to_string(format!("/proc/{id}/status")).ok()?)));
        if let Some((id, status)) = status {
            let parent = field(&status, "PPid:").and_then(|id| u32::try_from(id).ok());
            processes.push((id, parent));
        }
    }
    loop {
        let before = family.len();
        for (id, parent) in &processes {
            if parent.is_some_and(|parent| family.contains(&parent)) && !family.contains(id) {
                family.push(*id);
            }
        }
        if family.len() == before {
            return family;
        }
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}

/// User and system time of a line of `/proc/…/stat`. The name before them may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(") ")?;
    // The state is the third field of the line; these are the 14th and the 15th.
    let mut times = rest.split(' ').skip(11);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_processor_time_past_a_strange_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 120 0 0 0 31 11 0 0 20 0 1 0 5 0 0";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn finds_itself() {
        let own = std::process::id();
        assert!(family(own).contains(&own));
    }
}
