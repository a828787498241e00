//! Flows: who sees them, what changes them, and that no version is lost.

use scaigate_types::{AdminRole, Database, FlowId, Issuer, Kv, Subject, TenantId, Transaction};

use super::Stores;
use super::fixtures::NOW;
use super::verdict::{Failure, Verdict, holds, same};
use crate::directory::listing;
use crate::flow::{self, Change, Found, Level, NewFlow, Page, Viewer, acl, deployment, version};

/// Somebody in a tenant.
pub struct Person {
    issuer: Issuer,
    subject: Subject,
    tenant_id: TenantId,
    admin_role: Option<AdminRole>,
}

impl Person {
    /// The person `tag` of the case's tenant `tenant`.
    pub fn new<K, D>(on: &Stores<'_, K, D>, tag: &str, tenant: &str) -> Result<Self, Failure> {
        Ok(Self {
            issuer: on.issuer()?,
            subject: on.subject(tag)?,
            tenant_id: on.tenant(tenant)?,
            admin_role: None,
        })
    }

    pub fn with_role(mut self, role: AdminRole) -> Self {
        self.admin_role = Some(role);
        self
    }

    pub fn viewer(&self) -> Viewer<'_> {
        Viewer {
            issuer: &self.issuer,
            subject: &self.subject,
            tenant_id: &self.tenant_id,
            admin_role: self.admin_role,
        }
    }

    /// As the mirror has them.
    pub async fn mirrored(self, db: &impl Database) -> Result<Self, Failure> {
        db.query(
            "INSERT INTO person (person_id, issuer, subject, tenant_id, created_at, last_seen_at,
                                 synced_at)
             VALUES (?2 || '-row', ?1, ?2, ?3, 0, 0, 1)",
            &[
                self.issuer.as_str().into(),
                self.subject.as_str().into(),
                self.tenant_id.as_str().into(),
            ],
        )
        .await?;
        Ok(self)
    }

    /// Makes the flow `tag`, with its name as content.
    pub async fn makes<K, D: Database>(
        &self,
        on: &Stores<'_, K, D>,
        tag: &str,
    ) -> Result<FlowId, Failure> {
        let flow_id = flow_id(on, tag)?;
        let new = NewFlow {
            flow_id: &flow_id,
            owner: self.viewer(),
            name: tag,
            description: None,
            content: tag.as_bytes(),
        };
        create(on.db, new).await?;
        Ok(flow_id)
    }

    pub async fn finds(
        &self,
        db: &impl Database,
        flow_id: &FlowId,
    ) -> Result<Option<Found>, Failure> {
        Ok(flow::find(db, &self.viewer(), flow_id).await?)
    }

    pub async fn level(
        &self,
        db: &impl Database,
        flow_id: &FlowId,
    ) -> Result<Option<Level>, Failure> {
        Ok(self.finds(db, flow_id).await?.map(|found| found.level))
    }

    async fn must_find(&self, db: &impl Database, flow_id: &FlowId) -> Result<Found, Failure> {
        let found = self.finds(db, flow_id).await?;
        found.ok_or_else(|| Failure::new("a flow is not there"))
    }

    /// Gives a flow new content; the version that came of it.
    async fn writes(
        &self,
        db: &impl Database,
        flow_id: &FlowId,
        content: &[u8],
    ) -> Result<i64, Failure> {
        let tx = db.begin().await?;
        let found = flow::find(&tx, &self.viewer(), flow_id).await?;
        let found = found.ok_or_else(|| Failure::new("a flow is not there"))?;
        let change = Change {
            content: Some(content),
            ..Change::default()
        };
        let done = flow::update(&tx, &found.flow, change, &self.subject, NOW).await?;
        holds("it is changed", done)?;
        tx.commit().await?;
        Ok(found.patch + 1)
    }

    /// How many flows the person is shown.
    async fn total(&self, db: &impl Database, search: Option<&str>) -> Result<i64, Failure> {
        let page = Page { search, limit: 10 };
        Ok(flow::list(db, &self.viewer(), page).await?.total)
    }
}

async fn create(db: &impl Database, new: NewFlow<'_>) -> Verdict {
    let tx = db.begin().await?;
    flow::create(&tx, new, NOW).await?;
    Ok(tx.commit().await?)
}

pub fn flow_id<K, D>(on: &Stores<'_, K, D>, tag: &str) -> Result<FlowId, Failure> {
    FlowId::parse(&on.name(tag)).map_err(|_| Failure::new("the prefix makes no identifier"))
}

pub async fn its_content_comes_back_byte_for_byte(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let odd = b"{ \"a\":1e400,\t\"a\": \"\\ud800\\u0000\", \"\xc3\xa9\":[ ] }".to_vec();
    let large = vec![b'x'; 1_048_576];
    owner.writes(on.db, &flow_id, &odd).await?;
    owner.writes(on.db, &flow_id, &large).await?;
    let found = owner.must_find(on.other, &flow_id).await?;
    same("version", found.patch, 2)?;
    for (patch, expected) in [(0, b"flow".to_vec()), (1, odd), (2, large)] {
        let content = version::content(on.other, &found.flow, patch).await?;
        holds("the bytes are the same", content == Some(expected))?;
    }
    same(
        "a version that never was",
        version::content(on.db, &found.flow, 3).await?,
        None,
    )?;
    same(
        "versions",
        version::list(on.db, &found.flow, 2).await?.total,
        3,
    )
}

pub async fn a_version_is_never_written_again(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let sql = "UPDATE flow_version SET content = x'00' WHERE flow_id = ?1";
    let written = on.db.query(sql, &[flow_id.as_str().into()]).await;
    holds("it is refused", written.is_err())?;
    let found = owner.must_find(on.db, &flow_id).await?;
    let content = version::content(on.db, &found.flow, 0).await?;
    same("content", content, Some(b"flow".to_vec()))
}

pub async fn metadata_alone_makes_no_version(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let before = owner.must_find(on.db, &flow_id).await?;
    for (change, name, description) in [
        (
            Change {
                name: Some("other"),
                description: Some(Some("why")),
                content: None,
            },
            "other",
            "\"why\"",
        ),
        (
            Change {
                description: Some(None),
                ..Change::default()
            },
            "other",
            "null",
        ),
        (
            Change {
                name: Some("third"),
                ..Change::default()
            },
            "third",
            "null",
        ),
    ] {
        let tx = on.db.begin().await?;
        flow::update(&tx, &before.flow, change, &owner.subject, NOW).await?;
        tx.commit().await?;
        let found = owner.must_find(on.db, &flow_id).await?;
        same("version", found.patch, 0)?;
        same("name", found.name.as_str(), name)?;
        let wanted = format!("\"description\":{description}");
        holds("the description is right", found.summary.contains(&wanted))?;
    }
    Ok(())
}

pub async fn its_owner_and_administrators_may_do_everything(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let role = AdminRole::TenantAdmin;
    let superior = AdminRole::SuperAdmin;
    for (who, expected) in [
        (Person::new(on, "owner", "tenant")?, Some(Level::Admin)),
        (Person::new(on, "other", "tenant")?, None),
        (
            Person::new(on, "other", "tenant")?.with_role(role),
            Some(Level::Admin),
        ),
        (
            Person::new(on, "other", "tenant")?.with_role(superior),
            Some(Level::Admin),
        ),
        (Person::new(on, "owner", "elsewhere")?, None),
        (Person::new(on, "other", "elsewhere")?.with_role(role), None),
        (
            Person::new(on, "other", "elsewhere")?.with_role(superior),
            Some(Level::Admin),
        ),
    ] {
        let what = format!(
            "{:?} of {} in {}",
            who.admin_role, who.subject, who.tenant_id
        );
        same(&what, who.level(on.db, &flow_id).await?, expected)?;
        let shown = i64::from(expected.is_some());
        let search = on.name("flow");
        // Super admins are shown those of all cases: this one's alone count.
        if who.admin_role != Some(superior) {
            same(&what, who.total(on.db, None).await?, shown)?;
            same(&what, who.total(on.db, Some(&search)).await?, 0)?;
        }
    }
    let mut foreign = Person::new(on, "owner", "tenant")?;
    foreign.issuer = Issuer::parse("https://another.test").map_err(|_| Failure::new("issuer"))?;
    same(
        "the same subject of another issuer",
        foreign.level(on.db, &flow_id).await?,
        None,
    )
}

pub async fn is_found_by_part_of_its_name(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    for name in ["Alpha%", "alphabet", "Beta"] {
        let flow_id = flow_id(on, &format!("f{}", name.len()))?;
        let new = NewFlow {
            flow_id: &flow_id,
            owner: owner.viewer(),
            name,
            description: Some("d"),
            content: b"{}",
        };
        create(on.db, new).await?;
    }
    for (search, expected) in [
        (None, 3),
        (Some("ALPHA"), 2),
        (Some("%"), 1),
        (Some("_"), 0),
        (Some("'"), 0),
    ] {
        same(
            &format!("{search:?}"),
            owner.total(on.db, search).await?,
            expected,
        )?;
    }
    let page = Page {
        search: None,
        limit: 2,
    };
    let listed = flow::list(on.db, &owner.viewer(), page).await?;
    same("total beyond the limit", listed.total, 3)?;
    same("rows", listed.rows.matches("\"owner_id\"").count(), 2)
}

pub async fn a_deleted_one_is_gone_and_its_content_kept(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let found = owner.must_find(on.db, &flow_id).await?;
    for expected in [true, false] {
        let tx = on.db.begin().await?;
        same(
            "deleted",
            flow::delete(&tx, &found.flow, NOW).await?,
            expected,
        )?;
        tx.commit().await?;
    }
    let admin = Person::new(on, "admin", "tenant")?.with_role(AdminRole::SuperAdmin);
    for who in [&owner, &admin] {
        same("level", who.level(on.other, &flow_id).await?, None)?;
    }
    same("listed", owner.total(on.other, None).await?, 0)?;
    // Its tenant's administrators are shown that there was one.
    for (status, count) in [
        (None, 1),
        (Some("deleted"), 1),
        (Some("active"), 0),
        (Some("suspended"), 0),
    ] {
        let page = listing::Page {
            tenant_id: Some(&owner.tenant_id),
            search: None,
            status,
            page: 1,
            per_page: 10,
        };
        let listed = listing::flows(on.other, page).await?;
        same("listed for administrators", listed.total, count)?;
        let times = listed.rows.matches("\"deleted_at\":\"").count();
        same(
            "when it was deleted",
            i64::try_from(times).ok(),
            Some(count),
        )?;
    }
    let tx = on.db.begin().await?;
    let change = Change {
        content: Some(b"late"),
        ..Change::default()
    };
    let changed = flow::update(&tx, &found.flow, change, &owner.subject, NOW).await?;
    same("changed", changed, false)?;
    drop(tx);
    let content = version::content(on.db, &found.flow, 0).await?;
    same("content", content, Some(b"flow".to_vec()))
}

pub async fn nothing_is_made_when_the_transaction_is_undone(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let found = owner.must_find(on.db, &flow_id).await?;
    let tx = on.db.begin().await?;
    let change = Change {
        name: Some("new"),
        content: Some(b"new"),
        ..Change::default()
    };
    flow::update(&tx, &found.flow, change, &owner.subject, NOW).await?;
    drop(tx);
    same(
        "as before",
        owner.must_find(on.db, &flow_id).await?,
        found.clone(),
    )?;
    same(
        "no version",
        version::content(on.db, &found.flow, 1).await?,
        None,
    )
}

pub async fn a_deployment_ends_once(on: &Stores<'_, impl Kv, impl Database>) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let found = owner.must_find(on.db, &flow_id).await?;
    let id = on.name("deployment");
    let new = deployment::NewDeployment {
        deployment_id: &id,
        patch: 0,
        by: &owner.subject,
    };
    deployment::begin(on.db, &found.flow, new, NOW).await?;
    let made = deployment::Made {
        core_id: Some("core_1"),
        published_slug: None,
    };
    let failed = deployment::Outcome::Failed("some_code");
    deployment::finish(on.db, &found.flow, &id, failed, made, NOW).await?;
    let succeeded = deployment::Outcome::Succeeded;
    deployment::finish(on.other, &found.flow, &id, succeeded, made, NOW).await?;
    let listed = deployment::list(on.db, &found.flow, 10).await?;
    same("total", listed.total, 1)?;
    for part in [
        "\"status\":\"failed\"",
        "\"error\":\"some_code\"",
        "\"core_id\":\"core_1\"",
    ] {
        holds(part, listed.rows.contains(part))?;
    }
    Ok(())
}

/// Everybody writes at the same time: each makes a version of their own, and none is lost.
pub async fn no_version_is_lost_among_parallel_writers(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let flow_id = owner.makes(on, "flow").await?;
    let contents: Vec<String> = (0..8).map(|number| format!("content {number}")).collect();
    let all = contents.iter().enumerate().map(|(number, content)| {
        let owner = &owner;
        let flow_id = &flow_id;
        async move {
            let bytes = content.as_bytes();
            if number % 2 == 0 {
                owner.writes(on.db, flow_id, bytes).await
            } else {
                owner.writes(on.other, flow_id, bytes).await
            }
        }
    });
    let mut patches = Vec::new();
    for outcome in futures_util::future::join_all(all).await {
        patches.push(outcome?);
    }
    let found = owner.must_find(on.db, &flow_id).await?;
    same("version", found.patch, 8)?;
    for (patch, content) in patches.iter().zip(&contents) {
        let kept = version::content(on.db, &found.flow, *patch).await?;
        same("kept", kept, Some(content.as_bytes().to_vec()))?;
    }
    Ok(())
}

/// A right taken away while somebody looks counts at the next look.
pub async fn rights_of_a_deleted_flow_mean_nothing(
    on: &Stores<'_, impl Kv, impl Database>,
) -> Verdict {
    let owner = Person::new(on, "owner", "tenant")?;
    let reader = Person::new(on, "reader", "tenant")?.mirrored(on.db).await?;
    let flow_id = owner.makes(on, "flow").await?;
    let found = owner.must_find(on.db, &flow_id).await?;
    let tx = on.db.begin().await?;
    let grant = acl::Grant {
        acl_id: &on.name("acl"),
        principal_type: acl::PrincipalType::User,
        principal_id: reader.subject.as_str(),
        level: Level::Admin,
        granted_by: &owner.subject,
    };
    acl::grant(&tx, &found.flow, grant, NOW).await?;
    flow::delete(&tx, &found.flow, NOW).await?;
    tx.commit().await?;
    same("level", reader.level(on.db, &flow_id).await?, None)
}
