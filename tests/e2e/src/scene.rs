//! A mirror in step with ScaiKey's directory, and a change of that to follow or not to.

use scaikey_emulator::{Behaviour, Directory, seed};

use crate::{Answer, Setup, World, reorganised};

/// What our application may have, from now on.
///
/// # Panics
/// When it is not there.
pub fn set_scopes(directory: &mut Directory, scopes: &str) {
    let ours = directory.client_mut(seed::CLIENT_ID).expect("our client");
    ours.allowed_scopes = scopes.split(' ').map(str::to_owned).collect();
}

/// A world whose mirror is in step with `before`.
pub struct Scene {
    /// The world.
    pub world: World,
    /// ScaiKey's directory at the beginning.
    pub before: Directory,
    /// And after a change.
    pub after: Directory,
    /// Whether users are found by the members of groups.
    pub is_walk: bool,
}

impl Scene {
    /// With the usual settings, and ScaiKey's behaviour changed.
    pub async fn new(is_walk: bool, behave: impl FnOnce(&mut Behaviour)) -> Self {
        Self::with(is_walk, Setup::default().behaviour(behave)).await
    }

    /// Begins with `setup`.
    pub async fn with(is_walk: bool, setup: Setup) -> Self {
        let world = World::with(setup).await;
        let mut before = world.scaikey.directory().clone();
        if is_walk {
            set_scopes(&mut before, "openid groups:read");
        }
        let after = reorganised(&before);
        let scene = Self {
            world,
            before,
            after,
            is_walk,
        };
        scene.follow(&scene.before).await;
        scene
    }

    /// An undisturbed sync makes the mirror this directory.
    pub async fn follow(&self, directory: &Directory) {
        self.world.follow(directory, self.is_walk).await;
    }

    /// A sync of the change works, whatever is in its way: the mirror is as ScaiKey says.
    pub async fn succeeds(&self, what: &str) {
        self.world.set_directory(&self.after);
        self.world.advance(1);
        let (answer, _) = self.world.hurry(None, self.world.try_sync(false)).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        let expected = self.world.expected(self.is_walk);
        self.world.live().assert_is(&expected, what);
    }

    /// A sync of the change fails with this code, and the mirror is what it was to the byte.
    pub async fn fails(&self, status: u16, code: &str, what: &str) -> Answer {
        self.world.set_directory(&self.after);
        self.world.advance(1);
        let kept = self.world.mirror();
        let (answer, _) = self.world.hurry(None, self.world.try_sync(false)).await;
        assert_eq!(answer.code(), code, "{what}: {}", answer.text());
        answer.assert_problem(status, code);
        self.unchanged(&kept, what);
        answer
    }

    /// Fails unless the mirror is what it was to the byte.
    #[track_caller]
    pub fn unchanged(&self, kept: &[String], what: &str) {
        let now = self.world.mirror();
        let differs = |(old, new): (&String, &String)| old != new;
        let first = kept.iter().zip(&now).find(|pair| differs(*pair));
        assert!(
            now == kept,
            "{what}: {} rows became {}, first {first:?}",
            kept.len(),
            now.len()
        );
    }
}
