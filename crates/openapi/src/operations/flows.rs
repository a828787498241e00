//! `flows`: flows, their catalog, and deploying them.

use scaigate_problem::Code::*;

use crate::Operation;
use crate::codes::{SCAIGRID, STORES};
use crate::operation::Caller;
use crate::schema::{any, bounded, flag, list, maybe, named, number, object, open, text, word};

const FLOW: &[scaigate_problem::Code] = &[FlowNotFound, FlowAccessDenied];
const PACKAGE: &[scaigate_problem::Code] = &[PackageNotFound, PackageAccessDenied];

fn flows(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new("flows", method, path, id, summary)
        .bearer()
        .limited()
        .fails(&[UserRequired, InsufficientScope, ScaikeyLoginRequired])
}

fn deploy(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("deploy", "POST", path, id, summary)
        .limited()
        .fails(STORES)
        .fails(SCAIGRID)
        .fails(&[
            ConfigurationInvalid,
            CompileError,
            MissingScaigridCredentials,
            ScaiqueueAuth,
            ScaiqueueProvisionFailed,
            ScaicoreCreateFailed,
            ScaicorePublishFailed,
        ])
}

fn limit(operation: Operation) -> Operation {
    operation.query("limit", number(1, 1000, 100), "How many at most.")
}

fn tenant_id(operation: Operation) -> Operation {
    operation.query(
        "tenant_id",
        bounded(1, 128),
        "The package's tenant, where a super admin means another than its own.",
    )
}

fn preview(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    flows("POST", path, id, summary)
}

fn of_flows() -> Vec<Operation> {
    let level = || word(&["view", "edit", "deploy", "admin"]);
    vec![
        limit(flows("GET", "/v1/flows", "listFlows", "The flows that the caller may see"))
            .query("search", bounded(0, 200), "Part of the name, without regard to case.")
            .json(200, "The last changed first.", named("Flows")),
        flows("POST", "/v1/flows", "saveFlow", "Save a new flow")
            .json_body(open(&[("name", bounded(1, 200)), ("description?", maybe(bounded(0, 4000))), ("content", any())]))
            .json(201, "The flow.", named("Flow")),
        preview("/v1/flows/compile", "compileFlow", "Compile content without saving it")
            .about("The flow compiler is not part of scaigate: content that is a YAML manifest already is its own compilation.")
            .json_body(open(&[("content", any()), ("format", word(&["yaml", "ir", "scai"]))]))
            .json(200, "The compilation, or why there is none.", object(&[
                ("format", text()), ("body", maybe(text())), ("errors", list(text())),
            ])),
        preview("/v1/flows/validate", "validateFlow", "Look whether content is a flow")
            .json_body(open(&[("content", any())]))
            .json(200, "What is wrong with it.", named("Validation")),
        flows("GET", "/v1/flows/{id}", "getFlow", "A flow with its content")
            .fails(FLOW)
            .json(200, "The flow.", named("Flow")),
        flows("PUT", "/v1/flows/{id}", "changeFlow", "Change a flow; new content is a new version")
            .json_body(open(&[("name?", maybe(bounded(1, 200))), ("description?", maybe(bounded(0, 4000))), ("content?", any())]))
            .fails(FLOW)
            .json(200, "The flow as it is now.", named("Flow")),
        flows("DELETE", "/v1/flows/{id}", "deleteFlow", "Delete a flow")
            .fails(FLOW)
            .empty(204, "Deleted."),
        flows("GET", "/v1/flows/{id}/acls", "flowAcls", "Who may do what with a flow")
            .fails(FLOW)
            .json(200, "The entries, in the order in which they were given.", list(named("FlowAcl"))),
        flows("POST", "/v1/flows/{id}/acls", "grantFlow", "Give a user or a group a right on a flow")
            .json_body(open(&[("principal_type", word(&["user", "group"])), ("principal_id", bounded(1, 128)), ("level", level())]))
            .fails(FLOW)
            .fails(&[PrincipalNotFound, AclExists, LimitReached])
            .json(201, "The entry.", named("FlowAcl")),
        flows("DELETE", "/v1/flows/{id}/acls/{acl_id}", "revokeFlow", "Take a right on a flow")
            .fails(FLOW)
            .fails(&[AclNotFound])
            .empty(204, "Taken."),
        limit(flows("GET", "/v1/flows/{id}/versions", "flowVersions", "The versions of a flow"))
            .fails(FLOW)
            .json(200, "The newest first.", named("FlowVersions")),
        flows("GET", "/v1/flows/{id}/versions/{version}", "flowVersion", "A version of a flow with its content")
            .fails(FLOW)
            .fails(&[FlowVersionNotFound])
            .json(200, "The version.", named("FlowVersion")),
        limit(flows("GET", "/v1/flows/{id}/deployments", "flowDeployments", "The deployments of a flow"))
            .fails(FLOW)
            .json(200, "The newest first.", named("FlowDeployments")),
        deploy("/v1/flows/{id}/deploy", "deployFlow", "Deploy a flow to ScaiGrid")
            .bearer()
            .fails(FLOW)
            .fails(&[UserRequired, InsufficientScope])
            .takes(&["application/json"], false, open(&[
                ("publish_as_model?", maybe(flag())), ("group_ids?", list(text())),
            ]))
            .json(200, "The core, and where it was published.", object(&[
                ("core_id", text()), ("published_slug", maybe(text())), ("deployment_id", text()), ("version", text()),
            ])),
        deploy("/v1/dev/deploy", "devDeploy", "Deploy a manifest, for development")
            .about("Deprecated: use `POST /v1/flows/{id}/deploy`.")
            .caller(Caller::DevToken)
            .fails(&[AuthenticationRequired, TokenInvalid, DevDeployNotConfigured])
            .json_body(open(&[
                ("content", any()), ("publish_as_model?", maybe(flag())), ("group_ids?", list(text())),
            ]))
            .json(200, "The core, and where it was published.", object(&[
                ("core_id", text()), ("published_slug", maybe(text())),
            ])),
    ]
}

fn of_the_catalog() -> Vec<Operation> {
    let visibility = || word(&["tenant", "groups"]);
    vec![
        flows(
            "GET",
            "/v1/catalog",
            "browseCatalog",
            "The packages that the caller may see",
        )
        .json(200, "By name.", list(named("Package"))),
        flows(
            "POST",
            "/v1/catalog/publish",
            "publishPackage",
            "Publish a flow, or content, as a package",
        )
        .about("One of `flow_id` and `content`; where both are given, the flow is published.")
        .json_body(open(&[
            ("package_id", bounded(1, 128)),
            ("name", bounded(1, 200)),
            ("version", text()),
            ("description?", maybe(bounded(0, 4000))),
            ("readme?", maybe(bounded(0, 65_536))),
            ("flow_id?", maybe(text())),
            ("content?", any()),
            ("visibility?", maybe(visibility())),
            ("visibility_group_ids?", list(text())),
        ]))
        .fails(&[
            FlowNotFound,
            FlowAccessDenied,
            PackageAccessDenied,
            GroupNotFound,
            LimitReached,
            CompileError,
        ])
        .json(201, "The package.", named("Package")),
        tenant_id(flows(
            "PATCH",
            "/v1/catalog/{id}",
            "showPackage",
            "Change who sees a package",
        ))
        .json_body(open(&[
            ("visibility", visibility()),
            ("visibility_group_ids?", list(text())),
        ]))
        .fails(PACKAGE)
        .fails(&[GroupNotFound])
        .json(200, "The package as it is now.", named("Package")),
        tenant_id(flows(
            "DELETE",
            "/v1/catalog/{id}",
            "deletePackage",
            "Delete a package",
        ))
        .fails(PACKAGE)
        .empty(204, "Deleted."),
        tenant_id(flows(
            "POST",
            "/v1/catalog/{id}/install",
            "installPackage",
            "Take a package's content for a flow of one's own",
        ))
        .fails(PACKAGE)
        .json(
            200,
            "Identifier and content of a flow that is not saved yet.",
            object(&[
                ("id", text()),
                ("package", named("Package")),
                ("content", any()),
            ]),
        ),
    ]
}

pub(super) fn operations() -> Vec<Operation> {
    let unbuilt = [
        (
            "POST",
            "/v1/flows/{id}/run-tests",
            "runFlowTests",
            "Run a flow's tests",
        ),
        (
            "GET",
            "/v1/flows/{id}/presence",
            "flowPresence",
            "Who is looking at a flow",
        ),
        (
            "GET",
            "/v1/flows/{id}/sync",
            "flowRelay",
            "Edit a flow together",
        ),
    ];
    let unbuilt = unbuilt.map(|(method, path, id, summary)| {
        Operation::new("flows", method, path, id, summary)
            .about("Documented by ScaiFlow; not part of scaigate.")
            .fails(&[NotImplemented])
    });
    [of_flows(), unbuilt.to_vec(), of_the_catalog()].concat()
}
