//! Deploying a flow.

use http::Method;
use serde_json::Value;

use crate::{Answer, Setup, World};

/// A flow to deploy, and a ScaiGrid.
pub struct Deploying {
    /// The world.
    pub world: World,
    /// The session of the flow's owner, Alice: an author here, an administrator at ScaiGrid.
    pub token: String,
    /// The flow's path.
    pub path: String,
}

impl Deploying {
    /// A flow with this JSON as content.
    pub async fn with(setup: Setup, content: &str) -> Self {
        let world = World::with(setup.scaigrid()).await;
        let token = world
            .signed_in_as("alice@acme.example", "author", None)
            .await;
        let flow = world.save_flow(&token, "Expense approval", content).await;
        let path = format!("/v1/flows/{}", flow["id"].as_str().expect("an id"));
        Self { world, token, path }
    }

    /// Deploys it.
    pub async fn deploy(&self, token: &str, body: Option<&Value>) -> Answer {
        let path = format!("{}/deploy", self.path);
        self.world.call(Method::POST, &path, token, body).await
    }

    /// What is recorded, the newest first.
    pub async fn recorded(&self) -> Value {
        let path = format!("{}/deployments", self.path);
        let answer = self.world.client.get(&path, Some(&self.token)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].clone()
    }

    /// How many cores ScaiGrid has made.
    #[must_use]
    pub fn cores(&self) -> usize {
        let grid = self.world.grid().grid();
        grid.cores.iter().filter(|c| c.name == "expense").count()
    }
}
