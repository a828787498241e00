//! Which path goes where.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::{MethodFilter, on};
use http::Request;

use crate::admin::{applications, assignments, groups, registration_requests, tenants, users};
use crate::control;
use crate::endpoint::Endpoint;
use crate::exchange::{Call, Reply};
use crate::oidc::{authorize, discovery, logout, token};
use crate::registration;
use crate::server::{Handler, handle};
use crate::webhook;
use crate::world::World;

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const DELETE: MethodFilter = MethodFilter::DELETE;
const PATCH: MethodFilter = MethodFilter::PATCH;

struct Routes {
    world: Arc<World>,
    router: Router,
}

impl Routes {
    fn route(
        mut self,
        methods: MethodFilter,
        path: &str,
        endpoint: Endpoint,
        handler: Handler,
    ) -> Self {
        let world = self.world.clone();
        let service =
            move |request: Request<Body>| handle(world.clone(), endpoint, handler, request);
        self.router = self.router.route(path, on(methods, service));
        self
    }

    /// A collection path with and without its final slash (`contract/scaikey.md` 3.1).
    fn collection(
        self,
        methods: MethodFilter,
        path: &str,
        endpoint: Endpoint,
        handler: Handler,
    ) -> Self {
        self.route(methods, &format!("{path}/"), endpoint, handler)
            .route(methods, path, endpoint, handler)
    }
}

/// The whole HTTP surface.
pub(crate) fn router(world: Arc<World>) -> Router {
    let routes = Routes {
        world: world.clone(),
        router: Router::new(),
    };
    let routes = emulator(registrations(directory(oidc(routes))));
    let nowhere = world.clone();
    routes
        .router
        .method_not_allowed_fallback(move |request: Request<Body>| {
            handle(
                world.clone(),
                Endpoint::Unknown,
                method_not_allowed,
                request,
            )
        })
        .fallback(move |request: Request<Body>| {
            handle(nowhere.clone(), Endpoint::Unknown, not_found, request)
        })
}

fn method_not_allowed(_world: &World, _call: &Call) -> Reply {
    Reply::detail(405, "Method Not Allowed")
}

fn not_found(_world: &World, _call: &Call) -> Reply {
    Reply::detail(404, "Not Found")
}

fn oidc(routes: Routes) -> Routes {
    let platform = "/api/v1/platform";
    let tenant = "/api/v1/auth/tenants/{slug}";
    let configuration = ".well-known/openid-configuration";
    let both = GET.or(POST);
    routes
        .route(
            GET,
            &format!("/{configuration}"),
            Endpoint::Discovery,
            discovery::plain,
        )
        .route(
            GET,
            &format!("{platform}/oauth/{configuration}"),
            Endpoint::Discovery,
            discovery::platform,
        )
        .route(
            GET,
            &format!("{tenant}/{configuration}"),
            Endpoint::Discovery,
            discovery::tenant,
        )
        .route(
            GET,
            &format!("{platform}/.well-known/jwks.json"),
            Endpoint::Jwks,
            discovery::jwks,
        )
        .route(
            GET,
            &format!("{tenant}/.well-known/jwks.json"),
            Endpoint::Jwks,
            discovery::jwks,
        )
        .route(
            GET,
            &format!("{platform}/oauth/authorize"),
            Endpoint::Authorize,
            authorize::platform,
        )
        .route(
            GET,
            &format!("{tenant}/oauth/authorize"),
            Endpoint::Authorize,
            authorize::tenant,
        )
        .route(POST, "/login", Endpoint::Login, authorize::login)
        .route(
            POST,
            &format!("{platform}/oauth/token"),
            Endpoint::Token,
            token::platform,
        )
        .route(
            POST,
            &format!("{tenant}/oauth/token"),
            Endpoint::Token,
            token::tenant,
        )
        .route(
            POST,
            &format!("{platform}/oauth/revoke"),
            Endpoint::Revoke,
            logout::revoke,
        )
        .route(
            POST,
            &format!("{tenant}/oauth/revoke"),
            Endpoint::Revoke,
            logout::revoke,
        )
        .route(
            POST,
            &format!("{platform}/oauth/introspect"),
            Endpoint::Introspect,
            logout::introspect,
        )
        .route(
            POST,
            &format!("{tenant}/oauth/introspect"),
            Endpoint::Introspect,
            logout::introspect,
        )
        .route(
            both,
            &format!("{platform}/oauth/userinfo"),
            Endpoint::Userinfo,
            logout::userinfo,
        )
        .route(
            both,
            &format!("{tenant}/oauth/userinfo"),
            Endpoint::Userinfo,
            logout::userinfo,
        )
        .route(
            both,
            "/oauth/logout",
            Endpoint::EndSession,
            logout::end_session,
        )
}

fn directory(routes: Routes) -> Routes {
    let admin = "/api/v1/admin";
    let tenant = "/api/v1/tenants/{tenant}";
    let users_path = format!("{admin}/users");
    let groups_path = format!("{admin}/groups");
    let members_path = format!("{admin}/groups/{{id}}/members");
    let apps_path = format!("{admin}/applications");
    let tenants_path = format!("{admin}/tenants");
    routes
        .collection(GET, &users_path, Endpoint::AdminUsers, users::list)
        .route(
            GET,
            &format!("{users_path}/{{id}}"),
            Endpoint::AdminUsers,
            users::get,
        )
        .collection(GET, &groups_path, Endpoint::AdminGroups, groups::list)
        .route(
            GET,
            &format!("{groups_path}/{{id}}"),
            Endpoint::AdminGroups,
            groups::get,
        )
        .collection(GET, &members_path, Endpoint::GroupMembers, groups::members)
        .collection(
            GET,
            &apps_path,
            Endpoint::AdminApplications,
            applications::list,
        )
        .collection(
            POST,
            &apps_path,
            Endpoint::AdminApplications,
            applications::create,
        )
        .route(
            GET,
            &format!("{apps_path}/{{id}}"),
            Endpoint::AdminApplications,
            applications::get,
        )
        .route(
            PATCH,
            &format!("{apps_path}/{{id}}"),
            Endpoint::AdminApplications,
            applications::patch,
        )
        .collection(GET, &tenants_path, Endpoint::AdminTenants, tenants::list)
        .route(
            GET,
            &format!("{tenants_path}/{{id}}"),
            Endpoint::AdminTenants,
            tenants::get,
        )
        .collection(
            GET,
            &format!("{admin}/partners"),
            Endpoint::AdminPartners,
            tenants::partners,
        )
        .collection(
            GET,
            &format!("{admin}/webhooks/events"),
            Endpoint::WebhookEvents,
            webhook::events,
        )
        .collection(
            GET,
            &format!("{tenant}/applications/{{app}}/effective-users"),
            Endpoint::EffectiveUsers,
            assignments::effective_users,
        )
        .collection(
            GET,
            &format!("{tenant}/applications/{{app}}/assignees"),
            Endpoint::Assignees,
            assignments::assignees,
        )
        .collection(
            GET,
            &format!("{tenant}/groups/{{group}}/applications"),
            Endpoint::GroupApplications,
            assignments::of_group,
        )
}

fn registrations(routes: Routes) -> Routes {
    let public = "/api/v1/public/register/applications";
    let admin = "/api/v1/admin/registration-requests";
    routes
        .collection(POST, public, Endpoint::Registration, registration::create)
        .route(
            GET,
            &format!("{public}/{{id}}"),
            Endpoint::Registration,
            registration::status,
        )
        .route(
            DELETE,
            &format!("{public}/{{id}}"),
            Endpoint::Registration,
            registration::cancel,
        )
        .collection(
            GET,
            admin,
            Endpoint::RegistrationRequests,
            registration_requests::list,
        )
        .route(
            POST,
            &format!("{admin}/{{id}}/approve"),
            Endpoint::RegistrationRequests,
            registration_requests::approve,
        )
        .route(
            POST,
            &format!("{admin}/{{id}}/reject"),
            Endpoint::RegistrationRequests,
            registration_requests::reject,
        )
}

fn emulator(routes: Routes) -> Routes {
    let stranger = "/_emulator/stranger-jwks.json";
    let routes = routes.route(
        GET,
        stranger,
        Endpoint::StrangerJwks,
        discovery::stranger_jwks,
    );
    if !routes.world.control {
        return routes;
    }
    routes
        .route(GET, "/_emulator/switches", Endpoint::Control, control::show)
        .route(
            POST,
            "/_emulator/switches",
            Endpoint::Control,
            control::switch,
        )
        .route(
            GET,
            "/_emulator/requests",
            Endpoint::Control,
            control::requests,
        )
        .route(
            DELETE,
            "/_emulator/requests",
            Endpoint::Control,
            control::forget,
        )
        .route(
            POST,
            "/_emulator/keys/rotate",
            Endpoint::Control,
            control::rotate,
        )
        .route(
            POST,
            "/_emulator/users/{id}/status",
            Endpoint::Control,
            control::user_status,
        )
        .route(
            GET,
            "/_emulator/registrations",
            Endpoint::Control,
            control::registrations,
        )
        .route(
            POST,
            "/_emulator/registrations/{id}",
            Endpoint::Control,
            control::decide_registration,
        )
        .route(
            DELETE,
            "/_emulator/users/{id}",
            Endpoint::Control,
            control::remove_user,
        )
}
