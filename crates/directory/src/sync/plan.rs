//! The differences between a reading and the mirror, as the statements take them: JSON, kept as text.

use std::collections::BTreeMap;

use scaigate_kv::directory::compare::Rows;
use scaigate_types::{GroupId, TenantId};
use serde_json::Value;

/// Rows of one statement at the most; a whole first sync would else be one text.
const BATCH: u64 = 10_000;

/// Members of a group: its `[group_id, [user_id, …]]`, and how many.
type Pair = (String, u64);

/// What there is to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) tenants: Vec<String>,
    pub(super) absent_tenants: Option<String>,
    pub(super) users: Vec<(TenantId, String)>,
    pub(super) absent_users: Vec<(TenantId, String)>,
    pub(super) groups: Vec<(TenantId, String)>,
    pub(super) absent_groups: Vec<(TenantId, String)>,
    joined: BTreeMap<TenantId, Vec<Pair>>,
    left: BTreeMap<TenantId, Vec<Pair>>,
}

fn pair(group_id: &GroupId, members: Rows) -> Pair {
    let group_id = Value::from(group_id.as_str());
    (format!("[{group_id},{}]", members.json), members.count)
}

impl Plan {
    pub(super) fn members(
        &mut self,
        tenant_id: &TenantId,
        group_id: &GroupId,
        (joined, left): (Rows, Rows),
    ) {
        for (members, of) in [(joined, &mut self.joined), (left, &mut self.left)] {
            if !members.is_empty() {
                of.entry(tenant_id.clone())
                    .or_default()
                    .push(pair(group_id, members));
            }
        }
    }

    /// Who joins, in batches of one tenant each.
    pub(super) fn joined(&self) -> Vec<(&TenantId, String)> {
        batches(&self.joined)
    }

    /// Who leaves.
    pub(super) fn left(&self) -> Vec<(&TenantId, String)> {
        batches(&self.left)
    }
}

fn batches(pairs: &BTreeMap<TenantId, Vec<Pair>>) -> Vec<(&TenantId, String)> {
    let mut batches = Vec::new();
    for (tenant_id, pairs) in pairs {
        let (mut text, mut count) = (String::from("["), 0);
        for (pair, members) in pairs {
            if count > 0 {
                text.push(',');
            }
            text.push_str(pair);
            count += members;
            if count >= BATCH {
                text.push(']');
                batches.push((tenant_id, std::mem::replace(&mut text, String::from("["))));
                count = 0;
            }
        }
        if count > 0 {
            text.push(']');
            batches.push((tenant_id, text));
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ids: &[&str]) -> Rows {
        Rows {
            json: Value::from(ids.to_vec()).to_string(),
            count: ids.len() as u64,
        }
    }

    #[test]
    fn members_are_batched_by_tenant() {
        let tenant = |id| TenantId::parse(id).unwrap();
        let group = |id: &str| GroupId::parse(id).unwrap();
        let mut plan = Plan::default();
        plan.members(&tenant("t1"), &group("g1"), (rows(&["a", "b"]), rows(&[])));
        plan.members(&tenant("t1"), &group("g2"), (rows(&["c"]), rows(&["d"])));
        plan.members(&tenant("t2"), &group("g1"), (rows(&["e"]), rows(&[])));
        let joined = plan.joined();
        assert_eq!(
            joined,
            [
                (
                    &tenant("t1"),
                    r#"[["g1",["a","b"]],["g2",["c"]]]"#.to_owned()
                ),
                (&tenant("t2"), r#"[["g1",["e"]]]"#.to_owned()),
            ]
        );
        assert_eq!(
            plan.left(),
            [(&tenant("t1"), r#"[["g2",["d"]]]"#.to_owned())]
        );
    }

    #[test]
    fn a_batch_is_bounded() {
        let ids: Vec<String> = (0..6_000).map(|n| n.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        // Nothing is left over of four groups, and no batch is empty.
        for (groups, expected) in [(4, [2, 2].as_slice()), (5, &[2, 2, 1])] {
            let mut plan = Plan::default();
            for n in 0..groups {
                let group = GroupId::parse(&format!("g{n}")).unwrap();
                plan.members(
                    &TenantId::parse("t").unwrap(),
                    &group,
                    (rows(&ids), rows(&[])),
                );
            }
            let batches: Vec<usize> = plan
                .joined()
                .iter()
                .map(|(_, text)| serde_json::from_str::<Vec<Value>>(text).unwrap().len())
                .collect();
            assert_eq!(batches, expected);
        }
    }
}
