//! The pages for people: no script, nothing from elsewhere.

use std::fmt::Write as _;

use scaigate_problem::Code;
use serde_json::Value;

use crate::operation::{Caller, Operation};
use crate::{operations, schemas};

/// The text of `/docs`.
#[must_use]
pub fn docs() -> String {
    let mut body = String::from(
        "<p>Every address below <code>/v1</code> is there below <code>/api/v1</code> too. For programs: \
         <a href=\"/openapi.json\">openapi.json</a>. What fails is explained in the \
         <a href=\"/docs/errors\">error reference</a>.</p>\n<nav aria-label=\"Operations\">\n<ul>\n",
    );
    for operation in operations() {
        // Writing to a string can't fail, here and below.
        let _ = writeln!(
            body,
            "<li><a href=\"#{}\"><code>{} {}</code></a> {}</li>",
            operation.id,
            operation.method,
            escape(operation.path),
            prose(operation.summary)
        );
    }
    body.push_str("</ul>\n</nav>\n");
    for operation in operations() {
        section(&mut body, operation);
    }
    body.push_str("<h2 id=\"shapes\">Shapes</h2>\n");
    for (name, schema) in schemas::schemas() {
        let _ = writeln!(
            body,
            "<section>\n<h3 id=\"shape-{name}\">{name}</h3>\n{}</section>",
            shape(&schema)
        );
    }
    page("The API of scaigate", &body)
}

/// The text of `/docs/errors`.
#[must_use]
pub fn errors() -> String {
    let mut body = String::from(
        "<p>Every failure is answered as <code>application/problem+json</code>, in \
         <a href=\"/docs#shape-Problem\">one shape</a>: match on <code>error.code</code>, and show \
         <code>error.fix</code>. <code>error.request_id</code> finds the log line.</p>\n",
    );
    for code in Code::ALL {
        let name = code.as_str();
        let answered: Vec<String> = operations()
            .iter()
            .filter(|operation| operation.codes.contains(code) && !is_everywhere(*code))
            .map(|operation| {
                format!(
                    "<a href=\"/docs#{}\"><code>{} {}</code></a>",
                    operation.id,
                    operation.method,
                    escape(operation.path)
                )
            })
            .collect();
        let _ = write!(
            body,
            "<section>\n<h2 id=\"{name}\"><a href=\"#{name}\">{name}</a></h2>\n\
             <p><strong>{}</strong> {}</p>\n<p>{}</p>\n",
            code.status(),
            code.fault().as_str(),
            prose(code.message()),
        );
        let _ = writeln!(body, "<p><strong>Fix:</strong> {}</p>", prose(code.fix()));
        if !answered.is_empty() {
            let _ = writeln!(
                body,
                "<details><summary>Answered by {}</summary><p>{}</p></details>",
                answered.len(),
                answered.join("<br>")
            );
        }
        body.push_str("</section>\n");
    }
    page("Error reference of scaigate", &body)
}

/// So many may answer it that a list would say nothing.
fn is_everywhere(code: Code) -> bool {
    let answers = |operation: &&Operation| operation.codes.contains(&code);
    operations().iter().filter(answers).count() > 20
}

fn section(body: &mut String, operation: &Operation) {
    let _ = write!(
        body,
        "<section>\n<h2 id=\"{0}\"><a href=\"#{0}\"><code>{1} {2}</code></a></h2>\n<p>{3}. {4}</p>\n",
        operation.id,
        operation.method,
        escape(operation.path),
        prose(operation.summary),
        prose(operation.about)
    );
    let _ = writeln!(body, "<p>{}</p>", caller(operation.caller));
    if !operation.parameters.is_empty() {
        body.push_str("<table>\n<caption>Parameters</caption>\n<thead><tr><th scope=\"col\">name</th><th scope=\"col\">in</th><th scope=\"col\">what</th></tr></thead>\n<tbody>\n");
        for parameter in &operation.parameters {
            let needed = if parameter.is_required {
                ", required"
            } else {
                ""
            };
            let _ = writeln!(
                body,
                "<tr><th scope=\"row\"><code>{}</code></th><td>{}{needed}</td><td>{} {}</td></tr>",
                parameter.name,
                parameter.place.as_str(),
                shape(&parameter.schema),
                prose(parameter.about)
            );
        }
        body.push_str("</tbody>\n</table>\n");
    }
    if let Some(taken) = &operation.body {
        let _ = writeln!(
            body,
            "<p>Body, {}:</p>\n{}",
            taken.content_types.join(" or "),
            shape(&taken.schema)
        );
    }
    for answer in &operation.answers {
        let schema = answer.schema.as_ref().map(shape).unwrap_or_default();
        let _ = writeln!(
            body,
            "<p><strong>{}</strong> {}</p>\n{schema}",
            answer.status,
            prose(answer.about)
        );
    }
    let codes: Vec<String> = operation
        .codes
        .iter()
        .map(|code| {
            let name = code.as_str();
            format!(
                "<li>{} <a href=\"/docs/errors#{name}\"><code>{name}</code></a></li>",
                code.status()
            )
        })
        .collect();
    let _ = writeln!(
        body,
        "<details><summary>{} failures</summary>\n<ul>\n{}\n</ul></details>\n</section>",
        codes.len(),
        codes.join("\n")
    );
}

const fn caller(caller: Caller) -> &'static str {
    match caller {
        Caller::Anybody => "Needs no credential in a header.",
        Caller::Bearer => {
            "Needs <code>Authorization: Bearer</code> with a session token or an access token of ScaiKey."
        }
        Caller::Signature => "Needs ScaiKey's signature of the body.",
        Caller::DevToken => {
            "Needs <code>Authorization: Bearer</code> with <code>scaiflow_api_token</code>."
        }
    }
}

/// A schema in HTML.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    let words = schema["description"]
        .as_str()
        .map(prose)
        .unwrap_or_default();
    let what = if let Some(any) = schema["anyOf"].as_array() {
        let all: Vec<String> = any.iter().map(shape).collect();
        all.join(" or ")
    } else if let Some(members) = schema["properties"].as_object() {
        let required = schema["required"].as_array();
        let is_required = |name: &str| {
            required.is_some_and(|names| names.iter().any(|other| other.as_str() == Some(name)))
        };
        let rows: String = members
            .iter()
            .map(|(name, schema)| {
                let optional = if is_required(name) { "" } else { " (optional)" };
                format!(
                    "<li><code>{name}</code>{optional}: {}</li>\n",
                    shape(schema)
                )
            })
            .collect();
        format!("<ul>\n{rows}</ul>")
    } else if let Some(words) = schema["enum"].as_array() {
        let all: Vec<String> = words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| format!("<code>{word}</code>"))
            .collect();
        all.join(", ")
    } else if schema["type"] == "array" {
        format!("a list of {}", shape(&schema["items"]))
    } else {
        plain(schema)
    };
    if words.is_empty() {
        what
    } else {
        format!("{what}. {words}")
    }
}

fn plain(schema: &Value) -> String {
    let mut text = match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => "time (RFC 3339)".to_owned(),
        (Some("string"), Some("uri")) => "address".to_owned(),
        (Some("string"), _) => "text".to_owned(),
        (Some("integer"), _) => "whole number".to_owned(),
        (Some("boolean"), _) => "true or false".to_owned(),
        (Some(other), _) => other.to_owned(),
        (None, _) if schema["const"] == true => "true".to_owned(),
        (None, _) => "any JSON".to_owned(),
    };
    let bounds = [
        ("at least", "minimum"),
        ("at most", "maximum"),
        ("at least, in characters,", "minLength"),
        ("at most, in characters,", "maxLength"),
        ("by default", "default"),
    ];
    for (words, name) in bounds {
        if !schema[name].is_null() && schema[name] != 0 {
            let _ = write!(text, ", {words} {}", schema[name]);
        }
    }
    text
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"/docs/style.css\">\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// Text in which backticks mark code.
fn prose(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(index, piece)| {
            let piece = escape(piece);
            if index % 2 == 1 {
                format!("<code>{piece}</code>")
            } else {
                piece
            }
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
